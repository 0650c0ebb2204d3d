//! What is booked when a buyer says more than yes: other prices, counter-offers, pending answers,
//! and words that come too late.

use exchange_core::resolution::late_truth;
use exchange_model::outcome::{NoPrice, PostAnswer};

use super::*;
use crate::recovery::AttemptState;

/// A lead bid at 12.00, out at its buyer under this rule.
fn posted(change: PriceChange) -> Desk {
    let desk = Desk::new();
    desk.take_in(1);
    let on_price = on_price(change);
    let hold = on_price.most(usd("12.00"));
    desk.prepare(Intent { on_price, hold, ..intent(1, 1, "acme", "12.00") }).unwrap();
    desk
}

fn accept(desk: &Desk, price: &str) {
    let outcome = accepted_at(Some(price));
    desk.answer(1, concluded(attempt(1, 1), outcome), LeadStatus::Sold);
}

fn spent(desk: &Desk) -> i64 {
    10_000_000 - desk.available("acme", &generous())
}

#[test]
fn another_price_is_flagged_and_the_bid_is_booked_unless_the_campaign_says_otherwise() {
    let desk = posted(PriceChange::Bid);
    accept(&desk, "10");
    assert_eq!(desk.exceptions(), ["price_differs"]);
    assert_eq!((spent(&desk), desk.standing(1).payout), (1_200, Some(usd("5.00"))));
    let view = &desk.view(1).attempts[0];
    assert_eq!((view.price, view.reply_price), (usd("12.00"), Some(usd("10"))));
    assert_eq!(view.sold, Some((usd("12.00"), usd("5.00"))));
    desk.verify();
}

#[test]
fn a_lower_price_is_captured_from_the_hold_and_the_rest_given_back() {
    let desk = posted(PriceChange::Lower);
    accept(&desk, "10");
    assert_eq!(desk.exceptions(), Vec::<String>::new());
    assert_eq!((spent(&desk), desk.standing(1).payout), (1_000, Some(usd("5"))));
    assert_eq!(desk.view(1).attempts[0].sold, Some((usd("10"), usd("5"))));
    let used = |desk: &Desk| desk.tally("acme").spend.get();
    assert_eq!((desk.held(), used(&desk)), (vec![], 1_000), "the caps count what was spent");
    desk.verify();
    let mut desk = desk;
    desk.crash();
    assert_eq!(used(&desk), 1_000, "after a restart too");
}

#[test]
fn a_higher_price_was_held_before_the_post_so_credit_and_caps_are_never_exceeded() {
    let desk = posted(PriceChange::Any);
    assert_eq!(spent(&desk), 2_000, "the ceiling is held");
    accept(&desk, "19");
    assert_eq!((spent(&desk), desk.standing(1).payout), (1_900, Some(usd("9.5"))));
    assert_eq!(desk.exceptions(), Vec::<String>::new());
    desk.verify();
}

#[test]
fn a_campaign_whose_ceiling_is_not_covered_is_refused_before_the_post() {
    let desk = Desk::new();
    desk.top_up("acme", "15", "REF-1").unwrap();
    desk.take_in(1);
    let on_price = on_price(PriceChange::Any);
    let order = |price: &str| Intent { terms: prepaid(), ..intent(1, 1, "acme", price) };
    let refused =
        desk.prepare(Intent { on_price: on_price.clone(), hold: usd("20"), ..order("12.00") });
    assert_eq!(refused.unwrap_err(), Refused::NoCredit);
    let most = CapAmount::Spend(exchange_model::MinorUnits::new(1_500));
    let spend = cap("acme", CapKind::DaySpend, most);
    let capped = Intent { caps: vec![spend], ..intent(1, 1, "acme", "12.00") };
    let refused = desk.prepare(Intent { on_price, hold: usd("20"), ..capped });
    assert_eq!(refused.unwrap_err(), Refused::Cap);
    desk.prepare(order("12.00")).unwrap();
}

#[test]
fn a_price_against_the_contract_is_no_sale_and_both_prices_are_kept() {
    let desk = posted(PriceChange::Reject);
    let outcome = accepted_at(Some("10"));
    desk.answer(1, concluded(attempt(1, 1), outcome), LeadStatus::Unsold);
    assert_eq!((desk.states(1), spent(&desk)), (vec!["rejected".to_owned()], 0));
    let view = &desk.view(1).attempts[0];
    assert_eq!(view.reason.as_deref(), Some("price"));
    assert_eq!((view.reply_price, view.sold), (Some(usd("10")), None));
    let exception = &desk.view(1).exceptions[0];
    assert_eq!(exception.kind, "price_refused");
    assert_eq!(
        exception.detail,
        "accepted at 10.00 USD for a bid of 12.00 USD; by its contract no sale"
    );
    for _ in 0..2 {
        desk.step(1, Some(concluded(attempt(1, 1), accepted_at(Some("10")))), Next::Nothing);
    }
    assert_eq!(desk.exceptions(), ["price_refused"], "said again, nothing new");
    desk.verify();
}

#[test]
fn a_second_acceptance_at_another_price_is_an_exception_once() {
    let desk = posted(PriceChange::Lower);
    accept(&desk, "10");
    for price in ["10", "11", "11", "11"] {
        desk.step(1, Some(concluded(attempt(1, 1), accepted_at(Some(price)))), Next::Nothing);
    }
    assert_eq!(desk.exceptions(), ["second_price"]);
    let detail = &desk.view(1).exceptions[0].detail;
    assert_eq!(detail, "accepted again at 11.00 USD; 10.00 USD stays booked");
    assert_eq!(spent(&desk), 1_000);
    desk.verify();
}

#[test]
fn a_void_confirmed_after_a_sale_changes_nothing_and_is_an_exception() {
    let desk = posted(PriceChange::Bid);
    accept(&desk, "12");
    let voided = AttemptOutcome::Rejected(Rejection::new(RejectClass::Voided, None));
    desk.step(1, Some(concluded(attempt(1, 1), voided)), Next::Nothing);
    assert_eq!((desk.exceptions(), spent(&desk)), (vec!["contradiction".to_owned()], 1_200));
    desk.verify();
}

#[test]
fn a_confirmed_void_of_an_unknown_post_gives_everything_back() {
    let desk = posted(PriceChange::Bid);
    desk.answer(1, concluded(attempt(1, 1), lost()), LeadStatus::Pending);
    let voided = AttemptOutcome::Rejected(Rejection::new(RejectClass::Voided, None));
    desk.step(1, Some(concluded(attempt(1, 1), voided)), Next::Nothing);
    assert_eq!((desk.held(), spent(&desk), desk.used("acme")), (vec![], 0, 0));
    assert_eq!(desk.status(1), Some(LeadStatus::Unsold));
    assert_eq!(desk.view(1).attempts[0].reason.as_deref(), Some("voided"));
    desk.verify();
}

#[test]
fn a_refusal_and_the_post_at_its_counter_offer_are_one_commit_under_a_durable_key() {
    let mut desk = posted(PriceChange::Bid);
    let before = desk.store().stats().commits;
    let again = Intent { request_key: attempt(1, 1), ..intent(1, 2, "acme", "10.00") };
    let ended = Some(concluded(attempt(1, 1), rejected()));
    assert_eq!(desk.step(1, ended, Next::Prepare(Box::new(again))), Durable::Done);
    assert_eq!(desk.store().stats().commits, before + 1);
    assert_eq!((desk.held(), spent(&desk)), (vec![attempt(1, 2)], 1_000));
    desk.crash();
    let open = desk.store().open_attempts().blocking_wait().unwrap();
    let [open] = open.as_slice() else { panic!("one is open") };
    assert_eq!((open.intent.attempt, open.intent.request_key), (attempt(1, 2), attempt(1, 1)));
    let stolen = Intent { request_key: attempt(2, 1), ..intent(1, 3, "bolt", "9.00") };
    let error = desk.try_step(1, None, Next::Prepare(Box::new(stolen))).unwrap_err();
    assert!(matches!(error, StoreError::Conflict(_)), "{error}");
}

fn handles(id: &str) -> Handles {
    Handles([("id".to_owned(), id.to_owned())].into())
}

#[test]
fn what_a_pending_post_is_asked_with_survives_a_crash_and_grows() {
    let mut desk = posted(PriceChange::Lower);
    let pending = |id| AttemptOutcome::Unknown(Unknown::Pending, handles(id));
    desk.step(1, Some(concluded(attempt(1, 1), pending("job7"))), Next::Nothing);
    assert_eq!(desk.status(1), None, "the auction goes on");
    desk.step(1, Some(concluded(attempt(1, 1), pending("job8"))), Next::Nothing);
    desk.answer(1, concluded(attempt(1, 1), lost()), LeadStatus::Pending);
    desk.crash();
    let open = desk.store().open_attempts().blocking_wait().unwrap();
    assert_eq!(open[0].handles, handles("job8"));
    assert_eq!(open[0].intent.on_price, on_price(PriceChange::Lower));
    assert_eq!(desk.view(1).attempts[0].reason.as_deref(), Some("pending"));
    desk.verify();
}

#[test]
fn an_erased_lead_keeps_none_of_what_its_buyer_said_before_or_says_later() {
    let desk = posted(PriceChange::Bid);
    let pending = |id| AttemptOutcome::Unknown(Unknown::Pending, handles(id));
    desk.answer(1, concluded(attempt(1, 1), pending("Jane-Doe")), LeadStatus::Pending);
    desk.store().erase(lead_id(1), at(50)).blocking_wait().unwrap();
    let kept = || desk.store().attempt(attempt(1, 1)).blocking_wait().unwrap().unwrap().attempt;
    assert_eq!(kept().handles, Handles::default());
    desk.step(1, Some(concluded(attempt(1, 1), pending("Jane-Doe"))), Next::Nothing);
    assert_eq!(kept().handles, Handles::default());
    let said = Rejection::new(RejectClass::Other, Some("Jane Doe is no good".to_owned()));
    let said = AttemptOutcome::Rejected(said);
    desk.step(1, Some(concluded(attempt(1, 1), said)), Next::Nothing);
    let view = &desk.view(1).attempts[0];
    assert_eq!((view.state.as_str(), view.text.as_deref()), ("rejected", None));
}

#[test]
fn a_price_that_is_none_leaves_the_bid_booked_and_is_flagged() {
    let desk = posted(PriceChange::Any);
    let odd = Acceptance { no_price: Some(NoPrice::NotPositive), ..Acceptance::default() };
    let (price, payout) = (usd("12.00"), usd("5.00"));
    let sale = AttemptOutcome::Accepted(Sale { price, payout, acceptance: odd, legs: Vec::new() });
    desk.step(1, Some(concluded(attempt(1, 1), sale)), Next::Nothing);
    assert_eq!(spent(&desk), 1_200);
    assert_eq!(desk.exceptions(), ["price_unusable"]);
    desk.verify();
}

#[test]
fn a_buyers_word_about_any_attempt_is_judged_by_what_is_stored() {
    let mut desk = posted(PriceChange::Lower);
    desk.crash();
    let record = desk.store().attempt(attempt(1, 1)).blocking_wait().unwrap().unwrap();
    assert_eq!(record.state, AttemptState::Unknown);
    let said = Acceptance { price: Some(usd("10")), ..Acceptance::default() };
    let said = PostAnswer::Accepted(said);
    let commit = late_truth(at(9), &record.attempt, None, said).unwrap();
    desk.store().commit(commit, None).blocking_wait().unwrap();
    assert_eq!((desk.status(1), desk.standing(1).payout), (Some(LeadStatus::Sold), Some(usd("5"))));
    assert_eq!(spent(&desk), 1_000);
    let record = desk.store().attempt(attempt(1, 1)).blocking_wait().unwrap().unwrap();
    assert_eq!(record.state, AttemptState::Accepted);
    assert!(desk.store().attempt(attempt(1, 9)).blocking_wait().unwrap().is_none());
    desk.verify();
}

#[test]
fn a_buyer_that_never_stops_contradicting_itself_fills_no_disk() {
    let desk = posted(PriceChange::Lower);
    accept(&desk, "10");
    for cents in 0..100 {
        let price = format!("11.{cents:02}");
        desk.step(1, Some(concluded(attempt(1, 1), accepted_at(Some(&price)))), Next::Nothing);
    }
    let kept = desk.exceptions();
    assert!((8..=32).contains(&kept.len()), "{}", kept.len());
    desk.step(1, Some(concluded(attempt(1, 1), rejected())), Next::Nothing);
    assert_eq!(desk.exceptions().len(), kept.len() + 1, "another kind is still kept");
    desk.verify();
}
