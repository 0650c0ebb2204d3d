//! Lists and templates, compared line by line.

use std::collections::BTreeSet;

use crate::diff::{Change, Kind};

/// The lines that one text has and the other has not; comments and order do not count.
pub(super) fn compare(name: &str, before: &str, after: &str) -> Vec<Change> {
    let (before, after) = (lines(before), lines(after));
    let missing = |from: &BTreeSet<&str>, than: &BTreeSet<&str>| {
        from.difference(than).map(|line| (*line).to_owned()).collect::<Vec<_>>()
    };
    let (added, removed) = (missing(&after, &before), missing(&before, &after));
    if added.is_empty() && removed.is_empty() {
        return Vec::new();
    }
    let kind = Kind::Values { added, removed };
    vec![Change { file: name.to_owned(), line: None, what: String::new(), kind }]
}

fn lines(text: &str) -> BTreeSet<&str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}
