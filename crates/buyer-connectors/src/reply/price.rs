//! Prices of buyers: digits, and only the decoration that is declared.

use exchange_model::{Currency, Money};
use rust_decimal::Decimal;

use super::found::Found;
use super::locator::{Locator, Pick, Scope};

/// Where a price stands and how it is written.
#[derive(Debug)]
pub(crate) struct PriceRule {
    pub(super) at: Locator,
    /// `$`, in front or behind.
    pub(super) sign: Option<String>,
    /// Between groups of three digits.
    pub(super) group: Option<String>,
    /// Before the fraction.
    pub(super) point: String,
    /// Whole units are the currency's smallest.
    pub(super) cents: bool,
    /// Whether the campaign's own price stands where the reply has none.
    pub(super) contract: bool,
}

/// What was read as a price.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum PriceRead {
    /// More than zero.
    Amount(Money),
    /// Zero or less.
    Nothing,
    /// There is none.
    Absent,
    /// It is no price.
    Unreadable,
}

impl PriceRead {
    /// The amount, if it is one.
    pub(super) fn amount(self) -> Option<Money> {
        match self {
            Self::Amount(amount) => Some(amount),
            Self::Nothing | Self::Absent | Self::Unreadable => None,
        }
    }
}

impl PriceRule {
    /// The price that is meant.
    pub(super) fn read(&self, scope: &Scope<'_>, currency: Currency) -> PriceRead {
        let present = self.at.present(scope);
        if present.is_empty() {
            return PriceRead::Absent;
        }
        let amounts: Option<Vec<Decimal>> =
            present.iter().map(|found| self.amount(found, currency)).collect();
        match amounts.and_then(|amounts| picked(self.at.pick, &amounts)) {
            Some(amount) if amount > Decimal::ZERO => {
                PriceRead::Amount(Money::new(amount, currency))
            }
            Some(_zero_or_less) => PriceRead::Nothing,
            None => PriceRead::Unreadable,
        }
    }

    fn amount(&self, found: &Found<'_>, currency: Currency) -> Option<Decimal> {
        let text = found.amount()?;
        let (minus, text) = without_minus(&text);
        let text = match &self.sign {
            None => text,
            Some(sign) => {
                text.strip_prefix(sign).or_else(|| text.strip_suffix(sign)).unwrap_or(text).trim()
            }
        };
        let (minus_inside, text) = without_minus(text);
        if minus && minus_inside {
            return None;
        }
        let digits = self.plain(text)?;
        let amount = Money::parse(&digits, currency).ok()?.amount();
        let unit = if self.cents { Decimal::new(1, currency.exponent()) } else { Decimal::ONE };
        let amount = amount.checked_mul(unit)?;
        Some(if minus || minus_inside { -amount } else { amount })
    }

    /// Digits with a point, the separators of groups left out where they belong.
    fn plain(&self, text: &str) -> Option<String> {
        let (whole, fraction) = match text.split_once(self.point.as_str()) {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (text, None),
        };
        let whole = match &self.group {
            Some(group) if whole.contains(group.as_str()) => ungrouped(whole, group)?,
            _ => whole.to_owned(),
        };
        // A point that is not the declared one may be anything, a separator of thousands too.
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if !digits(&whole) || !fraction.is_none_or(digits) {
            return None;
        }
        Some(match fraction {
            Some(fraction) => format!("{whole}.{fraction}"),
            None => whole,
        })
    }
}

fn without_minus(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    }
}

/// `1,234,567`: one to three digits, then threes.
fn ungrouped(text: &str, group: &str) -> Option<String> {
    let mut pieces = text.split(group);
    let first = pieces.next()?;
    let rest: Vec<&str> = pieces.collect();
    let good = (1..=3).contains(&first.len()) && rest.iter().all(|piece| piece.len() == 3);
    good.then(|| format!("{first}{}", rest.concat()))
}

fn picked(pick: Option<Pick>, amounts: &[Decimal]) -> Option<Decimal> {
    match pick.unwrap_or(Pick::Only) {
        Pick::Only | Pick::Joined => match amounts {
            [one] => Some(*one),
            _ => None,
        },
        Pick::First => amounts.first().copied(),
        Pick::Last => amounts.last().copied(),
        Pick::Highest => amounts.iter().max().copied(),
        Pick::Lowest => amounts.iter().min().copied(),
        Pick::Sum => amounts.iter().try_fold(Decimal::ZERO, |sum, amount| sum.checked_add(*amount)),
    }
}

/// A price of a rejected post at which the buyer would have taken it.
#[derive(Debug)]
pub(crate) struct Counter {
    pub(super) price: PriceRule,
    /// Whether the lead is posted again under the same idempotency key.
    pub(super) same_key: bool,
}
