//! Lists of values in files of their own: one value a line, `#` comments, blank lines; a text that
//! ends in `*` stands for every one that begins so.
//!
//! A list has no type until a filter uses it for a field; each pair of list and field is read once.

use std::collections::BTreeMap;
use std::sync::Arc;

use exchange_model::document::Spanned;
use exchange_model::{Field, FieldType, Findings, Place, SourceFile, VerticalId};

use crate::filter::Set;
use crate::routing::FindList;

mod codes;
mod lines;
mod report;
mod words;

/// Most lines of one list.
pub(crate) const LINES_MAX: usize = 1_000_000;

/// The lists read so far.
pub(crate) struct Lists<'a> {
    find: &'a FindList<'a>,
    read: BTreeMap<(String, VerticalId, String), Option<Arc<Set>>>,
    codes: codes::Known,
}

impl<'a> Lists<'a> {
    pub(crate) fn new(find: &'a FindList<'a>) -> Self {
        Self { find, read: BTreeMap::new(), codes: codes::Known::new() }
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
            return set.clone();
        }
        let Some(file) = (self.find)(path.value) else {
            let message = format!("no list is called `{}`", path.value);
            let help = "put the file there, one value a line; lists live in lists/".to_owned();
            findings.error("unknown_list", path.place.clone(), message, help);
            return None;
        };
        let set = self.read_file(&file, field, findings).map(Arc::new);
        self.read.insert(key, set.clone());
        set
    }

    fn read_file(
        &self,
        file: &Arc<SourceFile>,
        field: &Field,
        findings: &mut Findings,
    ) -> Option<Set> {
        if lines::too_many(&file.text) {
            let message = format!("a list has at most {LINES_MAX} lines");
            let place = Place { file: Arc::clone(file), span: 0..0 };
            findings.error("list_too_long", place, message, "split it in two".to_owned());
            return None;
        }
        match field.kind {
            FieldType::UsZip => Some(codes::read(file, field, &self.codes, findings)),
            _ => words::read(file, field, findings),
        }
    }
}
