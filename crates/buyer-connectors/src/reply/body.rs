//! A reply's bytes, read as far as the rules ask and at most once each way.

use std::borrow::Cow;
use std::cell::OnceCell;

use exchange_model::strict_json;
use serde_json::Value;

use super::xml::{self, XmlDocument};
use crate::transport::REPLY_MAX;

/// A reply that locators look into.
#[derive(Debug)]
pub(super) struct ReplyBody<'b> {
    text: Option<&'b str>,
    json: OnceCell<Option<Value>>,
    xml: OnceCell<Option<XmlDocument>>,
}

impl<'b> ReplyBody<'b> {
    /// A byte order mark and blanks around the document are not part of it. What is no UTF-8, or
    /// longer than a reply may be, has no content.
    pub(super) fn new(bytes: &'b [u8]) -> Self {
        let text = std::str::from_utf8(bytes).ok().filter(|text| text.len() <= REPLY_MAX);
        let text = text.map(|text| text.trim_start_matches('\u{feff}').trim());
        Self { text, json: OnceCell::new(), xml: OnceCell::new() }
    }

    pub(super) fn text(&self) -> Option<&'b str> {
        self.text
    }

    pub(super) fn json(&self) -> Option<&Value> {
        let read = || strict_json::parse(self.text?.as_bytes()).ok();
        self.json.get_or_init(read).as_ref()
    }

    pub(super) fn xml(&self) -> Option<&XmlDocument> {
        self.xml.get_or_init(|| xml::parse(self.text?)).as_ref()
    }
}

/// One value that a locator found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Found<'d> {
    /// A JSON string.
    Text(Cow<'d, str>),
    /// A JSON number, as its own digits.
    Number(String),
    /// A JSON `true` or `false`.
    Boolean(bool),
    /// Text of XML or of a regex: its type is not said.
    Untyped(Cow<'d, str>),
    /// A JSON null, object or list.
    NoScalar,
}

impl<'d> Found<'d> {
    pub(super) fn of_json(value: &'d Value) -> Self {
        match value {
            Value::String(text) => Self::Text(Cow::Borrowed(text)),
            Value::Number(number) => Self::Number(number.to_string()),
            Value::Bool(yes) => Self::Boolean(*yes),
            Value::Null | Value::Array(_) | Value::Object(_) => Self::NoScalar,
        }
    }

    /// The text, blanks around it left out; nothing for an empty one.
    pub(super) fn text(&self) -> Option<String> {
        let text = match self {
            Self::Text(text) | Self::Untyped(text) => text.trim().to_owned(),
            Self::Number(digits) => digits.clone(),
            Self::Boolean(yes) => yes.to_string(),
            Self::NoScalar => return None,
        };
        (!text.is_empty()).then_some(text)
    }

    /// What may be an amount: a number's own digits, or a text exactly as it stands (blanks around
    /// XML text are layout).
    pub(super) fn amount(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.to_string()),
            Self::Number(digits) => Some(digits.clone()),
            Self::Untyped(text) => Some(text.trim().to_owned()),
            Self::Boolean(_) | Self::NoScalar => None,
        }
    }
}
