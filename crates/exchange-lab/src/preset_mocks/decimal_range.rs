//! A price, or a range of prices, without a binary fraction anywhere.

use rust_decimal::Decimal;

/// Least digits after the point of a drawn price.
const SCALE_LEAST: u32 = 2;
/// Most digits after the point.
pub(crate) const SCALE_MOST: u32 = 6;

/// Prices from one to another, both included.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DecimalRange {
    from: Decimal,
    to: Decimal,
}

impl DecimalRange {
    /// One price.
    #[must_use]
    pub const fn one(price: Decimal) -> Self {
        Self { from: price, to: price }
    }

    /// A range; `None` when it is empty, or a bound is negative or has too many digits.
    #[must_use]
    pub fn new(from: Decimal, to: Decimal) -> Option<Self> {
        let usable = |price: Decimal| !price.is_sign_negative() && price.scale() <= SCALE_MOST;
        (usable(from) && usable(to) && from <= to).then_some(Self { from, to })
    }

    /// The price that this draw makes, in the finest digits of the bounds, at least two.
    #[must_use]
    pub fn price(&self, draw: u64) -> Decimal {
        let scale = self.from.scale().max(self.to.scale()).max(SCALE_LEAST);
        let units = |price: Decimal| {
            let mut price = price;
            price.rescale(scale);
            price.mantissa()
        };
        let (from, to) = (units(self.from), units(self.to));
        let span = to.saturating_sub(from).saturating_add(1);
        let step = i128::from(draw).checked_rem(span).unwrap_or(0);
        Decimal::try_from_i128_with_scale(from.saturating_add(step), scale).unwrap_or(self.from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn a_price_is_drawn_from_the_whole_range_and_from_nothing_else() {
        let range = DecimalRange::new(decimal("9.5"), decimal("9.53")).unwrap();
        let drawn: Vec<String> = (0..4).map(|draw| range.price(draw).to_string()).collect();
        assert_eq!(drawn, ["9.50", "9.51", "9.52", "9.53"]);
        assert_eq!(range.price(4), decimal("9.50"));
        assert_eq!(DecimalRange::one(decimal("12")).price(u64::MAX).to_string(), "12.00");
        assert_eq!(DecimalRange::one(decimal("0.125")).price(7).to_string(), "0.125");
    }

    #[test]
    fn an_empty_or_negative_range_is_none() {
        assert_eq!(DecimalRange::new(decimal("2"), decimal("1")), None);
        assert_eq!(DecimalRange::new(decimal("-1"), decimal("1")), None);
        assert_eq!(DecimalRange::new(decimal("1"), decimal("1.1234567")), None);
    }
}
