//! What a sale books, to the cent.

use super::*;
use crate::samples::{attempt, cents, entries_text, eur, held, noon, sale_request, sold, usd};

#[test]
fn a_sale_captures_the_price_gives_back_the_rest_and_accrues_the_payout() {
    let (_, hold) = held(1, "31.00", noon(1));
    let sale = sold(&hold, 1, "30.00", "24.80", noon(1));
    let transaction = sale.transactions[0].clone();
    assert_eq!(transaction.key(), format!("sale:{}", attempt(1)));
    expect_test::expect![[r"
        pending debit L:InFlight 31.00
        pending credit L:Prepaid:acme_mutual 31.00
        settled debit L:Prepaid:acme_mutual 30.00
        settled credit I:LeadSales:auto_insurance 30.00
        settled debit X:SellerCost:auto_insurance 24.80
        settled credit L:SellerAccrued:leadgen 24.80
    "]]
    .assert_eq(&entries_text(&transaction));
    assert_eq!(sale.hold.unwrap().state, HoldState::Captured { captured: cents(3_000) });
    assert_eq!(sale.margin, cents(520));
}

#[test]
fn a_sale_without_price_and_hold_writes_no_entries() {
    let sale = book(sale_request(1, "0", "0.004", noon(1)), None).unwrap();
    assert_eq!(sale.transactions, []);
    assert_eq!(sale.hold, None);
}

#[test]
fn a_free_sale_still_gives_its_hold_back() {
    let (_, hold) = held(1, "5.00", noon(1));
    let sale = sold(&hold, 1, "0", "0", noon(1));
    assert_eq!(
        entries_text(&sale.transactions[0].clone()),
        "pending debit L:InFlight 5.00\npending credit L:Prepaid:acme_mutual 5.00\n"
    );
    assert_eq!(sale.hold.unwrap().state, HoldState::Captured { captured: cents(0) });
}

#[test]
fn both_amounts_are_rounded_once_and_the_margin_is_what_is_left() {
    let (_, hold) = held(1, "10.00", noon(1));
    let sale = sold(&hold, 1, "9.995", "4.445", noon(1));
    assert_eq!((sale.price, sale.payout, sale.margin), (cents(1_000), cents(444), cents(556)));
}

#[test]
fn a_loss_is_booked_only_where_it_is_allowed() {
    let (_, hold) = held(1, "10.00", noon(1));
    let request = sale_request(1, "10.00", "10.01", noon(1));
    let error = book(request.clone(), Some(&hold)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the payout of `10.01 USD` is more than the price of `10.00 USD`"
    );
    let sale = book(SaleRequest { loss: LossPolicy::Allow, ..request }, Some(&hold)).unwrap();
    assert_eq!(sale.margin, cents(-1));
}

#[test]
fn a_sale_serves_its_own_open_hold_and_never_takes_more() {
    let (_, hold) = held(1, "10.00", noon(1));
    let refused = |request: SaleRequest, hold: Option<&Hold>| book(request, hold).unwrap_err();
    let request = |price: &str| sale_request(1, price, "0", noon(1));
    assert_eq!(refused(request("10.01"), Some(&hold)).code(), "price_above_hold");
    assert_eq!(refused(request("0.01"), None).code(), "price_above_hold");
    let other = SaleRequest { attempt: attempt(2), ..request("1.00") };
    assert_eq!(refused(other, Some(&hold)).code(), "hold_of_another_attempt");
    let captured = sold(&hold, 1, "10.00", "0", noon(1)).hold.unwrap();
    assert_eq!(refused(request("10.00"), Some(&captured)), LedgerError::HoldNotOpen(attempt(1)));
    let (_, released) = crate::hold::release(&hold, noon(1)).unwrap();
    assert_eq!(refused(request("10.00"), Some(&released)), LedgerError::HoldNotOpen(attempt(1)));
}

#[test]
fn currencies_do_not_mix_in_a_sale() {
    let (_, hold) = held(1, "10.00", noon(1));
    let request = sale_request(1, "1.00", "1.00", noon(1));
    let payout = SaleRequest { payout: eur("1.00"), ..request.clone() };
    assert_eq!(book(payout, Some(&hold)).unwrap_err().code(), "currency_mismatch");
    let both = SaleRequest { payout: eur("1.00"), price: eur("1.00"), ..request };
    assert_eq!(book(both, Some(&hold)).unwrap_err().code(), "currency_mismatch");
}

#[test]
fn a_negative_price_or_payout_is_refused() {
    let (_, hold) = held(1, "10.00", noon(1));
    let negative = usd("0").checked_sub(usd("1.00")).unwrap();
    let request = sale_request(1, "1.00", "1.00", noon(1));
    let price = SaleRequest { price: negative, ..request.clone() };
    let payout = SaleRequest { payout: negative, ..request };
    for request in [price, payout] {
        assert_eq!(book(request, Some(&hold)).unwrap_err().code(), "amount_not_positive");
    }
}

fn leg(number: u8, company: &str, price: &str, payout: &str) -> SaleLeg {
    SaleLeg { number, company: company.to_owned(), price: usd(price), payout: usd(payout) }
}

#[test]
fn each_company_behind_a_buyer_is_a_line_of_its_own_and_the_hold_ends_once() {
    let (_, hold) = held(1, "40.00", noon(1));
    let legs = vec![leg(1, "Roof Co", "12.00", "9.00"), leg(3, "Top\nRoofs", "8.50", "6.00")];
    let request = SaleRequest { legs, ..sale_request(1, "20.50", "15.00", noon(1)) };
    let sale = book(request, Some(&hold)).unwrap();
    assert_eq!((sale.price, sale.payout, sale.margin), (cents(2_050), cents(1_500), cents(550)));
    assert_eq!(sale.hold.unwrap().state, HoldState::Captured { captured: cents(2_050) });
    let [first, third] = sale.transactions.as_slice() else { panic!("one for each leg") };
    assert_eq!(first.key(), format!("sale:{}#1", attempt(1)));
    assert_eq!(third.key(), format!("sale:{}#3", attempt(1)));
    assert_eq!([&first.header().memo, &third.header().memo], ["Roof Co", "TopRoofs"]);
    expect_test::expect![[r#"
        pending debit L:InFlight 40.00
        pending credit L:Prepaid:acme_mutual 40.00
        settled debit L:Prepaid:acme_mutual 12.00
        settled credit I:LeadSales:auto_insurance 12.00
        settled debit X:SellerCost:auto_insurance 9.00
        settled credit L:SellerAccrued:leadgen 9.00
    "#]]
    .assert_eq(&entries_text(first));
    expect_test::expect![[r#"
        settled debit L:Prepaid:acme_mutual 8.50
        settled credit I:LeadSales:auto_insurance 8.50
        settled debit X:SellerCost:auto_insurance 6.00
        settled credit L:SellerAccrued:leadgen 6.00
    "#]]
    .assert_eq(&entries_text(third));
}

#[test]
fn legs_add_up_to_what_the_sale_says_in_all_and_to_no_more_than_is_held() {
    let (_, hold) = held(1, "20.00", noon(1));
    let legs = vec![leg(1, "", "12.00", "9.00"), leg(2, "", "8.00", "6.00")];
    let request = |price: &str, payout: &str| SaleRequest {
        legs: legs.clone(),
        ..sale_request(1, price, payout, noon(1))
    };
    for (price, payout) in [("20.01", "15.00"), ("20.00", "14.99")] {
        let error = book(request(price, payout), Some(&hold)).unwrap_err();
        assert_eq!(error, LedgerError::LegsDoNotAddUp(attempt(1)));
    }
    assert!(book(request("20.00", "15.00"), Some(&hold)).is_ok());
    let (_, less) = held(1, "19.99", noon(1));
    let error = book(request("20.00", "15.00"), Some(&less)).unwrap_err();
    assert_eq!(error.code(), "price_above_hold");
}

#[test]
fn a_company_name_of_any_length_fits_into_the_books() {
    let (_, hold) = held(1, "20.00", noon(1));
    let legs = vec![leg(1, &"\u{e9}".repeat(300), "1.00", "1.00")];
    let request = SaleRequest { legs, ..sale_request(1, "1.00", "1.00", noon(1)) };
    let sale = book(request, Some(&hold)).unwrap();
    assert_eq!(sale.transactions[0].header().memo.len(), TEXT_MAX);
}
