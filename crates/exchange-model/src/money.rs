//! Exact amounts.
//!
//! [`Money`] is what people bid and agree on: an exact decimal with its currency. [`MinorUnits`]
//! is what the ledger books: whole cents (or the currency's own smallest unit), rounded once per
//! event. No float appears anywhere near either.

use std::fmt;

use rust_decimal::{Decimal, RoundingStrategy};

/// Most digits before the point in an amount from outside.
pub const AMOUNT_INTEGER_DIGITS_MAX: usize = 7;
/// Most digits after the point in an amount from outside.
pub const AMOUNT_FRACTION_DIGITS_MAX: usize = 6;

/// Why an amount was refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum MoneyError {
    /// Not digits with an optional point: no sign, exponent, blank or separator is read.
    #[error("an amount is written as digits with an optional point, like 14.00")]
    NotAnAmount,
    /// More digits than [`AMOUNT_INTEGER_DIGITS_MAX`] or [`AMOUNT_FRACTION_DIGITS_MAX`].
    #[error(
        "an amount has at most {AMOUNT_INTEGER_DIGITS_MAX} digits before and {AMOUNT_FRACTION_DIGITS_MAX} after the point"
    )]
    TooManyDigits,
    /// Not three upper-case letters.
    #[error("a currency is three upper-case letters of ISO 4217, like USD")]
    NotACurrency,
    /// Two amounts of different currencies cannot be added or compared.
    #[error("`{0}` and `{1}` are different currencies")]
    CurrencyMismatch(Currency, Currency),
    /// The result does not fit.
    #[error("the amount is too large")]
    Overflow,
}

/// An ISO 4217 currency code.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Currency([u8; 3]);

impl Currency {
    /// The United States dollar.
    pub const USD: Self = Self(*b"USD");

    /// Reads a code.
    ///
    /// # Errors
    /// [`MoneyError::NotACurrency`].
    pub fn new(text: &str) -> Result<Self, MoneyError> {
        match *text.as_bytes() {
            [a @ b'A'..=b'Z', b @ b'A'..=b'Z', c @ b'A'..=b'Z'] => Ok(Self([a, b, c])),
            _ => Err(MoneyError::NotACurrency),
        }
    }

    /// The code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("three ASCII letters")
    }

    /// Decimal places of the smallest unit, after ISO 4217.
    #[must_use]
    pub fn exponent(self) -> u32 {
        match &self.0 {
            b"BIF" | b"CLP" | b"DJF" | b"GNF" | b"ISK" | b"JPY" | b"KMF" | b"KRW" | b"PYG"
            | b"RWF" | b"UGX" | b"VND" | b"VUV" | b"XAF" | b"XOF" | b"XPF" => 0,
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
            _ => 2,
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An exact amount in one currency.
///
/// An amount keeps the digits it arrived with. Rounding happens once, where an event becomes
/// ledger entries, so a statement always adds up to the entries behind it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Money {
    amount: Decimal,
    currency: Currency,
}

impl Money {
    /// Nothing, in this currency.
    #[must_use]
    pub const fn zero(currency: Currency) -> Self {
        Self { amount: Decimal::ZERO, currency }
    }

    /// From a decimal that was computed, not received.
    #[must_use]
    pub const fn new(amount: Decimal, currency: Currency) -> Self {
        Self { amount, currency }
    }

    /// Reads an amount from outside: digits with an optional point, bounded, never negative.
    ///
    /// # Errors
    /// [`MoneyError::NotAnAmount`], [`MoneyError::TooManyDigits`].
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        parse_amount(text).map(|amount| Self { amount, currency })
    }

    /// The amount.
    #[must_use]
    pub const fn amount(&self) -> Decimal {
        self.amount
    }

    /// The currency.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    /// Whether the amount is more than zero.
    #[must_use]
    pub fn is_positive(&self) -> bool {
        self.amount > Decimal::ZERO
    }

    /// The sum.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`], [`MoneyError::Overflow`].
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let amount = self.amount.checked_add(other.amount).ok_or(MoneyError::Overflow)?;
        Ok(Self { amount, ..self })
    }

    /// The difference; it may be negative.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`], [`MoneyError::Overflow`].
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let amount = self.amount.checked_sub(other.amount).ok_or(MoneyError::Overflow)?;
        Ok(Self { amount, ..self })
    }

    /// This share of the amount, exact.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn checked_share(self, share: Rate) -> Result<Self, MoneyError> {
        let amount = self.amount.checked_mul(share.0).ok_or(MoneyError::Overflow)?;
        Ok(Self { amount, ..self })
    }

    /// The least amount of which this is the share, rounded up to the smallest unit; nothing when
    /// there is none.
    #[must_use]
    pub fn whole_of_share(self, share: Rate) -> Option<Self> {
        let exact = self.amount.checked_div(share.0)?;
        let (places, up) = (self.currency.exponent(), RoundingStrategy::ToPositiveInfinity);
        Some(Self { amount: exact.round_dp_with_strategy(places, up), ..self })
    }

    /// Whether this amount is at least `other`.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`].
    pub fn at_least(self, other: Self) -> Result<bool, MoneyError> {
        self.same_currency(other)?;
        Ok(self.amount >= other.amount)
    }

    /// Rounds half to even to the currency's smallest unit.
    #[must_use]
    pub fn rounded(self) -> Self {
        let amount = self.amount.round_dp_with_strategy(
            self.currency.exponent(),
            RoundingStrategy::MidpointNearestEven,
        );
        Self { amount, ..self }
    }

    /// The amount as whole minor units, rounded half to even.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn to_minor(self) -> Result<MinorUnits, MoneyError> {
        let mut amount = self.rounded().amount;
        amount.rescale(self.currency.exponent());
        if amount.scale() != self.currency.exponent() {
            return Err(MoneyError::Overflow);
        }
        i64::try_from(amount.mantissa()).map(MinorUnits).map_err(|_too_large| MoneyError::Overflow)
    }

    /// The amount that is this many minor units.
    #[must_use]
    pub fn from_minor(minor: MinorUnits, currency: Currency) -> Self {
        Self { amount: Decimal::new(minor.0, currency.exponent()), currency }
    }

    /// The amount with at least the currency's decimal places: `24.80`, `0.005`.
    #[must_use]
    pub fn amount_text(&self) -> String {
        let mut amount = self.amount.normalize();
        if amount.scale() < self.currency.exponent() {
            amount.rescale(self.currency.exponent());
        }
        amount.to_string()
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            Ok(())
        } else {
            Err(MoneyError::CurrencyMismatch(self.currency, other.currency))
        }
    }
}

/// `24.80 USD`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount_text(), self.currency)
    }
}

/// Reads an amount without a currency: digits with an optional point, bounded, never negative.
///
/// # Errors
/// [`MoneyError::NotAnAmount`], [`MoneyError::TooManyDigits`].
pub fn parse_amount(text: &str) -> Result<Decimal, MoneyError> {
    let (whole, fraction) = match text.split_once('.') {
        Some((_, "")) => return Err(MoneyError::NotAnAmount),
        Some((whole, fraction)) => (whole, fraction),
        None => (text, ""),
    };
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return Err(MoneyError::NotAnAmount);
    }
    if whole.len() > AMOUNT_INTEGER_DIGITS_MAX || fraction.len() > AMOUNT_FRACTION_DIGITS_MAX {
        return Err(MoneyError::TooManyDigits);
    }
    Decimal::from_str_exact(text).map_err(|_checked_above| MoneyError::NotAnAmount)
}

/// A whole number of a currency's smallest unit (cents): what ledger entries hold.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct MinorUnits(i64);

impl MinorUnits {
    /// None.
    pub const ZERO: Self = Self(0);

    /// This many.
    #[must_use]
    pub const fn new(units: i64) -> Self {
        Self(units)
    }

    /// How many.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The sum, or `None` on overflow.
    #[must_use]
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(units) => Some(Self(units)),
            None => None,
        }
    }

    /// The difference, or `None` on overflow.
    #[must_use]
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(units) => Some(Self(units)),
            None => None,
        }
    }
}

/// A share of an amount, exact: `80%` is 0.8.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rate(Decimal);

impl Rate {
    /// The whole.
    pub const WHOLE: Self = Self(Decimal::ONE);

    /// Reads `"80%"` or `"12.5%"`, at most `100%`.
    ///
    /// # Errors
    /// [`MoneyError::NotAnAmount`].
    pub fn parse_percent(text: &str) -> Result<Self, MoneyError> {
        let number = text.strip_suffix('%').ok_or(MoneyError::NotAnAmount)?;
        let percent = parse_amount(number)?;
        let share = percent.checked_div(Decimal::ONE_HUNDRED).ok_or(MoneyError::Overflow)?;
        if share > Decimal::ONE { Err(MoneyError::NotAnAmount) } else { Ok(Self(share)) }
    }

    /// A share that is a decimal between 0 and 1, as [`Rate::as_decimal`] gave it.
    #[must_use]
    pub fn from_decimal(share: Decimal) -> Option<Self> {
        (share >= Decimal::ZERO && share <= Decimal::ONE).then_some(Self(share))
    }

    /// The share as a decimal between 0 and 1.
    #[must_use]
    pub const fn as_decimal(self) -> Decimal {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(text: &str) -> Money {
        Money::parse(text, Currency::USD).unwrap()
    }

    #[test]
    fn reads_only_plain_bounded_digits() {
        for good in ["0", "14", "14.00", "0.000001", "9999999.999999"] {
            assert!(parse_amount(good).is_ok(), "{good}");
        }
        for bad in [
            "", ".", "5.", ".5", "+5", "-1", "1e3", "1_000", "1,000", " 1", "1 ", "NaN", "\u{661}",
            "$5", "1.2.3", "0x10", "inf",
        ] {
            assert_eq!(parse_amount(bad), Err(MoneyError::NotAnAmount), "{bad}");
        }
        for long in ["12345678", "1.1234567"] {
            assert_eq!(parse_amount(long), Err(MoneyError::TooManyDigits), "{long}");
        }
    }

    #[test]
    fn rounds_half_to_even_once() {
        assert_eq!(usd("0.125").to_minor(), Ok(MinorUnits::new(12)));
        assert_eq!(usd("0.135").to_minor(), Ok(MinorUnits::new(14)));
        assert_eq!(
            usd("31.00").checked_share(Rate::parse_percent("80%").unwrap()),
            Ok(usd("24.8"))
        );
        assert_eq!(usd("24.8").to_string(), "24.80 USD");
        assert_eq!(usd("0.005").amount_text(), "0.005");
    }

    #[test]
    fn currencies_do_not_mix() {
        let eur = Money::parse("1", Currency::new("EUR").unwrap()).unwrap();
        assert!(matches!(usd("1").checked_add(eur), Err(MoneyError::CurrencyMismatch(..))));
        assert_eq!(Currency::new("usd"), Err(MoneyError::NotACurrency));
    }

    #[test]
    fn a_percent_is_a_share_of_at_most_the_whole() {
        assert_eq!(Rate::parse_percent("100%"), Ok(Rate::WHOLE));
        for bad in ["101%", "80", "-1%", "%"] {
            assert!(Rate::parse_percent(bad).is_err(), "{bad}");
        }
    }
}
