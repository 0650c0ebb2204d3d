//! The credit gate, and what ends a hold.

use super::*;
use crate::samples::{
    attempt, cents, entries_text, eur, held, hold_request, net, noon, prepaid, usd,
};

fn place_for(
    settled: i64,
    pending: i64,
    amount: Money,
    terms: &BillingTerms,
) -> Result<(Transaction, Hold), LedgerError> {
    let funds = Funds { settled: cents(settled), pending: cents(pending) };
    place(hold_request(1, "acme_mutual", amount, noon(1)), funds, terms)
}

#[test]
fn a_hold_moves_pending_money_only_and_a_release_mirrors_it() {
    let (placed, hold) = held(1, "12.00", noon(1));
    assert_eq!(placed.key(), format!("hold:{}", attempt(1)));
    assert_eq!(
        entries_text(&placed),
        "pending debit L:Prepaid:acme_mutual 12.00\npending credit L:InFlight 12.00\n"
    );
    let (released, hold) = release(&hold, noon(2)).unwrap();
    assert_eq!(released.key(), format!("release:{}", attempt(1)));
    assert_eq!(
        entries_text(&released),
        "pending debit L:InFlight 12.00\npending credit L:Prepaid:acme_mutual 12.00\n"
    );
    assert_eq!(hold.state, HoldState::Released);
}

#[test]
fn a_hold_is_released_at_most_once() {
    let (_, hold) = held(1, "12.00", noon(1));
    let (_, released) = release(&hold, noon(2)).unwrap();
    assert_eq!(release(&released, noon(3)).unwrap_err(), LedgerError::HoldNotOpen(attempt(1)));
}

#[test]
fn a_prepaid_buyer_may_hold_its_last_cent_and_no_more() {
    assert!(place_for(1_200, 0, usd("12.00"), &prepaid("0")).is_ok());
    assert!(place_for(1_700, 500, usd("12.00"), &prepaid("0")).is_ok());
    assert!(place_for(700, 500, usd("12.00"), &prepaid("10.00")).is_ok());
    for (settled, pending, terms) in
        [(1_199, 0, prepaid("0")), (1_699, 500, prepaid("0")), (699, 500, prepaid("10.00"))]
    {
        assert_eq!(
            place_for(settled, pending, usd("12.00"), &terms).unwrap_err(),
            LedgerError::OverCreditLimit {
                buyer: "acme_mutual".parse().unwrap(),
                available: usd("11.99"),
                needed: usd("12.00"),
            }
        );
    }
}

#[test]
fn a_buyer_on_terms_may_owe_and_hold_its_limit_and_no_more() {
    assert!(place_for(700, 100, usd("12.00"), &net("20.00")).is_ok());
    let refused = place_for(701, 100, usd("12.00"), &net("20.00")).unwrap_err();
    assert_eq!(refused.code(), "over_credit_limit");
    assert_eq!(
        refused.to_string(),
        "buyer `acme_mutual` has `11.99 USD` left and needs `12.00 USD`"
    );
}

#[test]
fn a_limit_is_rounded_down_and_an_amount_half_to_even() {
    assert_eq!(
        place_for(0, 0, usd("0.02"), &net("0.019")).unwrap_err().code(),
        "over_credit_limit"
    );
    assert!(place_for(0, 0, usd("0.025"), &net("0.02")).is_ok());
    assert!(place_for(0, 0, usd("0.035"), &net("0.03")).is_err());
}

#[test]
fn a_lead_that_costs_nothing_needs_no_hold() {
    for free in ["0", "0.005"] {
        let error = place_for(0, 0, usd(free), &prepaid("0")).unwrap_err();
        assert_eq!(error, LedgerError::AmountNotPositive(usd(free)));
        let request = hold_request(1, "acme_mutual", usd(free), noon(1));
        assert_eq!(place_unless_zero(request, Funds::default(), &prepaid("0")), Ok(None));
    }
    let negative = usd("0").checked_sub(usd("1")).unwrap();
    let request = hold_request(1, "acme_mutual", negative, noon(1));
    let error = place_unless_zero(request, Funds::default(), &prepaid("0")).unwrap_err();
    assert_eq!(error.code(), "amount_not_positive");
}

#[test]
fn terms_in_another_currency_cover_nothing() {
    let error = place_for(1_000_000, 0, eur("1.00"), &prepaid("0")).unwrap_err();
    assert_eq!(error.code(), "currency_mismatch");
}

#[test]
fn funds_that_do_not_fit_are_an_error_and_not_a_panic() {
    assert_eq!(place_for(i64::MIN, 1, usd("1"), &prepaid("0")).unwrap_err(), LedgerError::Overflow);
    assert_eq!(place_for(i64::MIN, 0, usd("1"), &net("1")).unwrap_err(), LedgerError::Overflow);
    let account = Account::of_buyer("acme_mutual".parse().unwrap(), &prepaid("0"));
    assert_eq!(
        Funds::from_balances(&account, cents(i64::MIN), cents(0)),
        Err(LedgerError::Overflow)
    );
}

#[test]
fn stored_balances_become_funds_in_the_accounts_own_direction() {
    let buyer: BuyerId = "acme_mutual".parse().unwrap();
    let funds = |terms: &BillingTerms, settled: i64| {
        let account = Account::of_buyer(buyer.clone(), terms);
        Funds::from_balances(&account, cents(settled), cents(300)).unwrap()
    };
    let expected = Funds { settled: cents(5_000), pending: cents(300) };
    assert_eq!(funds(&prepaid("0"), -5_000), expected);
    assert_eq!(funds(&net("0"), 5_000), expected);
}

#[test]
fn states_read_back_with_what_was_captured() {
    let captured = HoldState::Captured { captured: cents(5) };
    for state in [HoldState::Open, captured, HoldState::Released] {
        let stored = (state == captured).then(|| cents(5));
        assert_eq!(HoldState::from_code(state.code(), stored), Some(state));
    }
    assert_eq!(HoldState::from_code("captured", None), None);
    assert_eq!(HoldState::from_code("voided", None), None);
}
