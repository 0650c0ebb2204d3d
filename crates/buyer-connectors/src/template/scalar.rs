//! One value on its way into a request.

use std::borrow::Cow;

use exchange_model::{PingValue, Value};

use super::escape::push_json_string;

/// A value that still knows whether it is text, a number or a yes/no.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Scalar<'a> {
    /// Text; dates too, as `1990-04-02`.
    Text(Cow<'a, str>),
    /// The digits of a number.
    Number(String),
    /// Yes or no.
    Boolean(bool),
}

impl Scalar<'_> {
    pub(crate) fn owned(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }

    /// The canonical text.
    pub(crate) fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Number(digits) => Cow::Borrowed(digits),
            Self::Boolean(true) => Cow::Borrowed("true"),
            Self::Boolean(false) => Cow::Borrowed("false"),
        }
    }

    /// Appends the value as JSON of its own type.
    pub(crate) fn push_json(&self, out: &mut String) {
        match self {
            Self::Text(text) => push_json_string(text, out),
            Self::Number(_) | Self::Boolean(_) => out.push_str(&self.text()),
        }
    }
}

impl From<PingValue> for Scalar<'_> {
    fn from(value: PingValue) -> Self {
        match value {
            PingValue::Text(text) => Self::owned(text.as_str().to_owned()),
            PingValue::Integer(number) => Self::Number(number.to_string()),
            PingValue::Decimal(number) => Self::Number(number.to_string()),
            PingValue::Boolean(yes) => Self::Boolean(yes),
            PingValue::Date(date) => Self::owned(date.to_string()),
        }
    }
}

impl<'a> From<&'a Value> for Scalar<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Text(text) => Self::Text(Cow::Borrowed(text)),
            Value::Integer(number) => Self::Number(number.to_string()),
            Value::Decimal(number) => Self::Number(number.to_string()),
            Value::Boolean(yes) => Self::Boolean(*yes),
            Value::Date(date) => Self::owned(date.to_string()),
        }
    }
}
