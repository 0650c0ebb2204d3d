//! The people, amounts and moments that this crate's tests talk about.

use exchange_model::billing::BillingTerms;
use exchange_model::id::{AttemptId, LeadId};
use exchange_model::money::{Currency, MinorUnits, Money};
use exchange_model::timestamp::Timestamp;

use crate::account::BankName;
use crate::entry::{Stamp, Transaction};
use crate::hold::{self, Funds, Hold, HoldRequest};
use crate::sale::{self, BookedSale, LossPolicy, SaleRequest};
use crate::top_up::{self, WireTopUp};

pub(crate) fn usd(text: &str) -> Money {
    Money::parse(text, Currency::USD).unwrap()
}

pub(crate) fn eur(text: &str) -> Money {
    money(text, "EUR")
}

pub(crate) fn money(text: &str, currency: &str) -> Money {
    Money::parse(text, Currency::new(currency).unwrap()).unwrap()
}

pub(crate) fn cents(minor: i64) -> MinorUnits {
    MinorUnits::new(minor)
}

pub(crate) fn at(text: &str) -> Stamp {
    Stamp::at(text.parse::<Timestamp>().unwrap(), "auction")
}

/// Noon of a day of November 2026.
pub(crate) fn noon(day: u8) -> Stamp {
    at(&format!("2026-11-{day:02}T12:00:00Z"))
}

pub(crate) fn attempt(number: u8) -> AttemptId {
    AttemptId::new(LeadId::new(Timestamp::from_unix_millis(1_000), [number; 10]), 1)
}

pub(crate) fn prepaid(credit_line: &str) -> BillingTerms {
    BillingTerms::Prepaid { credit_line: usd(credit_line) }
}

pub(crate) fn net(credit_limit: &str) -> BillingTerms {
    BillingTerms::Net { days: 30, credit_limit: usd(credit_limit) }
}

pub(crate) fn hold_request(number: u8, buyer: &str, amount: Money, stamp: Stamp) -> HoldRequest {
    HoldRequest { attempt: attempt(number), buyer: buyer.parse().unwrap(), amount, stamp }
}

/// A hold that the prepaid buyer `acme_mutual` can well afford.
pub(crate) fn held(number: u8, amount: &str, stamp: Stamp) -> (Transaction, Hold) {
    let rich = Funds { settled: cents(1_000_000), pending: MinorUnits::ZERO };
    let request = hold_request(number, "acme_mutual", usd(amount), stamp);
    hold::place(request, rich, &prepaid("0")).unwrap()
}

pub(crate) fn sale_request(number: u8, price: &str, payout: &str, stamp: Stamp) -> SaleRequest {
    SaleRequest {
        attempt: attempt(number),
        seller: "leadgen".parse().unwrap(),
        vertical: "auto_insurance".parse().unwrap(),
        price: usd(price),
        payout: usd(payout),
        legs: Vec::new(),
        loss: LossPolicy::Refuse,
        stamp,
    }
}

pub(crate) fn sold(hold: &Hold, number: u8, price: &str, payout: &str, stamp: Stamp) -> BookedSale {
    sale::book(sale_request(number, price, payout, stamp), Some(hold)).unwrap()
}

pub(crate) fn wired(buyer: &str, bank_ref: &str, amount: Money, stamp: Stamp) -> Transaction {
    let top_up = WireTopUp {
        buyer: buyer.parse().unwrap(),
        bank: BankName::new("main").unwrap(),
        bank_ref: bank_ref.to_owned(),
        amount,
        stamp,
        memo: String::new(),
    };
    top_up::wire(top_up).unwrap()
}

/// `pending debit L:Prepaid:acme_mutual 12.00`, one line per entry.
pub(crate) fn entries_text(transaction: &Transaction) -> String {
    let line = |entry: &crate::entry::Entry| {
        let amount = Money::from_minor(entry.minor, transaction.currency());
        format!("{} {} {} {}\n", entry.layer, entry.side, entry.account, amount.amount_text())
    };
    transaction.entries().iter().map(line).collect()
}
