//! Statements that add up to the entries behind them.

use exchange_model::id::BuyerId;
use exchange_model::money::Money;

use super::*;
use crate::hold::{self, Funds, Hold};
use crate::sale::{self, SaleLeg, SaleRequest};
use crate::samples::{
    at, cents, eur, held, hold_request, net, noon, prepaid, sale_request, sold, usd, wired,
};

fn november() -> Period {
    days("2026-11-01", "2026-12-01", "America/Chicago")
}

fn days(start: &str, end: &str, zone: &str) -> Period {
    Period::new(start.parse().unwrap(), end.parse().unwrap(), TimeZone::get(zone).unwrap()).unwrap()
}

fn acme() -> BuyerId {
    "acme_mutual".parse().unwrap()
}

/// One sale of `price` and its hold.
fn sale(number: u8, price: &str, payout: &str, when: &str) -> [Transaction; 2] {
    let (placed, hold) = held(number, "40.00", at(when));
    [placed, sold(&hold, number, price, payout, at(when)).transactions[0].clone()]
}

/// An October top-up and sale, two sales and a top-up in November, one sale in December.
fn ledger() -> Vec<Transaction> {
    let mut ledger = vec![
        wired("acme_mutual", "REF-1", usd("500.00"), at("2026-10-20T15:00:00Z")),
        wired("bolt", "REF-2", usd("70.00"), noon(2)),
        wired("acme_mutual", "REF-3", eur("900.00"), noon(2)),
    ];
    ledger.extend(sale(1, "31.00", "24.80", "2026-11-01T04:59:59Z"));
    ledger.extend(sale(2, "28.50", "22.80", "2026-11-01T05:00:00Z"));
    ledger.extend(sale(3, "40.00", "32.00", "2026-11-23T16:15:00Z"));
    ledger.push(wired("acme_mutual", "REF-4", usd("1250.00"), at("2026-11-10T09:30:00Z")));
    ledger.extend(sale(4, "10.00", "8.00", "2026-12-01T06:00:00Z"));
    ledger
}

fn statement_of_acme() -> Statement {
    buyer_statement(&acme(), &prepaid("0"), Currency::USD, november(), ledger()).unwrap()
}

#[test]
fn a_prepaid_buyers_statement_shows_the_money_it_has_left() {
    expect_test::expect![[r#"
        Statement of buyer acme_mutual, amounts in USD
        2026-11-01 to 2026-11-30, both days included, America/Chicago

        time                 lead or reference                event     amount  funds left
        -------------------  -------------------------------  -------  -------  ----------
                                                              opening               469.00
        2026-11-01 00:00:00  lead_00000000z8f04840g2081040g2  sale      -28.50      440.50
        2026-11-10 03:30:00  tu:REF-4                         top_up   1250.00     1690.50
        2026-11-23 10:15:00  lead_00000000z8fg6860r30c1g60r3  sale      -40.00     1650.50
                                                              closing              1650.50
        -------------------  -------------------------------  -------  -------  ----------
        total                2 lines                          sale      -68.50
        total                1 line                           top_up   1250.00
    "#]]
    .assert_eq(&statement_of_acme().to_text());
}

#[test]
fn a_sellers_statement_shows_what_it_has_earned() {
    let seller = "leadgen".parse().unwrap();
    let statement = seller_statement(&seller, Currency::USD, november(), ledger()).unwrap();
    expect_test::expect![[r#"
        Statement of seller leadgen, amounts in USD
        2026-11-01 to 2026-11-30, both days included, America/Chicago

        time                 lead or reference                event    amount  earned
        -------------------  -------------------------------  -------  ------  ------
                                                              opening           24.80
        2026-11-01 00:00:00  lead_00000000z8f04840g2081040g2  sale      22.80   47.60
        2026-11-23 10:15:00  lead_00000000z8fg6860r30c1g60r3  sale      32.00   79.60
                                                              closing           79.60
        -------------------  -------------------------------  -------  ------  ------
        total                2 lines                          sale      54.80
    "#]]
    .assert_eq(&statement.to_text());
}

#[test]
fn a_buyer_on_terms_sees_what_it_owes() {
    let terms = net("100.00");
    let request = hold_request(1, "acme_mutual", usd("12.00"), noon(2));
    let (_, open): (_, Hold) = hold::place(request, Funds::default(), &terms).unwrap();
    let booked = sold(&open, 1, "12.00", "9.00", noon(2)).transactions[0].clone();
    let statement = buyer_statement(&acme(), &terms, Currency::USD, november(), [&booked]).unwrap();
    assert_eq!(statement.closing, cents(1_200));
    assert!(statement.to_text().contains("owed"), "{}", statement.to_text());
}

#[test]
fn a_change_of_terms_loses_nothing() {
    let terms = net("100.00");
    let request = hold_request(9, "acme_mutual", usd("12.00"), noon(20));
    let (_, open) = hold::place(request, Funds::default(), &terms).unwrap();
    let mut ledger = ledger();
    ledger.push(sold(&open, 9, "12.00", "9.00", noon(20)).transactions[0].clone());
    let now = buyer_statement(&acme(), &terms, Currency::USD, november(), &ledger).unwrap();
    let before = statement_of_acme();
    let net_owed = before.closing.get().saturating_neg().saturating_add(1_200);
    assert_eq!(now.closing, cents(net_owed));
}

#[test]
fn opening_and_lines_and_totals_make_the_closing_balance() {
    let statement = statement_of_acme();
    let lines: i64 = statement.lines.iter().map(|line| line.amount.get()).sum();
    let totals: i64 = statement.totals.iter().map(|total| total.amount.get()).sum();
    assert_eq!(lines, totals);
    assert_eq!(statement.opening.checked_add(cents(lines)), Some(statement.closing));
}

#[test]
fn one_months_closing_is_the_next_ones_opening() {
    let december = days("2026-12-01", "2027-01-01", "America/Chicago");
    let terms = prepaid("0");
    let next = buyer_statement(&acme(), &terms, Currency::USD, december, ledger()).unwrap();
    assert_eq!(next.opening, statement_of_acme().closing);
    assert_eq!(next.lines.len(), 1);
}

#[test]
fn a_period_is_whole_days_of_its_own_time_zone_even_when_clocks_change() {
    let day = days("2026-11-01", "2026-11-02", "America/Chicago");
    let (from, until) = day.bounds();
    assert_eq!(from.to_string(), "2026-11-01T05:00:00.000Z");
    assert_eq!(until.to_string(), "2026-11-02T06:00:00.000Z");
    let today: Date = "2026-11-01".parse().unwrap();
    assert_eq!(Period::new(today, today, TimeZone::UTC), Err(StatementError::BadPeriod));
}

#[test]
fn a_statement_without_movement_still_has_its_balances() {
    let january = days("2027-01-01", "2027-02-01", "UTC");
    let terms = prepaid("0");
    let statement = buyer_statement(&acme(), &terms, Currency::USD, january, ledger()).unwrap();
    assert_eq!(statement.opening, statement.closing);
    assert!(statement.to_text().contains("no movement"), "{}", statement.to_text());
}

#[test]
fn the_spreadsheet_has_the_same_lines() {
    expect_test::expect![[r#"
        time,lead,event,key,amount,balance,currency,company
        ,,opening,,,469.00,USD,
        2026-11-01 00:00:00,lead_00000000z8f04840g2081040g2,sale,sale:att_00000000z8f04840g2081040g2_1,-28.50,440.50,USD,
        2026-11-10 03:30:00,,top_up,tu:REF-4,1250.00,1690.50,USD,
        2026-11-23 10:15:00,lead_00000000z8fg6860r30c1g60r3,sale,sale:att_00000000z8fg6860r30c1g60r3_1,-40.00,1650.50,USD,
        ,,closing,,,1650.50,USD,
    "#]]
    .assert_eq(&statement_of_acme().to_csv().replace("\r\n", "\n"));
}

#[test]
fn amounts_that_do_not_fit_are_an_error() {
    let huge = |bank_ref: &str| {
        let minor = Money::from_minor(cents(i64::MAX), Currency::USD);
        wired("acme_mutual", bank_ref, minor, noon(2))
    };
    let ledger = [huge("1"), huge("2")];
    let statement = buyer_statement(&acme(), &prepaid("0"), Currency::USD, november(), &ledger);
    assert_eq!(statement, Err(StatementError::Overflow));
}

#[test]
fn a_lead_sold_to_several_companies_of_one_buyer_has_a_line_for_each() {
    let (placed, hold) = held(5, "40.00", noon(23));
    let leg = |number, company: &str, price| SaleLeg {
        number,
        company: company.to_owned(),
        price: usd(price),
        payout: usd("5.00"),
    };
    let legs = vec![leg(1, "Roof Co", "12.00"), leg(2, "=Top Roofs", "8.50")];
    let request = SaleRequest { legs, ..sale_request(5, "20.50", "10.00", noon(23)) };
    let mut ledger = vec![placed];
    ledger.extend(sale::book(request, Some(&hold)).unwrap().transactions);
    let statement =
        buyer_statement(&acme(), &net("100"), Currency::USD, november(), &ledger).unwrap();
    expect_test::expect![[r#"
        Statement of buyer acme_mutual, amounts in USD
        2026-11-01 to 2026-11-30, both days included, America/Chicago

        time                 lead or reference                           event    amount   owed
        -------------------  ------------------------------------------  -------  ------  -----
                                                                         opening           0.00
        2026-11-23 06:00:00  lead_00000000z8ega8a1850m2ga185 Roof Co     sale      12.00  12.00
        2026-11-23 06:00:00  lead_00000000z8ega8a1850m2ga185 =Top Roofs  sale       8.50  20.50
                                                                         closing          20.50
        -------------------  ------------------------------------------  -------  ------  -----
        total                2 lines                                     sale      20.50
    "#]]
    .assert_eq(&statement.to_text());
    expect_test::expect![[r#"
        time,lead,event,key,amount,balance,currency,company
        ,,opening,,,0.00,USD,
        2026-11-23 06:00:00,lead_00000000z8ega8a1850m2ga185,sale,sale:att_00000000z8ega8a1850m2ga185_1#1,12.00,12.00,USD,Roof Co
        2026-11-23 06:00:00,lead_00000000z8ega8a1850m2ga185,sale,sale:att_00000000z8ega8a1850m2ga185_1#2,8.50,20.50,USD,'=Top Roofs
        ,,closing,,,20.50,USD,
    "#]].assert_eq(&statement.to_csv().replace("\r\n", "\n"));
    let seller = "leadgen".parse().unwrap();
    let earned = seller_statement(&seller, Currency::USD, november(), &ledger).unwrap();
    assert_eq!((earned.lines.len(), earned.closing), (2, cents(1_000)));
}
