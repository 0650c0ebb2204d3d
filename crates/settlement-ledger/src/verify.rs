//! Verification: does what is stored still agree with itself?
//!
//! A [`Verifier`] is fed the whole ledger as stored - transactions in order, then balances, holds
//! and open attempts - recomputes everything from the entries alone, and names what to look at. It
//! trusts nothing it is given and changes nothing.
//!
//! It keeps one small record per attempt in memory. That keys are unique is the store's index to
//! keep; a sale or release that was booked twice is found here by its hold.

use std::collections::{BTreeMap, BTreeSet};

use exchange_model::id::AttemptId;
use exchange_model::money::{Currency, MinorUnits};

use crate::account::Account;
use crate::balance::BalanceKey;
use crate::chain::{self, GENESIS, RecordHash};
use crate::entry::{EventKind, Layer, Side, Transaction};
use crate::hold::{Hold, HoldState};
use crate::sale;

mod finding;

pub use finding::{VerifyFinding, VerifyReport};

/// Most findings a report spells out; the rest are counted.
pub const FINDINGS_MAX: usize = 1_000;

/// What the entries say about one attempt's hold.
#[derive(Clone, Debug, Default)]
struct HoldTrace {
    /// Placed by entries: account, currency and amount.
    placed: Option<(Account, Currency, MinorUnits)>,
    /// How often entries ended it.
    resolved: u32,
    /// What the sale took of it, if a sale ended it.
    captured: Option<MinorUnits>,
    /// The legs of the sale that were booked, where it has legs.
    legs: BTreeSet<u8>,
    /// The `holds` table has a row for it.
    stored: Option<Hold>,
    /// An attempt that is prepared or unknown counts on it.
    awaited: bool,
}

/// Recomputes a stored ledger and collects what does not agree.
#[derive(Debug)]
pub struct Verifier {
    transactions: u64,
    sequence: Option<u64>,
    previous: RecordHash,
    chain_broken: bool,
    recomputed: BTreeMap<BalanceKey, i128>,
    stored: BTreeMap<BalanceKey, MinorUnits>,
    holds: BTreeMap<AttemptId, HoldTrace>,
    report: VerifyReport,
}

impl Default for Verifier {
    fn default() -> Self {
        Self::new()
    }
}

impl Verifier {
    /// Nothing has been fed.
    #[must_use]
    pub fn new() -> Self {
        Self {
            transactions: 0,
            sequence: None,
            previous: GENESIS,
            chain_broken: false,
            recomputed: BTreeMap::new(),
            stored: BTreeMap::new(),
            holds: BTreeMap::new(),
            report: VerifyReport::default(),
        }
    }

    /// The next transaction in the order of the chain, with its stored hash. Sequence numbers are
    /// the store's and grow by one.
    pub fn transaction(&mut self, sequence: u64, transaction: &Transaction, stored: &RecordHash) {
        self.transactions = self.transactions.saturating_add(1);
        self.check_chain(sequence, transaction, stored);
        if let Err(error) = transaction.check() {
            let key = transaction.key().to_owned();
            self.report.add(VerifyFinding::BadTransaction { sequence, key, error });
        }
        self.add_entries(transaction);
        self.trace_hold(sequence, transaction);
    }

    /// The latest sequence number and hash as stored apart from the transactions, after all of them:
    /// finds records cut off at the end.
    pub fn head(&mut self, sequence: u64, hash: &RecordHash) {
        let last = self.sequence.unwrap_or(0);
        if (last, self.previous) != (sequence, *hash) {
            self.report.add(VerifyFinding::HeadMismatch { last, head: sequence });
        }
    }

    /// One stored balance, debit-positive.
    pub fn balance(&mut self, key: BalanceKey, stored: MinorUnits) {
        self.stored.insert(key, stored);
    }

    /// One stored hold, whatever its state.
    pub fn hold(&mut self, hold: &Hold) {
        self.holds.entry(hold.attempt).or_default().stored = Some(hold.clone());
    }

    /// One attempt that is prepared or unknown and for which money must be held. Attempts that hold
    /// nothing (a price of zero, a test lead) are not fed.
    pub fn open_attempt(&mut self, attempt: AttemptId) {
        self.holds.entry(attempt).or_default().awaited = true;
    }

    /// Compares everything that was fed.
    #[must_use]
    pub fn finish(mut self) -> VerifyReport {
        self.report.transactions = self.transactions;
        self.check_sums();
        self.check_balances();
        self.check_pending();
        for (attempt, trace) in std::mem::take(&mut self.holds) {
            self.check_hold(attempt, &trace);
        }
        self.report
    }

    fn check_chain(&mut self, sequence: u64, transaction: &Transaction, stored: &RecordHash) {
        let expected = self.sequence.map_or(1, |last| last.saturating_add(1));
        let intact = sequence == expected && chain::link(&self.previous, transaction) == *stored;
        if !intact && !self.chain_broken {
            self.chain_broken = true;
            self.report.add(VerifyFinding::ChainBroken { sequence, expected });
        }
        self.sequence = Some(sequence);
        self.previous = *stored;
    }

    fn add_entries(&mut self, transaction: &Transaction) {
        for entry in transaction.entries() {
            let key = BalanceKey {
                account: entry.account.clone(),
                currency: transaction.currency(),
                layer: entry.layer,
            };
            let minor = i128::from(entry.minor.get());
            let sum = self.recomputed.entry(key).or_default();
            *sum = match entry.side {
                Side::Debit => sum.saturating_add(minor),
                Side::Credit => sum.saturating_sub(minor),
            };
        }
    }

    fn trace_hold(&mut self, sequence: u64, transaction: &Transaction) {
        let Some(attempt) = transaction.header().attempt else { return };
        let trace = self.holds.entry(attempt).or_default();
        match transaction.kind() {
            EventKind::Hold => {
                if trace.placed.is_some() {
                    self.report.add(VerifyFinding::HeldTwice { sequence, attempt });
                }
                trace.placed = held(transaction);
            }
            EventKind::Sale if trace.is_further_leg(transaction) => trace.add_leg(transaction),
            EventKind::Sale | EventKind::Release => {
                if trace.placed != held(transaction) {
                    self.report.add(VerifyFinding::ResolvedOtherwise { sequence, attempt });
                }
                trace.resolved = trace.resolved.saturating_add(1);
                if trace.resolved > 1 {
                    self.report.add(VerifyFinding::ResolvedTwice { sequence, attempt });
                }
                if transaction.kind() == EventKind::Sale {
                    trace.captured = Some(captured(transaction));
                    trace.legs.extend(sale::leg_of(transaction.key()));
                }
            }
            EventKind::TopUp => {}
        }
    }

    fn check_sums(&mut self) {
        let mut sums: BTreeMap<(Currency, Layer), i128> = BTreeMap::new();
        for (key, balance) in &self.recomputed {
            let sum = sums.entry((key.currency, key.layer)).or_default();
            *sum = sum.saturating_add(*balance);
        }
        for ((currency, layer), difference) in sums {
            if difference != 0 {
                self.report.add(VerifyFinding::SumNotZero { currency, layer, difference });
            }
        }
    }

    fn check_balances(&mut self) {
        let stored = std::mem::take(&mut self.stored);
        for (key, recomputed) in &self.recomputed {
            let stored = stored.get(key).copied().unwrap_or_default();
            if i128::from(stored.get()) != *recomputed {
                let (key, recomputed) = (key.clone(), *recomputed);
                self.report.add(VerifyFinding::BalanceMismatch { key, stored, recomputed });
            }
        }
        for (key, stored) in stored {
            if stored != MinorUnits::ZERO && !self.recomputed.contains_key(&key) {
                self.report.add(VerifyFinding::BalanceMismatch { key, stored, recomputed: 0 });
            }
        }
    }

    /// Pending of each buyer's account = the sum of its open holds, as stored.
    fn check_pending(&mut self) {
        let mut open: BTreeMap<(Account, Currency), i128> = BTreeMap::new();
        for hold in self.holds.values().filter_map(|trace| trace.stored.as_ref()) {
            if hold.state == HoldState::Open {
                let sum = open.entry((hold.account.clone(), hold.currency)).or_default();
                *sum = sum.saturating_add(i128::from(hold.amount.get()));
            }
        }
        for (key, pending) in &self.recomputed {
            if key.layer == Layer::Pending && key.account != Account::InFlight {
                let (account, currency) = (key.account.clone(), key.currency);
                let held = open.remove(&(account.clone(), currency)).unwrap_or_default();
                if held != *pending {
                    let pending = *pending;
                    let finding =
                        VerifyFinding::PendingMismatch { account, currency, pending, held };
                    self.report.add(finding);
                }
            }
        }
        for ((account, currency), held) in open {
            self.report.add(VerifyFinding::PendingMismatch { account, currency, pending: 0, held });
        }
    }

    fn check_hold(&mut self, attempt: AttemptId, trace: &HoldTrace) {
        let open = match &trace.stored {
            Some(hold) => hold.state == HoldState::Open,
            None => false,
        };
        if !trace.agrees() {
            self.report.add(VerifyFinding::HoldMismatch { attempt });
        }
        match (open, trace.awaited) {
            (true, false) => self.report.add(VerifyFinding::HoldWithoutAttempt { attempt }),
            (false, true) => self.report.add(VerifyFinding::AttemptWithoutHold { attempt }),
            (true, true) | (false, false) => {}
        }
    }
}

impl HoldTrace {
    /// Whether it books one more leg of a sale whose hold has ended with another leg. A leg that
    /// is booked again, or ends a hold again, is none.
    fn is_further_leg(&self, transaction: &Transaction) -> bool {
        let leg = sale::leg_of(transaction.key());
        let new = leg.is_some_and(|leg| !self.legs.is_empty() && !self.legs.contains(&leg));
        new && held(transaction).is_none()
    }

    fn add_leg(&mut self, transaction: &Transaction) {
        let before = self.captured.unwrap_or_default();
        let all = before.get().saturating_add(captured(transaction).get());
        self.captured = Some(MinorUnits::new(all));
        self.legs.extend(sale::leg_of(transaction.key()));
    }

    /// Whether the stored hold is what the entries make of it.
    fn agrees(&self) -> bool {
        let state = match (self.resolved, self.captured) {
            (0, _) => HoldState::Open,
            (_, Some(captured)) => HoldState::Captured { captured },
            (_, None) => HoldState::Released,
        };
        match (&self.placed, &self.stored) {
            (None, None) => true,
            (Some((account, currency, amount)), Some(hold)) => {
                (account, *currency, *amount, state)
                    == (&hold.account, hold.currency, hold.amount, hold.state)
            }
            (Some(_), None) | (None, Some(_)) => false,
        }
    }
}

/// What a transaction's pending entries hold or give back, whichever way: account, currency, amount.
fn held(transaction: &Transaction) -> Option<(Account, Currency, MinorUnits)> {
    let on_account =
        |layer: Layer, account: &Account| layer == Layer::Pending && *account != Account::InFlight;
    let entry =
        transaction.entries().iter().find(|entry| on_account(entry.layer, &entry.account))?;
    Some((entry.account.clone(), transaction.currency(), entry.minor))
}

/// The price of a sale: what it settles on the buyer's own account.
fn captured(transaction: &Transaction) -> MinorUnits {
    transaction
        .entries()
        .iter()
        .find(|entry| entry.layer == Layer::Settled && entry.account.buyer().is_some())
        .map_or(MinorUnits::ZERO, |entry| entry.minor)
}

#[cfg(test)]
mod tests;
