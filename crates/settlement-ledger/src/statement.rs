//! Statements: what one buyer or one seller can hold against us, line by line.
//!
//! A statement is made from settled entries alone: opening balance, one line per transaction that
//! moved the account, totals per kind of event, closing balance. Opening plus lines is closing, to
//! the minor unit, because nothing is rounded here. An event belongs to the period in which it took
//! effect, in the time zone of the books.

use std::borrow::Borrow;
use std::collections::BTreeMap;

use exchange_model::billing::BillingTerms;
use exchange_model::id::{BuyerId, LeadId, SellerId};
use exchange_model::money::{Currency, MinorUnits};
use exchange_model::timestamp::{Date, Timestamp};
use jiff::tz::TimeZone;

use crate::account::Account;
use crate::entry::{EventKind, Layer, Side, Transaction};

mod csv;
mod text;

/// Most lines in one statement; a longer period is asked for in parts.
pub const LINES_MAX: usize = 500_000;

/// Why a statement could not be made.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum StatementError {
    /// The period ends before it starts, or a day does not exist on the calendar.
    #[error("a period starts before it ends")]
    BadPeriod,
    /// More than [`LINES_MAX`] lines.
    #[error("the statement has more than {LINES_MAX} lines; ask for a shorter period")]
    TooManyLines,
    /// A balance does not fit.
    #[error("a balance is too large for the ledger")]
    Overflow,
}

impl StatementError {
    /// The name that output uses; it never changes.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::BadPeriod => "bad_period",
            Self::TooManyLines => "too_many_lines",
            Self::Overflow => "overflow",
        }
    }
}

/// Whole days in a time zone, from the start of the first to the start of the day after the last.
#[derive(Clone, Debug, PartialEq)]
pub struct Period {
    start: Date,
    end: Date,
    zone: TimeZone,
    from: Timestamp,
    until: Timestamp,
}

impl Period {
    /// The days from `start` up to and not including `end`.
    ///
    /// # Errors
    /// [`StatementError::BadPeriod`] unless `start < end`.
    pub fn new(start: Date, end: Date, zone: TimeZone) -> Result<Self, StatementError> {
        if start >= end {
            return Err(StatementError::BadPeriod);
        }
        let midnight = |day: Date| -> Result<Timestamp, StatementError> {
            let begin = day.to_zoned(zone.clone()).and_then(|day| day.start_of_day());
            let begin = begin.map_err(|_off_the_calendar| StatementError::BadPeriod)?;
            Ok(Timestamp::from_jiff(begin.timestamp()))
        };
        let (from, until) = (midnight(start)?, midnight(end)?);
        Ok(Self { start, end, zone, from, until })
    }

    /// The first day.
    #[must_use]
    pub fn start(&self) -> Date {
        self.start
    }

    /// The day after the last.
    #[must_use]
    pub fn end(&self) -> Date {
        self.end
    }

    /// The time zone whose days these are.
    #[must_use]
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The first moment of the period, and the first moment after it.
    #[must_use]
    pub fn bounds(&self) -> (Timestamp, Timestamp) {
        (self.from, self.until)
    }
}

/// Whose statement, and in which direction its balance counts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Party {
    /// A buyer that prepays: the balance is the money it has left.
    PrepaidBuyer(BuyerId),
    /// A buyer on terms: the balance is what it owes.
    TermsBuyer(BuyerId),
    /// A seller: the balance is what it has earned.
    Seller(SellerId),
}

impl Party {
    /// The accounts whose entries appear. A buyer has both of its own, so that nothing is lost when
    /// its terms changed.
    fn accounts(&self) -> Vec<Account> {
        match self {
            Self::PrepaidBuyer(buyer) | Self::TermsBuyer(buyer) => {
                vec![Account::Prepaid(buyer.clone()), Account::Unbilled(buyer.clone())]
            }
            Self::Seller(seller) => vec![Account::SellerAccrued(seller.clone())],
        }
    }

    /// The side that makes the balance grow.
    fn grows_by(&self) -> Side {
        match self {
            Self::TermsBuyer(_) => Side::Debit,
            Self::PrepaidBuyer(_) | Self::Seller(_) => Side::Credit,
        }
    }
}

/// One transaction as its party sees it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StatementLine {
    /// When it took effect.
    pub effective_at: Timestamp,
    /// That day in the statement's time zone.
    pub date: Date,
    /// The lead it is about.
    pub lead: Option<LeadId>,
    /// What happened.
    pub kind: EventKind,
    /// The transaction's key, which finds it in the ledger.
    pub key: String,
    /// The company behind the buyer, where a sale has a line for each.
    pub company: Option<String>,
    /// How it changed the balance.
    pub amount: MinorUnits,
    /// The balance after it.
    pub running: MinorUnits,
}

/// The lines of one kind, added up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct StatementTotal {
    /// Which kind.
    pub kind: EventKind,
    /// How many lines.
    pub lines: u64,
    /// What they change the balance by.
    pub amount: MinorUnits,
}

/// A finished statement. Amounts are minor units of `currency`, in the party's direction.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// Whose.
    pub party: Party,
    /// In which currency.
    pub currency: Currency,
    /// Over which days.
    pub period: Period,
    /// The balance before the first line.
    pub opening: MinorUnits,
    /// In the order the events took effect.
    pub lines: Vec<StatementLine>,
    /// One per kind that occurs, in the order of [`EventKind::ALL`].
    pub totals: Vec<StatementTotal>,
    /// The balance after the last line.
    pub closing: MinorUnits,
}

/// A buyer's statement. `terms` decide the direction of its balance: money left, or money owed.
///
/// `transactions` is the ledger from its beginning (the part before the period makes the opening
/// balance), in any order; other parties, currencies and later events are passed over.
///
/// # Errors
/// [`StatementError::TooManyLines`], [`StatementError::Overflow`].
pub fn buyer_statement<T: Borrow<Transaction>>(
    buyer: &BuyerId,
    terms: &BillingTerms,
    currency: Currency,
    period: Period,
    transactions: impl IntoIterator<Item = T>,
) -> Result<Statement, StatementError> {
    let party = match terms {
        BillingTerms::Prepaid { .. } => Party::PrepaidBuyer(buyer.clone()),
        BillingTerms::Net { .. } => Party::TermsBuyer(buyer.clone()),
    };
    statement(party, currency, period, transactions)
}

/// A seller's statement: what it has earned.
///
/// `transactions` as for [`buyer_statement`].
///
/// # Errors
/// [`StatementError::TooManyLines`], [`StatementError::Overflow`].
pub fn seller_statement<T: Borrow<Transaction>>(
    seller: &SellerId,
    currency: Currency,
    period: Period,
    transactions: impl IntoIterator<Item = T>,
) -> Result<Statement, StatementError> {
    statement(Party::Seller(seller.clone()), currency, period, transactions)
}

fn statement<T: Borrow<Transaction>>(
    party: Party,
    currency: Currency,
    period: Period,
    transactions: impl IntoIterator<Item = T>,
) -> Result<Statement, StatementError> {
    let mut builder = StatementBuilder::new(party, currency, period);
    for transaction in transactions {
        builder.add(transaction.borrow())?;
    }
    builder.finish()
}

/// Makes a statement from transactions that arrive one by one, as from a database.
#[derive(Debug)]
pub struct StatementBuilder {
    party: Party,
    accounts: Vec<Account>,
    currency: Currency,
    period: Period,
    opening: MinorUnits,
    lines: Vec<StatementLine>,
}

impl StatementBuilder {
    /// Nothing has been added.
    #[must_use]
    pub fn new(party: Party, currency: Currency, period: Period) -> Self {
        let accounts = party.accounts();
        Self { party, accounts, currency, period, opening: MinorUnits::ZERO, lines: Vec::new() }
    }

    /// The next transaction, whoever it is about.
    ///
    /// # Errors
    /// [`StatementError::TooManyLines`], [`StatementError::Overflow`].
    pub fn add(&mut self, transaction: &Transaction) -> Result<(), StatementError> {
        let (from, until) = self.period.bounds();
        let at = transaction.effective_at();
        if transaction.currency() != self.currency || at >= until {
            return Ok(());
        }
        let Some(amount) = self.amount(transaction)? else { return Ok(()) };
        if at < from {
            self.opening = sum(self.opening, amount)?;
            return Ok(());
        }
        if self.lines.len() >= LINES_MAX {
            return Err(StatementError::TooManyLines);
        }
        self.lines.push(self.line(transaction, amount));
        Ok(())
    }

    /// Sorts the lines, adds them up and closes the statement.
    ///
    /// # Errors
    /// [`StatementError::Overflow`].
    pub fn finish(mut self) -> Result<Statement, StatementError> {
        self.lines.sort_by_key(|line| line.effective_at);
        let mut running = self.opening;
        for line in &mut self.lines {
            running = sum(running, line.amount)?;
            line.running = running;
        }
        Ok(Statement {
            totals: totals(&self.lines)?,
            party: self.party,
            currency: self.currency,
            period: self.period,
            opening: self.opening,
            lines: self.lines,
            closing: running,
        })
    }

    /// How a transaction changes the party's balance; `None` when none of its settled entries does.
    fn amount(&self, transaction: &Transaction) -> Result<Option<MinorUnits>, StatementError> {
        let mut amount: Option<MinorUnits> = None;
        for entry in transaction.entries() {
            if entry.layer == Layer::Settled && self.accounts.contains(&entry.account) {
                let before = amount.unwrap_or_default();
                let after = if entry.side == self.party.grows_by() {
                    before.checked_add(entry.minor)
                } else {
                    before.checked_sub(entry.minor)
                };
                amount = Some(after.ok_or(StatementError::Overflow)?);
            }
        }
        Ok(amount)
    }

    fn line(&self, transaction: &Transaction, amount: MinorUnits) -> StatementLine {
        let effective_at = transaction.effective_at();
        let memo = &transaction.header().memo;
        let company = transaction.kind() == EventKind::Sale && !memo.is_empty();
        StatementLine {
            effective_at,
            date: effective_at.date_in(self.period.zone()),
            lead: transaction.header().lead,
            kind: transaction.kind(),
            key: transaction.key().to_owned(),
            company: company.then(|| memo.clone()),
            amount,
            running: MinorUnits::ZERO,
        }
    }
}

fn totals(lines: &[StatementLine]) -> Result<Vec<StatementTotal>, StatementError> {
    let mut totals: BTreeMap<EventKind, StatementTotal> = BTreeMap::new();
    for line in lines {
        let kind = line.kind;
        let empty = StatementTotal { kind, lines: 0, amount: MinorUnits::ZERO };
        let total = totals.entry(kind).or_insert(empty);
        total.lines = total.lines.saturating_add(1);
        total.amount = sum(total.amount, line.amount)?;
    }
    Ok(totals.into_values().collect())
}

fn sum(one: MinorUnits, other: MinorUnits) -> Result<MinorUnits, StatementError> {
    one.checked_add(other).ok_or(StatementError::Overflow)
}

#[cfg(test)]
mod tests;
