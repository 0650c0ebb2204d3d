//! How members of a tier compete: every method by example.

use super::*;

#[test]
fn the_winner_at_second_price_pays_what_would_just_have_won() {
    check(
        "tier one by second_price increment 0.50
         acme
         bolt
         cask",
        "20 acme bids 12.00
         21 bolt bids 20.00
         22 cask declines
         25 durable
         40 bolt rejects filter
         41 durable
         60 acme accepts
         61 durable",
        expect![[r#"
            0ms ping acme
            0ms ping bolt
            0ms ping cask
            22ms persist prepare bolt 12.51 USD for 10.01 USD
            25ms post bolt 12.51 USD
            40ms persist step 1 rejected + prepare acme 8.50 USD for 6.80 USD
            41ms post acme 8.50 USD
            60ms persist step 2 accepted + answer sold
            61ms reply sold 6.80 USD
            61ms done
        "#]],
    );
}

#[test]
fn at_second_price_a_lone_bid_pays_the_reserve() {
    check(
        "tier one by second_price reserve 9.50
         acme",
        "20 acme bids 12.00",
        expect![[r#"
            0ms ping acme
            20ms persist prepare acme 9.50 USD for 7.60 USD
        "#]],
    );
}

#[test]
fn a_second_price_counts_handicaps_and_each_payout_rule() {
    check(
        "tier one by second_price
         acme handicap 1.00
         bolt pays share:50%
         cask",
        "20 acme bids 20.00
         21 bolt bids 26.00
         22 cask declines",
        expect![[r#"
            0ms ping acme
            0ms ping bolt
            0ms ping cask
            22ms persist prepare acme 17.51 USD for 14.01 USD
        "#]],
    );
}

#[test]
fn at_second_price_what_is_paid_once_compares_like_with_like() {
    check(
        "tier one by second_price sale shared 2
         acme pays fixed:3.00
         bolt pays fixed:3.00
         cask pays fixed:3.00",
        "20 acme bids 12.00
         21 bolt bids 15.00
         22 cask bids 11.00
         25 durable
         40 bolt accepts
         42 durable
         60 acme accepts
         62 durable",
        expect![[r#"
            0ms ping acme
            0ms ping bolt
            0ms ping cask
            22ms persist prepare bolt 11.00 USD for 3.00 USD, one of 2
            25ms post bolt 11.00 USD
            40ms persist step 1 accepted + prepare acme 11.00 USD for 0.00 USD, one of 2
            42ms post acme 11.00 USD
            60ms persist step 2 accepted + answer sold
            62ms reply sold 3.00 USD of 3.00 + 0.00
            62ms done
        "#]],
    );
}

#[test]
fn a_second_price_in_the_band_of_a_fixed_payout_is_paid_once() {
    let setup = setup(
        "tier one by second_price sale shared 2
         acme pays 0=fixed:9.00,20=share:50%
         bolt pays 0=fixed:9.00,20=share:50%
         cask pays share:50%",
        Goal::Quote { ping: PING, lifetime: Duration::from_mins(1) },
    );
    let heard = play(setup, "20 acme bids 25.00\n21 bolt bids 24.00\n22 cask bids 15.00").heard;
    assert!(heard.contains("persist promise 9.00 USD"), "not 9.00 twice: {heard}");
}

#[test]
fn the_first_usable_bid_is_posted_and_later_ones_are_kept_for_a_refusal() {
    check(
        "tier one by first_bid
         acme
         bolt
         cask",
        "20 acme bids 7.00
         30 bolt bids 9.00
         32 durable
         40 cask bids 30.00
         60 bolt rejects filter
         62 durable
         80 cask accepts
         82 durable",
        expect![[r#"
            0ms ping acme
            0ms ping bolt
            0ms ping cask
            30ms persist prepare bolt 9.00 USD for 7.20 USD
            32ms post bolt 9.00 USD
            60ms persist step 1 rejected + prepare cask 30.00 USD for 24.00 USD
            62ms post cask 30.00 USD
            80ms persist step 2 accepted + answer sold
            82ms reply sold 24.00 USD
            82ms done
        "#]],
    );
}

#[test]
fn a_waterfall_tries_bids_in_the_order_written() {
    check(
        "tier one by waterfall
         acme
         bolt
         cask",
        "20 cask bids 30.00
         21 bolt bids 9.00
         22 acme declines
         25 durable
         40 bolt rejects filter
         42 durable
         60 cask accepts
         62 durable",
        expect![[r#"
            0ms ping acme
            0ms ping bolt
            0ms ping cask
            22ms persist prepare bolt 9.00 USD for 7.20 USD
            25ms post bolt 9.00 USD
            40ms persist step 1 rejected + prepare cask 30.00 USD for 24.00 USD
            42ms post cask 30.00 USD
            60ms persist step 2 accepted + answer sold
            62ms reply sold 24.00 USD
            62ms done
        "#]],
    );
}

#[test]
fn in_order_asks_the_next_only_when_the_one_before_is_out() {
    check(
        "tier one by in_order
         acme
         bolt
         cask",
        "20 acme declines
         30 bolt bids 9.00
         32 durable
         50 bolt rejects filter
         70 cask bids 8.50
         72 durable
         90 cask accepts
         92 durable",
        expect![[r#"
            0ms ping acme
            20ms ping bolt
            30ms persist prepare bolt 9.00 USD for 7.20 USD
            32ms post bolt 9.00 USD
            50ms ping cask
            70ms persist step 1 rejected + prepare cask 8.50 USD for 6.80 USD
            72ms post cask 8.50 USD
            90ms persist step 2 accepted + answer sold
            92ms reply sold 6.80 USD
            92ms done
        "#]],
    );
}

#[test]
fn round_robin_serves_whoever_waited_longest() {
    check(
        "tier one by round_robin
         acme last 50
         bolt last 20
         cask last 90",
        "20 acme bids 30.00
         21 bolt bids 9.00
         22 cask bids 20.00",
        expect![[r#"
            0ms ping acme
            0ms ping bolt
            0ms ping cask
            21ms persist prepare bolt 9.00 USD for 7.20 USD
        "#]],
    );
}

#[test]
fn weighted_serves_whoever_is_furthest_below_its_weight() {
    check(
        "tier one by weighted
         acme weight 3 delivered 5
         bolt weight 1 delivered 3
         cask weight 1 delivered 1",
        "20 acme bids 9.00
         21 bolt bids 30.00
         22 cask bids 20.00",
        expect![[r#"
            0ms ping acme
            0ms ping bolt
            0ms ping cask
            22ms persist prepare cask 20.00 USD for 16.00 USD
        "#]],
    );
}

#[test]
fn share_counts_the_leads_that_a_member_qualified_for() {
    check(
        "tier one by share
         acme share 20% qualified 9 delivered 2
         bolt share 50% qualified 9 delivered 4
         cask share 30% qualified 1 delivered 0",
        "20 acme bids 30.00
         21 bolt bids 9.00
         22 cask bids 9.00
         25 durable
         40 bolt rejects filter
         42 durable
         60 cask rejects filter",
        expect![[r#"
            0ms ping acme
            0ms ping bolt
            0ms ping cask
            21ms persist bids of acme, bolt + prepare bolt 9.00 USD for 7.20 USD
            25ms post bolt 9.00 USD
            40ms persist step 1 rejected + bids of cask + prepare cask 9.00 USD for 7.20 USD
            42ms post cask 9.00 USD
            60ms persist step 2 rejected + prepare acme 30.00 USD for 24.00 USD
        "#]],
    );
}

#[test]
fn the_top_performer_is_tried_first_and_equal_ones_by_rank() {
    check(
        "tier one by top_performer
         acme rate 40
         bolt rate 70
         cask rate 70",
        "20 acme bids 30.00
         21 bolt bids 9.00
         22 cask bids 20.00",
        expect![[r#"
            0ms ping acme
            0ms ping bolt
            0ms ping cask
            22ms persist prepare cask 20.00 USD for 16.00 USD
        "#]],
    );
}

#[test]
fn expected_worth_counts_the_chance_of_acceptance() {
    check(
        "tier one expected
         acme chance 30
         bolt chance 90",
        "20 acme bids 20.00
         21 bolt bids 10.00",
        expect![[r#"
            0ms ping acme
            0ms ping bolt
            21ms persist prepare bolt 10.00 USD for 8.00 USD
        "#]],
    );
}

#[test]
fn a_handicap_changes_the_order_and_nothing_that_is_paid() {
    check(
        "tier one
         acme handicap 2.00
         bolt",
        "20 acme bids 14.00
         21 bolt bids 12.50
         25 durable
         40 bolt rejects filter",
        expect![[r#"
            0ms ping acme
            0ms ping bolt
            21ms persist prepare bolt 12.50 USD for 10.00 USD
            25ms post bolt 12.50 USD
            40ms persist step 1 rejected + prepare acme 14.00 USD for 11.20 USD
        "#]],
    );
}

#[test]
fn ties_are_decided_by_what_the_tier_names() {
    check(
        "tier one ties accept_rate
         acme chance 40
         bolt chance 80",
        "20 acme bids 14.00
         21 bolt bids 14.00",
        expect![[r#"
            0ms ping acme
            0ms ping bolt
            21ms persist prepare bolt 14.00 USD for 11.20 USD
        "#]],
    );
}

#[test]
fn a_tier_closes_as_soon_as_nobody_can_win_any_more() {
    check(
        "tier one
         acme ceiling 20.00
         bolt",
        "30 bolt bids 25.01
         40 acme bids 19.00
         42 durable
         60 bolt rejects filter
         62 durable
         80 acme accepts
         82 durable",
        expect![[r#"
            0ms ping acme
            0ms ping bolt
            30ms persist prepare bolt 25.01 USD for 20.01 USD
            42ms post bolt 25.01 USD
            60ms persist step 1 rejected + prepare acme 19.00 USD for 15.20 USD
            62ms post acme 19.00 USD
            80ms persist step 2 accepted + answer sold
            82ms reply sold 15.20 USD
            82ms done
        "#]],
    );
}

#[test]
fn it_waits_for_whoever_could_win_or_tie_and_where_it_is_told_to() {
    check(
        "tier one
         acme ceiling 20.00
         bolt",
        "30 bolt bids 20.00
         150 timer",
        expect![[r#"
            0ms ping acme
            0ms ping bolt
            150ms persist prepare bolt 20.00 USD for 16.00 USD
        "#]],
    );
}

#[test]
fn a_patient_tier_waits_for_everybody() {
    check(
        "tier one patient
         acme ceiling 20.00
         bolt",
        "30 bolt bids 25.01
         60 acme declines",
        expect![[r#"
            0ms ping acme
            0ms ping bolt
            60ms persist prepare bolt 25.01 USD for 20.01 USD
        "#]],
    );
}

#[test]
fn adjustments_and_haircut_change_the_payout_and_never_the_price() {
    check(
        "tier one
         acme adds -2.00 haircut 10%
         bolt",
        "20 acme bids 14.00
         21 bolt bids 12.00
         25 durable
         40 bolt rejects filter",
        expect![[r#"
            0ms ping acme
            0ms ping bolt
            21ms persist prepare bolt 12.00 USD for 9.60 USD
            25ms post bolt 12.00 USD
            40ms persist step 1 rejected + prepare acme 14.00 USD for 8.64 USD
        "#]],
    );
}

#[test]
fn a_bid_that_leaves_too_little_is_no_bid() {
    let tree = "tier one keeps 3.00\nacme\nbolt pays margin:3.00";
    let stage = play(setup(tree, Goal::Sell), "20 acme bids 14.99\n21 bolt bids 9.00");
    assert!(
        stage.heard.ends_with("persist prepare bolt 9.00 USD for 6.00 USD\n"),
        "{}",
        stage.heard
    );
    let no_bid = stage.auction.trace().steps.iter().any(|step| {
        matches!(&step.event, TraceEvent::NoBid { reason, .. } if reason == "below_margin(14.99)")
    });
    assert!(no_bid);
}
