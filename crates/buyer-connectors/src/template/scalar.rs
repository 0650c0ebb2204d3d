//! One value on its way into a request.

use std::borrow::Cow;
use std::fmt::Write as _;

use exchange_model::timestamp::Date;
use exchange_model::{PingValue, Timestamp, Value};
use rust_decimal::Decimal;

use super::escape::{Escape, push_json_string};

/// A value that still knows what it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Scalar<'a> {
    /// Text.
    Text(Cow<'a, str>),
    /// A whole number.
    Integer(i64),
    /// The digits of a number.
    Number(Cow<'a, str>),
    /// Yes or no.
    Boolean(bool),
    /// A day.
    Date(Date),
    /// A moment.
    Moment(Timestamp),
    /// Nothing, said aloud: `null` in JSON, empty elsewhere.
    Null,
}

impl<'a> Scalar<'a> {
    pub(crate) fn owned(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }

    pub(crate) fn borrowed(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }

    pub(crate) fn decimal(number: Decimal) -> Self {
        Self::Number(Cow::Owned(number.to_string()))
    }

    /// The canonical text.
    pub(crate) fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) | Self::Number(text) => Cow::Borrowed(text),
            Self::Integer(number) => Cow::Owned(number.to_string()),
            Self::Boolean(true) => Cow::Borrowed("true"),
            Self::Boolean(false) => Cow::Borrowed("false"),
            Self::Date(date) => Cow::Owned(date.to_string()),
            Self::Moment(moment) => Cow::Owned(moment.to_string()),
            Self::Null => Cow::Borrowed(""),
        }
    }

    /// The same, without a copy of borrowed text.
    pub(crate) fn into_text(self) -> Cow<'a, str> {
        match self {
            Self::Text(text) | Self::Number(text) => text,
            Self::Boolean(true) => Cow::Borrowed("true"),
            Self::Boolean(false) => Cow::Borrowed("false"),
            other => Cow::Owned(other.text().into_owned()),
        }
    }

    /// The number it is, or that its text is.
    pub(crate) fn number(&self) -> Option<Decimal> {
        match self {
            Self::Integer(number) => Some(Decimal::from(*number)),
            Self::Text(text) | Self::Number(text) => decimal(text),
            Self::Boolean(_) | Self::Date(_) | Self::Moment(_) | Self::Null => None,
        }
    }

    /// Yes or no, where it is one or its text is a usual word for one.
    pub(crate) fn boolean(&self) -> Option<bool> {
        const YES: &[&str] = &["true", "1", "yes", "y"];
        const NO: &[&str] = &["false", "0", "no", "n"];
        let is_one_of =
            |words: &[&str], text: &str| words.iter().any(|word| text.eq_ignore_ascii_case(word));
        match self {
            Self::Boolean(yes) => Some(*yes),
            Self::Integer(0) => Some(false),
            Self::Integer(1) => Some(true),
            Self::Text(text) | Self::Number(text) if is_one_of(YES, text) => Some(true),
            Self::Text(text) | Self::Number(text) if is_one_of(NO, text) => Some(false),
            _ => None,
        }
    }

    /// Whether it has no character.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Text(text) => text.is_empty(),
            Self::Null => true,
            _ => false,
        }
    }

    /// Whether a part that depends on it is written: not `false`, `0`, `no` or empty.
    pub(crate) fn is_truthy(&self) -> bool {
        match self {
            Self::Text(text) => {
                !["", "false", "0", "no"].iter().any(|word| text.trim().eq_ignore_ascii_case(word))
            }
            Self::Number(_) => self.number().is_none_or(|number| !number.is_zero()),
            Self::Integer(number) => *number != 0,
            Self::Boolean(yes) => *yes,
            Self::Date(_) | Self::Moment(_) => true,
            Self::Null => false,
        }
    }

    /// Appends the text, escaped. Digits need no escape anywhere.
    pub(crate) fn push(&self, escape: Escape, out: &mut String) {
        match self {
            Self::Integer(number) => write!(out, "{number}").expect("a string takes all"),
            Self::Date(date) => write!(out, "{date}").expect("a string takes all"),
            other => escape.push(&other.text(), out),
        }
    }

    /// Appends the value as JSON of its own type.
    pub(crate) fn push_json(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Integer(_) | Self::Number(_) | Self::Boolean(_) => self.push(Escape::None, out),
            Self::Text(_) | Self::Date(_) | Self::Moment(_) => push_json_string(&self.text(), out),
        }
    }
}

/// Digits with an optional sign and point; no exponent, no grouping.
pub(crate) fn decimal(text: &str) -> Option<Decimal> {
    let text = text.trim();
    let plain = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-'));
    Decimal::from_str_exact(text).ok().filter(|_| plain)
}

impl<'a> From<PingValue<'a>> for Scalar<'a> {
    fn from(value: PingValue<'a>) -> Self {
        match value {
            PingValue::Text(text) => Self::Text(text.into_cow()),
            PingValue::Integer(number) => Self::Integer(number),
            PingValue::Decimal(number) => Self::decimal(number),
            PingValue::Boolean(yes) => Self::Boolean(yes),
            PingValue::Date(date) => Self::Date(date),
        }
    }
}

impl<'a> From<&'a Value> for Scalar<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Text(text) => Self::borrowed(text),
            Value::Integer(number) => Self::Integer(*number),
            Value::Decimal(number) => Self::decimal(*number),
            Value::Boolean(yes) => Self::Boolean(*yes),
            Value::Date(date) => Self::Date(*date),
        }
    }
}
