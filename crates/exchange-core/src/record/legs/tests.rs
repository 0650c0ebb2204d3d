//! Which legs an acceptance buys, and at what price.

use std::time::Duration;

use exchange_model::{AttemptId, BillingTerms, Currency, LeadId, Rate, Timestamp};

use super::*;
use crate::record::UnknownPolicy;

fn usd(text: &str) -> Money {
    Money::parse(text, Currency::USD).unwrap()
}

fn brand(id: Option<&str>, name: Option<&str>, price: Option<&str>) -> Brand {
    let text = |text: Option<&str>| text.map(str::to_owned);
    Brand { id: text(id), name: text(name), price: price.map(usd), token: None }
}

fn offer(id: &str, name: &str, price: &str, payout: &str) -> LegOffer {
    let brand = brand(Some(id), Some(name), Some(price));
    LegOffer { brand, price: usd(price), payout: usd(payout) }
}

/// Three companies, half of each price to the seller.
fn intent(change: PriceChange) -> Intent {
    let legs = vec![
        offer("1", "Roof Co", "12.00", "6.00"),
        offer("2", "Top Roofs", "10.00", "5.00"),
        offer("3", "Slate Ltd", "8.00", "4.00"),
    ];
    let on_price = PriceTerms {
        change,
        floor: usd("5"),
        ceiling: usd("20"),
        value: crate::auction::pricing::ValueRule::default(),
        payout: PayoutRule::Share(Rate::parse_percent("50%").unwrap()),
        least_margin: None,
        least: None,
        stretches: false,
    };
    let attempt = AttemptId::new(LeadId::from_bytes([0; 16]), 1);
    Intent {
        attempt,
        request_key: attempt,
        campaign: "acme/roofs".parse().unwrap(),
        tree: "roofs".to_owned(),
        tier: "shared".to_owned(),
        price: usd("30.00"),
        payout: usd("15.00"),
        hold: most(&on_price, usd("30.00"), &legs),
        on_price,
        token: None,
        caps: Vec::new(),
        terms: BillingTerms::Net { days: 30, credit_limit: usd("1000") },
        buyers: 4,
        legs,
        person: crate::duplicates::Person::default(),
        unknown: UnknownPolicy::Cascade,
        resolve_by: Timestamp::default().after(Duration::from_secs(60)),
    }
}

fn said(brand: Brand, accepted: bool) -> Leg {
    Leg { brand, accepted }
}

/// `Roof Co 12.00/6.00, ... = 12.00/6.00`, or the outcome's other name.
fn booked(intent: &Intent, legs: Vec<Leg>, price: Option<&str>) -> String {
    let acceptance = Acceptance { legs, price: price.map(usd), ..Acceptance::default() };
    match intent.accepted(acceptance) {
        AttemptOutcome::Accepted(sale) => {
            let pair = |price: Money, payout: Money| {
                format!("{}/{}", price.amount_text(), payout.amount_text())
            };
            let leg = |leg: &LegOffer| {
                format!("{} {}", leg.brand.id.as_deref().unwrap(), pair(leg.price, leg.payout))
            };
            let legs: Vec<String> = sale.legs.iter().map(leg).collect();
            format!("{} = {}", legs.join(", "), pair(sale.price, sale.payout))
        }
        AttemptOutcome::Mispriced(_) => "mispriced".to_owned(),
        other => other.code().to_owned(),
    }
}

#[test]
fn an_acceptance_that_lists_nobody_takes_them_all() {
    let all = "1 12.00/6.00, 2 10.00/5.00, 3 8.00/4.00 = 30.00/15.00";
    assert_eq!(booked(&intent(PriceChange::Bid), Vec::new(), None), all);
    assert_eq!(booked(&intent(PriceChange::Bid), Vec::new(), Some("25")), all, "a person is told");
}

#[test]
fn who_is_listed_as_taking_it_buys_and_nobody_else() {
    let intent = intent(PriceChange::Bid);
    let by_id = vec![
        said(brand(Some("3"), None, None), true),
        said(brand(Some("1"), Some("Slate Ltd"), None), true),
        said(brand(Some("2"), None, None), false),
    ];
    assert_eq!(booked(&intent, by_id, None), "1 12.00/6.00, 3 8.00/4.00 = 20.00/10.00");
    let by_name = vec![said(brand(None, Some("top roofs "), None), true)];
    assert_eq!(booked(&intent, by_name, None), "2 10.00/5.00 = 10.00/5.00");
    let none = vec![said(brand(Some("2"), None, None), false)];
    assert_eq!(booked(&intent, none, None), "rejected");
    let stranger = vec![said(brand(Some("9"), None, None), true)];
    assert_eq!(booked(&intent, stranger, None), "mispriced", "a person asks who has the lead");
}

#[test]
fn one_word_of_the_answer_takes_one_offer() {
    let mut twins = intent(PriceChange::Bid);
    for leg in &mut twins.legs {
        (leg.brand.id, leg.brand.name) = (Some("1".to_owned()), Some("Roof Co".to_owned()));
    }
    let once = vec![said(brand(None, Some("Roof Co"), None), true)];
    assert_eq!(booked(&twins, once, None), "1 12.00/6.00 = 12.00/6.00");
}

#[test]
fn each_leg_follows_the_rule_for_other_prices_by_itself() {
    let answer = || {
        vec![
            said(brand(Some("1"), None, Some("9.00")), true),
            said(brand(Some("2"), None, Some("11.00")), true),
        ]
    };
    let at = |change| booked(&intent(change), answer(), None);
    assert_eq!(at(PriceChange::Bid), "1 12.00/6.00, 2 10.00/5.00 = 22.00/11.00");
    assert_eq!(at(PriceChange::Lower), "1 9.00/4.50, 2 10.00/5.00 = 19.00/9.50");
    assert_eq!(at(PriceChange::Any), "1 9.00/4.50, 2 11.00/5.50 = 20.00/10.00");
    assert_eq!(at(PriceChange::Reject), "mispriced");
    let one = vec![
        said(brand(Some("1"), None, Some("9.00")), true),
        said(brand(Some("2"), None, Some("10.00")), true),
    ];
    let reject = intent(PriceChange::Reject);
    assert_eq!(booked(&reject, one, None), "2 10.00/5.00 = 10.00/5.00");
    assert_eq!(booked(&reject, Vec::new(), Some("25")), "mispriced", "another total");
}

#[test]
fn a_fixed_payout_is_not_paid_once_more_for_each_leg_at_another_price() {
    let mut fixed = intent(PriceChange::Lower);
    fixed.on_price.payout = PayoutRule::Fixed(usd("9"));
    for (leg, payout) in fixed.legs.iter_mut().zip(["9.00", "0", "0"]) {
        leg.payout = usd(payout);
    }
    let answer = vec![
        said(brand(Some("1"), None, Some("11.00")), true),
        said(brand(Some("2"), None, Some("9.50")), true),
    ];
    assert_eq!(booked(&fixed, answer, None), "1 11.00/9.00, 2 9.50/0.00 = 20.50/9.00");
    let others =
        vec![said(brand(Some("2"), None, None), true), said(brand(Some("3"), None, None), true)];
    let kept = "2 10.00/9.00, 3 8.00/0.00 = 18.00/9.00";
    assert_eq!(booked(&fixed, others, None), kept, "it comes with the first that was taken");
    let last = vec![said(brand(Some("3"), None, None), true)];
    assert_eq!(booked(&fixed, last, None), "3 8.00/8.00 = 8.00/8.00", "never above the price");
}

#[test]
fn lower_prices_that_pay_the_seller_less_than_it_takes_are_booked_at_the_bids() {
    let mut promised = intent(PriceChange::Lower);
    promised.on_price.least = Some(usd("10"));
    let answer = |price| {
        vec![
            said(brand(Some("1"), None, Some(price)), true),
            said(brand(Some("2"), None, None), true),
        ]
    };
    let kept = "1 12.00/6.00, 2 10.00/5.00 = 22.00/11.00";
    assert_eq!(booked(&promised, answer("9.00"), None), kept);
    let lower = "1 11.00/5.50, 2 10.00/5.00 = 21.00/10.50";
    assert_eq!(booked(&promised, answer("11.00"), None), lower);
}

#[test]
fn every_leg_is_rounded_by_itself_and_held_at_its_most() {
    let mut odd = intent(PriceChange::Bid);
    for leg in &mut odd.legs {
        (leg.price, leg.payout) = (usd("10.015"), usd("5.005"));
    }
    let all = "1 10.02/5.00, 2 10.02/5.00, 3 10.02/5.00 = 30.06/15.00";
    assert_eq!(booked(&odd, Vec::new(), None), all);
    assert_eq!(most(&odd.on_price, usd("30.045"), &odd.legs), usd("30.06"));
    let any = intent(PriceChange::Any);
    assert_eq!(any.hold, usd("60"), "each at its ceiling");
    assert_eq!(most(&any.on_price, usd("12"), &[]), usd("20"));
}

#[test]
fn what_is_paid_once_comes_with_another_leg_and_what_a_leg_brings_by_itself_does_not() {
    let mut intent = intent(PriceChange::Bid);
    let half = PayoutRule::Share(Rate::parse_percent("50%").unwrap());
    let bands = [("0", PayoutRule::Fixed(usd("9.00"))), ("20", half)];
    let band = |(from, rule)| ping_tree::Band { from: usd(from), rule };
    intent.on_price.payout = PayoutRule::Bands(bands.into_iter().map(band).collect());
    intent.legs = vec![
        offer("1", "Roof Co", "12.00", "9.00"),
        offer("2", "Top Roofs", "25.00", "12.50"),
        offer("3", "Slate Ltd", "11.00", "0"),
    ];
    let taken = |ids: &[&str]| {
        let legs = ids.iter().map(|id| said(brand(Some(*id), None, None), true)).collect();
        booked(&intent, legs, None)
    };
    assert_eq!(taken(&["3"]), "3 11.00/9.00 = 11.00/9.00");
    assert_eq!(taken(&["2"]), "2 25.00/12.50 = 25.00/12.50");
    assert_eq!(taken(&["2", "3"]), "2 25.00/12.50, 3 11.00/9.00 = 36.00/21.50");
    assert_eq!(taken(&["1", "3"]), "1 12.00/9.00, 3 11.00/0.00 = 23.00/9.00");
}
