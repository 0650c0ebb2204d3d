//! Sets of values, and of texts that begin in certain ways.

use exchange_model::{Date, FieldType, Value};
use rust_decimal::Decimal;

use crate::filter::{CODES, Zips, code};

/// Distinct values of one type, sorted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Set {
    /// Texts in the normal form of their field.
    Texts(Texts),
    /// Zips.
    Zips(Zips),
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
            FieldType::UsZip => Self::Zips(zips(&values)?),
            _ => Self::Texts(Texts::new(texts(values)?, Vec::new())),
        })
    }

    /// Whether `value` is one of them. A value of another type never is.
    #[must_use]
    pub fn contains(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Texts(set), Value::Text(text)) => set.contains(text),
            (Self::Zips(set), Value::Text(text)) => set.contains(text),
            (Self::Integers(set), Value::Integer(number)) => set.binary_search(number).is_ok(),
            (Self::Decimals(set), Value::Decimal(number)) => set.binary_search(number).is_ok(),
            (Self::Booleans(set), Value::Boolean(yes)) => set.contains(yes),
            (Self::Dates(set), Value::Date(date)) => set.binary_search(date).is_ok(),
            _ => false,
        }
    }

    /// How many, each prefix counted as one.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Texts(set) => set.exact.len().saturating_add(set.prefixes.len()),
            Self::Zips(set) => set.len(),
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

/// Texts as such, and prefixes that stand for every text that begins so.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Texts {
    exact: Vec<Box<str>>,
    prefixes: Vec<Box<str>>,
}

impl Texts {
    /// These texts and everything that begins with one of these prefixes.
    #[must_use]
    pub fn new(mut exact: Vec<Box<str>>, mut prefixes: Vec<Box<str>>) -> Self {
        exact.sort_unstable();
        exact.dedup();
        prefixes.sort_unstable();
        // A prefix of a prefix says it all; sorted, it stands right before what it covers.
        prefixes.dedup_by(|longer, shorter| longer.starts_with(&**shorter));
        Self { exact, prefixes }
    }

    /// Whether `text` is one of them or begins with one of the prefixes.
    #[must_use]
    pub fn contains(&self, text: &str) -> bool {
        self.exact.binary_search_by(|known| (**known).cmp(text)).is_ok() || self.begins(text)
    }

    /// No prefix covers another, so only the greatest one up to `text` can begin it.
    fn begins(&self, text: &str) -> bool {
        let after = self.prefixes.partition_point(|prefix| **prefix <= *text);
        let before = after.checked_sub(1).and_then(|at| self.prefixes.get(at));
        before.is_some_and(|prefix| text.starts_with(&**prefix))
    }

    /// The texts, sorted.
    #[must_use]
    pub fn exact(&self) -> &[Box<str>] {
        &self.exact
    }

    /// The prefixes, sorted; none begins with another.
    #[must_use]
    pub fn prefixes(&self) -> &[Box<str>] {
        &self.prefixes
    }
}

fn texts(values: Vec<Value>) -> Option<Vec<Box<str>>> {
    let text = |value| match value {
        Value::Text(text) => Some(text.into_boxed_str()),
        _ => None,
    };
    values.into_iter().map(text).collect()
}

fn zips(values: &[Value]) -> Option<Zips> {
    let mut bits = vec![0_u64; usize::try_from(CODES.div_ceil(64)).ok()?];
    for value in values {
        let code = code(value.as_text()?)?;
        *bits.get_mut(usize::try_from(code / 64).ok()?)? |= 1 << (code % 64);
    }
    Some(Zips::of_bits(&bits))
}

fn sorted<T: Ord>(values: Vec<Value>, of: fn(Value) -> Option<T>) -> Option<Vec<T>> {
    let mut sorted: Vec<T> = values.into_iter().map(of).collect::<Option<_>>()?;
    sorted.sort_unstable();
    sorted.dedup();
    Some(sorted)
}
