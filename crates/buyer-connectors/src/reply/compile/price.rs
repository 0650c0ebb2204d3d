//! `price` and `counter`.

use exchange_model::{Findings, TableReader};

use super::super::locator::Pick;
use super::super::price::{Counter, PriceRule};
use super::locators::Dialect;

impl Dialect<'_> {
    /// A `price` table.
    pub(super) fn price(
        &self,
        mut table: TableReader<'_>,
        findings: &mut Findings,
    ) -> Option<PriceRule> {
        let contract = table.one_of("else", &[("contract", true)], findings);
        let mut rule = self.amount(&mut table, findings);
        if let Some(rule) = &mut rule {
            rule.contract = contract.is_some();
        }
        table.finish(findings);
        rule
    }

    /// `counter`, with `key` of the post that follows.
    pub(super) fn counter(
        &self,
        table: &mut TableReader<'_>,
        findings: &mut Findings,
    ) -> Option<Counter> {
        let mut inner = table.table("counter", findings)?;
        let same = inner.one_of("key", &[("same", true), ("new", false)], findings);
        let price = self.without_key().amount(&mut inner, findings);
        inner.finish(findings);
        Some(Counter { price: price?, same_key: same.is_some_and(|same| same.value) })
    }

    fn amount(&self, table: &mut TableReader<'_>, findings: &mut Findings) -> Option<PriceRule> {
        let at = self.locator(table, findings);
        let sign = mark(table, "sign", "\"$\"", findings);
        let group = mark(table, "group", "\",\"", findings);
        let point = mark(table, "decimal", "\".\"", findings).unwrap_or_else(|| ".".to_owned());
        let cents = table.one_of("unit", &[("cents", true), ("major", false)], findings);
        let at = at?;
        if at.pick == Some(Pick::Joined) {
            let message = "a price cannot be joined from several".to_owned();
            let help = "write `pick = \"sum\"` or `pick = \"highest\"`".to_owned();
            findings.error("bad_value", table.own_place(), message, help);
        }
        if group.as_deref() == Some(point.as_str()) {
            let message = format!("`group` and `decimal` are both \"{point}\"");
            let help = "write `group = \".\", decimal = \",\"` for 1.234,50".to_owned();
            findings.error("bad_value", table.own_place(), message, help);
        }
        let cents = cents.is_some_and(|cents| cents.value);
        Some(PriceRule { at, sign, group, point, cents, contract: false })
    }
}

/// A mark beside digits: not empty, and no digit itself.
fn mark(
    table: &mut TableReader<'_>,
    key: &'static str,
    example: &str,
    findings: &mut Findings,
) -> Option<String> {
    let read = |text: &str| {
        let good = !text.is_empty() && !text.contains(|c: char| c.is_ascii_digit() || c == '-');
        good.then(|| text.to_owned()).ok_or("a mark that is no digit")
    };
    table.parsed(key, example, read, findings).map(|mark| mark.value)
}
