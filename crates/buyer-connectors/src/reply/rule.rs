//! Where to look in a reply, and what to find there.

use exchange_model::reason::{RejectClass, Rejection};
use regex::Regex;
use serde_json_path::JsonPath;

use super::body::{Found, ReplyBody};
use super::text;
use super::xml::XmlPath;

/// A place in a reply.
#[derive(Debug)]
pub(crate) enum Locator {
    /// `$.a.b`: RFC 9535.
    Json(Box<JsonPath>),
    /// `/a/b`, `/a/b/@c`, `//b`.
    Xml(XmlPath),
    /// The first group of the match, or the whole match, in the reply's text.
    Regex(Regex),
}

impl Locator {
    fn find<'d>(&self, body: &'d ReplyBody<'_>) -> Vec<Found<'d>> {
        match self {
            Self::Json(path) => body
                .json()
                .map(|json| path.query(json).all().into_iter().map(Found::of_json).collect())
                .unwrap_or_default(),
            Self::Xml(path) => {
                let texts = body.xml().map(|document| path.find(document)).unwrap_or_default();
                texts.into_iter().map(|text| Found::Untyped(text.into())).collect()
            }
            Self::Regex(regex) => {
                let captured = body.text().and_then(|text| regex.captures(text));
                let group = captured.and_then(|found| found.get(1).or_else(|| found.get(0)));
                group.map(|group| Found::Untyped(group.as_str().into())).into_iter().collect()
            }
        }
    }

    /// Whether something other than a null, an empty text, an object or a list is there.
    pub(super) fn is_present(&self, body: &ReplyBody<'_>) -> bool {
        self.find(body).iter().any(|found| found.text().is_some())
    }

    /// The text, when exactly one value is there. Two are one too many to choose from.
    pub(super) fn one_text(&self, body: &ReplyBody<'_>) -> Option<String> {
        match self.find(body).as_slice() {
            [one] => one.text(),
            _ => None,
        }
    }

    /// The same, for an amount.
    pub(super) fn one_amount(&self, body: &ReplyBody<'_>) -> Option<String> {
        match self.find(body).as_slice() {
            [one] => one.amount(),
            _ => None,
        }
    }

    fn first_text(&self, body: &ReplyBody<'_>) -> Option<String> {
        self.find(body).iter().find_map(Found::text)
    }
}

/// A value listed in `is`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Expected {
    /// A text.
    Text(String),
    /// The digits of a number.
    Number(String),
    /// `true` or `false`.
    Boolean(bool),
}

impl Expected {
    /// Whole values only, and of the same type where the reply says one: `true` is not `"true"`.
    /// XML and plain text have no types, so there the texts are compared.
    fn equals(&self, found: &Found<'_>) -> bool {
        match (self, found) {
            (Self::Text(wanted), Found::Text(text)) => wanted == text.trim(),
            (Self::Number(wanted), Found::Number(digits)) => wanted == digits,
            (Self::Boolean(wanted), Found::Boolean(yes)) => wanted == yes,
            (Self::Text(wanted) | Self::Number(wanted), Found::Untyped(text)) => {
                wanted == text.trim()
            }
            (Self::Boolean(wanted), Found::Untyped(text)) => {
                text.trim() == if *wanted { "true" } else { "false" }
            }
            _ => false,
        }
    }
}

/// What must be found.
#[derive(Debug)]
pub(crate) enum Test {
    /// Every value found is one of these, and at least one was found.
    Is(Vec<Expected>),
    /// Something is there.
    Present,
}

/// One condition.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) at: Locator,
    pub(crate) test: Test,
}

impl Rule {
    fn holds(&self, body: &ReplyBody<'_>) -> bool {
        match &self.test {
            Test::Present => match &self.at {
                Locator::Regex(regex) => body.text().is_some_and(|text| regex.is_match(text)),
                Locator::Json(_) | Locator::Xml(_) => self.at.is_present(body),
            },
            Test::Is(expected) => {
                let found = self.at.find(body);
                let listed = |value: &Found<'_>| expected.iter().any(|e| e.equals(value));
                !found.is_empty() && found.iter().all(listed)
            }
        }
    }
}

/// The conditions of one key.
#[derive(Debug, Default)]
pub(crate) struct Rules(pub(crate) Vec<Rule>);

impl Rules {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn any(&self, body: &ReplyBody<'_>) -> bool {
        self.0.iter().any(|rule| rule.holds(body))
    }

    /// Whether there are conditions and all hold.
    pub(super) fn all(&self, body: &ReplyBody<'_>) -> bool {
        !self.0.is_empty() && self.0.iter().all(|rule| rule.holds(body))
    }

    /// Whether the reply says something, whatever it is, where every condition looks.
    pub(super) fn are_present(&self, body: &ReplyBody<'_>) -> bool {
        !self.0.is_empty() && self.0.iter().all(|rule| rule.at.is_present(body))
    }
}

/// Where the buyer's reason stands, and what its words mean.
#[derive(Debug)]
pub(crate) struct ReasonRule {
    pub(crate) at: Locator,
    pub(crate) classes: Vec<(String, RejectClass)>,
}

impl ReasonRule {
    pub(super) fn read(&self, body: &ReplyBody<'_>) -> Option<Rejection> {
        let said = self.at.first_text(body)?;
        let mapped = self.classes.iter().find(|(word, _)| *word == said);
        let class = mapped.map_or(RejectClass::Other, |(_, class)| *class);
        Some(Rejection { class, text: text::words(&said), counter: None })
    }
}
