//! Scorecards and chances: kept up to date by commits, the same after a crash.

use std::time::Duration;

use exchange_core::trace::{LateBid, Trace, TraceEvent};

use super::*;
use crate::{Chance, PingCount, PostTally};

fn now() -> Timestamp {
    at(500)
}

fn tally(desk: &Desk, buyer: &str) -> PostTally {
    desk.store().posts(&buyer.parse().unwrap(), at(-3_600))
}

fn chance(desk: &Desk) -> Chance {
    desk.store().accepted_share(&campaign("acme/auto"), now())
}

/// Three leads to acme: one sold, one refused, one without an answer.
fn busy() -> Desk {
    let desk = Desk::new();
    desk.sell(1, "acme", "12.00");
    desk.take_in(2);
    desk.prepare(intent(2, 1, "acme", "12.00")).unwrap();
    desk.answer(2, concluded(attempt(2, 1), rejected()), LeadStatus::Unsold);
    desk.take_in(3);
    desk.prepare(intent(3, 1, "acme", "12.00")).unwrap();
    desk
}

#[test]
fn commits_keep_the_record_of_a_buyer_and_a_crash_loses_none_of_it() {
    let mut desk = busy();
    let expected = PostTally { wins: 3, posts: 3, accepted: 1, rejected: 1, unknown: 1 };
    let share = Chance { accepted: 1_000, posts: 2_000 };
    assert_eq!((tally(&desk, "acme"), chance(&desk)), (expected, share));
    assert_eq!(tally(&desk, "bolt"), PostTally::default());
    desk.crash();
    assert_eq!((tally(&desk, "acme"), chance(&desk)), (expected, share), "as counted anew");
    // What is found out later moves from one to the other.
    desk.step(3, Some(concluded(attempt(3, 1), accepted())), Next::Nothing);
    let expected = PostTally { accepted: 2, unknown: 0, ..expected };
    let share = Chance { accepted: 2_000, posts: 3_000 };
    assert_eq!((tally(&desk, "acme"), chance(&desk)), (expected, share));
    desk.crash();
    assert_eq!((tally(&desk, "acme"), chance(&desk)), (expected, share));
}

#[test]
fn a_step_that_fails_counts_nothing() {
    let desk = busy();
    let before = (tally(&desk, "acme"), chance(&desk));
    // The conclusion stands alone; with an answer that contradicts it, all is taken back.
    let ended = Some(concluded(attempt(3, 1), rejected()));
    let failed = desk.try_step(3, ended, Next::Answer(answer(LeadStatus::Sold)));
    assert!(failed.is_err());
    assert_eq!((tally(&desk, "acme"), chance(&desk)), before);
}

#[test]
fn pings_add_up_by_the_hour_and_old_ones_are_forgotten() {
    let mut desk = Desk::new();
    let hour = PingCount::hour_of(now());
    let count = |hour, pings, bids| PingCount { buyer: "acme".parse().unwrap(), hour, pings, bids };
    let add = |desk: &Desk, counts| desk.store().add_pings(counts, now()).blocking_wait().unwrap();
    let long_ago = hour.before(Duration::from_secs(9 * 24 * 3_600));
    add(&desk, vec![count(hour, 20, 3)]);
    add(&desk, vec![count(hour, 5, 1), count(long_ago, 7, 7)]);
    desk.crash();
    let kept = desk.store().ping_counts(long_ago).blocking_wait().unwrap();
    assert_eq!(kept, [count(hour, 25, 4)]);
    assert_eq!(desk.store().ping_counts(at(7_200)).blocking_wait().unwrap(), []);
}

#[test]
fn leads_with_late_bids_are_found_with_what_they_earned() {
    let desk = busy();
    let journey = |late: Option<LateBid>| {
        let mut trace = Trace::new("main", at(0));
        let (campaign, reason) = ("bolt/auto".to_owned(), "late(15.00)".to_owned());
        trace.push(
            Duration::from_millis(200),
            TraceEvent::NoBid { campaign, reason, text: None, late },
        );
        trace
    };
    let late = LateBid {
        late_by: 40_000,
        price: "15.00 USD".to_owned(),
        payout: Some("12.00 USD".to_owned()),
        would_have_won: true,
    };
    for (lead, late) in [(1, Some(late.clone())), (2, None), (3, Some(late.clone()))] {
        desk.store().trace(lead_id(lead), journey(late));
    }
    desk.store().flush().blocking_wait().unwrap();
    let found =
        |after, limit| desk.store().late_leads(at(0), after, limit).blocking_wait().unwrap();
    let leads = found(None, 10);
    assert_eq!(leads.iter().map(|one| one.lead).collect::<Vec<_>>(), [lead_id(1), lead_id(3)]);
    assert_eq!(
        (leads[0].status, &*leads[0].sold),
        (Some(LeadStatus::Sold), &[(usd("12.00"), usd("5.00"))][..])
    );
    assert_eq!((leads[1].status, leads[1].posted, leads[1].sold.len()), (None, true, 0));
    assert_eq!(leads[0].journeys, [journey(Some(late))]);
    assert_eq!(found(None, 1).len(), 1);
    assert_eq!(found(Some(lead_id(1)), 1)[0].lead, lead_id(3));
    let later = desk.store().late_leads(at(2), None, 10).blocking_wait().unwrap();
    assert_eq!(later.len(), 1, "only those that arrived since");
}

#[test]
fn a_journey_from_before_late_bids_were_priced_still_reads() {
    let text = r#"{"tree":"main","started_at":0,"steps":[{"at":1,"event":
        {"event":"no_bid","campaign":"a/b","reason":"late(31.00)"}}]}"#;
    let old: Trace = serde_json::from_str(text).unwrap();
    assert!(matches!(old.steps[0].event, TraceEvent::NoBid { late: None, .. }));
}
