//! Conditions.

use exchange_model::document::{Node, NodeKind};
use exchange_model::{Findings, TableReader};
use rust_decimal::Decimal;

use super::super::condition::{Comparison, Condition, Expected, StatusRange, Test};
use super::super::found::decimal;
use super::locators::{Dialect, built};

/// Deepest nesting of `all`, `any` and `not`.
const DEPTH_MAX: usize = 8;

/// The keys that say what a condition is about.
const ABOUT: &[&str] = &["all", "any", "not", "status"];
/// The keys that test a value.
const TESTS: &[&str] = &[
    "is", "is_not", "matches", "contains", "exists", "is_true", "is_false", "above", "at_least",
    "below", "at_most",
];

impl Dialect<'_> {
    /// The condition under `key`.
    pub(super) fn condition_at(
        &self,
        table: &mut TableReader<'_>,
        key: &'static str,
        findings: &mut Findings,
    ) -> Option<Condition> {
        if table.node(key).is_none() {
            table.missing(key, "{ at = \"$.status\", is = [\"ACCEPTED\"] }", findings);
        }
        self.condition(table.table(key, findings)?, 0, findings)
    }

    fn condition(
        &self,
        mut table: TableReader<'_>,
        depth: usize,
        findings: &mut Findings,
    ) -> Option<Condition> {
        if depth >= DEPTH_MAX {
            let message = format!("conditions are nested more than {DEPTH_MAX} deep");
            let help = "write several rules instead".to_owned();
            findings.error("bad_value", table.own_place(), message, help);
            return None;
        }
        let given: Vec<&str> =
            ABOUT.iter().copied().filter(|key| table.node(key).is_some()).collect();
        let others = table.raw().entries.len().saturating_sub(given.len());
        let condition = match given.as_slice() {
            [] => self.test_of_a_place(&mut table, findings),
            [_, _, ..] => one_too_many(&table, findings),
            [_] if others > 0 => one_too_many(&table, findings),
            ["status"] => status(&mut table, findings).map(Condition::Status),
            ["not"] => {
                let inner = table.table("not", findings);
                let inner = inner.and_then(|inner| self.condition(inner, depth + 1, findings));
                inner.map(|inner| Condition::Not(Box::new(inner)))
            }
            ["all"] => self.conditions(&mut table, "all", depth, findings).map(Condition::All),
            _ => self.conditions(&mut table, "any", depth, findings).map(Condition::Any),
        };
        if condition.is_some() {
            table.finish(findings);
        }
        condition
    }

    fn conditions(
        &self,
        table: &mut TableReader<'_>,
        key: &'static str,
        depth: usize,
        findings: &mut Findings,
    ) -> Option<Vec<Condition>> {
        let tables = table.tables(key, findings);
        if tables.is_empty() {
            let message = format!("`{key}` lists no condition");
            let help = format!("write `{key} = [{{ at = \"...\", is = [\"...\"] }}, ...]`");
            findings.error("bad_value", table.own_place(), message, help);
            return None;
        }
        let read: Vec<Option<Condition>> =
            tables.into_iter().map(|inner| self.condition(inner, depth + 1, findings)).collect();
        read.into_iter().collect()
    }

    fn test_of_a_place(
        &self,
        table: &mut TableReader<'_>,
        findings: &mut Findings,
    ) -> Option<Condition> {
        let at = self.locator_or_text(table, findings);
        let given: Vec<&str> =
            TESTS.iter().copied().filter(|key| table.node(key).is_some()).collect();
        let test = match given.as_slice() {
            [one] => test(table, one, findings),
            [] => {
                table.missing("is", "[\"ACCEPTED\"]", findings);
                None
            }
            [first, second, ..] => {
                let message = format!("`{first}` and `{second}` exclude each other");
                let help = "keep one, or write `all = [{ ... }, { ... }]`".to_owned();
                findings.error("bad_value", table.own_place(), message, help);
                None
            }
        };
        let (at, test) = (at?, test?);
        let of_a_text = matches!(
            test,
            Test::Is(..) | Test::IsNot(..) | Test::Matches(_) | Test::Contains(_) | Test::Exists(_)
        );
        if !of_a_text && !at.is_place() && table.raw().get("regex").is_none() {
            table.missing("at", "\"$.status\"", findings);
            return None;
        }
        Some(Condition::At(Box::new(at), test))
    }
}

fn one_too_many(table: &TableReader<'_>, findings: &mut Findings) -> Option<Condition> {
    let message = "a condition says one thing".to_owned();
    let help = "write `all = [{ ... }, { ... }]` or `any = [...]` around several".to_owned();
    findings.error("bad_value", table.own_place(), message, help);
    None
}

fn test(table: &mut TableReader<'_>, key: &str, findings: &mut Findings) -> Option<Test> {
    let any_case = table.boolean("ignore_case", findings).is_some_and(|yes| yes.value);
    match key {
        "is" => expected(table, "is", findings).map(|values| Test::Is(values, any_case)),
        "is_not" => expected(table, "is_not", findings).map(|values| Test::IsNot(values, any_case)),
        "matches" => {
            let read = |text: &str| built(text, any_case);
            table
                .parsed("matches", "\"^OK\"", read, findings)
                .map(|regex| Test::Matches(regex.value))
        }
        "contains" => contains(table, findings).map(Test::Contains),
        "exists" => table.boolean("exists", findings).map(|wanted| Test::Exists(wanted.value)),
        "is_true" => only_true(table, "is_true", "is_false", findings).map(|()| Test::Truth(true)),
        "is_false" => {
            only_true(table, "is_false", "is_true", findings).map(|()| Test::Truth(false))
        }
        "above" => bound(table, Comparison::Above, findings),
        "at_least" => bound(table, Comparison::AtLeast, findings),
        "below" => bound(table, Comparison::Below, findings),
        _ => bound(table, Comparison::AtMost, findings),
    }
}

fn only_true(
    table: &mut TableReader<'_>,
    key: &'static str,
    opposite: &'static str,
    findings: &mut Findings,
) -> Option<()> {
    let said = table.boolean(key, findings)?;
    if !said.value {
        let message = format!("`{key} = false` is neither");
        let help = format!("write `{opposite} = true`, or `not = {{ ... }}`");
        findings.error("bad_value", said.place, message, help);
        return None;
    }
    Some(())
}

fn expected(
    table: &mut TableReader<'_>,
    key: &'static str,
    findings: &mut Findings,
) -> Option<Vec<Expected>> {
    let node = table.node(key)?;
    let items = match &node.kind {
        NodeKind::Array(items) if !items.is_empty() => items.as_slice(),
        NodeKind::Array(_) | NodeKind::Table(_) => {
            table.wrong_type(node, key, "[\"ACCEPTED\"]", findings);
            return None;
        }
        _ => std::slice::from_ref(node),
    };
    let read: Vec<Option<Expected>> = items
        .iter()
        .map(|item| match &item.kind {
            NodeKind::String(text) => Some(Expected::Text(text.trim().to_owned())),
            NodeKind::Integer(number) => Some(Expected::Number(number.to_string())),
            NodeKind::Float(digits) => Some(Expected::Number(digits.clone())),
            NodeKind::Boolean(yes) => Some(Expected::Boolean(*yes)),
            NodeKind::Datetime(_) | NodeKind::Array(_) | NodeKind::Table(_) => {
                table.wrong_type(item, key, "[\"ACCEPTED\"]", findings);
                None
            }
        })
        .collect();
    read.into_iter().collect()
}

fn contains(table: &mut TableReader<'_>, findings: &mut Findings) -> Option<Vec<String>> {
    let words = table.strings("contains", findings)?;
    let words: Vec<String> = words.iter().map(|word| word.value.to_lowercase()).collect();
    if words.is_empty() || words.iter().any(|word| word.trim().is_empty()) {
        let message = "`contains` needs a word".to_owned();
        let help = "write `contains = \"duplicate\"`".to_owned();
        findings.error("bad_value", table.own_place(), message, help);
        return None;
    }
    Some(words)
}

fn bound(table: &mut TableReader<'_>, how: Comparison, findings: &mut Findings) -> Option<Test> {
    let node = table.node(how.key())?;
    match number(node) {
        Some(bound) => Some(Test::Compare(how, bound)),
        None => {
            table.wrong_type(node, how.key(), "\"10.00\"", findings);
            None
        }
    }
}

/// Quoted digits, or a whole number. A number with a point would have lost digits.
fn number(node: &Node) -> Option<Decimal> {
    match &node.kind {
        NodeKind::String(text) => decimal(text),
        NodeKind::Integer(number) => Some(Decimal::from(*number)),
        _ => None,
    }
}

fn status(table: &mut TableReader<'_>, findings: &mut Findings) -> Option<Vec<StatusRange>> {
    let node = table.node("status")?;
    let items = match &node.kind {
        NodeKind::Array(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let read: Option<Vec<StatusRange>> = items.iter().map(status_range).collect();
    let read = read.filter(|ranges| !ranges.is_empty());
    if read.is_none() {
        table.wrong_type(node, "status", "[200, \"2xx\"]", findings);
    }
    read
}

fn status_range(node: &Node) -> Option<StatusRange> {
    match &node.kind {
        NodeKind::Integer(status) => {
            let status =
                u16::try_from(*status).ok().filter(|status| (100..600).contains(status))?;
            Some(StatusRange(status, status))
        }
        NodeKind::String(text) => {
            let hundreds: u16 = text.strip_suffix("xx")?.parse().ok()?;
            let from = hundreds.checked_mul(100).filter(|_| (1..=5).contains(&hundreds))?;
            Some(StatusRange(from, from.saturating_add(99)))
        }
        _ => None,
    }
}
