//! Amounts that operators write as money or as a share: `"1.50"`, `"10%"`.

use exchange_model::document::{NodeKind, Spanned};
use exchange_model::{Currency, Findings, Money, Rate, TableReader};

use crate::amount::Amount;

/// Reads one amount.
pub(super) fn parse(text: &str, currency: Currency) -> Option<Amount> {
    if text.ends_with('%') {
        return Rate::parse_percent(text).ok().map(Amount::Share);
    }
    Money::parse(text, currency).ok().map(Amount::Money)
}

/// An amount under `key`.
pub(super) fn amount(
    table: &mut TableReader<'_>,
    key: &'static str,
    currency: Currency,
    findings: &mut Findings,
) -> Option<Spanned<Amount>> {
    let text = quoted(table, key, "\"1.50\"", findings)?;
    let value = parse(text.value, currency);
    known(value, key, &text, "\"1.50\" or \"10%\"", findings)
}

/// An amount that may be taken off: its size, and whether it is.
pub(super) fn change(
    table: &mut TableReader<'_>,
    key: &'static str,
    currency: Currency,
    findings: &mut Findings,
) -> Option<Spanned<(Amount, bool)>> {
    let text = quoted(table, key, "\"1.50\"", findings)?;
    let size = text.value.strip_prefix('-');
    let value = parse(size.unwrap_or(text.value), currency).map(|amount| (amount, size.is_some()));
    known(value, key, &text, "\"1.50\", \"-0.50\", \"10%\" or \"-5%\"", findings)
}

/// A string; a bare number is refused as money is.
fn quoted<'t>(
    table: &mut TableReader<'t>,
    key: &'static str,
    example: &str,
    findings: &mut Findings,
) -> Option<Spanned<&'t str>> {
    let node = table.node(key)?;
    if let NodeKind::Integer(_) | NodeKind::Float(_) = &node.kind {
        let message = format!("`{key}` is an amount and must be quoted");
        let place = table.place(node.span.clone());
        let digits = place.file.text.get(place.span.clone()).unwrap_or("1.50").to_owned();
        findings.error("bare_money", place, message, format!("write `{key} = \"{digits}\"`"));
        return None;
    }
    table.string(key, example, findings)
}

fn known<T>(
    value: Option<T>,
    key: &str,
    text: &Spanned<&str>,
    forms: &str,
    findings: &mut Findings,
) -> Option<Spanned<T>> {
    if value.is_none() {
        let message = format!("`{key}` cannot be \"{}\"", text.value);
        let help = format!("write {forms}: money, or a share up to 100%");
        findings.error("bad_value", text.place.clone(), message, help);
    }
    value.map(|value| Spanned { value, place: text.place.clone() })
}

/// Refuses an amount that is the whole of what it is taken from, or more.
pub(super) fn less_than_all(
    key: &str,
    amount: Spanned<Amount>,
    most: Option<Money>,
    findings: &mut Findings,
) -> Option<Amount> {
    let all = match amount.value {
        Amount::Share(share) => share == Rate::WHOLE,
        Amount::Money(money) => most.is_some_and(|most| money.amount() >= most.amount()),
    };
    if !all {
        return Some(amount.value);
    }
    let message = format!("`{key}` leaves nothing");
    let help = match most {
        Some(most) => format!("write less than \"100%\" or \"{}\"", most.amount_text()),
        None => "write less than \"100%\"".to_owned(),
    };
    findings.error("never_matches", amount.place, message, help);
    None
}
