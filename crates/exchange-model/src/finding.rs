//! A config error or warning with its place.
//!
//! Findings are collected, never first-only. This module holds the facts; how they look (human,
//! JSON, plain) is the command line's business.

use std::ops::Range;
use std::sync::Arc;

use crate::document::SourceFile;

/// How bad it is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Severity {
    /// The config cannot be used.
    Error,
    /// The config can be used, but probably does not do what its author meant.
    Warning,
}

/// A span of one file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Place {
    /// The file.
    pub file: Arc<SourceFile>,
    /// Bytes of its text.
    pub span: Range<usize>,
}

impl Place {
    /// Line and column of the start, both from 1, the column in characters.
    #[must_use]
    pub fn line_column(&self) -> (usize, usize) {
        let before = self.file.text.get(..self.span.start).unwrap_or(&self.file.text);
        let line = before.matches('\n').count().saturating_add(1);
        let column = before.rsplit('\n').next().unwrap_or("").chars().count().saturating_add(1);
        (line, column)
    }

    /// `buyers/acme_mutual.toml:52`: enough to find the line.
    #[must_use]
    pub fn file_line(&self) -> String {
        format!("{}:{}", self.file.path, self.line_column().0)
    }
}

/// One thing wrong with the config.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// Error or warning.
    pub severity: Severity,
    /// A stable code, like `unknown_campaign`.
    pub code: &'static str,
    /// What is wrong, as one lower-case sentence without a full stop.
    pub message: String,
    /// Where, unless a whole file is missing.
    pub place: Option<Place>,
    /// A few words under the marked text.
    pub label: String,
    /// What to write instead.
    pub help: String,
}

/// Everything found so far.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    found: Vec<Finding>,
}

impl Findings {
    /// Nothing found yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one.
    pub fn push(&mut self, finding: Finding) {
        self.found.push(finding);
    }

    /// Adds an error at a place.
    pub fn error(&mut self, code: &'static str, place: Place, message: String, help: String) {
        self.push(Finding {
            severity: Severity::Error,
            code,
            message,
            place: Some(place),
            label: String::new(),
            help,
        });
    }

    /// Adds a warning at a place.
    pub fn warning(&mut self, code: &'static str, place: Place, message: String, help: String) {
        self.push(Finding {
            severity: Severity::Warning,
            code,
            message,
            place: Some(place),
            label: String::new(),
            help,
        });
    }

    /// Whether an error is among them.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.found.iter().any(|f| f.severity == Severity::Error)
    }

    /// Everything, by file and place.
    #[must_use]
    pub fn sorted(&self) -> Vec<&Finding> {
        let mut all: Vec<&Finding> = self.found.iter().collect();
        all.sort_by_key(|f| {
            let place = f.place.as_ref();
            (place.map(|p| p.file.path.clone()), place.map(|p| p.span.start), f.severity)
        });
        all
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.found.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }
}

/// The candidate nearest to `word` by edit distance, if it is near enough to be a typing error.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .min()
        .filter(|(distance, candidate)| *distance <= candidate.len().max(word.len()).div_ceil(3))
        .map(|(_, candidate)| candidate)
}

/// Edits (insert, delete, replace, swap of neighbours) between two words.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    let mut last = None;
    for (i, x) in a.chars().enumerate() {
        let mut next = vec![i.saturating_add(1)];
        for (j, y) in b.iter().enumerate() {
            let at = |r: &[usize], k: usize| r.get(k).copied().unwrap_or(usize::MAX / 2);
            let replace = at(&row, j).saturating_add(usize::from(x != *y));
            let edit = at(&row, j.saturating_add(1)).min(at(&next, j)).saturating_add(1);
            let swapped = j > 0 && last == Some(*y) && b.get(j.saturating_sub(1)) == Some(&x);
            let swap = if swapped {
                at(&before, j.saturating_sub(1)).saturating_add(1)
            } else {
                usize::MAX
            };
            next.push(replace.min(edit).min(swap));
        }
        before = std::mem::replace(&mut row, next);
        last = Some(x);
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_error_finds_its_word() {
        let known = ["metro_direct/auto", "acme_mutual/auto-tx"];
        assert_eq!(nearest("metro_direct/auot", known), Some("metro_direct/auto"));
        assert_eq!(nearest("zzz", known), None);
        assert_eq!(distance("auot", "auto"), 1);
    }

    #[test]
    fn a_place_counts_lines_and_characters_from_one() {
        let file = Arc::new(SourceFile { path: "a.toml".into(), text: "é = 1\nü = 2\n".into() });
        let place = Place { span: 12..13, file };
        assert_eq!(place.line_column(), (2, 5));
        assert_eq!(place.file_line(), "a.toml:2");
    }
}
