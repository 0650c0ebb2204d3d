//! One value that a locator found, and what it says.

use std::borrow::Cow;

use rust_decimal::Decimal;
use serde_json::Value;

use super::tree::Element;

/// One value of a reply.
#[derive(Clone, Debug)]
pub(super) enum Found<'d> {
    /// A JSON value: it has a type.
    Json(&'d Value),
    /// An element of XML or HTML.
    Element(Element<'d>),
    /// A text whose type is not said: an attribute, a piece, a header, a match.
    Text(Cow<'d, str>),
}

impl<'d> Found<'d> {
    /// The text without the blanks around it; nothing for an empty one, a null, a list.
    pub(super) fn text(&self) -> Option<String> {
        let text = self.raw()?;
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// The text as it stands; nothing for a null, an object or a list.
    pub(super) fn raw(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Json(Value::String(text)) => Some(Cow::Borrowed(text)),
            Self::Json(Value::Number(number)) => Some(Cow::Owned(number.to_string())),
            Self::Json(Value::Bool(yes)) => {
                Some(Cow::Borrowed(if *yes { "true" } else { "false" }))
            }
            Self::Json(Value::Null | Value::Array(_) | Value::Object(_)) => None,
            Self::Element(element) => Some(Cow::Owned(element.text())),
            Self::Text(text) => Some(Cow::Borrowed(text)),
        }
    }

    /// Whether something is there: neither a null, nor an empty text, object, list or element.
    pub(super) fn exists(&self) -> bool {
        match self {
            Self::Json(Value::Object(entries)) => !entries.is_empty(),
            Self::Json(Value::Array(items)) => !items.is_empty(),
            Self::Element(element) => element.has_children() || self.text().is_some(),
            Self::Json(_) | Self::Text(_) => self.text().is_some(),
        }
    }

    /// What may be an amount: a number's own digits, or a JSON text exactly as it stands. Blanks
    /// around a text of any other kind are layout.
    pub(super) fn amount(&self) -> Option<String> {
        match self {
            Self::Json(Value::String(text)) => Some(text.clone()),
            Self::Json(Value::Number(number)) => Some(number.to_string()),
            Self::Json(_) => None,
            Self::Element(element) if element.is_in_pieces() => None,
            Self::Element(_) | Self::Text(_) => self.raw().map(|text| text.trim().to_owned()),
        }
    }

    /// The exact number that it is, if it is one: digits with an optional sign and point.
    pub(super) fn number(&self) -> Option<Decimal> {
        match self {
            Self::Json(Value::Bool(_)) => None,
            Self::Element(element) if element.is_in_pieces() => None,
            _ => decimal(&self.text()?),
        }
    }

    /// The items of a list; itself otherwise.
    pub(super) fn flattened(self) -> Vec<Self> {
        match self {
            Self::Json(Value::Array(items)) => items.iter().map(Self::Json).collect(),
            other => vec![other],
        }
    }

    /// The names in an object or of child elements.
    pub(super) fn keys(self) -> Vec<Self> {
        let entries = self.flattened().into_iter().flat_map(|found| found.entries());
        entries.map(|(key, _)| Self::Text(Cow::Owned(key))).collect()
    }

    /// `name: value` for each entry of an object or child element; a plain value is itself.
    pub(super) fn pairs(self) -> Vec<Self> {
        let pair = |(key, value): (String, Found<'d>)| match value.text() {
            Some(value) => format!("{key}: {value}"),
            None => key,
        };
        let flat = self.flattened().into_iter();
        flat.flat_map(|found| {
            let entries = found.entries();
            if entries.is_empty() {
                return vec![found];
            }
            entries.into_iter().map(|entry| Self::Text(Cow::Owned(pair(entry)))).collect()
        })
        .collect()
    }

    fn entries(&self) -> Vec<(String, Self)> {
        match self {
            Self::Json(Value::Object(entries)) => {
                entries.iter().map(|(key, value)| (key.clone(), Self::Json(value))).collect()
            }
            Self::Element(element) => element
                .children()
                .map(|child| (child.local_name().to_owned(), Self::Element(child)))
                .collect(),
            Self::Json(_) | Self::Text(_) => Vec::new(),
        }
    }
}

/// Digits with an optional sign and point, exactly.
pub(super) fn decimal(text: &str) -> Option<Decimal> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && digits.bytes().next().is_some_and(|b| b.is_ascii_digit())
        && digits.bytes().next_back().is_some_and(|b| b.is_ascii_digit());
    plain.then(|| Decimal::from_str_exact(text).ok())?
}
