//! A file of tests: fixtures first, then each test against them.

use std::collections::BTreeMap;
use std::sync::Arc;

use exchange_model::document::{NodeKind, Spanned};
use exchange_model::{Document, Findings, Place, SourceId, TableReader, Timestamp, TreeId};

use crate::routing::Routing;
use crate::source::Source;
use crate::test_file::fixture::Fixtures;
use crate::test_file::members::Members;
use crate::test_file::{TESTS_MAX, TestCase, TestFile, answers, asks, expect, history};
use crate::tree::Tree;

pub(super) fn test_file(
    document: &Document,
    routing: &Routing,
    findings: &mut Findings,
) -> TestFile {
    let mut reader = document.reader();
    let _one_so_far = reader.integer("schema", 1..=1, findings);
    let defaults = names(&mut reader, findings);
    let mut fixtures = Fixtures::read(&mut reader, findings);
    let tables = reader.tables("test", findings);
    if tables.is_empty() || tables.len() > TESTS_MAX {
        let message = format!("this file has {} tests", tables.len());
        let help = format!("write 1 to {TESTS_MAX}, each under a [[test]]");
        findings.error("bad_test_count", reader.own_place(), message, help);
    }
    reader.finish(findings);
    let mut seen = BTreeMap::new();
    let mut cases = Vec::new();
    for mut table in tables.into_iter().take(TESTS_MAX) {
        let mut reading = Reading { routing, defaults: &defaults, fixtures: &mut fixtures };
        let case = reading.case(&mut table, findings);
        table.finish(findings);
        let Some(case) = case else { continue };
        if is_new(&mut seen, &case, findings) {
            cases.push(case);
        }
    }
    fixtures.warn_unused(findings);
    let Names { tree, source } = defaults;
    TestFile { tree: tree.map(|tree| tree.value), source: source.map(|source| source.value), cases }
}

fn is_new(seen: &mut BTreeMap<String, Place>, case: &TestCase, findings: &mut Findings) -> bool {
    let Some(first) = seen.insert(case.name.clone(), case.place.clone()) else { return true };
    let message = "another test of this file has the same name".to_owned();
    let help = format!("say what this one shows; the first is in {}", first.file_line());
    findings.error("duplicate_id", case.place.clone(), message, help);
    false
}

/// The tree and the source that a file or a test names.
struct Names {
    tree: Option<Spanned<TreeId>>,
    source: Option<Spanned<SourceId>>,
}

fn names(reader: &mut TableReader<'_>, findings: &mut Findings) -> Names {
    Names {
        tree: reader.parsed("tree", "\"auto_main\"", TreeId::new, findings),
        source: reader.parsed("source", "\"quotekart/search\"", str::parse::<SourceId>, findings),
    }
}

struct Reading<'a, 'f> {
    routing: &'a Routing,
    defaults: &'a Names,
    fixtures: &'a mut Fixtures<'f>,
}

impl Reading<'_, '_> {
    fn case(&mut self, table: &mut TableReader<'_>, findings: &mut Findings) -> Option<TestCase> {
        let name = table.required_string("name", "\"what it shows\"", findings);
        let at = at(table, findings);
        let own = names(table, findings);
        let lead_name = table.required_string("lead", "\"prime\"", findings);
        if let Some(name) = &lead_name {
            self.fixtures.mark_used(name, findings);
        }
        let (bids, posts) = (table.table("bids", findings), table.table("posts", findings));
        let history = table.table("history", findings);
        mark_known(table);
        if table.node("expect").is_none() {
            table.missing("expect", "{ status = \"sold\" }", findings);
        }
        let expected = table.table("expect", findings);
        let source = self.source(&own, table, findings)?;
        let tree = self.tree(&own, &source, table, findings)?;
        let members = Members { routing: self.routing, tree: &tree };
        let bids = bids.map(|table| answers::bids(&table, &members, findings)).unwrap_or_default();
        let posts = posts
            .map(|table| answers::posts(&table, &members, &bids, findings))
            .unwrap_or_default();
        let asks = asks::asks(table, tree.vertical.currency(), findings);
        let history = history.map(|table| history::history(table, &members, findings));
        let expect = expected.map(|table| expect::expect(table, &members, findings));
        let fields = lead_name
            .as_ref()
            .and_then(|name| self.fixtures.fields(name.value, &tree.vertical, findings));
        let (name, lead_name, at) = (name?, lead_name?, at?);
        let case = TestCase {
            fields: fields?,
            name: name.value.to_owned(),
            at,
            source,
            lead_name: lead_name.value.to_owned(),
            bids,
            posts,
            min_price: asks.min_price,
            wishes: asks.wishes,
            consented_to: asks.consented_to,
            history: history.unwrap_or_default(),
            expect: expect?,
            place: name.place,
            tree,
        };
        self.fixtures.check(&case, findings).then_some(case)
    }

    fn source(
        &self,
        own: &Names,
        table: &TableReader<'_>,
        findings: &mut Findings,
    ) -> Option<Arc<Source>> {
        let Some(source) = own.source.as_ref().or(self.defaults.source.as_ref()) else {
            table.missing("source", "\"quotekart/search\"", findings);
            return None;
        };
        let known = &self.routing.names.sources;
        known.check(source.value.as_str(), &source.place, "", findings);
        self.routing.source(&source.value).map(Arc::clone)
    }

    /// The tree the test names, which must be the one that the source's leads go through.
    fn tree(
        &self,
        own: &Names,
        source: &Source,
        table: &TableReader<'_>,
        findings: &mut Findings,
    ) -> Option<Arc<Tree>> {
        if let Some(tree) = own.tree.as_ref().or(self.defaults.tree.as_ref()) {
            let known = &self.routing.names.trees;
            if !known.check(tree.value.as_str(), &tree.place, "", findings) {
                return None;
            }
            if !source.trees().any(|of_source| *of_source == tree.value) {
                let message = format!("leads of `{}` do not go through this tree", source.id);
                let first = source.first_tree();
                let help = format!("write `tree = \"{first}\"`, or name another source");
                findings.error("wrong_tree", tree.place.clone(), message, help);
                return None;
            }
            return self.routing.tree(&tree.value).map(Arc::clone);
        }
        if source.trees().nth(1).is_some() {
            let message = format!("leads of `{}` go through several trees", source.id);
            let help = format!("name one: `tree = \"{}\"`", source.first_tree());
            findings.error("which_tree", table.own_place(), message, help);
            return None;
        }
        self.routing.tree(source.first_tree()).map(Arc::clone)
    }
}

/// Marks the keys of a request, which are read once the tree is known.
fn mark_known(table: &mut TableReader<'_>) {
    for key in ["min_price", "max_buyers", "exclude", "consented_to"] {
        let _read_later = table.node(key);
    }
}

/// The time of a test: a date and time with its offset, bare or quoted.
fn at(table: &mut TableReader<'_>, findings: &mut Findings) -> Option<Timestamp> {
    const EXAMPLE: &str = "2026-11-23T10:15:00-06:00";
    let Some(node) = table.node("at") else {
        table.missing("at", EXAMPLE, findings);
        return None;
    };
    let (NodeKind::Datetime(text) | NodeKind::String(text)) = &node.kind else {
        table.wrong_type(node, "at", EXAMPLE, findings);
        return None;
    };
    let at = text.parse().ok();
    if at.is_none() {
        let message = "`at` is no moment: a date, a time and an offset".to_owned();
        let place = table.place(node.span.clone());
        findings.error("bad_value", place, message, format!("write `at = {EXAMPLE}`"));
    }
    at
}
