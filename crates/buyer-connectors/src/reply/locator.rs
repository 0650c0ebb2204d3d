//! Where a value stands in a reply, and which of several is meant.

use std::borrow::Cow;

use http::HeaderName;
use regex::Regex;
use rust_decimal::Decimal;
use serde_json::Value;
use serde_json_path::JsonPath;

use super::RawReply;
use super::document::{Content, Document};
use super::found::Found;
use super::tree::Element;
use super::xpath::{Reached, XPath};
use crate::template::{Filter, NoValues, Scalar};

/// Most values of one locator that are looked at.
const VALUES_MAX: usize = 10_000;
/// Most matches of one regular expression: each costs at most what the text costs, all of them
/// could cost its square.
const MATCHES_MAX: usize = 64;
/// Between the texts of `joined`.
const JOINT: &str = "; ";

/// What a locator looks into: a reply, or one item of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope<'d> {
    pub(super) reply: &'d RawReply<'d>,
    document: &'d Document<'d>,
    item: Item<'d>,
}

/// One of several in a reply.
#[derive(Clone, Copy, Debug)]
pub(super) enum Item<'d> {
    /// None of them: the whole reply.
    Whole,
    Json(&'d Value),
    Element(Element<'d>),
}

impl<'d> Scope<'d> {
    /// The whole reply.
    pub(super) fn whole(reply: &'d RawReply<'_>, document: &'d Document<'_>) -> Self {
        Self { reply, document, item: Item::Whole }
    }

    /// One item of it; nothing for a text, into which nothing can look.
    pub(super) fn item(&self, found: &Found<'d>) -> Option<Self> {
        let item = match found {
            Found::Json(value) => Item::Json(value),
            Found::Element(element) => Item::Element(*element),
            Found::Text(_) => return None,
        };
        Some(Self { item, ..*self })
    }

    fn json(&self) -> Option<&'d Value> {
        match (&self.item, &self.document.content) {
            (Item::Json(value), _) => Some(value),
            (Item::Whole, Content::Json(value)) => Some(value),
            _ => None,
        }
    }

    fn element(&self) -> Option<Element<'d>> {
        match (&self.item, &self.document.content) {
            (Item::Element(element), _) => Some(*element),
            (Item::Whole, Content::Tree(tree)) => Some(tree.document()),
            _ => None,
        }
    }

    fn text(&self) -> Option<Cow<'d, str>> {
        match &self.item {
            Item::Whole => Some(Cow::Borrowed(&self.document.text)),
            Item::Json(value) => Found::Json(value).text().map(Cow::Owned),
            Item::Element(element) => Some(Cow::Owned(element.text())),
        }
    }
}

/// One way to a value.
#[derive(Debug)]
pub(super) enum Path {
    /// RFC 9535.
    Json(Box<JsonPath>),
    /// Of XML and HTML.
    Tree(XPath),
}

/// Where to look first.
#[derive(Debug)]
pub(super) enum Origin {
    /// Paths, the first that leads to something.
    Paths(Vec<Path>),
    /// A name in a form or among labelled pieces.
    Key(String),
    /// A piece from 1, or it and all that follow.
    Column(usize, bool),
    Header(HeaderName),
    /// The whole text.
    Text,
}

/// What of an object is meant.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Take {
    #[default]
    Values,
    Keys,
    Pairs,
}

/// Which of several values is meant.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Pick {
    /// Several are one too many.
    Only,
    First,
    Last,
    Highest,
    Lowest,
    Sum,
    Joined,
}

/// A place in a reply.
#[derive(Debug)]
pub(crate) struct Locator {
    pub(super) origin: Origin,
    /// The first group of its match, or the whole match, within what was found.
    pub(super) within: Option<Regex>,
    /// What is done with each value.
    pub(super) filters: Vec<Filter>,
    pub(super) take: Take,
    /// As declared.
    pub(super) pick: Option<Pick>,
    /// In words.
    pub(super) said: String,
}

impl Locator {
    /// Everything that stands there, empty values included.
    pub(super) fn all<'d>(&self, scope: &Scope<'d>) -> Vec<Found<'d>> {
        let mut found = self.origin.find(scope);
        found = match self.take {
            Take::Values => found,
            Take::Keys => found.into_iter().flat_map(Found::keys).collect(),
            Take::Pairs => found.into_iter().flat_map(Found::pairs).collect(),
        };
        if let Some(regex) = &self.within {
            let matches_max = if self.pick.is_some() { MATCHES_MAX } else { 1 };
            found = found.iter().flat_map(|value| captured(regex, value, matches_max)).collect();
        }
        found.truncate(VALUES_MAX);
        if !self.filters.is_empty() {
            found = found.iter().filter_map(|value| filtered(&self.filters, value)).collect();
        }
        found
    }

    /// The values that something is in.
    pub(super) fn present<'d>(&self, scope: &Scope<'d>) -> Vec<Found<'d>> {
        self.all(scope).into_iter().filter(Found::exists).collect()
    }

    /// What a condition looks at: what was picked, or everything.
    pub(super) fn looked_at<'d>(&self, scope: &Scope<'d>) -> Vec<Found<'d>> {
        match self.pick {
            None => self.all(scope),
            Some(pick) => pick.from(self.present(scope)).into_iter().collect(),
        }
    }

    /// The one value that is meant. Two are one too many to choose from.
    pub(super) fn one<'d>(&self, scope: &Scope<'d>) -> Option<Found<'d>> {
        self.pick.unwrap_or(Pick::Only).from(self.present(scope))
    }

    /// Its text.
    pub(super) fn one_text(&self, scope: &Scope<'_>) -> Option<String> {
        self.one(scope)?.text()
    }

    /// Whether it looks at one value of a document, not at a text as a whole.
    pub(super) fn is_place(&self) -> bool {
        !matches!(self.origin, Origin::Text)
    }
}

fn captured<'d>(regex: &Regex, value: &Found<'d>, max: usize) -> Vec<Found<'d>> {
    let Some(text) = value.raw() else { return Vec::new() };
    let matches = regex.captures_iter(&text).take(max);
    let groups = matches.filter_map(|found| found.get(1).or_else(|| found.get(0)));
    groups.map(|group| Found::Text(Cow::Owned(group.as_str().to_owned()))).collect()
}

/// A value after every filter: a text whose type is not said.
fn filtered<'d>(filters: &[Filter], value: &Found<'d>) -> Option<Found<'d>> {
    let first = match value {
        Found::Json(Value::Bool(yes)) => Some(Scalar::Boolean(*yes)),
        Found::Json(Value::Number(number)) => Some(Scalar::Number(Cow::Owned(number.to_string()))),
        other => other.text().map(Scalar::owned),
    };
    let last = filters.iter().fold(first, |value, filter| filter.apply(value, &NoValues))?;
    Some(Found::Text(Cow::Owned(last.into_text().into_owned())))
}

impl Origin {
    fn find<'d>(&self, scope: &Scope<'d>) -> Vec<Found<'d>> {
        let borrowed = |text: &'d str| Found::Text(Cow::Borrowed(text));
        match self {
            Self::Paths(paths) => first_present(paths, scope),
            Self::Key(key) => scope.document.named(key).into_iter().map(borrowed).collect(),
            Self::Column(column, rest) => {
                scope.document.column(*column, *rest).map(borrowed).into_iter().collect()
            }
            Self::Header(name) => {
                let values = scope.reply.headers.get_all(name).into_iter();
                values.filter_map(|value| value.to_str().ok()).map(borrowed).collect()
            }
            Self::Text => scope.text().map(Found::Text).into_iter().collect(),
        }
    }
}

/// The first path that leads to something; else the first that leads anywhere.
fn first_present<'d>(paths: &[Path], scope: &Scope<'d>) -> Vec<Found<'d>> {
    let mut empty = Vec::new();
    for path in paths {
        let found = path.find(scope);
        if found.iter().any(Found::exists) {
            return found;
        }
        if empty.is_empty() {
            empty = found;
        }
    }
    empty
}

impl Path {
    fn find<'d>(&self, scope: &Scope<'d>) -> Vec<Found<'d>> {
        match self {
            Self::Json(path) => match scope.json() {
                Some(json) => path.query(json).all().into_iter().map(Found::Json).collect(),
                None => Vec::new(),
            },
            Self::Tree(path) => match scope.element() {
                Some(element) => path.find(element).into_iter().filter_map(reached).collect(),
                None => Vec::new(),
            },
        }
    }
}

/// An element that says it has no value is not there.
fn reached(reached: Reached<'_>) -> Option<Found<'_>> {
    match reached {
        Reached::Element(element) => (!element.is_nil()).then_some(Found::Element(element)),
        Reached::Text(text) => Some(Found::Text(Cow::Owned(text))),
    }
}

impl Pick {
    /// Of values in which there is something.
    fn from(self, mut present: Vec<Found<'_>>) -> Option<Found<'_>> {
        match self {
            Self::Only => (present.len() == 1).then(|| present.pop())?,
            Self::First => present.into_iter().next(),
            Self::Last => present.pop(),
            Self::Highest => ranked(present).pop(),
            Self::Lowest => ranked(present).into_iter().next(),
            Self::Sum if present.is_empty() => None,
            Self::Sum => {
                let numbers: Option<Vec<Decimal>> = present.iter().map(Found::number).collect();
                let sum = numbers?.into_iter().try_fold(Decimal::ZERO, Decimal::checked_add)?;
                Some(Found::Text(Cow::Owned(sum.to_string())))
            }
            Self::Joined => {
                let texts: Vec<String> = present.iter().filter_map(Found::text).collect();
                (!texts.is_empty()).then(|| Found::Text(Cow::Owned(texts.join(JOINT))))
            }
        }
    }
}

/// From the lowest; nothing when one of them is no number.
fn ranked(present: Vec<Found<'_>>) -> Vec<Found<'_>> {
    let numbered: Option<Vec<_>> =
        present.into_iter().map(|found| Some((found.number()?, found))).collect();
    let mut numbered = numbered.unwrap_or_default();
    numbered.sort_by_key(|(number, _)| *number);
    numbered.into_iter().map(|(_, found)| found).collect()
}
