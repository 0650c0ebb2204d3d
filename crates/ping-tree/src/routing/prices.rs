//! What a campaign pays: its limits or its fixed price, and what rules change.

use exchange_model::document::Spanned;
use exchange_model::{Currency, Findings, Money, TableReader, Vertical};

use crate::amount::Amount;
use crate::campaign::{Adjust, PriceChange, PriceMode};
use crate::filter::{Filter, FilterReader};
use crate::list::Lists;
use crate::routing::amounts;
use crate::routing::reading::require;
use crate::schedule::read_schedule;

/// Most rules of one price.
pub(super) const ADJUST_MAX: usize = 100;

/// What a campaign's `price` says.
pub(super) struct Price {
    pub(super) mode: PriceMode,
    pub(super) adjust: Vec<Adjust>,
}

/// Reads `price`.
pub(super) fn price(
    table: &mut TableReader<'_>,
    vertical: &Vertical,
    lists: &mut Lists<'_>,
    findings: &mut Findings,
) -> Option<Price> {
    const EXAMPLE: &str = "{ mode = \"bid\", floor = \"8.00\", ceiling = \"60.00\" }";
    let currency = vertical.currency();
    require(table, "price", EXAMPLE, findings);
    let mut price = table.table("price", findings)?;
    require(&mut price, "mode", "\"bid\"", findings);
    let is_bid = price.one_of("mode", &[("bid", true), ("fixed", false)], findings);
    let is_known = is_bid.is_some();
    let mode = is_bid.and_then(|is_bid| match is_bid.value {
        true => bid_limits(&mut price, currency, findings),
        false => fixed_price(&mut price, currency, findings),
    });
    let adjust = adjustments(&mut price, vertical, lists, findings);
    // Which limits belong to a price whose mode is not known, nobody knows.
    if is_known {
        price.finish(findings);
    }
    let price = Price { mode: mode?, adjust };
    check_rules(&price, findings);
    Some(price)
}

fn adjustments(
    price: &mut TableReader<'_>,
    vertical: &Vertical,
    lists: &mut Lists<'_>,
    findings: &mut Findings,
) -> Vec<Adjust> {
    let tables = price.tables("adjust", findings);
    if tables.len() > ADJUST_MAX {
        let message = format!("`adjust` has {} rules", tables.len());
        let help = format!("write at most {ADJUST_MAX}, or another campaign");
        findings.error("too_many_rules", price.own_place(), message, help);
    }
    let mut rules = Vec::new();
    for mut table in tables.into_iter().take(ADJUST_MAX) {
        rules.extend(adjustment(&mut table, vertical, lists, findings));
        table.finish(findings);
    }
    rules
}

fn adjustment(
    table: &mut TableReader<'_>,
    vertical: &Vertical,
    lists: &mut Lists<'_>,
    findings: &mut Findings,
) -> Option<Adjust> {
    let hours = read_schedule(table, findings);
    let when = table.table("when", findings);
    if when.is_none() && hours.place().is_none() && table.raw().get("when").is_none() {
        let message = "this rule always holds".to_owned();
        let help = "add `when = { credit = [\"excellent\"] }` or hours, or write it into the price";
        findings.error("always_holds", table.own_place(), message, help.to_owned());
    }
    let when = match when {
        Some(when) => FilterReader::new(vertical, lists).read(&when, findings),
        None => Filter::default(),
    };
    require(table, "add", "\"1.50\"", findings);
    let add = amounts::change(table, "add", vertical.currency(), findings)?;
    let (amount, takes_off) = add.value;
    Some(Adjust { when, hours, amount, takes_off, place: add.place })
}

/// A rule that brings a fixed price to nothing refuses leads where nobody looks for it.
fn check_rules(price: &Price, findings: &mut Findings) {
    let PriceMode::Fixed { base } = price.mode else { return };
    for rule in price.adjust.iter().filter(|rule| rule.takes_off) {
        let left = rule.of(base).and_then(|off| base.checked_add(off).ok());
        if left.is_some_and(|left| !left.is_positive()) {
            let message = format!("this rule leaves nothing of the {}", base.amount_text());
            let help = "take off less, or refuse these leads in `accepts`".to_owned();
            findings.error("never_matches", rule.place.clone(), message, help);
        }
    }
}

/// Nothing but the price itself honours the limits of a fixed price.
pub(super) fn check_price_change(
    rule: &Spanned<PriceChange>,
    price: &PriceMode,
    findings: &mut Findings,
) {
    let moves = matches!(rule.value, PriceChange::Lower | PriceChange::Any);
    if let PriceMode::Fixed { base } = price
        && moves
    {
        let message =
            format!("a fixed price cannot change: `{}` books the price", rule.value.code());
        let base = base.amount_text();
        let help = format!(
            "write `price = {{ mode = \"bid\", floor = \"...\", ceiling = \"{base}\", base = \"{base}\" }}`"
        );
        findings.warning("never_matches", rule.place.clone(), message, help);
    }
}

/// `haircut`: part of the value, so never all of it.
pub(super) fn haircut(
    table: &mut TableReader<'_>,
    currency: Currency,
    price: Option<&Price>,
    findings: &mut Findings,
) -> Option<Amount> {
    let haircut = amounts::amount(table, "haircut", currency, findings)?;
    let most = price.map(|price| price.mode.most());
    amounts::less_than_all("haircut", haircut, most, findings)
}

fn bid_limits(
    price: &mut TableReader<'_>,
    currency: Currency,
    findings: &mut Findings,
) -> Option<PriceMode> {
    require(price, "ceiling", "\"60.00\"", findings);
    let floor = price.money("floor", currency, findings);
    let ceiling = price.money("ceiling", currency, findings)?;
    let floor = floor.map_or_else(|| Money::zero(currency), |floor| floor.value);
    if ceiling.value.amount() < floor.amount() || !ceiling.value.is_positive() {
        let message = "no bid can be at least `floor` and at most `ceiling`".to_owned();
        let help = format!("write a ceiling above {}", floor.amount_text());
        findings.error("never_matches", ceiling.place, message, help);
        return None;
    }
    let base = match price.money("base", currency, findings) {
        Some(base) => Some(base_of_bids(&base, floor, ceiling.value, findings)?),
        None => None,
    };
    Some(PriceMode::Bid { floor, ceiling: ceiling.value, base })
}

/// The contract price of a campaign that bids: it is judged like a bid, so it must be one.
fn base_of_bids(
    base: &Spanned<Money>,
    floor: Money,
    ceiling: Money,
    findings: &mut Findings,
) -> Option<Money> {
    let amount = base.value.amount();
    if base.value.is_positive() && floor.amount() <= amount && amount <= ceiling.amount() {
        return Some(base.value);
    }
    let message = "`base` is no bid between `floor` and `ceiling`".to_owned();
    let help = format!(
        "write a base from {} to {}, or leave it out",
        floor.amount_text(),
        ceiling.amount_text()
    );
    findings.error("never_matches", base.place.clone(), message, help);
    None
}

fn fixed_price(
    price: &mut TableReader<'_>,
    currency: Currency,
    findings: &mut Findings,
) -> Option<PriceMode> {
    require(price, "base", "\"7.50\"", findings);
    let base = price.money("base", currency, findings)?;
    if !base.value.is_positive() {
        let message = "a fixed price is more than nothing".to_owned();
        findings.error("bad_value", base.place, message, "write `base = \"7.50\"`".to_owned());
        return None;
    }
    Some(PriceMode::Fixed { base: base.value })
}
