//! `reason`, named values and lifetimes.

use exchange_model::document::{NodeKind, parse_duration};
use exchange_model::reason::RejectClass;
use exchange_model::{Findings, TableReader};

use super::super::basics::{Lifetime, Named};
use super::super::reason::ReasonRule;
use super::NAMED_MAX;
use super::locators::Dialect;
use super::rules::{class_of, unknown_class};

impl Dialect<'_> {
    /// `reason = { at = "...", map = { DUP = "duplicate" }, contains = { dup = "duplicate" } }`.
    pub(super) fn reason(
        &self,
        table: &mut TableReader<'_>,
        findings: &mut Findings,
    ) -> Option<ReasonRule> {
        let mut inner = table.table("reason", findings)?;
        // A reason without a place is the text itself: buyers that answer in sentences.
        let at = self.locator_or_text(&mut inner, findings);
        let words = classes(&mut inner, "map", findings);
        let mut keywords = classes(&mut inner, "contains", findings);
        keywords.iter_mut().for_each(|(word, _)| *word = word.to_lowercase());
        inner.finish(findings);
        Some(ReasonRule { at: at?, words, keywords })
    }

    /// `key = { name = { at = "..." }, ... }`, where some names are taken.
    pub(super) fn named(
        &self,
        table: &mut TableReader<'_>,
        key: &'static str,
        taken: &[&str],
        findings: &mut Findings,
    ) -> Named {
        let tables =
            if table.node(key).is_some() { table.named_tables(key, findings) } else { Vec::new() };
        if tables.len() > NAMED_MAX {
            let message = format!("`{key}` names {} values", tables.len());
            let help = format!("up to {NAMED_MAX} are kept of one reply");
            findings.error("too_many", table.own_place(), message, help);
        }
        let mut named = Vec::with_capacity(tables.len());
        for (name, mut inner) in tables {
            if !is_name(name.value) {
                let message = format!("`{}` is no name", name.value);
                let help = "a name has letters, digits and `_`, like lead_id".to_owned();
                findings.error("bad_value", name.place, message, help);
            } else if taken.contains(&name.value) {
                let message = format!("`{}` is no name for one of `{key}`", name.value);
                let help = "it means something else already: call it otherwise".to_owned();
                findings.error("bad_value", name.place, message, help);
            }
            let locator = self.locator(&mut inner, findings);
            inner.finish(findings);
            named.extend(locator.map(|locator| (name.value.to_owned(), locator)));
        }
        named
    }

    /// `"60s"`, or a place that holds seconds.
    pub(super) fn lifetime(
        &self,
        table: &mut TableReader<'_>,
        key: &'static str,
        findings: &mut Findings,
    ) -> Option<Lifetime> {
        match table.node(key).map(|node| &node.kind)? {
            NodeKind::String(_) => {
                let life = table.parsed(key, "\"60s\"", parse_duration, findings)?;
                Some(Lifetime::Fixed(life.value))
            }
            _ => self.place(table, key, findings).map(|at| Lifetime::At(Box::new(at))),
        }
    }
}

fn is_name(text: &str) -> bool {
    let starts_well = text.bytes().next().is_some_and(|b| b.is_ascii_alphabetic());
    starts_well && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn classes(
    table: &mut TableReader<'_>,
    key: &'static str,
    findings: &mut Findings,
) -> Vec<(String, RejectClass)> {
    let Some(table) = table.table(key, findings) else { return Vec::new() };
    let mut read = Vec::with_capacity(table.raw().entries.len());
    for entry in &table.raw().entries {
        let word = match &entry.value.kind {
            NodeKind::String(word) => word.as_str(),
            _ => "",
        };
        match class_of(word) {
            Some(class) => read.push((entry.key.clone(), class)),
            None => unknown_class(word, table.place(entry.value.span.clone()), findings),
        }
    }
    read
}
