//! Lost and late answers: who is asked in which order, what counts, and what is never forgotten.

use super::*;
use crate::resolution::{PAUSE_MAX, Resolution, ResolutionCommand, ResolutionEvent};

#[test]
fn ways_are_tried_in_their_order_and_a_confirmed_void_cascades() {
    check(
        "tier one
           acme
           bolt resolve repost,status,void poll 50-100",
        "20 acme bids 12.00
         35 bolt bids 15.00
         37 durable
         60 bolt lost reset
         70 bolt tells repost lost http_5xx
         120 timer
         130 bolt tells status lost unreadable
         180 timer
         190 bolt tells status lost unreadable
         200 bolt tells void rejects voided
         202 durable
         220 acme accepts
         222 durable",
        expect![[r#"
            0ms ping acme
            0ms ping bolt
            35ms persist prepare bolt 15.00 USD for 12.00 USD
            37ms post bolt 15.00 USD
            60ms repost bolt
            120ms ask bolt status
            180ms ask bolt status
            190ms ask bolt void
            200ms persist step 1 rejected + prepare acme 12.00 USD for 9.60 USD
            202ms post acme 12.00 USD
            220ms persist step 2 accepted + answer sold
            222ms reply sold 9.60 USD
            222ms done
        "#]],
    );
}

#[test]
fn a_void_that_is_not_confirmed_proves_nothing_whatever_it_says() {
    for said in ["rejects filter", "accepts", "unsent connect", "lost timeout"] {
        let script = format!(
            "35 bolt bids 15.00
             37 durable
             60 bolt lost reset
             70 bolt tells void {said}
             72 durable"
        );
        let stage = play(setup("tier one\nbolt resolve void", Goal::Sell), &script);
        assert!(stage.heard.contains("reply pending because unknown:reset"), "{}", stage.heard);
    }
}

#[test]
fn a_question_that_is_not_answered_in_its_time_gives_the_turn_to_the_next_way() {
    check(
        "tier one
           bolt resolve repost,void",
        "35 bolt bids 15.00
         37 durable
         60 bolt lost reset
         365 timer
         400 bolt tells repost accepts
         402 durable",
        expect![[r#"
            0ms ping bolt
            35ms persist prepare bolt 15.00 USD for 12.00 USD
            37ms post bolt 15.00 USD
            60ms repost bolt
            365ms ask bolt void
            400ms persist step 1 accepted + answer sold
            402ms reply sold 12.00 USD
            402ms done
        "#]],
    );
}

#[test]
fn a_question_whose_timer_came_too_late_is_not_asked_and_not_waited_for() {
    let script = "35 bolt bids 15.00
         37 durable
         60 bolt lost reset
         925 timer
         927 durable";
    let stage = play(setup("tier one\nbolt resolve status poll 840-2000", Goal::Sell), script);
    assert!(stage.heard.contains("925ms hand over step 1"), "{}", stage.heard);
    assert!(stage.heard.contains("927ms reply pending because unknown:reset"), "{}", stage.heard);
}

#[test]
fn a_buyer_that_decides_later_is_polled_with_the_handle_it_gave() {
    check(
        "tier one
           bolt resolve status poll 100-500",
        "35 bolt bids 15.00
         37 durable
         60 bolt pending job7
         160 timer
         170 bolt tells status pending job7
         270 timer
         280 bolt tells status pending job8
         380 timer
         390 bolt tells status accepts
         392 durable",
        expect![[r#"
            0ms ping bolt
            35ms persist prepare bolt 15.00 USD for 12.00 USD
            37ms post bolt 15.00 USD
            60ms record step 1 unknown id=job7
            160ms ask bolt status id=job7
            270ms ask bolt status id=job7
            280ms record step 1 unknown id=job8
            380ms ask bolt status id=job8
            390ms persist step 1 accepted + answer sold
            392ms reply sold 12.00 USD
            392ms done
        "#]],
    );
}

#[test]
fn a_pending_answer_is_held_like_a_lost_one_and_polling_goes_on_afterwards() {
    check(
        "tier one
           acme
           bolt resolve status poll 400-2000",
        "20 acme bids 12.00
         35 bolt bids 15.00
         37 durable
         60 bolt pending job7
         460 timer
         470 bolt tells status pending
         870 timer
         880 bolt tells status pending
         972 durable",
        expect![[r#"
            0ms ping acme
            0ms ping bolt
            35ms persist prepare bolt 15.00 USD for 12.00 USD
            37ms post bolt 15.00 USD
            60ms record step 1 unknown id=job7
            460ms ask bolt status id=job7
            870ms ask bolt status id=job7
            880ms hand over step 1
            880ms persist step 1 unknown id=job7 + answer pending
            972ms reply pending because unknown:pending
            972ms done
        "#]],
    );
}

#[test]
fn a_buyer_that_calls_is_waited_for_until_the_seller_must_be_answered() {
    let tree = "tier one\nbolt resolve callback";
    check(
        tree,
        "35 bolt bids 15.00
         37 durable
         60 bolt pending
         300 bolt accepts
         302 durable",
        expect![[r#"
            0ms ping bolt
            35ms persist prepare bolt 15.00 USD for 12.00 USD
            37ms post bolt 15.00 USD
            60ms record step 1 unknown
            300ms persist step 1 accepted + answer sold
            302ms reply sold 12.00 USD
            302ms done
        "#]],
    );
    check(
        tree,
        "35 bolt bids 15.00
         37 durable
         60 bolt lost reset
         970 timer
         972 durable",
        expect![[r#"
            0ms ping bolt
            35ms persist prepare bolt 15.00 USD for 12.00 USD
            37ms post bolt 15.00 USD
            970ms hand over step 1
            970ms persist step 1 unknown + answer pending
            972ms reply pending because unknown:reset
            972ms done
        "#]],
    );
}

#[test]
fn a_first_post_that_never_left_settles_a_lost_answer_unless_it_was_repeated() {
    let script = "20 acme bids 12.00
         35 bolt bids 15.00
         37 durable
         342 timer
         350 bolt unsent unwritten";
    let stage = play(setup("tier one\nacme\nbolt resolve status poll 50-400", Goal::Sell), script);
    assert!(
        stage.heard.ends_with("persist step 1 not_sent + prepare acme 12.00 USD for 9.60 USD\n")
    );
    let stage = play(setup("tier one\nacme\nbolt repost", Goal::Sell), script);
    assert!(stage.heard.ends_with("342ms repost bolt\n"), "{}", stage.heard);
}

#[test]
fn an_acceptance_of_a_post_that_was_refused_before_is_recorded_and_changes_nothing() {
    check(
        "tier one
           acme
           bolt",
        "20 acme bids 12.00
         35 bolt bids 15.00
         37 durable
         60 bolt rejects filter
         61 bolt of 1 accepts
         62 durable
         63 bolt of 1 rejects filter
         70 bolt of 1 unsent connect
         90 acme accepts
         91 acme of 2 accepts 11.00
         92 durable
         95 bolt of 1 accepts",
        expect![[r#"
            0ms ping acme
            0ms ping bolt
            35ms persist prepare bolt 15.00 USD for 12.00 USD
            37ms post bolt 15.00 USD
            60ms persist step 1 rejected + prepare acme 12.00 USD for 9.60 USD
            61ms record step 1 accepted
            62ms post acme 12.00 USD
            90ms persist step 2 accepted + answer sold
            91ms record step 2 accepted at 12.00 USD for 9.60 USD
            92ms reply sold 9.60 USD
            92ms done
            95ms record step 1 accepted
        "#]],
    );
}

#[test]
fn what_contradicts_a_refusal_is_durable_after_it() {
    let script = "20 acme bids 12.00
         30 durable
         50 acme rejects filter
         55 acme of 1 accepts
         70 bolt bids 10.00
         72 durable";
    let stage = play(setup("tier one\nacme\ntier two\nbolt", Goal::Sell), script);
    expect![[r#"
        0ms ping acme
        20ms persist prepare acme 12.00 USD for 9.60 USD
        30ms post acme 12.00 USD
        50ms ping bolt
        70ms persist step 1 rejected + prepare bolt 10.00 USD for 8.00 USD
        70ms record step 1 accepted
        72ms post bolt 10.00 USD
    "#]]
    .assert_eq(&stage.heard);
}

#[test]
fn a_void_confirmed_after_the_late_acceptance_was_booked_is_a_contradiction() {
    let script = "35 bolt bids 15.00
         37 durable
         342 timer
         350 bolt accepts
         360 bolt tells void rejects voided
         362 durable";
    let stage = play(setup("tier one\nbolt resolve void", Goal::Sell), script);
    assert!(stage.heard.contains("360ms record step 1 rejected"), "{}", stage.heard);
    assert!(stage.heard.contains("reply sold 12.00 USD"), "{}", stage.heard);
}

#[test]
fn a_late_duplicate_contradicts_a_sale_unless_the_post_was_repeated() {
    let tree = "tier one\nacme\nbolt repost";
    let start = "20 acme bids 12.00
         35 bolt bids 15.00
         37 durable
         60 bolt lost reset";
    let repeated = format!(
        "{start}
         70 bolt tells repost accepts
         75 bolt of 1 rejects duplicate
         77 durable"
    );
    assert!(!play(setup(tree, Goal::Sell), &repeated).heard.contains("record"));
    let once = format!(
        "{start}
         70 bolt tells repost rejects filter
         72 durable
         80 acme accepts
         85 acme of 2 rejects duplicate"
    );
    let heard = play(setup(tree, Goal::Sell), &once).heard;
    assert!(heard.contains("85ms record step 2 rejected"), "{heard}");
}

#[test]
fn a_buyer_that_contradicts_itself_for_ever_is_not_recorded_for_ever() {
    let mut script = "20 bolt bids 15.00\n22 durable\n30 bolt rejects cap\n32 durable\n".to_owned();
    for _ in 0..20 {
        script += "40 bolt of 1 accepts\n";
    }
    let stage = play(setup("tier one\nbolt", Goal::Sell), &script);
    assert_eq!(stage.heard.matches("record").count(), 8);
}

pub(super) fn open_attempt(line: &str) -> OpenAttempt {
    let tree = format!("tier one\n{line}");
    let stage = play(setup(&tree, Goal::Sell), "35 bolt bids 15.00\n37 durable");
    OpenAttempt {
        intent: *stage.auction.intent.unwrap(),
        since: at_ms("400"),
        why: Unknown::Pending,
        handles: handles("job7"),
        posted_again: false,
    }
}

fn work(resolve: &str, poll: Option<&str>) -> Resolution {
    Resolution::new(at_ms("400"), open_attempt("bolt"), ways(resolve, poll))
}

/// Waits, and takes the question that comes then.
fn asked(work: &mut Resolution) -> (Timestamp, Resolver) {
    let ResolutionCommand::Wait(at) = work.poll() else { panic!("must wait first") };
    work.handle(at, ResolutionEvent::Timer);
    match work.poll() {
        ResolutionCommand::Ask(how) => (at, how),
        other => panic!("must ask, not {other:?}"),
    }
}

fn persisted(work: &mut Resolution) -> String {
    match work.poll() {
        ResolutionCommand::Persist(commit) => show_commit(&commit),
        other => panic!("must be persisted, not {other:?}"),
    }
}

#[test]
fn after_the_auction_a_lost_answer_is_asked_for_with_growing_pauses_until_it_is_definite() {
    let mut work = work("repost", None);
    let (mut pauses, mut now) = (Vec::new(), at_ms("400"));
    for _ in 0..4 {
        let (at, how) = asked(&mut work);
        assert_eq!(how, Resolver::Repost);
        pauses.push(at.since(now));
        now = at;
        work.handle(now, ResolutionEvent::AskAnswer(how, answer(&["lost", "timeout"])));
    }
    assert_eq!(pauses, [MS(1_000), MS(1_000), MS(2_000), MS(4_000)]);
    work.handle(now, ResolutionEvent::AskAnswer(Resolver::Repost, answer(&["accepts"])));
    assert_eq!(persisted(&mut work), "step 1 accepted");
    work.handle(now, ResolutionEvent::Durable);
    assert!(matches!(work.poll(), ResolutionCommand::Done));
}

#[test]
fn after_the_auction_a_confirmed_void_settles_the_attempt_as_released() {
    let mut work = work("status,void", Some("1000-2000"));
    for expected in [Resolver::Status, Resolver::Status, Resolver::Void] {
        let (at, how) = asked(&mut work);
        assert_eq!(how, expected);
        let said = if how == Resolver::Void { ["rejects", "voided"] } else { ["lost", "timeout"] };
        work.handle(at, ResolutionEvent::AskAnswer(how, answer(&said)));
    }
    assert_eq!(persisted(&mut work), "step 1 rejected");
}

#[test]
fn newer_handles_of_a_pending_post_are_durable_before_the_next_question() {
    let mut work = work("status", Some("1000-60000"));
    let (at, how) = asked(&mut work);
    work.handle(at, ResolutionEvent::AskAnswer(how, answer(&["pending", "job8"])));
    assert_eq!(persisted(&mut work), "step 1 unknown id=job8");
    work.handle(at, ResolutionEvent::Durable);
    let (at, how) = asked(&mut work);
    assert_eq!(work.open().handles, handles("job8"));
    work.handle(at, ResolutionEvent::AskAnswer(how, answer(&["pending", "job8"])));
    assert!(matches!(work.poll(), ResolutionCommand::Wait(_)), "nothing new to keep");
}

#[test]
fn a_post_that_provably_never_left_releases_its_hold_however_late_that_is_known() {
    let mut work = work("", None);
    work.handle(at_ms("900"), ResolutionEvent::PostAnswer(answer(&["unsent", "unwritten"])));
    assert_eq!(persisted(&mut work), "step 1 not_sent");
}

#[test]
fn after_a_repetition_a_duplicate_or_an_unsent_first_post_settles_nothing() {
    let mut work = work("repost", None);
    let (at, _repost) = asked(&mut work);
    for said in [["unsent", "unwritten"], ["rejects", "duplicate"]] {
        work.handle(at, ResolutionEvent::PostAnswer(answer(&said)));
        assert!(matches!(work.poll(), ResolutionCommand::Wait(_)), "{said:?}");
    }
    let mut unrepeated = self::work("callback", None);
    unrepeated.handle(at, ResolutionEvent::PostAnswer(answer(&["rejects", "duplicate"])));
    assert_eq!(persisted(&mut unrepeated), "step 1 rejected");
}

#[test]
fn what_contradicts_a_late_truth_goes_to_the_store_as_well() {
    let mut work = work("void", None);
    let (at, how) = asked(&mut work);
    work.handle(at, ResolutionEvent::PostAnswer(answer(&["accepts"])));
    work.handle(at, ResolutionEvent::AskAnswer(how, answer(&["rejects", "voided"])));
    assert_eq!(persisted(&mut work), "step 1 accepted");
    assert_eq!(persisted(&mut work), "step 1 rejected");
    work.handle(at, ResolutionEvent::Durable);
    assert!(matches!(work.poll(), ResolutionCommand::Wait(_)), "one of two is durable");
    work.handle(at, ResolutionEvent::Durable);
    assert!(matches!(work.poll(), ResolutionCommand::Done));
}

#[test]
fn without_a_way_to_ask_only_the_late_answer_resolves_and_no_timer_ever_ends_a_hold() {
    let mut work = work("", None);
    let ResolutionCommand::Wait(at) = work.poll() else { panic!("must wait") };
    assert_eq!(at, work.open().intent.resolve_by);
    work.handle(at, ResolutionEvent::Timer);
    assert!(matches!(work.poll(), ResolutionCommand::Done), "left to a person, nothing persisted");
}

#[test]
fn questions_end_with_the_time_that_the_connector_gives_them() {
    let mut open = open_attempt("bolt");
    open.intent.resolve_by = at_ms("400").after(PAUSE_MAX);
    let mut work = Resolution::new(at_ms("400"), open, ways("repost", None));
    let mut count = 0;
    while let ResolutionCommand::Wait(at) = work.poll() {
        work.handle(at, ResolutionEvent::Timer);
        if let ResolutionCommand::Ask(how) = work.poll() {
            count += 1;
            work.handle(at, ResolutionEvent::AskAnswer(how, answer(&["lost", "timeout"])));
        } else {
            break;
        }
    }
    assert_eq!(count, 10, "1 + 1 + 2 + 4 + … + 256 seconds");
    assert!(matches!(work.poll(), ResolutionCommand::Done));
}
