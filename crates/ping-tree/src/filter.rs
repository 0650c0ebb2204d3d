//! Which leads a campaign takes: typed tests over open fields, compiled when config is loaded.
//!
//! A filter cannot name contact data, so nothing a filter says can give a person away. Values are
//! normalised by the field's own type at load, so that for a lead there is only comparing.

use std::fmt;
use std::sync::Arc;

use exchange_model::{Attributes, Date, FieldIdx, FieldType, Place, Value};
use rust_decimal::Decimal;

mod read;

pub(crate) use read::FilterReader;

/// Distinct values of one type, sorted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Set {
    /// Texts in the normal form of their field.
    Texts(Vec<Box<str>>),
    /// Whole numbers.
    Integers(Vec<i64>),
    /// Exact numbers.
    Decimals(Vec<Decimal>),
    /// Yes, no, both or neither.
    Booleans(Vec<bool>),
    /// Calendar days.
    Dates(Vec<Date>),
}

impl Set {
    /// These values, which a field of this type has; nothing when one of them is of another type.
    #[must_use]
    pub fn of(kind: &FieldType, values: Vec<Value>) -> Option<Self> {
        Some(match kind {
            FieldType::Integer { .. } => Self::Integers(sorted(values, |value| match value {
                Value::Integer(number) => Some(number),
                _ => None,
            })?),
            FieldType::Decimal => Self::Decimals(sorted(values, |value| match value {
                Value::Decimal(number) => Some(number),
                _ => None,
            })?),
            FieldType::Boolean => Self::Booleans(sorted(values, |value| match value {
                Value::Boolean(yes) => Some(yes),
                _ => None,
            })?),
            FieldType::Date => Self::Dates(sorted(values, |value| match value {
                Value::Date(date) => Some(date),
                _ => None,
            })?),
            _ => Self::Texts(sorted(values, |value| match value {
                Value::Text(text) => Some(text.into_boxed_str()),
                _ => None,
            })?),
        })
    }

    /// Whether `value` is one of them. A value of another type never is.
    #[must_use]
    pub fn contains(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Texts(set), Value::Text(text)) => {
                set.binary_search_by(|known| (**known).cmp(text.as_str())).is_ok()
            }
            (Self::Integers(set), Value::Integer(number)) => set.binary_search(number).is_ok(),
            (Self::Decimals(set), Value::Decimal(number)) => set.binary_search(number).is_ok(),
            (Self::Booleans(set), Value::Boolean(yes)) => set.contains(yes),
            (Self::Dates(set), Value::Date(date)) => set.binary_search(date).is_ok(),
            _ => false,
        }
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Texts(set) => set.len(),
            Self::Integers(set) => set.len(),
            Self::Decimals(set) => set.len(),
            Self::Booleans(set) => set.len(),
            Self::Dates(set) => set.len(),
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn sorted<T: Ord>(values: Vec<Value>, of: fn(Value) -> Option<T>) -> Option<Vec<T>> {
    let mut sorted: Vec<T> = values.into_iter().map(of).collect::<Option<_>>()?;
    sorted.sort_unstable();
    sorted.dedup();
    Some(sorted)
}

/// Bounds of one type, both inclusive; a missing one does not limit.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Range {
    /// Whole numbers.
    Integer(Option<i64>, Option<i64>),
    /// Exact numbers.
    Decimal(Option<Decimal>, Option<Decimal>),
    /// Calendar days.
    Date(Option<Date>, Option<Date>),
}

impl Range {
    /// Whether `value` lies within. A value of another type never does.
    #[must_use]
    pub fn contains(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Integer(min, max), Value::Integer(number)) => within(min, max, number),
            (Self::Decimal(min, max), Value::Decimal(number)) => within(min, max, number),
            (Self::Date(min, max), Value::Date(date)) => within(min, max, date),
            _ => false,
        }
    }

    /// Whether no value at all lies within.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        fn crossed<T: PartialOrd>(min: Option<T>, max: Option<T>) -> bool {
            min.zip(max).is_some_and(|(min, max)| min > max)
        }
        match self {
            Self::Integer(min, max) => crossed(*min, *max),
            Self::Decimal(min, max) => crossed(*min, *max),
            Self::Date(min, max) => crossed(*min, *max),
        }
    }
}

fn within<T: PartialOrd>(min: &Option<T>, max: &Option<T>, value: &T) -> bool {
    min.as_ref().is_none_or(|min| min <= value) && max.as_ref().is_none_or(|max| value <= max)
}

/// What a value must be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Test {
    /// One of these. An absent value is not.
    In(Arc<Set>),
    /// None of these. An absent value is none of them.
    NotIn(Arc<Set>),
    /// Within these bounds. An absent value is not.
    Within(Range),
}

impl Test {
    /// Whether a value, or its absence, passes.
    #[must_use]
    pub fn accepts(&self, value: Option<&Value>) -> bool {
        match self {
            Self::In(set) => value.is_some_and(|value| set.contains(value)),
            Self::NotIn(set) => value.is_none_or(|value| !set.contains(value)),
            Self::Within(range) => value.is_some_and(|value| range.contains(value)),
        }
    }
}

/// One line of a filter.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The field it looks at.
    pub field: FieldIdx,
    /// What it asks.
    pub test: Test,
    /// The list it takes its values from, as written.
    pub list: Option<String>,
    /// Where it is written.
    pub place: Place,
}

/// All of these must hold; an empty filter accepts everything.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    rules: Vec<Rule>,
}

impl Filter {
    /// These rules, in the order written.
    #[must_use]
    pub fn new(rules: Vec<Rule>) -> Self {
        Self { rules }
    }

    /// The rules, in the order written.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The first rule that does not accept these attributes.
    #[must_use]
    pub fn first_refusal(&self, attributes: &Attributes) -> Option<&Rule> {
        self.rules.iter().find(|rule| !rule.test.accepts(attributes.get(rule.field)))
    }

    /// Every rule that does not accept these attributes.
    pub fn refusals<'a>(&'a self, attributes: &'a Attributes) -> impl Iterator<Item = &'a Rule> {
        self.rules.iter().filter(|rule| !rule.test.accepts(attributes.get(rule.field)))
    }
}

/// Most values of a set that are shown.
const SHOWN: usize = 8;

/// `excellent, good`: the first few, then how many more.
impl fmt::Display for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Texts(set) => shown(f, set),
            Self::Integers(set) => shown(f, set),
            Self::Decimals(set) => shown(f, set),
            Self::Booleans(set) => shown(f, set),
            Self::Dates(set) => shown(f, set),
        }
    }
}

fn shown<T: fmt::Display>(f: &mut fmt::Formatter<'_>, set: &[T]) -> fmt::Result {
    for (at, value) in set.iter().take(SHOWN).enumerate() {
        let comma = if at == 0 { "" } else { ", " };
        write!(f, "{comma}{value}")?;
    }
    match set.len().saturating_sub(SHOWN) {
        0 => Ok(()),
        more => write!(f, " and {more} more"),
    }
}

/// `25 to 75`, `at least 25`, `at most 75`.
impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(min, max) => bounds(f, min.as_ref(), max.as_ref()),
            Self::Decimal(min, max) => bounds(f, min.as_ref(), max.as_ref()),
            Self::Date(min, max) => bounds(f, min.as_ref(), max.as_ref()),
        }
    }
}

fn bounds<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    min: Option<&T>,
    max: Option<&T>,
) -> fmt::Result {
    match (min, max) {
        (Some(min), Some(max)) => write!(f, "{min} to {max}"),
        (Some(min), None) => write!(f, "at least {min}"),
        (None, Some(max)) => write!(f, "at most {max}"),
        (None, None) => f.write_str("anything"),
    }
}

/// What the rule accepts: `excellent, good`, `any but CA, NY`, `25 to 75`, `what is in lists/x.txt`.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.test, &self.list) {
            (Test::In(_), Some(list)) => write!(f, "what is in {list}"),
            (Test::NotIn(_), Some(list)) => write!(f, "any but those in {list}"),
            (Test::In(set), None) => set.fmt(f),
            (Test::NotIn(set), None) => write!(f, "any but {set}"),
            (Test::Within(range), _) => range.fmt(f),
        }
    }
}
