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
    assert!(!IneligiblePattern::Cap(CapKind::Day).matches(&Ineligible::Cap(CapKind::Hour)));
}
