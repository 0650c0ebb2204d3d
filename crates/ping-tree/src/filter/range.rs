//! Bounds of values that have an order.

use exchange_model::{Date, Value};
use rust_decimal::Decimal;

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
    /// The range between two values of one type; nothing when they are not, or have no order.
    #[must_use]
    pub fn between(min: Option<Value>, max: Option<Value>) -> Option<Self> {
        match (&min, &max) {
            (Some(Value::Integer(_)), _) | (None, Some(Value::Integer(_))) => {
                let of = |value| Value::as_integer(&value);
                Some(Self::Integer(bound(min, of)?, bound(max, of)?))
            }
            (Some(Value::Decimal(_)), _) | (None, Some(Value::Decimal(_))) => {
                Some(Self::Decimal(bound(min, decimal)?, bound(max, decimal)?))
            }
            (Some(Value::Date(_)), _) | (None, Some(Value::Date(_))) => {
                Some(Self::Date(bound(min, date)?, bound(max, date)?))
            }
            _ => None,
        }
    }

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

fn decimal(value: Value) -> Option<Decimal> {
    if let Value::Decimal(number) = value { Some(number) } else { None }
}

fn date(value: Value) -> Option<Date> {
    if let Value::Date(date) = value { Some(date) } else { None }
}

/// A bound that is not there, or is of the right type; nothing when it is of another.
fn bound<T>(value: Option<Value>, of: impl Fn(Value) -> Option<T>) -> Option<Option<T>> {
    value.map_or(Some(None), |value| of(value).map(Some))
}

fn within<T: PartialOrd>(min: &Option<T>, max: &Option<T>, value: &T) -> bool {
    min.as_ref().is_none_or(|min| min <= value) && max.as_ref().is_none_or(|max| value <= max)
}
