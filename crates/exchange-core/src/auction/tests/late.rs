//! Bids that come late, and pings that would be answered late.

use super::*;
use crate::trace::LateBid;

/// The late bids of a journey: whose, how late in ms, at what price and payout, whether it would
/// have won.
fn late_bids(script: &str, tree: &str) -> Vec<String> {
    let stage = play(setup(tree, Goal::Sell), script);
    let told = |step: &crate::trace::Step| match &step.event {
        TraceEvent::NoBid { campaign, late: Some(late), .. } => {
            let LateBid { late_by, price, payout, would_have_won } = late;
            let payout = payout.as_deref().unwrap_or("nothing");
            let won = if *would_have_won { "won" } else { "lost" };
            Some(format!("{campaign} {}ms {price} for {payout} {won}", late_by / 1_000))
        }
        _ => None,
    };
    stage.auction.trace().steps.iter().filter_map(told).collect()
}

#[test]
fn a_late_bid_says_how_late_it_was_and_whether_it_would_have_won() {
    let script = "20 acme bids 12.00
         150 timer
         151 bolt bids 55.00
         152 durable
         160 cask bids 11.00
         165 dune bids 3.00
         170 acme accepts
         172 durable";
    let tree = "tier one\nacme\nbolt\ncask\ndune floor 5.00";
    assert_eq!(
        late_bids(script, tree),
        [
            "bolt/auto 1ms 55.00 USD for 44.00 USD won",
            "cask/auto 10ms 11.00 USD for 8.80 USD lost",
            "dune/auto 15ms 3.00 USD for nothing lost",
        ]
    );
}

#[test]
fn a_bid_that_is_late_while_its_tier_still_waits_is_judged_when_the_tier_closes() {
    // One buyer is waited for longer than the others.
    let run = |last: &str| {
        let mut setup = setup("tier one\nacme\nbolt\ncask", Goal::Sell);
        setup.tiers[0].members[2].delivery.ping = Some(Duration::from_millis(190));
        let stage = play(setup, &format!("150 timer\n160 acme bids 12.00\n{last}"));
        stage.auction.trace().steps.iter().any(|step| {
            matches!(&step.event, TraceEvent::NoBid { late: Some(late), .. } if late.would_have_won)
        })
    };
    assert!(run("180 cask bids 11.00\n182 durable"));
    assert!(!run("180 cask bids 13.00\n182 durable"));
    assert!(run("190 timer"));
}

#[test]
fn a_buyer_that_answers_too_slowly_for_the_time_left_is_not_pinged() {
    let mut slow = setup("tier one\nacme\nbolt", Goal::Sell);
    slow.tiers[0].members[0].delivery.typical = Some(Duration::from_millis(151));
    slow.tiers[0].members[1].delivery.typical = Some(Duration::from_millis(150));
    let stage = play(slow, "20 bolt bids 12.00\n22 durable");
    assert!(!stage.heard.contains("ping acme"), "{}", stage.heard);
    assert!(stage.heard.contains("ping bolt"), "{}", stage.heard);
    let reason = stage.auction.trace().steps.iter().find_map(|step| match &step.event {
        TraceEvent::Ineligible { campaign, reason, .. } => Some((campaign.clone(), reason.clone())),
        _ => None,
    });
    assert_eq!(reason, Some(("acme/auto".to_owned(), "no_time_left".to_owned())));
}
