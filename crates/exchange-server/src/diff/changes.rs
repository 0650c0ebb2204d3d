//! Two sets of files, compared by what they say instead of how they are written.
//!
//! Tables of a list are told apart by their `id`, `name` or `campaign`, so that moving a campaign
//! within its file is no change. A list of values is compared as a set where its order means
//! nothing, and says so where only its order changed.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use exchange_model::{Document, Findings, SourceFile};

use crate::diff::{list, tree};
use crate::load::FileSet;

/// What became of a key, a table or a file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Kind {
    /// It is new; with its value, where it has one.
    Added(Option<String>),
    /// It is gone; with the value it had.
    Removed(Option<String>),
    /// It has another value.
    Changed {
        /// Before.
        from: String,
        /// Now.
        to: String,
    },
    /// A list has other values.
    Values {
        /// The new ones.
        added: Vec<String>,
        /// Those that are gone.
        removed: Vec<String>,
    },
    /// The same values in another order.
    Reordered {
        /// Now.
        to: Vec<String>,
    },
    /// The text is another, and says the same.
    Rewritten,
}

/// One difference.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Change {
    /// The file, like `buyers/acme_mutual.toml`.
    pub file: String,
    /// The line of the new file, or of the old one where it is gone.
    pub line: Option<usize>,
    /// What, like `campaign auto-tx: caps.day`; empty for the whole file.
    pub what: String,
    /// What became of it.
    pub kind: Kind,
}

/// Most values of a list that are shown.
const SHOWN: usize = 6;

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added(None) => f.write_str("new"),
            Self::Added(Some(value)) => write!(f, "new: {value}"),
            Self::Removed(None) => f.write_str("gone"),
            Self::Removed(Some(value)) => write!(f, "gone, was {value}"),
            Self::Changed { from, to } => write!(f, "{from} -> {to}"),
            Self::Values { added, removed } => {
                let mark = |sign, values: &[String]| match values {
                    [] => String::new(),
                    _ => format!("{sign} {}", some(values)),
                };
                let parts = [mark("+", added), mark("-", removed)];
                let parts: Vec<&str> =
                    parts.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
                f.write_str(&parts.join("   "))
            }
            Self::Reordered { to } => write!(f, "order is now {}", some(to)),
            Self::Rewritten => f.write_str("rewritten, says the same"),
        }
    }
}

fn some(values: &[String]) -> String {
    let shown: Vec<&str> = values.iter().take(SHOWN).map(String::as_str).collect();
    match values.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Every difference, by file and in the order of the new file.
#[must_use]
pub fn changes(before: &FileSet, after: &FileSet) -> Vec<Change> {
    let names: BTreeSet<&str> =
        before.iter().chain(after.iter()).map(|(name, _text)| name).collect();
    names.into_iter().flat_map(|name| of_file(name, before.text(name), after.text(name))).collect()
}

fn of_file(name: &str, before: Option<&str>, after: Option<&str>) -> Vec<Change> {
    let whole = |kind| Change { file: name.to_owned(), line: None, what: String::new(), kind };
    match (before, after) {
        (None, None) => Vec::new(),
        (None, Some(_)) => vec![whole(Kind::Added(None))],
        (Some(_), None) => vec![whole(Kind::Removed(None))],
        (Some(before), Some(after)) if before == after => Vec::new(),
        (Some(before), Some(after)) => {
            let found = if name.ends_with(".toml") {
                of_document(name, before, after)
            } else {
                list::compare(name, before, after)
            };
            if found.is_empty() { vec![whole(Kind::Rewritten)] } else { found }
        }
    }
}

/// A file that cannot be read differs as a whole: `check` says what is wrong with it.
fn of_document(name: &str, before: &str, after: &str) -> Vec<Change> {
    match (parsed(name, before), parsed(name, after)) {
        (Some(before), Some(after)) => tree::compare(name, &before, &after),
        _ => list::compare(name, before, after),
    }
}

fn parsed(name: &str, text: &str) -> Option<Document> {
    let file = SourceFile { path: name.to_owned(), text: text.to_owned() };
    Document::parse(Arc::new(file), &mut Findings::new())
}

#[cfg(test)]
mod tests;
