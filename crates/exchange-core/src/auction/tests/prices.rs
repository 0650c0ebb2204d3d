//! Other prices than the bid: counter-offers, acceptances at another price, expired tokens.

use super::*;

#[test]
fn a_counter_offer_that_still_pays_best_is_taken_in_the_same_commit_as_the_refusal() {
    let tree = "tier one\nacme\nbolt";
    let script = "20 acme bids 10.00
         35 bolt bids 15.00
         37 durable
         60 bolt rejects price 12.00
         62 durable
         80 bolt rejects price 11.00
         82 durable";
    check(
        tree,
        script,
        expect![[r#"
            0ms ping acme
            0ms ping bolt
            35ms persist prepare bolt 15.00 USD for 12.00 USD
            37ms post bolt 15.00 USD
            60ms persist step 1 rejected + prepare bolt 12.00 USD for 9.60 USD
            62ms post bolt 12.00 USD
            80ms persist step 2 rejected + prepare acme 10.00 USD for 8.00 USD
            82ms post acme 10.00 USD
        "#]],
    );
    let stage = play(setup(tree, Goal::Sell), script);
    let declined: Vec<_> = stage
        .auction
        .trace()
        .steps
        .iter()
        .filter_map(|step| match &step.event {
            TraceEvent::Countered { declined, .. } => Some(declined.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(declined, [None, Some("again".to_owned())], "once for each bid");
}

#[test]
fn a_counter_offer_goes_under_the_key_that_the_connector_declares() {
    check(
        "tier one
           bolt samekey repost",
        "35 bolt bids 15.00 tok7
         37 durable
         60 bolt rejects price 12.00
         62 durable
         80 bolt lost reset
         90 bolt tells repost accepts
         92 durable",
        expect![[r#"
            0ms ping bolt
            35ms persist prepare bolt 15.00 USD for 12.00 USD
            37ms post bolt 15.00 USD token tok7
            60ms persist step 1 rejected + prepare bolt 12.00 USD for 9.60 USD
            62ms post bolt 12.00 USD token tok7 key 1
            80ms repost bolt key 1
            90ms persist step 2 accepted + answer sold
            92ms reply sold 9.60 USD
            92ms done
        "#]],
    );
}

/// What follows a refusal of 15.00 that offers this price, with another bid of 12.00 in hand.
fn after_an_offer_of(offered: &str, tier: &str) -> String {
    let script = format!(
        "20 acme bids 12.00
         35 bolt bids 15.00
         37 durable
         60 bolt rejects price {offered}"
    );
    let stage = play(setup(&format!("{tier}\nacme\nbolt"), Goal::Sell), &script);
    stage.heard.lines().last().unwrap().replace("60ms persist step 1 rejected + ", "")
}

#[test]
fn a_counter_offer_is_not_taken_when_it_does_not_pay() {
    let acme = "prepare acme 12.00 USD for 9.60 USD";
    for offered in ["12.00", "11.99", "15.00", "15.01", "0"] {
        assert_eq!(after_an_offer_of(offered, "tier one"), acme, "{offered}");
    }
    assert_eq!(after_an_offer_of("12.01", "tier one"), "prepare bolt 12.01 USD for 9.61 USD");
    let no_more = "tier one cascade 0";
    assert_eq!(after_an_offer_of("9.00", no_more), "prepare bolt 9.00 USD for 7.20 USD");
    assert_eq!(after_an_offer_of("7.99", no_more), "answer unsold", "below the campaign's floor");
    assert_eq!(after_an_offer_of("9.00", "tier one reserve 9.50 cascade 0"), "answer unsold");
}

#[test]
fn a_counter_offer_never_breaks_a_promise() {
    let goal = || promise(&[("bolt", "15.00")]);
    let offer = |price: &str| {
        let script = format!("2 durable\n20 bolt rejects price {price}");
        play(setup("tier one\nbolt", goal()), &script).heard.lines().last().unwrap().to_owned()
    };
    assert_eq!(
        offer("12.50"),
        "20ms persist step 1 rejected + prepare bolt 12.50 USD for 12.00 USD"
    );
    assert_eq!(offer("11.99"), "20ms persist step 1 rejected + answer unsold");
}

#[test]
fn no_counter_offer_is_taken_without_time_for_its_post() {
    let script = "35 bolt bids 15.00\n37 durable\n930 bolt rejects price 12.00";
    let stage = play(setup("tier one\nbolt", Goal::Sell), script);
    assert!(stage.heard.ends_with("930ms persist step 1 rejected + answer unsold\n"));
}

/// What an acceptance of 15.00 at another price becomes.
fn accepted_at(price: &str, rule: &str) -> String {
    let script = format!(
        "35 bolt bids 15.00
         37 durable
         60 bolt accepts {price}
         62 durable"
    );
    let stage = play(setup(&format!("tier one\nbolt change {rule}"), Goal::Sell), &script);
    let told: Vec<_> = stage.heard.lines().filter(|l| l.starts_with("6")).collect();
    told[..2].join(", ")
}

#[test]
fn another_price_in_the_acceptance_is_booked_as_the_campaign_says() {
    let bid = "60ms persist step 1 accepted at 15.00 USD for 12.00 USD + answer sold, 62ms reply sold 12.00 USD";
    let lower = "60ms persist step 1 accepted at 11.00 USD for 8.80 USD + answer sold, 62ms reply sold 8.80 USD";
    assert_eq!(accepted_at("11.00", "bid"), bid);
    assert_eq!(accepted_at("11.00", "lower"), lower);
    assert_eq!(accepted_at("7.00", "lower"), bid, "below the floor");
    assert_eq!(accepted_at("20.00", "lower"), bid);
    assert_eq!(
        accepted_at("20.00", "any"),
        "60ms persist step 1 accepted at 20.00 USD for 16.00 USD + answer sold, 62ms reply sold 16.00 USD"
    );
    assert_eq!(
        accepted_at("11.00", "reject"),
        "60ms persist step 1 rejected for its price + answer unsold, 62ms reply unsold because rejected:price"
    );
}

#[test]
fn the_ceiling_is_held_where_a_higher_price_may_be_booked() {
    let stage = play(setup("tier one\nbolt change any", Goal::Sell), "35 bolt bids 15.00");
    assert!(stage.heard.ends_with("prepare bolt 15.00 USD for 12.00 USD holding 60.00 USD\n"));
}

#[test]
fn a_buyer_that_changes_its_price_against_its_contract_loses_the_lead_to_the_next() {
    check(
        "tier one
           acme
           bolt change reject",
        "20 acme bids 12.00
         35 bolt bids 15.00
         37 durable
         60 bolt accepts 14.00
         62 durable
         80 acme accepts
         82 durable",
        expect![[r#"
            0ms ping acme
            0ms ping bolt
            35ms persist prepare bolt 15.00 USD for 12.00 USD
            37ms post bolt 15.00 USD
            60ms persist step 1 rejected for its price + prepare acme 12.00 USD for 9.60 USD
            62ms post acme 12.00 USD
            80ms persist step 2 accepted + answer sold
            82ms reply sold 9.60 USD
            82ms done
        "#]],
    );
}

fn passed(stage: &Stage) -> Vec<String> {
    let steps = stage.auction.trace().steps.iter();
    steps
        .filter_map(|step| match &step.event {
            TraceEvent::Passed { campaign, reason } => Some(format!("{campaign} {reason}")),
            _ => None,
        })
        .collect()
}

#[test]
fn a_bid_whose_token_has_expired_is_passed_over() {
    let script = "20 bolt bids 15.00 tok7 for 100
         30 acme bids 12.00
         145 cask bids 14.00 tok8 for 100
         147 durable
         160 cask rejects cap";
    let stage = play(setup("tier one\nacme\nbolt\ncask", Goal::Sell), script);
    expect![[r#"
        0ms ping acme
        0ms ping bolt
        0ms ping cask
        145ms persist prepare cask 14.00 USD for 11.20 USD
        147ms post cask 14.00 USD token tok8
        160ms persist step 1 rejected + prepare acme 12.00 USD for 9.60 USD
    "#]]
    .assert_eq(&stage.heard);
    assert_eq!(passed(&stage), ["bolt/auto expired"]);
}

#[test]
fn a_token_that_expires_while_the_disk_is_slow_is_not_posted() {
    let script = "20 bolt bids 15.00 tok7 for 100
         30 acme bids 12.00
         125 durable";
    let stage = play(setup("tier one\nacme\nbolt", Goal::Sell), script);
    let last = "125ms persist step 1 not_sent + prepare acme 12.00 USD for 9.60 USD\n";
    assert!(stage.heard.ends_with(last), "{}", stage.heard);
}

#[test]
fn a_promise_is_not_fulfilled_with_an_expired_token() {
    let Goal::Fulfil(mut promised) = promise(&[("bolt", "15.00"), ("cask", "13.00")]) else {
        panic!("a promise")
    };
    promised.bids[0].token.as_mut().unwrap().lifetime = Some(MS(50));
    promised.bids[0].answered_at = at_ms("0").before(MS(60));
    promised.bids[1].token.as_mut().unwrap().lifetime = Some(MS(90_000));
    let stage = play(setup("tier one\nbolt\ncask", Goal::Fulfil(promised)), "");
    assert_eq!(stage.heard, "0ms persist prepare cask 13.00 USD for 12.00 USD\n");
    assert_eq!(passed(&stage), ["bolt/auto expired"]);
}

#[test]
fn a_promise_ends_with_the_bid_that_it_is_made_of() {
    let goal = Goal::Quote { ping: PING, lifetime: Duration::from_mins(1) };
    let script = "20 bolt bids 15.00 tok7 for 5000\n22 durable";
    let stage = play(setup("tier one\nbolt", goal), script);
    assert!(stage.heard.contains("reply bid 12.00 USD until 5020ms"), "{}", stage.heard);
}

#[test]
fn an_answer_without_a_price_is_a_bid_at_the_contract_price_or_none() {
    let script = "20 bolt is available";
    let stage = play(setup("tier one\nbolt base 9.00", Goal::Sell), script);
    assert!(stage.heard.ends_with("20ms persist prepare bolt 9.00 USD for 7.20 USD\n"));
    let stage = play(setup("tier one\nbolt", Goal::Sell), script);
    assert!(stage.heard.ends_with("20ms persist answer unsold\n"));
    let stage = play(setup("tier one\nbolt base 9.00 direct", Goal::Sell), "");
    assert_eq!(stage.heard, "0ms persist prepare bolt 9.00 USD for 7.20 USD\n");
}

#[test]
fn a_refusal_repeated_under_its_key_says_nothing_of_the_counter_offer_that_was_taken() {
    for (how, timer) in [("repost", ""), ("status", "180 timer")] {
        let tree = format!("tier one\nacme\nbolt samekey resolve {how} poll 100-150");
        let ended = |said: &str| {
            let script = format!(
                "20 acme bids 9.00
                 35 bolt bids 15.00
                 37 durable
                 60 bolt rejects price 12.00
                 62 durable
                 80 bolt lost reset
                 {timer}
                 190 bolt tells {how} {said}
                 192 durable"
            );
            play(setup(&tree, Goal::Sell), &script).heard
        };
        let first = ended("rejects price 12.00");
        assert!(!first.contains("prepare acme"), "the lead would be sold twice: {first}");
        let own = ended("rejects filter");
        assert!(own.contains("post acme"), "another refusal is of the second post: {own}");
    }
}
