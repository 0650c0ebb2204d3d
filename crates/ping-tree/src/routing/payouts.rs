//! What sellers are owed, from a `payout` table.

use std::collections::BTreeMap;
use std::sync::Arc;

use exchange_model::document::{Entry, NodeKind};
use exchange_model::{Currency, Findings, Money, TableReader};

use crate::payout::{Band, PayoutRule};
use crate::routing::names::Declared;
use crate::routing::reading::require;

/// Most bands of one rule.
const BANDS_MAX: usize = 20;
const EXAMPLE: &str = "{ share = \"80%\" }";
const FORMS: &str = "write `payout = { share = \"80%\" }`, or fixed, per_sale or margin = \"9.00\", or bands = [{ from = \"0\", share = \"70%\" }]";

/// The rule under `payout`, if it is there.
pub(super) fn payout(
    table: &mut TableReader<'_>,
    currency: Currency,
    findings: &mut Findings,
) -> Option<PayoutRule> {
    let mut rule = table.table("payout", findings)?;
    let read = whole(&mut rule, currency, findings);
    rule.finish(findings);
    read
}

/// The rule under `payout`, which must be there.
pub(super) fn required_payout(
    table: &mut TableReader<'_>,
    currency: Currency,
    findings: &mut Findings,
) -> Option<PayoutRule> {
    require(table, "payout", EXAMPLE, findings);
    payout(table, currency, findings)
}

/// The rules of `payout_for`, by the name of the buyer or campaign.
pub(super) fn payout_for(
    table: &mut TableReader<'_>,
    currency: Currency,
    names: &Declared,
    findings: &mut Findings,
) -> BTreeMap<String, PayoutRule> {
    let mut rules = BTreeMap::new();
    for (name, mut rule) in table.named_tables("payout_for", findings) {
        let known = if name.value.contains('/') { &names.campaigns } else { &names.buyers };
        let is_known = known.check(name.value, &name.place, "owed for sales to it", findings);
        let read = whole(&mut rule, currency, findings);
        rule.finish(findings);
        rules.extend(read.filter(|_| is_known).map(|rule| (name.value.to_owned(), rule)));
    }
    rules
}

/// One rule, of which a table has exactly one, or bands of such rules.
fn whole(
    table: &mut TableReader<'_>,
    currency: Currency,
    findings: &mut Findings,
) -> Option<PayoutRule> {
    let has_bands = table.node("bands").is_some();
    let simple = simple(table, currency, findings);
    match (simple.written, has_bands) {
        (1, false) => simple.rule,
        (0, true) => bands(table, currency, findings),
        _ => {
            bad_payout(table, findings);
            None
        }
    }
}

struct Simple {
    /// How many of the words are there.
    written: usize,
    rule: Option<PayoutRule>,
}

fn simple(table: &mut TableReader<'_>, currency: Currency, findings: &mut Findings) -> Simple {
    const KEYS: [&str; 4] = ["share", "fixed", "per_sale", "margin"];
    let written = KEYS.iter().filter(|key| table.raw().get(key).is_some()).count();
    let share = table.percent("share", findings).map(|share| PayoutRule::Share(share.value));
    let mut money = |key: &'static str, rule: fn(Money) -> PayoutRule| {
        table.money(key, currency, findings).map(|money| rule(money.value))
    };
    let fixed = money("fixed", PayoutRule::Fixed);
    let per_sale = money("per_sale", PayoutRule::PerSale);
    let margin = money("margin", PayoutRule::Margin);
    Simple { written, rule: share.or(fixed).or(per_sale).or(margin) }
}

fn bad_payout(table: &TableReader<'_>, findings: &mut Findings) {
    let message = "a payout is one of share, fixed, per_sale, margin and bands".to_owned();
    findings.error("bad_payout", table.own_place(), message, FORMS.to_owned());
}

fn bands(
    table: &mut TableReader<'_>,
    currency: Currency,
    findings: &mut Findings,
) -> Option<PayoutRule> {
    let tables = table.tables("bands", findings);
    if tables.is_empty() || tables.len() > BANDS_MAX {
        let message = format!("`bands` has {} bands", tables.len());
        let help = format!("write 1 to {BANDS_MAX}, like {{ from = \"0\", share = \"70%\" }}");
        findings.error("bad_bands", table.own_place(), message, help);
        return None;
    }
    let many = tables.len();
    let mut read: Vec<Band> = Vec::with_capacity(many);
    let mut in_order = true;
    for mut table in tables {
        let band = band(&mut table, currency, findings);
        if band.as_ref().is_some_and(|band| !rises(read.last(), band)) {
            out_of_order(&table, read.last(), findings);
            in_order = false;
        }
        table.finish(findings);
        read.extend(band);
    }
    (in_order && read.len() == many).then(|| PayoutRule::Bands(Arc::from(read)))
}

fn band(table: &mut TableReader<'_>, currency: Currency, findings: &mut Findings) -> Option<Band> {
    require(table, "from", "\"20.00\"", findings);
    let from = table.money("from", currency, findings);
    if let Some(node) = table.node("bands") {
        let place = table.place(node.span.clone());
        let message = "no band holds bands".to_owned();
        let help = "write its parts as bands of their own, each with its `from`".to_owned();
        findings.error("nested_bands", place, message, help);
        return None;
    }
    let simple = simple(table, currency, findings);
    if simple.written != 1 {
        bad_payout(table, findings);
        return None;
    }
    Some(Band { from: from?.value, rule: simple.rule? })
}

/// The first band begins at nothing, so that every value has one; each other above the last.
fn rises(last: Option<&Band>, band: &Band) -> bool {
    match last {
        None => !band.from.is_positive(),
        Some(last) => band.from.amount() > last.from.amount(),
    }
}

fn out_of_order(table: &TableReader<'_>, last: Option<&Band>, findings: &mut Findings) {
    let place = match table.raw().get("from") {
        Some(Entry { value, .. }) if !matches!(value.kind, NodeKind::Table(_)) => {
            table.place(value.span.clone())
        }
        _ => table.own_place(),
    };
    let (message, help) = match last {
        None => (
            "lower values have no band".to_owned(),
            "let the first band begin at nothing: `from = \"0\"`".to_owned(),
        ),
        Some(last) => (
            "bands rise".to_owned(),
            format!("write a `from` above \"{}\", the band before", last.from.amount_text()),
        ),
    };
    findings.error("bad_bands", place, message, help);
}
