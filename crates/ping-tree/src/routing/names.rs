//! What is called what, and where: duplicate names, and names that nobody has.
//!
//! A name counts as declared even when the rest of its table cannot be read, so that one mistake in
//! a campaign is not followed by "no such campaign" from every tree that names it.

use std::collections::{BTreeMap, BTreeSet};

use exchange_model::finding::nearest;
use exchange_model::{Finding, Findings, Place, Severity, TreeId};

use crate::routing::from_sources::NamedSource;

/// Names of one kind of thing.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    kind: &'static str,
    unknown_code: &'static str,
    declared: BTreeMap<String, Place>,
    used: BTreeSet<String>,
}

impl Names {
    fn new(kind: &'static str, unknown_code: &'static str) -> Self {
        Self { kind, unknown_code, declared: BTreeMap::new(), used: BTreeSet::new() }
    }

    /// Notes a name; reports it and returns false when it is taken.
    pub(crate) fn declare(&mut self, name: &str, place: &Place, findings: &mut Findings) -> bool {
        if let Some(first) = self.declared.get(name) {
            let message = format!("another {} is called `{name}`", self.kind);
            let help = format!("choose another name; the first is in {}", first.file_line());
            findings.error("duplicate_id", place.clone(), message, help);
            return false;
        }
        self.declared.insert(name.to_owned(), place.clone());
        true
    }

    /// Whether the name is declared; if not, reports it with the nearest one that is.
    pub(crate) fn check(
        &self,
        name: &str,
        at: &Place,
        label: &str,
        findings: &mut Findings,
    ) -> bool {
        if self.declared.contains_key(name) {
            return true;
        }
        findings.push(Finding {
            severity: Severity::Error,
            code: self.unknown_code,
            message: format!("no {} is called `{name}`", self.kind),
            place: Some(at.clone()),
            label: label.to_owned(),
            help: self.suggestion(name),
        });
        false
    }

    /// How many are declared.
    pub(crate) fn len(&self) -> usize {
        self.declared.len()
    }

    /// Notes that something else names this.
    pub(crate) fn mark_used(&mut self, name: &str) {
        self.used.insert(name.to_owned());
    }

    /// Whether anything names this.
    pub(crate) fn is_used(&self, name: &str) -> bool {
        self.used.contains(name)
    }

    fn suggestion(&self, name: &str) -> String {
        match nearest(name, self.declared.keys().map(String::as_str)) {
            Some(near) => {
                let path = self.declared.get(near).map_or("", |place| place.file.path.as_str());
                format!("did you mean `{near}`? It is defined in {path}")
            }
            None if self.declared.is_empty() => format!("no {} is defined at all", self.kind),
            None => {
                let some: Vec<&str> = self.declared.keys().take(5).map(String::as_str).collect();
                format!("defined are, for example: {}", some.join(", "))
            }
        }
    }
}

/// Every name that config declares.
#[derive(Clone, Debug)]
pub(crate) struct Declared {
    pub(crate) buyers: Names,
    pub(crate) campaigns: Names,
    pub(crate) trees: Names,
    pub(crate) sellers: Names,
    pub(crate) sources: Names,
    pub(crate) groups: Names,
    /// Sources that campaigns name, until sources are known.
    pub(crate) named_sources: Vec<NamedSource>,
    /// Trees that a mistake was found in: their members are not known for sure.
    pub(crate) broken_trees: BTreeSet<TreeId>,
}

impl Default for Declared {
    fn default() -> Self {
        Self {
            buyers: Names::new("buyer", "unknown_buyer"),
            campaigns: Names::new("campaign", "unknown_campaign"),
            trees: Names::new("tree", "unknown_tree"),
            sellers: Names::new("seller", "unknown_seller"),
            sources: Names::new("source", "unknown_source"),
            groups: Names::new("group", "unknown_group"),
            named_sources: Vec::new(),
            broken_trees: BTreeSet::new(),
        }
    }
}
