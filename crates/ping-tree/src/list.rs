//! Lists of values in files of their own: one value a line, `#` comments, blank lines.
//!
//! A list has no type until a filter uses it for a field; each pair of list and field is read once.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use exchange_model::document::Spanned;
use exchange_model::vertical::normalise;
use exchange_model::{Field, Findings, Place, SourceFile, Value, VerticalId};

use crate::filter::Set;
use crate::routing::FindList;

/// Most lines of one list.
pub(crate) const LINES_MAX: usize = 1_000_000;
/// Most findings reported of one list.
const FINDINGS_MAX: usize = 20;

/// The lists read so far.
pub(crate) struct Lists<'a> {
    find: &'a FindList<'a>,
    read: BTreeMap<(String, VerticalId, String), Arc<Set>>,
}

impl<'a> Lists<'a> {
    pub(crate) fn new(find: &'a FindList<'a>) -> Self {
        Self { find, read: BTreeMap::new() }
    }

    /// The values of the list at this path as values of `field`.
    pub(crate) fn set(
        &mut self,
        path: &Spanned<&str>,
        vertical: &VerticalId,
        field: &Field,
        findings: &mut Findings,
    ) -> Option<Arc<Set>> {
        let key = (path.value.to_owned(), vertical.clone(), field.name.clone());
        if let Some(set) = self.read.get(&key) {
            return Some(Arc::clone(set));
        }
        let Some(file) = (self.find)(path.value) else {
            let message = format!("no list is called `{}`", path.value);
            let help = "put the file there, one value a line; lists live in lists/".to_owned();
            findings.error("unknown_list", path.place.clone(), message, help);
            return None;
        };
        let set = Arc::new(read(&file, field, findings)?);
        self.read.insert(key, Arc::clone(&set));
        Some(set)
    }
}

fn read(file: &Arc<SourceFile>, field: &Field, findings: &mut Findings) -> Option<Set> {
    let place = |span| Place { file: Arc::clone(file), span };
    if file.text.lines().count() > LINES_MAX {
        let message = format!("a list has at most {LINES_MAX} lines");
        findings.error("list_too_long", place(0..0), message, "split it in two".to_owned());
        return None;
    }
    let (values, seen) = (Vec::new(), HashSet::new());
    let mut reading = Reading { field, values, seen, shown: 0, more_bad: 0, more_duplicates: 0 };
    let mut start = 0_usize;
    for line in file.text.split('\n') {
        let value = line.trim();
        if !value.is_empty() && !value.starts_with('#') {
            reading.line(value, place(start..start.saturating_add(line.len())), findings);
        }
        start = start.saturating_add(line.len()).saturating_add(1);
    }
    reading.finish(&place(0..0), findings)
}

struct Reading<'a> {
    field: &'a Field,
    values: Vec<Value>,
    seen: HashSet<String>,
    shown: usize,
    more_bad: usize,
    more_duplicates: usize,
}

impl Reading<'_> {
    /// Takes the value of a line. Only the first few faults are reported one by one: a list of the
    /// wrong kind is wrong a million times.
    fn line(&mut self, text: &str, place: Place, findings: &mut Findings) {
        let fault = match normalise(&self.field.kind, text) {
            Ok(value) if self.seen.insert(value.to_string()) => {
                self.values.push(value);
                return;
            }
            Ok(value) => Ok(value),
            Err(refused) => Err(refused),
        };
        self.shown = self.shown.saturating_add(1);
        match fault {
            Ok(_) if self.shown > FINDINGS_MAX => {
                self.more_duplicates = self.more_duplicates.saturating_add(1);
            }
            Err(_) if self.shown > FINDINGS_MAX => self.more_bad = self.more_bad.saturating_add(1),
            Ok(value) => {
                let message = format!("`{value}` is in this list already");
                findings.warning("duplicate_value", place, message, "remove one".to_owned());
            }
            Err(refused) => {
                let message = format!("this line is no value of `{}`", self.field.name);
                let help = format!("write {}, or `#` before a comment", refused.wanted);
                findings.error("bad_list_value", place, message, help);
            }
        }
    }

    fn finish(self, place: &Place, findings: &mut Findings) -> Option<Set> {
        if self.more_bad > 0 {
            let message = format!("{} more lines are no values", self.more_bad);
            let help = "mend the ones shown and check again".to_owned();
            findings.error("bad_list_value", place.clone(), message, help);
        }
        if self.more_duplicates > 0 {
            let message = format!("{} more lines repeat a value", self.more_duplicates);
            let help = "sort the list and keep each value once".to_owned();
            findings.warning("duplicate_value", place.clone(), message, help);
        }
        if self.values.is_empty() && self.shown == 0 {
            let message = "this list is empty".to_owned();
            let help = "write one value a line, or remove the filter that uses it".to_owned();
            findings.warning("empty_list", place.clone(), message, help);
        }
        Set::of(&self.field.kind, self.values)
    }
}
