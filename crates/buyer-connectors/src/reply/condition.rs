//! What must be true of a reply.

use regex::Regex;
use rust_decimal::Decimal;
use serde_json::Value;

use super::found::{Found, decimal};
use super::locator::{Locator, Scope};

/// A value listed in `is`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Expected {
    Text(String),
    /// The digits of a number.
    Number(String),
    Boolean(bool),
}

impl Expected {
    /// Whole values only, and of the same type where the reply says one: `true` is not `"true"`.
    /// XML and plain text have no types, so there the texts are compared; in any case of letters
    /// the texts are compared everywhere.
    fn equals(&self, found: &Found<'_>, any_case: bool) -> bool {
        if any_case {
            return found.raw().is_some_and(|raw| same_letters(&self.text(), raw.trim()));
        }
        match (self, found) {
            (Self::Text(wanted), Found::Json(Value::String(text))) => wanted == text.trim(),
            (Self::Number(wanted), Found::Json(Value::Number(number))) => {
                same_number(wanted, &number.to_string())
            }
            (Self::Boolean(wanted), Found::Json(Value::Bool(yes))) => wanted == yes,
            (_, Found::Json(_)) => false,
            (_, Found::Element(_) | Found::Text(_)) => {
                found.raw().is_some_and(|raw| self.text() == raw.trim())
            }
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Text(text) | Self::Number(text) => text.clone(),
            Self::Boolean(yes) => yes.to_string(),
        }
    }

    /// As it would be written in the config.
    fn said(&self) -> String {
        match self {
            Self::Text(text) => format!("\"{text}\""),
            Self::Number(_) | Self::Boolean(_) => self.text(),
        }
    }
}

fn same_number(wanted: &str, digits: &str) -> bool {
    wanted == digits || decimal(wanted).is_some_and(|wanted| decimal(digits) == Some(wanted))
}

fn same_letters(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.to_lowercase()
}

/// How two numbers are compared.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Comparison {
    Above,
    AtLeast,
    Below,
    AtMost,
}

impl Comparison {
    /// Its word in the config.
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Above => "above",
            Self::AtLeast => "at_least",
            Self::Below => "below",
            Self::AtMost => "at_most",
        }
    }

    fn holds(self, found: Decimal, bound: Decimal) -> bool {
        match self {
            Self::Above => found > bound,
            Self::AtLeast => found >= bound,
            Self::Below => found < bound,
            Self::AtMost => found <= bound,
        }
    }
}

/// What must be found at a place.
#[derive(Debug)]
pub(super) enum Test {
    Is(Vec<Expected>, bool),
    IsNot(Vec<Expected>, bool),
    Matches(Regex),
    /// One of these words, in lower case.
    Contains(Vec<String>),
    Exists(bool),
    Truth(bool),
    Compare(Comparison, Decimal),
}

impl Test {
    /// Of several values all must pass, and there must be one. A word or a match anywhere is
    /// enough.
    fn holds(&self, found: &[Found<'_>]) -> bool {
        let all = |test: &dyn Fn(&Found<'_>) -> bool| !found.is_empty() && found.iter().all(test);
        match self {
            Self::Is(values, any_case) => {
                all(&|found| values.iter().any(|value| value.equals(found, *any_case)))
            }
            Self::IsNot(values, any_case) => {
                all(&|found| !values.iter().any(|value| value.equals(found, *any_case)))
            }
            Self::Matches(regex) => {
                found.iter().any(|found| found.raw().is_some_and(|raw| regex.is_match(&raw)))
            }
            Self::Contains(words) => found.iter().any(|found| {
                let text = found.raw().map(|raw| raw.to_lowercase()).unwrap_or_default();
                words.iter().any(|word| text.contains(word))
            }),
            Self::Exists(wanted) => found.iter().any(Found::exists) == *wanted,
            Self::Truth(wanted) => all(&|found| truth(found) == Some(*wanted)),
            Self::Compare(how, bound) => {
                all(&|found| found.number().is_some_and(|number| how.holds(number, *bound)))
            }
        }
    }

    fn affirms(&self) -> bool {
        match self {
            Self::Is(..) | Self::Contains(_) | Self::Truth(_) | Self::Compare(..) => true,
            Self::Exists(wanted) => *wanted,
            Self::Matches(regex) => !regex.is_match(""),
            Self::IsNot(..) => false,
        }
    }

    fn said(&self) -> String {
        match self {
            Self::Is(values, any_case) => format!("is {}{}", list(values), case(*any_case)),
            Self::IsNot(values, any_case) => format!("is not {}{}", list(values), case(*any_case)),
            Self::Matches(regex) => format!("matches `{}`", regex.as_str()),
            Self::Contains(words) => {
                let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
                format!("contains {}", words.join(" or "))
            }
            Self::Exists(true) => "exists".to_owned(),
            Self::Exists(false) => "does not exist".to_owned(),
            Self::Truth(true) => "is true, 1, yes or y".to_owned(),
            Self::Truth(false) => "is false, 0, no or n".to_owned(),
            Self::Compare(how, bound) => format!("{} {bound}", how.key().replace('_', " ")),
        }
    }
}

fn list(values: &[Expected]) -> String {
    let values: Vec<String> = values.iter().map(Expected::said).collect();
    values.join(" or ")
}

const fn case(any: bool) -> &'static str {
    if any { " in any case" } else { "" }
}

/// Strict: what is neither of these words is neither true nor false.
fn truth(found: &Found<'_>) -> Option<bool> {
    match found.text()?.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "y" => Some(true),
        "false" | "0" | "no" | "n" => Some(false),
        _ => None,
    }
}

/// `200` or `"2xx"`: bounds, both included.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct StatusRange(pub(super) u16, pub(super) u16);

impl StatusRange {
    fn said(self) -> String {
        if self.0 == self.1 { self.0.to_string() } else { format!("{}xx", self.0 / 100) }
    }
}

/// What must be true of a reply.
#[derive(Debug)]
pub(crate) enum Condition {
    At(Box<Locator>, Test),
    Status(Vec<StatusRange>),
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
}

impl Condition {
    /// Whether it is true.
    pub(super) fn holds(&self, scope: &Scope<'_>) -> bool {
        match self {
            Self::At(at, test) => test.holds(&at.looked_at(scope)),
            Self::Status(ranges) => {
                let status = scope.reply.status;
                ranges.iter().any(|range| (range.0..=range.1).contains(&status))
            }
            Self::All(inner) => inner.iter().all(|inner| inner.holds(scope)),
            Self::Any(inner) => inner.iter().any(|inner| inner.holds(scope)),
            Self::Not(inner) => !inner.holds(scope),
        }
    }

    /// The places it looks at.
    pub(super) fn places(&self) -> Vec<&Locator> {
        match self {
            Self::At(at, _) => vec![at],
            Self::Status(_) => Vec::new(),
            Self::All(inner) | Self::Any(inner) => inner.iter().flat_map(Self::places).collect(),
            Self::Not(inner) => inner.places(),
        }
    }

    /// Whether it asks for something that the reply must say. A condition that only asks for
    /// something to be absent or different also holds for an empty page.
    pub(super) fn affirms(&self) -> bool {
        match self {
            Self::At(_, test) => test.affirms(),
            Self::Status(_) => true,
            Self::All(inner) => inner.iter().any(Self::affirms),
            Self::Any(inner) => inner.iter().all(Self::affirms),
            Self::Not(_) => false,
        }
    }

    /// In words. Two conditions that say the same are the same.
    pub(super) fn said(&self) -> String {
        match self {
            Self::At(at, test) => format!("{} {}", at.said, test.said()),
            Self::Status(ranges) => {
                let ranges: Vec<String> = ranges.iter().map(|range| range.said()).collect();
                format!("the HTTP status is {}", ranges.join(" or "))
            }
            Self::All(inner) => joined(inner, " and "),
            Self::Any(inner) => joined(inner, " or "),
            Self::Not(inner) => format!("not ({})", inner.said()),
        }
    }
}

fn joined(inner: &[Condition], word: &str) -> String {
    let inner: Vec<String> = inner
        .iter()
        .map(|inner| match inner {
            Condition::All(_) | Condition::Any(_) => format!("({})", inner.said()),
            Condition::At(..) | Condition::Status(_) | Condition::Not(_) => inner.said(),
        })
        .collect();
    inner.join(word)
}
