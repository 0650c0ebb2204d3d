//! Filters of numbers: exact decimals, no float.

use rust_decimal::RoundingStrategy;

use crate::template::scalar::{Scalar, decimal};

/// What is done with two numbers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Operation {
    /// Their sum.
    Add,
    /// The first less the second.
    Subtract,
    /// Their product.
    Multiply,
    /// The first by the second; nothing when that is zero.
    Divide,
}

/// Nothing where one is no number or the result does not fit.
pub(super) fn calculate<'v>(
    value: &Scalar<'v>,
    how: Operation,
    with: &Scalar<'_>,
) -> Option<Scalar<'v>> {
    let (one, other) = (value.number()?, with.number()?);
    let result = match how {
        Operation::Add => one.checked_add(other),
        Operation::Subtract => one.checked_sub(other),
        Operation::Multiply => one.checked_mul(other),
        Operation::Divide => one.checked_div(other).map(|quotient| quotient.normalize()),
    };
    result.map(Scalar::decimal)
}

/// What is left of a division, of the sign of the first; nothing where one is no number.
pub(super) fn remainder<'v>(value: &Scalar<'v>, with: &Scalar<'_>) -> Option<Scalar<'v>> {
    let rest = value.number()?.checked_rem(with.number()?)?;
    Some(Scalar::decimal(rest.normalize()))
}

/// The digits that are too many are cut off, towards the lower number.
pub(super) fn floor<'v>(value: &Scalar<'v>, places: u32) -> Option<Scalar<'v>> {
    let mut number =
        value.number()?.round_dp_with_strategy(places, RoundingStrategy::ToNegativeInfinity);
    number.rescale(places);
    Some(Scalar::decimal(number))
}

/// Half a unit is rounded away from zero; digits that are missing are filled with zeros.
pub(super) fn round<'v>(value: &Scalar<'v>, places: u32) -> Option<Scalar<'v>> {
    let mut number =
        value.number()?.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero);
    number.rescale(places);
    Some(Scalar::decimal(number))
}

/// A number in JSON, without leading zeros; any other value stays as it is.
pub(super) fn typed(value: Scalar<'_>) -> Scalar<'_> {
    match value {
        Scalar::Text(text) => match decimal(&text) {
            Some(number) => Scalar::decimal(number),
            None => Scalar::Text(text),
        },
        Scalar::Boolean(yes) => Scalar::Integer(i64::from(yes)),
        other => other,
    }
}
