//! Fixtures: leads that tests share. A field left out takes the example from the vertical; an empty
//! text leaves the field out altogether.

use std::collections::BTreeSet;
use std::sync::Arc;

use exchange_model::document::{Entry, NodeKind, Spanned};
use exchange_model::finding::nearest;
use exchange_model::vertical::normalise;
use exchange_model::{Findings, LeadId, TableReader, Vertical};

use crate::test_file::{FIXTURES_MAX, TestCase};

pub(super) struct Fixtures<'a> {
    known: Vec<(Spanned<&'a str>, TableReader<'a>)>,
    /// Fixture and vertical, so that a fixture shared by many tests is reported once.
    checked: BTreeSet<(String, String)>,
    broken: BTreeSet<(String, String)>,
    used: BTreeSet<String>,
}

impl<'a> Fixtures<'a> {
    pub(super) fn read(reader: &mut TableReader<'a>, findings: &mut Findings) -> Self {
        let known = reader.named_tables("lead", findings);
        if known.len() > FIXTURES_MAX {
            let message = format!("a file has at most {FIXTURES_MAX} fixtures");
            let help = "split the file".to_owned();
            findings.error("too_many_fixtures", reader.own_place(), message, help);
        }
        let (checked, broken, used) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        Self { known, checked, broken, used }
    }

    /// Notes that a test names this fixture; reports a name that no fixture has.
    pub(super) fn mark_used(&mut self, name: &Spanned<&str>, findings: &mut Findings) {
        self.used.insert(name.value.to_owned());
        if self.known.iter().all(|(known, _)| known.value != name.value) {
            self.unknown(name, findings);
        }
    }

    /// The fields of a fixture, completed by the examples of the vertical.
    pub(super) fn fields(
        &mut self,
        name: &str,
        vertical: &Arc<Vertical>,
        findings: &mut Findings,
    ) -> Option<Vec<(String, String)>> {
        let (_, table) = self.known.iter().find(|(known, _)| known.value == name)?;
        let key = (name.to_owned(), vertical.id().to_string());
        let mut own = Findings::new();
        let mut fields = examples(vertical, table);
        let sound = table
            .raw()
            .entries
            .iter()
            .map(|entry| field(entry, table, vertical, &mut own).map(|field| fields.push(field)))
            .filter(Option::is_none)
            .count()
            == 0;
        if self.checked.insert(key.clone()) {
            own.sorted().into_iter().for_each(|finding| findings.push(finding.clone()));
        }
        if !sound {
            self.broken.insert(key);
            return None;
        }
        Some(fields)
    }

    /// Whether a lead can be made of the fields; reports each fixture once.
    pub(super) fn check(&mut self, case: &TestCase, findings: &mut Findings) -> bool {
        let Err(errors) = case.lead(LeadId::from_bytes([0; 16])) else { return true };
        let key = (case.lead_name.clone(), case.tree.vertical.id().to_string());
        if self.broken.insert(key)
            && let Some((name, _)) =
                self.known.iter().find(|(known, _)| known.value == case.lead_name)
        {
            for error in errors {
                let message = format!("this is no whole lead: `{}`: {}", error.field, error.detail);
                let help = format!("write `{} = ...`", error.field);
                findings.error("bad_fixture", name.place.clone(), message, help);
            }
        }
        false
    }

    pub(super) fn warn_unused(&self, findings: &mut Findings) {
        for (name, _) in self.known.iter().filter(|(name, _)| !self.used.contains(name.value)) {
            let message = format!("no test uses the lead `{}`", name.value);
            let help = "remove it, or write the test it is for".to_owned();
            findings.warning("unused_fixture", name.place.clone(), message, help);
        }
    }

    fn unknown(&self, name: &Spanned<&str>, findings: &mut Findings) {
        let help = match nearest(name.value, self.known.iter().map(|(known, _)| known.value)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("add a [lead.{}] table to this file", name.value),
        };
        let message = format!("no lead of this file is called `{}`", name.value);
        findings.error("unknown_fixture", name.place.clone(), message, help);
    }
}

/// The examples of every field that the fixture leaves out.
fn examples(vertical: &Vertical, table: &TableReader<'_>) -> Vec<(String, String)> {
    let left_out = vertical
        .fields()
        .filter(|(_, field)| field.derived.is_none() && table.raw().get(&field.name).is_none());
    left_out
        .filter_map(|(_, field)| Some((field.name.clone(), field.example.as_ref()?.to_string())))
        .collect()
}

fn field(
    entry: &Entry,
    table: &TableReader<'_>,
    vertical: &Vertical,
    findings: &mut Findings,
) -> Option<(String, String)> {
    let sent = || vertical.fields().filter(|(_, field)| field.derived.is_none()).map(|(_, f)| f);
    let Some(field) = sent().find(|field| field.name == entry.key) else {
        let help = match nearest(&entry.key, sent().map(|field| field.name.as_str())) {
            _ if vertical.index(&entry.key).is_some() => {
                "it is computed: set its source".to_owned()
            }
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("look at the vertical `{}`", vertical.id()),
        };
        let message = format!("sellers of `{}` send no field `{}`", vertical.id(), entry.key);
        findings.error("unknown_field", table.place(entry.key_span.clone()), message, help);
        return None;
    };
    let text = match &entry.value.kind {
        NodeKind::String(text) | NodeKind::Float(text) | NodeKind::Datetime(text) => text.clone(),
        NodeKind::Integer(number) => number.to_string(),
        NodeKind::Boolean(yes) => yes.to_string(),
        NodeKind::Array(_) | NodeKind::Table(_) => {
            table.wrong_type(&entry.value, &entry.key, "\"...\"", findings);
            return None;
        }
    };
    if let Err(refused) = normalise(&field.kind, &text)
        && !text.is_empty()
    {
        let message = format!("this is no value of `{}`", field.name);
        let help = format!("write {}", refused.wanted);
        findings.error("bad_value", table.place(entry.value.span.clone()), message, help);
        return None;
    }
    Some((entry.key.clone(), text))
}
