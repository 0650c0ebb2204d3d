//! What a ping may be built from.
//!
//! A [`PingView`] answers with a [`PingValue`], a closed set without a free string: text comes only
//! from a field of class open or from an [`Anonymiser`]. An encoder that is given nothing else
//! cannot put contact data into a ping.

use std::borrow::Cow;
use std::fmt;

use md5::Md5;
use rust_decimal::Decimal;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use crate::lead::Lead;
use crate::timestamp::Date;
use crate::value::Value;
use crate::vertical::{FieldClass, FieldIdx, FieldType};

/// A value that may leave in a ping.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PingValue<'a> {
    /// Text of an open field, or of an anonymiser.
    Text(OpenText<'a>),
    /// A whole number.
    Integer(i64),
    /// An exact number.
    Decimal(Decimal),
    /// Yes or no.
    Boolean(bool),
    /// A calendar day of an open field.
    Date(Date),
}

/// Text that is allowed in a ping. Only this module makes one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OpenText<'a>(Cow<'a, str>);

impl<'a> OpenText<'a> {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, without a copy where it is the lead's own.
    #[must_use]
    pub fn into_cow(self) -> Cow<'a, str> {
        self.0
    }
}

impl<'a> PingValue<'a> {
    fn open(value: &'a Value) -> Self {
        match value {
            Value::Text(text) => Self::Text(OpenText(Cow::Borrowed(text))),
            Value::Integer(number) => Self::Integer(*number),
            Value::Decimal(number) => Self::Decimal(*number),
            Value::Boolean(yes) => Self::Boolean(*yes),
            Value::Date(date) => Self::Date(*date),
        }
    }
}

/// The canonical text, as [`Value`] prints it.
impl fmt::Display for PingValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text.as_str()),
            Self::Integer(number) => number.fmt(f),
            Self::Decimal(number) => number.fmt(f),
            Self::Boolean(yes) => yes.fmt(f),
            Self::Date(date) => date.fmt(f),
        }
    }
}

/// A one-way step from contact data to something that may be pinged.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Anonymiser {
    /// The year of a date.
    Year,
    /// Whole years from a date to the day of intake.
    Age,
    /// The last four digits of a phone.
    Last4,
    /// The area code of a phone.
    AreaCode,
    /// The first three digits of a zip.
    Zip3,
    /// SHA-256 in hex of the normalised value. Not anonymous: the config must say why
    /// (`allow_hashed`).
    Sha256,
    /// The same with SHA-1.
    Sha1,
    /// The same with MD5.
    Md5,
}

impl Anonymiser {
    /// Every anonymiser.
    pub const ALL: &'static [Self] = &[
        Self::Year,
        Self::Age,
        Self::Last4,
        Self::AreaCode,
        Self::Zip3,
        Self::Sha256,
        Self::Sha1,
        Self::Md5,
    ];

    /// Its name as a template filter.
    #[must_use]
    pub const fn filter(self) -> &'static str {
        match self {
            Self::Year => "year",
            Self::Age => "age",
            Self::Last4 => "last4",
            Self::AreaCode => "area_code",
            Self::Zip3 => "zip3",
            Self::Sha256 => "sha256",
            Self::Sha1 => "sha1",
            Self::Md5 => "md5",
        }
    }

    /// Whether it is a hash: the same for the same value, so not anonymous.
    #[must_use]
    pub const fn is_hash(self) -> bool {
        matches!(self, Self::Sha256 | Self::Sha1 | Self::Md5)
    }

    /// The hash in hex of the trimmed lower-case text, the form in which the trade compares them;
    /// nothing for an anonymiser that is no hash.
    #[must_use]
    pub fn hash(self, text: &str) -> Option<String> {
        let text = text.trim().to_lowercase();
        match self {
            Self::Sha256 => Some(hex::encode(Sha256::digest(text))),
            Self::Sha1 => Some(hex::encode(Sha1::digest(text))),
            Self::Md5 => Some(hex::encode(Md5::digest(text))),
            Self::Year | Self::Age | Self::Last4 | Self::AreaCode | Self::Zip3 => None,
        }
    }

    /// The anonymiser with this filter name.
    #[must_use]
    pub fn from_filter(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|a| a.filter() == name)
    }

    /// Whether it works on fields of this type.
    #[must_use]
    pub fn suits(self, kind: &FieldType) -> bool {
        match self {
            Self::Year | Self::Age => *kind == FieldType::Date,
            Self::Last4 | Self::AreaCode => *kind == FieldType::UsPhone,
            Self::Zip3 => *kind == FieldType::UsZip,
            Self::Sha256 | Self::Sha1 | Self::Md5 => true,
        }
    }

    /// The anonymisers to suggest for a field of this type, hashes aside.
    pub fn suggestions(kind: &FieldType) -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(move |a| !a.is_hash() && a.suits(kind))
    }

    fn apply(self, text: &str, today: Date) -> Option<PingValue<'static>> {
        let date = || text.parse::<Date>().ok();
        let open =
            |part: Option<&str>| Some(PingValue::Text(OpenText(Cow::Owned(part?.to_owned()))));
        match self {
            Self::Year => Some(PingValue::Integer(i64::from(date()?.year()))),
            Self::Age => {
                let age = crate::vertical::Derivation::YearsSince(FieldIdx::default());
                crate::Vertical::derive(age, &Value::Date(date()?), today)
                    .and_then(|age| age.as_integer())
                    .map(PingValue::Integer)
            }
            Self::Last4 => open(text.get(text.len().checked_sub(4)?..)),
            Self::AreaCode | Self::Zip3 => open(text.get(..3)),
            Self::Sha256 | Self::Sha1 | Self::Md5 => {
                self.hash(text).map(|hash| PingValue::Text(OpenText(Cow::Owned(hash))))
            }
        }
    }
}

/// One lead as a ping encoder may see it.
#[derive(Clone, Copy, Debug)]
pub struct PingView<'a> {
    lead: &'a Lead,
    today: Date,
}

impl<'a> PingView<'a> {
    /// A view on the day of intake.
    #[must_use]
    pub fn new(lead: &'a Lead, today: Date) -> Self {
        Self { lead, today }
    }

    /// The value of an open field; nothing for any other class.
    #[must_use]
    pub fn value(&self, at: FieldIdx) -> Option<PingValue<'a>> {
        match self.lead.vertical().field(at).class {
            FieldClass::Open => self.lead.attributes().get(at).map(PingValue::open),
            FieldClass::Contact | FieldClass::Secret => None,
        }
    }

    /// The value of an open or contact field after an anonymiser; nothing for a secret.
    #[must_use]
    pub fn anonymised(&self, at: FieldIdx, how: Anonymiser) -> Option<PingValue<'static>> {
        match self.lead.vertical().field(at).class {
            FieldClass::Open => how.apply(&self.lead.attributes().get(at)?.to_string(), self.today),
            FieldClass::Contact => how.apply(self.lead.contact().get(at)?.inner(), self.today),
            FieldClass::Secret => None,
        }
    }
}
