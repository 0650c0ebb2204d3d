//! Holds: money reserved before a lead leaves the house.
//!
//! A hold takes the most that a post may cost from what the buyer's terms allow, on the pending
//! layer. Only an outcome ends it: [`sale::book`](crate::sale::book) captures it,
//! [`release`] gives it back, each at most once. No timer ends a hold, because a buyer that has not
//! answered may still have bought.

use exchange_model::billing::BillingTerms;
use exchange_model::id::{AttemptId, BuyerId};
use exchange_model::money::{Currency, MinorUnits, Money};

use crate::account::Account;
use crate::entry::{Entry, EventKind, Header, Side, Stamp, Transaction};
use crate::error::LedgerError;

/// What became of a hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum HoldState {
    /// Nothing yet: the attempt is prepared, or its outcome is unknown.
    Open,
    /// The lead was sold for `captured`; the rest was given back.
    Captured {
        /// What the sale took, at most the amount held, zero for a lead given away.
        captured: MinorUnits,
    },
    /// All of it was given back.
    Released,
}

impl HoldState {
    /// The name that stores use; it never changes.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Captured { .. } => "captured",
            Self::Released => "released",
        }
    }

    /// The state of this code; `captured` is what is stored beside it and serves that state alone.
    #[must_use]
    pub fn from_code(code: &str, captured: Option<MinorUnits>) -> Option<Self> {
        match (code, captured) {
            ("open", None) => Some(Self::Open),
            ("captured", Some(captured)) => Some(Self::Captured { captured }),
            ("released", None) => Some(Self::Released),
            _ => None,
        }
    }
}

/// Money reserved for one attempt.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Hold {
    /// The attempt it was placed for.
    pub attempt: AttemptId,
    /// The buyer's own account. A sale is booked here even if the buyer's terms changed meanwhile.
    pub account: Account,
    /// The currency of its amounts.
    pub currency: Currency,
    /// How much was reserved.
    pub amount: MinorUnits,
    /// What became of it.
    pub state: HoldState,
}

impl Hold {
    /// The pending entries that end it: the mirror of those that placed it.
    pub(crate) fn mirror(&self) -> [Entry; 2] {
        [
            Entry::debit(Account::InFlight, self.amount).pending(),
            Entry::credit(self.account.clone(), self.amount).pending(),
        ]
    }

    /// Refuses an event about another attempt, and a hold that has ended.
    pub(crate) fn check_open(&self, attempt: AttemptId) -> Result<(), LedgerError> {
        if self.attempt != attempt {
            return Err(LedgerError::HoldOfAnotherAttempt { hold: self.attempt, event: attempt });
        }
        match self.state {
            HoldState::Open => Ok(()),
            HoldState::Captured { .. } | HoldState::Released => {
                Err(LedgerError::HoldNotOpen(attempt))
            }
        }
    }
}

/// What is asked to be held.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HoldRequest {
    /// The attempt about to be made.
    pub attempt: AttemptId,
    /// Who would owe.
    pub buyer: BuyerId,
    /// The most the sale may cost: the bid, or what the campaign's price-change rule allows.
    pub amount: Money,
    /// When and by whom.
    pub stamp: Stamp,
}

/// What a buyer has or owes, read from its own account inside the write that places the hold.
///
/// Both are in the currency of the hold.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Funds {
    /// The settled balance in the account's own direction: what a prepaid buyer has left, or what a
    /// buyer on terms owes.
    pub settled: MinorUnits,
    /// The sum of its open holds, zero or more, whatever the account's direction.
    pub pending: MinorUnits,
}

impl Funds {
    /// From the account's two stored balances, both debit-positive.
    ///
    /// # Errors
    /// [`LedgerError::Overflow`].
    pub fn from_balances(
        account: &Account,
        settled: MinorUnits,
        pending: MinorUnits,
    ) -> Result<Self, LedgerError> {
        let settled = match account.normal_side() {
            Side::Debit => settled,
            Side::Credit => subtract(MinorUnits::ZERO, settled)?,
        };
        Ok(Self { settled, pending })
    }
}

/// Reserves the amount, if the buyer's terms cover it.
///
/// A prepaid buyer is covered while settled - pending - amount >= -credit line; a buyer on terms
/// while settled + pending + amount <= credit limit. The amount is rounded half to even, a limit
/// down. The transaction's key is `hold:{attempt}`.
///
/// # Errors
/// [`LedgerError::AmountNotPositive`] when the amount rounds to nothing (then nothing needs a hold:
/// see [`place_unless_zero`]); [`LedgerError::CurrencyMismatch`], [`LedgerError::Overflow`],
/// [`LedgerError::OverCreditLimit`], and [`LedgerError::BadText`] for the stamp's actor.
pub fn place(
    request: HoldRequest,
    funds: Funds,
    terms: &BillingTerms,
) -> Result<(Transaction, Hold), LedgerError> {
    let needed = request.amount.to_minor()?;
    if needed <= MinorUnits::ZERO {
        return Err(LedgerError::AmountNotPositive(request.amount));
    }
    check_credit(&request, needed, funds, terms)?;
    let hold = Hold {
        attempt: request.attempt,
        account: Account::of_buyer(request.buyer, terms),
        currency: request.amount.currency(),
        amount: needed,
        state: HoldState::Open,
    };
    let entries = vec![
        Entry::debit(hold.account.clone(), needed).pending(),
        Entry::credit(Account::InFlight, needed).pending(),
    ];
    Ok((Transaction::new(header(EventKind::Hold, &hold, request.stamp), entries)?, hold))
}

/// [`place`], or nothing when the amount rounds to zero: a lead that costs nothing needs no hold.
///
/// # Errors
/// Those of [`place`]; a negative amount is still refused.
pub fn place_unless_zero(
    request: HoldRequest,
    funds: Funds,
    terms: &BillingTerms,
) -> Result<Option<(Transaction, Hold)>, LedgerError> {
    if request.amount.to_minor()? == MinorUnits::ZERO {
        return Ok(None);
    }
    place(request, funds, terms).map(Some)
}

/// Gives the whole hold back: the lead was not sent, or it was rejected.
///
/// The transaction's key is `release:{attempt}`. The hold that is returned replaces the one given.
///
/// # Errors
/// [`LedgerError::HoldNotOpen`], and [`LedgerError::BadText`] for the stamp's actor.
pub fn release(hold: &Hold, stamp: Stamp) -> Result<(Transaction, Hold), LedgerError> {
    hold.check_open(hold.attempt)?;
    let header = header(EventKind::Release, hold, stamp);
    let transaction = Transaction::new(header, hold.mirror().to_vec())?;
    Ok((transaction, Hold { state: HoldState::Released, ..hold.clone() }))
}

fn header(kind: EventKind, hold: &Hold, stamp: Stamp) -> Header {
    Header {
        key: format!("{kind}:{}", hold.attempt),
        kind,
        currency: hold.currency,
        stamp,
        lead: Some(hold.attempt.lead()),
        attempt: Some(hold.attempt),
        memo: String::new(),
    }
}

fn check_credit(
    request: &HoldRequest,
    needed: MinorUnits,
    funds: Funds,
    terms: &BillingTerms,
) -> Result<(), LedgerError> {
    let currency = request.amount.currency();
    let available = available(funds, terms, currency)?;
    if needed <= available {
        return Ok(());
    }
    Err(LedgerError::OverCreditLimit {
        buyer: request.buyer.clone(),
        available: Money::from_minor(available, currency),
        needed: Money::from_minor(needed, currency),
    })
}

/// What the terms still allow; below zero when a limit was lowered under what is already owed.
///
/// # Errors
/// [`LedgerError::CurrencyMismatch`] when the terms are in another currency;
/// [`LedgerError::Overflow`].
pub fn available(
    funds: Funds,
    terms: &BillingTerms,
    currency: Currency,
) -> Result<MinorUnits, LedgerError> {
    let unheld = match terms {
        BillingTerms::Prepaid { credit_line } => {
            let line = limit(*credit_line, currency)?;
            funds.settled.checked_add(line).ok_or(LedgerError::Overflow)?
        }
        BillingTerms::Net { credit_limit, .. } => {
            subtract(limit(*credit_limit, currency)?, funds.settled)?
        }
    };
    subtract(unheld, funds.pending)
}

/// A limit in whole minor units, rounded down: rounding must not lend anybody money.
fn limit(limit: Money, currency: Currency) -> Result<MinorUnits, LedgerError> {
    let rounded = limit.to_minor()?;
    if limit.at_least(Money::from_minor(rounded, currency))? {
        Ok(rounded)
    } else {
        subtract(rounded, MinorUnits::new(1))
    }
}

fn subtract(from: MinorUnits, amount: MinorUnits) -> Result<MinorUnits, LedgerError> {
    from.checked_sub(amount).ok_or(LedgerError::Overflow)
}

#[cfg(test)]
mod tests;
