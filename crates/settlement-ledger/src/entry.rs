//! Entries and the transactions they make.
//!
//! A transaction is two or more entries that cancel out on each layer. It is made once, by an
//! event's function, and never edited. It holds ids and amounts; contact data cannot get in.

use std::fmt;

use exchange_model::id::{AttemptId, LeadId};
use exchange_model::money::{Currency, MinorUnits, Money};
use exchange_model::timestamp::Timestamp;

use crate::account::Account;
use crate::balance::BalanceDelta;
use crate::error::LedgerError;

/// Longest key, in bytes.
pub const KEY_MAX: usize = 128;
/// Longest actor or memo, in bytes.
pub const TEXT_MAX: usize = 200;
/// Most entries in one transaction.
pub const ENTRIES_MAX: usize = 64;

/// Which of an account's two balances an entry moves.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Layer {
    /// Money that is held and may yet be given back.
    Pending,
    /// Money that is owed.
    Settled,
}

impl Layer {
    /// Both, in the order they are reported.
    pub const ALL: [Self; 2] = [Self::Pending, Self::Settled];

    /// The name that stores and hashes use; it never changes.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Settled => "settled",
        }
    }

    /// The layer of this code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|layer| layer.code() == code)
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// Which side of an account an entry is on.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Side {
    /// What we have or spend grows.
    Debit,
    /// What we owe or earn grows.
    Credit,
}

impl Side {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Debit, Self::Credit];

    /// The name that stores and hashes use; it never changes.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Debit => "debit",
            Self::Credit => "credit",
        }
    }

    /// The side of this code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|side| side.code() == code)
    }

    /// The other one.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Debit => Self::Credit,
            Self::Credit => Self::Debit,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// One amount on one side of one account.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Entry {
    /// Where.
    pub account: Account,
    /// Which of its balances.
    pub layer: Layer,
    /// Which way.
    pub side: Side,
    /// How much, in the transaction's currency; always above zero.
    pub minor: MinorUnits,
}

impl Entry {
    /// A debit of what is owed.
    #[must_use]
    pub fn debit(account: Account, minor: MinorUnits) -> Self {
        Self { account, layer: Layer::Settled, side: Side::Debit, minor }
    }

    /// A credit of what is owed.
    #[must_use]
    pub fn credit(account: Account, minor: MinorUnits) -> Self {
        Self { account, layer: Layer::Settled, side: Side::Credit, minor }
    }

    /// The same entry on the pending layer.
    #[must_use]
    pub fn pending(self) -> Self {
        Self { layer: Layer::Pending, ..self }
    }

    /// The amount as a change of a debit-positive balance.
    ///
    /// An entry of a checked transaction is positive, so its negation always fits.
    #[must_use]
    pub fn signed(&self) -> MinorUnits {
        match self.side {
            Side::Debit => self.minor,
            Side::Credit => MinorUnits::new(self.minor.get().saturating_neg()),
        }
    }
}

/// What happened: the closed list of events that are booked.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum EventKind {
    /// Money was reserved before a lead was posted.
    Hold,
    /// A buyer accepted a lead.
    Sale,
    /// A hold was given back because the lead was not sent or was rejected.
    Release,
    /// A buyer paid in advance.
    TopUp,
}

impl EventKind {
    /// All of them, in the order they are reported.
    pub const ALL: [Self; 4] = [Self::Hold, Self::Sale, Self::Release, Self::TopUp];

    /// The name that stores, hashes and exports use; it never changes.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Sale => "sale",
            Self::Release => "release",
            Self::TopUp => "top_up",
        }
    }

    /// The event of this code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// When an event happened, when it was booked, and on whose behalf.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Stamp {
    /// When it happened: decides the statement it appears on. A sale that a resolver found out about
    /// later carries the time of its post.
    pub effective_at: Timestamp,
    /// When it was booked.
    pub recorded_at: Timestamp,
    /// Who booked it, like `auction` or `cli`; never a person's contact data.
    pub actor: String,
}

impl Stamp {
    /// An event that is booked as it happens.
    #[must_use]
    pub fn at(now: Timestamp, actor: &str) -> Self {
        Self { effective_at: now, recorded_at: now, actor: actor.to_owned() }
    }
}

/// Everything about a transaction but its entries.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Header {
    /// Names the event once and for all, like `sale:att_…_1`. The store keeps it unique.
    pub key: String,
    /// What happened.
    pub kind: EventKind,
    /// The currency of every entry.
    pub currency: Currency,
    /// When and by whom.
    pub stamp: Stamp,
    /// The lead it is about.
    pub lead: Option<LeadId>,
    /// The attempt it is about.
    pub attempt: Option<AttemptId>,
    /// A remark for finance, or nothing; never contact data.
    pub memo: String,
}

/// A balanced set of entries, and what it is about.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Transaction {
    header: Header,
    entries: Vec<Entry>,
}

impl Transaction {
    /// Checks the texts and that the entries are positive and cancel out on each layer.
    ///
    /// # Errors
    /// [`LedgerError::BadKey`], [`LedgerError::BadText`], [`LedgerError::NoEntries`],
    /// [`LedgerError::TooManyEntries`], [`LedgerError::EntryNotPositive`],
    /// [`LedgerError::Overflow`], [`LedgerError::Unbalanced`].
    pub fn new(header: Header, entries: Vec<Entry>) -> Result<Self, LedgerError> {
        let transaction = Self { header, entries };
        transaction.check()?;
        Ok(transaction)
    }

    /// What a store reads back, unchecked, so that [`Verifier`](crate::verify::Verifier) can say
    /// what is wrong with it. Everybody else calls [`Transaction::new`].
    #[must_use]
    pub fn stored(header: Header, entries: Vec<Entry>) -> Self {
        Self { header, entries }
    }

    /// Runs the checks of [`Transaction::new`] again.
    ///
    /// # Errors
    /// Those of [`Transaction::new`].
    pub fn check(&self) -> Result<(), LedgerError> {
        check_header(&self.header)?;
        match self.entries.len() {
            0 => return Err(LedgerError::NoEntries),
            1..=ENTRIES_MAX => {}
            _ => return Err(LedgerError::TooManyEntries),
        }
        self.check_positive()?;
        Layer::ALL.into_iter().try_for_each(|layer| self.check_balanced(layer))
    }

    /// What it is about.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The key that names its event.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.header.key
    }

    /// What happened.
    #[must_use]
    pub fn kind(&self) -> EventKind {
        self.header.kind
    }

    /// The currency of every entry.
    #[must_use]
    pub fn currency(&self) -> Currency {
        self.header.currency
    }

    /// When the event happened.
    #[must_use]
    pub fn effective_at(&self) -> Timestamp {
        self.header.stamp.effective_at
    }

    /// The entries, in the order they were booked.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// How each entry changes its account's debit-positive balance, in the order of the entries.
    ///
    /// One account may appear twice; a store applies them one after the other.
    pub fn deltas(&self) -> impl Iterator<Item = BalanceDelta> + '_ {
        self.entries.iter().map(|entry| BalanceDelta {
            account: entry.account.clone(),
            currency: self.header.currency,
            layer: entry.layer,
            change: entry.signed(),
        })
    }

    /// Whether `other` books the same event: all but the stamp and the memo are equal.
    ///
    /// A key that arrives again with the same event is a repetition: the first transaction stands and
    /// nothing is written. With another event it is a conflict, and nothing is written either.
    #[must_use]
    pub fn same_event(&self, other: &Self) -> bool {
        let about = |t: &Self| {
            let Header { key, kind, currency, lead, attempt, .. } = t.header.clone();
            (key, kind, currency, lead, attempt)
        };
        about(self) == about(other) && self.entries == other.entries
    }

    fn check_positive(&self) -> Result<(), LedgerError> {
        match self.entries.iter().find(|entry| entry.minor <= MinorUnits::ZERO) {
            Some(entry) => Err(LedgerError::EntryNotPositive(self.money(entry.minor))),
            None => Ok(()),
        }
    }

    fn check_balanced(&self, layer: Layer) -> Result<(), LedgerError> {
        let debits = self.sum(layer, Side::Debit)?;
        let credits = self.sum(layer, Side::Credit)?;
        if debits == credits {
            return Ok(());
        }
        let (debits, credits) = (self.money(debits), self.money(credits));
        Err(LedgerError::Unbalanced { layer, debits, credits })
    }

    fn sum(&self, layer: Layer, side: Side) -> Result<MinorUnits, LedgerError> {
        self.entries
            .iter()
            .filter(|entry| entry.layer == layer && entry.side == side)
            .try_fold(MinorUnits::ZERO, |sum, entry| sum.checked_add(entry.minor))
            .ok_or(LedgerError::Overflow)
    }

    fn money(&self, minor: MinorUnits) -> Money {
        Money::from_minor(minor, self.header.currency)
    }
}

fn check_header(header: &Header) -> Result<(), LedgerError> {
    if !is_key(&header.key) {
        return Err(LedgerError::BadKey);
    }
    if is_text(&header.stamp.actor) && is_text(&header.memo) {
        Ok(())
    } else {
        Err(LedgerError::BadText)
    }
}

/// Only characters that mean nothing to the tools that read exports.
fn is_key(key: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b":_-./#".contains(&b);
    (1..=KEY_MAX).contains(&key.len()) && key.bytes().all(plain)
}

fn is_text(text: &str) -> bool {
    text.len() <= TEXT_MAX && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests;
