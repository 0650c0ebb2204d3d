//! What is wrong with a list: the first few faults one by one, then how many more. A list of the
//! wrong kind is wrong a million times.

use std::ops::Range;
use std::sync::Arc;

use exchange_model::{Field, Findings, Place, SourceFile};

/// Most findings reported of one list.
const FINDINGS_MAX: usize = 20;

pub(super) struct Report<'a> {
    file: &'a Arc<SourceFile>,
    field: &'a Field,
    findings: &'a mut Findings,
    shown: usize,
    more_bad: usize,
    more_duplicates: usize,
    empty: bool,
}

impl<'a> Report<'a> {
    pub(super) fn new(
        file: &'a Arc<SourceFile>,
        field: &'a Field,
        findings: &'a mut Findings,
    ) -> Self {
        Self { file, field, findings, shown: 0, more_bad: 0, more_duplicates: 0, empty: true }
    }

    /// Notes that the list has a value.
    pub(super) fn fill(&mut self) {
        self.empty = false;
    }

    /// A line that is no value.
    pub(super) fn bad(&mut self, span: Range<usize>, wanted: &str) {
        self.empty = false;
        self.shown = self.shown.saturating_add(1);
        if self.shown > FINDINGS_MAX {
            self.more_bad = self.more_bad.saturating_add(1);
            return;
        }
        let message = format!("this line is no value of `{}`", self.field.name);
        let help = format!("write {wanted}, or `#` before a comment");
        self.findings.error("bad_list_value", self.place(span), message, help);
    }

    /// A line that says again what another said.
    pub(super) fn twice(&mut self, span: Range<usize>, value: &str) {
        self.shown = self.shown.saturating_add(1);
        if self.shown > FINDINGS_MAX {
            self.more_duplicates = self.more_duplicates.saturating_add(1);
            return;
        }
        let message = format!("`{value}` is in this list already");
        let help = "remove one".to_owned();
        self.findings.warning("duplicate_value", self.place(span), message, help);
    }

    pub(super) fn finish(self) {
        let place = self.place(0..0);
        if self.more_bad > 0 {
            let message = format!("{} more lines are no values", self.more_bad);
            let help = "mend the ones shown and check again".to_owned();
            self.findings.error("bad_list_value", place.clone(), message, help);
        }
        if self.more_duplicates > 0 {
            let message = format!("{} more lines repeat a value", self.more_duplicates);
            let help = "sort the list and keep each value once".to_owned();
            self.findings.warning("duplicate_value", place.clone(), message, help);
        }
        if self.empty {
            let message = "this list is empty".to_owned();
            let help = "write one value a line, or remove the filter that uses it".to_owned();
            self.findings.warning("empty_list", place, message, help);
        }
    }

    fn place(&self, span: Range<usize>) -> Place {
        Place { file: Arc::clone(self.file), span }
    }
}
