//! A field's value after it was checked and normalised.

use std::fmt;

use rust_decimal::Decimal;

use crate::timestamp::Date;

/// A normalised value. Zips, states, phones, e-mails, URLs and enum words are texts in the one
/// form that their field type prescribes, so that equal means equal.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Value {
    /// Text of any text-like type.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// An exact number.
    Decimal(Decimal),
    /// Yes or no.
    Boolean(bool),
    /// A calendar day.
    Date(Date),
}

impl Value {
    /// The text, if this is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Integer(_) | Self::Decimal(_) | Self::Boolean(_) | Self::Date(_) => None,
        }
    }

    /// The whole number, if this is one.
    #[must_use]
    pub fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            Self::Text(_) | Self::Decimal(_) | Self::Boolean(_) | Self::Date(_) => None,
        }
    }
}

/// The canonical text: `true`, `2019`, `1990-04-02`, or the text itself.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Integer(number) => number.fmt(f),
            Self::Decimal(number) => number.fmt(f),
            Self::Boolean(yes) => yes.fmt(f),
            Self::Date(date) => date.fmt(f),
        }
    }
}
