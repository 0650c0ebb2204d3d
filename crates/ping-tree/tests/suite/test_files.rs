//! The operators' tests, as read.

use std::time::Duration;

use exchange_model::reason::{CapKind, Ineligible, IneligibleKind};
use exchange_model::{Currency, LeadId, Money};
use expect_test::expect;
use ping_tree::test_file::IneligiblePattern;

use crate::exchange::{Files, id};

#[test]
fn a_test_says_what_buyers_answer_and_what_must_come_of_it() {
    let exchange = Files::base().load();
    let case = &exchange.tests[0].cases[0];
    assert_eq!(case.name, "the best bid wins");
    assert_eq!(case.at.to_string(), "2026-11-23T16:15:00.000Z");
    let slow = &case.bids[&id("metro_direct/auto")];
    assert_eq!(slow.after, Duration::from_millis(950));
    expect![[
        r"Bid { price: Money { amount: 55.00, currency: Currency([85, 83, 68]) }, token: None }"
    ]]
    .assert_eq(&format!("{:?}", slow.answer));
    let posts: Vec<&str> = case.posts.values().map(|post| post.code()).collect();
    assert_eq!(posts, ["rejected", "unknown"]);
    let payout = case.expect.payout.as_ref().unwrap();
    assert_eq!(payout.value, Money::parse("24.80", Currency::USD).unwrap());
    assert_eq!(payout.place.file_line(), "tests/auto_main.toml:16");
    assert_eq!(case.expect.no_bid[&id("metro_direct/auto")].value, "late");
}

#[test]
fn a_fixture_is_completed_by_examples_and_an_empty_text_leaves_a_field_out() {
    let exchange = Files::base().load();
    let case = &exchange.tests[0].cases[0];
    let lead = case.lead(LeadId::from_bytes([1; 16])).unwrap();
    let open: Vec<_> = lead
        .attributes()
        .pairs(lead.vertical())
        .map(|(name, text)| format!("{name}={text}"))
        .collect();
    assert_eq!(
        open,
        ["zip=78701", "state=TX", "credit=good", "homeowner=false", "violations=0", "age=36"]
    );
}

#[test]
fn an_expected_reason_may_be_a_family_or_exact() {
    let state = Ineligible::Filtered { field: "state".into() };
    assert!(IneligiblePattern::Kind(IneligibleKind::Filtered).matches(&state));
    assert!(IneligiblePattern::Filtered("state".into()).matches(&state));
    assert!(!IneligiblePattern::Filtered("age".into()).matches(&state));
    assert!(
        !IneligiblePattern::Cap(CapKind::Day.into())
            .matches(&Ineligible::Cap(CapKind::Hour.into()))
    );
}

#[test]
fn a_scripted_buyer_may_answer_at_its_contract_price_change_it_or_offer_another() {
    let campaign = "price = { mode = \"bid\", floor = \"8.00\", ceiling = \"60.00\"";
    let script = "[[test]]
name = \"prices\"
at = 2026-11-23T10:15:00-06:00
lead = \"prime\"
bids = { \"acme_mutual/auto-tx\" = \"yes\" }
posts = { \"acme_mutual/auto-tx\" = { accepted = \"14.00\" }, \"metro_direct/auto\" = { rejected = \"price\", counter = \"12.00\" } }
expect = { status = \"sold\" }
";
    let files = Files::base();
    let tests = format!("{}\n{script}", files.0["tests/auto_main.toml"].text);
    let exchange = files
        .edited("buyers/acme_mutual.toml", campaign, &format!("{campaign}, base = \"9.00\""))
        .with("tests/auto_main.toml", &tests)
        .load();
    assert_eq!(exchange.rendered(), "");
    let case = exchange.tests[0].cases.last().unwrap();
    let answers: Vec<_> = case.posts.values().map(|post| format!("{post:?}")).collect();
    assert!(answers[0].contains("price: Some(Money { amount: 14.00"), "{answers:?}");
    assert!(answers[1].contains("counter: Some(Money { amount: 12.00"), "{answers:?}");
    let bid = &case.bids[&id("acme_mutual/auto-tx")].answer;
    assert_eq!(format!("{bid:?}"), "Available { token: None }");
}

#[test]
fn a_campaign_says_what_another_price_in_an_acceptance_means() {
    use ping_tree::PriceChange;
    let rule = |line: &str| {
        let connector = "connector = \"main\"";
        let with = format!("{connector}\n{line}");
        let exchange = Files::base().edited("buyers/acme_mutual.toml", connector, &with).load();
        assert_eq!(exchange.rendered(), "");
        exchange.routing.campaign(&id("acme_mutual/auto-tx")).unwrap().price_change
    };
    assert_eq!(rule(""), PriceChange::Bid);
    for (word, expected) in PriceChange::WORDS {
        assert_eq!(rule(&format!("price_change = \"{word}\"")), *expected);
    }
}
