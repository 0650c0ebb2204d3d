//! Why the ledger refused an event.

use exchange_model::id::{AttemptId, BuyerId};
use exchange_model::money::{Currency, Money, MoneyError};

use crate::entry::{ENTRIES_MAX, KEY_MAX, Layer, TEXT_MAX};

/// Why the ledger refused an event.
///
/// Checks run in the order of the variants, so one mistake always yields the same error. A refused
/// event leaves every balance as it was.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum LedgerError {
    /// A hold, a price, a payout or a top-up is below zero, or zero where something must move.
    #[error("the amount must be positive, got `{0}`")]
    AmountNotPositive(Money),
    /// Money that arrived has digits below the currency's smallest unit; rounding would invent some.
    #[error("`{0}` is no whole number of the currency's smallest unit")]
    NotWholeUnits(Money),
    /// Two amounts of one event have different currencies.
    #[error("`{0}` and `{1}` are different currencies")]
    CurrencyMismatch(Currency, Currency),
    /// An amount, or a balance after it, does not fit the ledger's integers.
    #[error("the amount is too large for the ledger")]
    Overflow,
    /// The legs of a sale are not what it says they are in all.
    #[error("the legs of `{0}` do not add up to its price and payout")]
    LegsDoNotAddUp(AttemptId),
    /// The hold belongs to another attempt than the event.
    #[error("the hold of `{hold}` cannot serve `{event}`")]
    HoldOfAnotherAttempt {
        /// The attempt whose hold was given.
        hold: AttemptId,
        /// The attempt the event is about.
        event: AttemptId,
    },
    /// The hold was captured or released before; a hold resolves once.
    #[error("the hold of `{0}` is not open any more")]
    HoldNotOpen(AttemptId),
    /// The sale's price is more than was held for it.
    #[error("the price of `{price}` is more than the `{held}` held for it")]
    PriceAboveHold {
        /// What the sale would book.
        price: Money,
        /// What was held.
        held: Money,
    },
    /// The seller would be paid more than the buyer owes, and the event does not allow a loss.
    #[error("the payout of `{payout}` is more than the price of `{price}`")]
    PayoutAbovePrice {
        /// What the seller would be paid.
        payout: Money,
        /// What the buyer would owe.
        price: Money,
    },
    /// The buyer's terms do not cover the hold.
    #[error("buyer `{buyer}` has `{available}` left and needs `{needed}`")]
    OverCreditLimit {
        /// Who would owe.
        buyer: BuyerId,
        /// What its terms still allow; never more than `needed`, below zero when a limit was lowered.
        available: Money,
        /// What the hold asked for.
        needed: Money,
    },
    /// The key is empty, longer than [`KEY_MAX`], or has characters other than `a-z A-Z 0-9 : _ - . / #`.
    #[error("a transaction's key is 1 to {KEY_MAX} letters, digits and `:_-./#`")]
    BadKey,
    /// The actor or the memo is longer than [`TEXT_MAX`] bytes or has control characters.
    #[error("actor and memo have at most {TEXT_MAX} bytes and no control characters")]
    BadText,
    /// A transaction moves something, or it is none.
    #[error("the transaction has no entries")]
    NoEntries,
    /// More entries than [`ENTRIES_MAX`].
    #[error("the transaction has more than {ENTRIES_MAX} entries")]
    TooManyEntries,
    /// An entry's amount is zero or below; the other direction is the other side.
    #[error("an entry of `{0}` is not positive")]
    EntryNotPositive(Money),
    /// The two sides of a layer do not cancel out.
    #[error("{layer} debits of `{debits}` do not equal credits of `{credits}`")]
    Unbalanced {
        /// The layer that does not balance.
        layer: Layer,
        /// The sum of its debits.
        debits: Money,
        /// The sum of its credits.
        credits: Money,
    },
}

impl LedgerError {
    /// The name that appears in API replies, metrics and exports; it never changes.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::AmountNotPositive(_) => "amount_not_positive",
            Self::NotWholeUnits(_) => "not_whole_units",
            Self::CurrencyMismatch(..) => "currency_mismatch",
            Self::Overflow => "overflow",
            Self::LegsDoNotAddUp(_) => "legs_do_not_add_up",
            Self::HoldOfAnotherAttempt { .. } => "hold_of_another_attempt",
            Self::HoldNotOpen(_) => "hold_not_open",
            Self::PriceAboveHold { .. } => "price_above_hold",
            Self::PayoutAbovePrice { .. } => "payout_above_price",
            Self::OverCreditLimit { .. } => "over_credit_limit",
            Self::BadKey => "bad_key",
            Self::BadText => "bad_text",
            Self::NoEntries => "no_entries",
            Self::TooManyEntries => "too_many_entries",
            Self::EntryNotPositive(_) => "entry_not_positive",
            Self::Unbalanced { .. } => "unbalanced",
        }
    }
}

impl From<MoneyError> for LedgerError {
    /// Amounts that reach the ledger were parsed long ago, so only two faults can remain.
    fn from(error: MoneyError) -> Self {
        match error {
            MoneyError::CurrencyMismatch(one, other) => Self::CurrencyMismatch(one, other),
            MoneyError::Overflow
            | MoneyError::NotAnAmount
            | MoneyError::TooManyDigits
            | MoneyError::NotACurrency => Self::Overflow,
        }
    }
}
