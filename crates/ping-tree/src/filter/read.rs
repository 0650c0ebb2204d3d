//! A filter from its table, checked against the vertical.
//!
//! A line that cannot be read is reported and left out; the findings keep such a filter from ever
//! being used.

use std::sync::Arc;

use exchange_model::document::{Entry, Node, NodeKind};
use exchange_model::finding::nearest;
use exchange_model::{Field, FieldClass, FieldIdx, Findings, Place, TableReader, Vertical};

use crate::filter::{Condition, DEPTH_MAX, Filter, Rule, TESTS_MAX, Test};
use crate::list::Lists;

mod bounds;
mod values;

/// The words that put filters together, with what to write after them.
const JOINERS: &[(&str, &str)] = &[
    ("all", "[{ homeowner = true }, { state = [\"TX\"] }]"),
    ("any", "[{ homeowner = true }, { state = [\"TX\"] }]"),
    ("not", "{ state = [\"CA\"] }"),
];

/// Reads the filters of one vertical.
pub(crate) struct FilterReader<'a, 'l> {
    vertical: &'a Vertical,
    lists: &'a mut Lists<'l>,
    /// Tests of the filter that is being read.
    tests: usize,
}

/// One field of a filter, with its key's place.
struct Asked<'a> {
    at: FieldIdx,
    field: &'a Field,
    place: Place,
}

impl Asked<'_> {
    fn rule(&self, test: Test, list: Option<String>) -> Rule {
        Rule { field: self.at, test, list, place: self.place.clone() }
    }
}

/// Where a filter is read from, and how deep in it.
#[derive(Clone, Copy)]
struct Level<'t, 'd> {
    table: &'t TableReader<'d>,
    depth: usize,
}

impl<'a, 'l> FilterReader<'a, 'l> {
    pub(crate) fn new(vertical: &'a Vertical, lists: &'a mut Lists<'l>) -> Self {
        Self { vertical, lists, tests: 0 }
    }

    /// The whole filter that a table is.
    pub(crate) fn read(&mut self, table: &TableReader<'_>, findings: &mut Findings) -> Filter {
        self.tests = 0;
        let filter = self.filter(Level { table, depth: 0 }, findings);
        if self.tests > TESTS_MAX {
            let message = format!("a filter has at most {TESTS_MAX} tests, and this has more");
            let help = "use a list file, or split it over several campaigns".to_owned();
            findings.error("filter_too_large", table.own_place(), message, help);
        }
        filter
    }

    /// The filter under `key`, like `when`; one that asks for nothing is reported.
    pub(crate) fn under(
        &mut self,
        key: &'static str,
        table: &mut TableReader<'_>,
        findings: &mut Findings,
    ) -> Option<Filter> {
        let inner = table.table(key, findings)?;
        if inner.raw().entries.is_empty() {
            nothing_asked(key, inner.own_place(), findings);
        }
        Some(self.read(&inner, findings))
    }

    fn filter(&mut self, level: Level<'_, '_>, findings: &mut Findings) -> Filter {
        let mut lines = Vec::new();
        for entry in &level.table.raw().entries {
            match entry.key.as_str() {
                "all" | "any" | "not" => lines.extend(self.joined(entry, level, findings)),
                _ => self.field_line(entry, level.table, (&mut lines, findings)),
            }
        }
        Filter::new(lines)
    }

    fn joined(
        &mut self,
        entry: &Entry,
        level: Level<'_, '_>,
        findings: &mut Findings,
    ) -> Option<Condition> {
        let place = level.table.place(entry.key_span.clone());
        let depth = level.depth.saturating_add(1);
        if depth > DEPTH_MAX {
            let message = format!("all, any and not nest at most {DEPTH_MAX} deep");
            let help = "write it flatter, or split it over several campaigns".to_owned();
            findings.error("nested_too_deep", place, message, help);
            return None;
        }
        let level = Level { depth, ..level };
        match (entry.key.as_str(), &entry.value.kind) {
            ("not", NodeKind::Table(_)) => {
                let filter = self.inner(&entry.key, &entry.value, level, findings)?;
                Some(Condition::Not(filter, place))
            }
            ("all" | "any", NodeKind::Array(items)) if !items.is_empty() => {
                let each = items.iter().map(|item| self.inner(&entry.key, item, level, findings));
                let filters: Vec<Filter> = each.collect::<Vec<_>>().into_iter().flatten().collect();
                let all = entry.key == "all";
                let join = if all { Condition::All } else { Condition::Any };
                Some(join(filters.into(), place))
            }
            ("all" | "any", NodeKind::Array(_)) => {
                nothing_asked(&entry.key, place, findings);
                None
            }
            _ => {
                wrong_join(&entry.key, &entry.value, level.table, findings);
                None
            }
        }
    }

    /// One table of a joined line.
    fn inner(
        &mut self,
        key: &str,
        node: &Node,
        level: Level<'_, '_>,
        findings: &mut Findings,
    ) -> Option<Filter> {
        let NodeKind::Table(table) = &node.kind else {
            wrong_join(key, node, level.table, findings);
            return None;
        };
        let table = level.table.inner(table, node.span.clone());
        if table.raw().entries.is_empty() {
            nothing_asked(key, table.own_place(), findings);
        }
        Some(self.filter(Level { table: &table, ..level }, findings))
    }

    fn field_line(
        &mut self,
        entry: &Entry,
        table: &TableReader<'_>,
        (lines, findings): (&mut Vec<Condition>, &mut Findings),
    ) {
        let place = table.place(entry.key_span.clone());
        let Some(asked) = self.field(entry, place, findings) else { return };
        let rules = match &entry.value.kind {
            NodeKind::Table(inner) => {
                let inner = table.inner(inner, entry.key_span.clone());
                self.tests(&asked, inner, findings)
            }
            _ => {
                let set = values::set(&asked, &entry.value, table, findings);
                set.map(|set| asked.rule(Test::In(Arc::new(set)), None)).into_iter().collect()
            }
        };
        self.tests = self.tests.saturating_add(rules.len());
        lines.extend(rules.into_iter().map(Condition::Field));
    }

    fn field(&self, entry: &Entry, place: Place, findings: &mut Findings) -> Option<Asked<'a>> {
        let name = entry.key.as_str();
        let Some(at) = self.vertical.index(name) else {
            self.unknown_field(name, place, findings);
            return None;
        };
        let field = self.vertical.field(at);
        if field.class == FieldClass::Open {
            return Some(Asked { at, field, place });
        }
        let class = match field.class {
            FieldClass::Secret => "secret",
            FieldClass::Open | FieldClass::Contact => "contact data",
        };
        let message = format!("`{name}` is {class} and may not decide who is pinged");
        let help = "filter on an open field, or derive one: age of a birth date, zip3 of a zip";
        findings.error("contact_in_filter", place, message, help.to_owned());
        None
    }

    fn unknown_field(&self, name: &str, place: Place, findings: &mut Findings) {
        let open = || {
            let open = self.vertical.fields().filter(|(_, field)| field.class == FieldClass::Open);
            open.map(|(_, field)| field.name.as_str())
        };
        let words = open().chain(JOINERS.iter().map(|(word, _)| *word));
        let help = match nearest(name, words) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("open fields are: {}", open().collect::<Vec<_>>().join(", ")),
        };
        let message = format!("`{}` has no field called `{name}`", self.vertical.id());
        findings.error("unknown_field", place, message, help);
    }

    /// The tests in the table of one field.
    fn tests(
        &mut self,
        asked: &Asked<'_>,
        mut inner: TableReader<'_>,
        findings: &mut Findings,
    ) -> Vec<Rule> {
        if inner.raw().entries.is_empty() {
            let message = format!("`{}` asks for nothing", asked.field.name);
            let help = "write min, max, not, in_file, not_in_file or present, or remove it";
            findings.error("empty_test", asked.place.clone(), message, help.to_owned());
        }
        let mut rules = Vec::new();
        let range = bounds::range(asked, &mut inner, findings);
        rules.extend(range.map(|range| asked.rule(Test::Within(range), None)));
        if let Some(node) = inner.node("not") {
            let set = values::set(asked, node, &inner, findings);
            rules.extend(set.map(|set| asked.rule(Test::NotIn(Arc::new(set)), None)));
        }
        for key in ["in_file", "not_in_file"] {
            let Some(path) = inner.string(key, "\"lists/zips.txt\"", findings) else { continue };
            let set = self.lists.set(&path, self.vertical.id(), asked.field, findings);
            let test = if key == "in_file" { Test::In } else { Test::NotIn };
            rules.extend(set.map(|set| asked.rule(test(set), Some(path.value.to_owned()))));
        }
        if let Some(present) = inner.boolean("present", findings) {
            if !present.value && !rules.is_empty() {
                let name = &asked.field.name;
                let message = format!("no `{name}` is absent and has a value too");
                let help = "leave `present` out, or the other tests".to_owned();
                findings.error("never_matches", present.place, message, help);
            }
            rules.push(asked.rule(Test::Present(present.value), None));
        }
        inner.finish(findings);
        rules
    }
}

fn nothing_asked(key: &str, place: Place, findings: &mut Findings) {
    let message = format!("`{key}` asks for nothing here");
    let help = "write a test like `homeowner = true`, or remove it".to_owned();
    findings.error("empty_test", place, message, help);
}

fn wrong_join(key: &str, node: &Node, table: &TableReader<'_>, findings: &mut Findings) {
    let example = JOINERS.iter().find(|(word, _)| *word == key).map_or("", |(_, example)| *example);
    table.wrong_type(node, key, example, findings);
}
