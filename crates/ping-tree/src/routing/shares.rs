//! With how many others a campaign shares a lead, and what it pays then.

use std::collections::BTreeMap;

use exchange_model::document::{Entry, NodeKind};
use exchange_model::{Currency, Findings, Money, TableReader};

use crate::amount::Amount;
use crate::routing::amounts;
use crate::shares::{BUYERS_MAX, Shares};

/// Reads `shares = { 1 = "100%", 2 = "80%", 3 = "14.00" }`.
pub(super) fn shares(
    table: &mut TableReader<'_>,
    currency: Currency,
    most: Option<Money>,
    findings: &mut Findings,
) -> Shares {
    let Some(inner) = table.table("shares", findings) else { return Shares::default() };
    if inner.raw().entries.is_empty() {
        let message = "a campaign with empty `shares` takes no lead".to_owned();
        let help = "write `shares = { 1 = \"100%\", 2 = \"80%\" }`, or remove it".to_owned();
        findings.error("bad_shares", inner.own_place(), message, help);
    }
    let mut prices = BTreeMap::new();
    for entry in &inner.raw().entries {
        let buyers = buyers(entry, &inner, findings);
        let price = price(entry, &inner, (currency, most), findings);
        prices.extend(buyers.zip(price));
    }
    Shares::new(prices)
}

fn buyers(entry: &Entry, table: &TableReader<'_>, findings: &mut Findings) -> Option<u8> {
    let number = entry.key.parse().ok().filter(|number| (1..=BUYERS_MAX).contains(number));
    let buyers = number.filter(|number: &u8| number.to_string() == entry.key);
    if buyers.is_none() {
        let message = format!("`{}` is no number of buyers", entry.key);
        let help = format!("write 1 to {BUYERS_MAX}, like `2 = \"80%\"`");
        findings.error("bad_shares", table.place(entry.key_span.clone()), message, help);
    }
    buyers
}

fn price(
    entry: &Entry,
    table: &TableReader<'_>,
    (currency, most): (Currency, Option<Money>),
    findings: &mut Findings,
) -> Option<Amount> {
    let read = match &entry.value.kind {
        NodeKind::String(text) => amounts::parse(text, currency),
        _ => None,
    };
    let too_much = |money: &Money| most.is_some_and(|most| money.amount() > most.amount());
    let (code, message) = match read {
        Some(Amount::Money(money)) if too_much(&money) => {
            ("never_matches", "this is more than the campaign pays for a lead of its own")
        }
        Some(Amount::Money(money)) if !money.is_positive() => ("bad_shares", "this is no price"),
        Some(Amount::Share(share)) if share.as_decimal().is_zero() => {
            ("bad_shares", "this is no price")
        }
        Some(amount) => return Some(amount),
        None => ("bad_shares", "this is neither a share of the bid nor an amount"),
    };
    let help = match most {
        Some(most) => format!("write \"80%\", or an amount up to \"{}\"", most.amount_text()),
        None => "write \"80%\" or \"14.00\"".to_owned(),
    };
    findings.error(code, table.place(entry.value.span.clone()), message.to_owned(), help);
    None
}
