//! What verification found, in sentences that name what to look at.

use std::fmt;

use exchange_model::id::AttemptId;
use exchange_model::money::{Currency, MinorUnits};

use super::FINDINGS_MAX;
use crate::account::Account;
use crate::balance::BalanceKey;
use crate::entry::Layer;
use crate::error::LedgerError;

/// The result of a verification.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct VerifyReport {
    /// How many transactions were checked.
    pub transactions: u64,
    /// What does not agree, at most [`FINDINGS_MAX`]; empty for sound books.
    pub findings: Vec<VerifyFinding>,
    /// Findings beyond [`FINDINGS_MAX`], counted only.
    pub left_out: u64,
}

impl VerifyReport {
    /// Whether everything agrees.
    #[must_use]
    pub fn sound(&self) -> bool {
        self.findings.is_empty()
    }

    pub(super) fn add(&mut self, finding: VerifyFinding) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(finding);
        } else {
            self.left_out = self.left_out.saturating_add(1);
        }
    }
}

/// One line when all is well, otherwise one line per finding.
impl fmt::Display for VerifyReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.sound() {
            return write!(f, "{} transactions verified, the books are sound", self.transactions);
        }
        let found = u64::try_from(self.findings.len()).unwrap_or(u64::MAX);
        let found = found.saturating_add(self.left_out);
        write!(f, "{} transactions checked, {found} findings:", self.transactions)?;
        for finding in &self.findings {
            write!(f, "\n  {}: {finding}", finding.code())?;
        }
        if self.left_out > 0 {
            write!(f, "\n  and {} more", self.left_out)?;
        }
        Ok(())
    }
}

/// Something stored that does not agree with the rest.
///
/// Amounts are in minor units; balances are debit-positive.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum VerifyFinding {
    /// A record was edited, removed or moved; reported once, for the first.
    #[error(
        "the chain of record hashes breaks at sequence number {sequence} (number {expected} was due): compare this record and its neighbours with a backup"
    )]
    ChainBroken {
        /// The first record whose hash or number is not what it must be.
        sequence: u64,
        /// The number that was due.
        expected: u64,
    },
    /// The last record is not the one the store calls the last.
    #[error(
        "the last record is number {last}, but the stored head is number {head}: records are missing at the end, or the head was changed"
    )]
    HeadMismatch {
        /// The last record that was fed.
        last: u64,
        /// The record that should have been the last.
        head: u64,
    },
    /// A transaction that could not have been booked.
    #[error("transaction {sequence} (`{key}`) could not have been booked: {error}")]
    BadTransaction {
        /// Its number.
        sequence: u64,
        /// Its key.
        key: String,
        /// What is wrong with it.
        error: LedgerError,
    },
    /// Entries of one currency and layer do not sum to zero.
    #[error(
        "{layer} entries in {currency} sum to {difference} minor units instead of zero: look for transactions reported as unbalanced"
    )]
    SumNotZero {
        /// The currency.
        currency: Currency,
        /// The layer.
        layer: Layer,
        /// Debits less credits.
        difference: i128,
    },
    /// A stored balance is not the sum of its entries.
    #[error("the {} balance of `{}` in {} is stored as {stored} and its entries sum to {recomputed}: the balance row or one of its entries was changed", .key.layer, .key.account, .key.currency, stored = .stored.get())]
    BalanceMismatch {
        /// Which balance.
        key: BalanceKey,
        /// What is stored.
        stored: MinorUnits,
        /// What its entries sum to.
        recomputed: i128,
    },
    /// A buyer's pending balance is not the sum of its open holds.
    #[error(
        "`{account}` in {currency} has {pending} pending and {held} in open holds: compare its open holds with its hold, sale and release transactions"
    )]
    PendingMismatch {
        /// The buyer's account.
        account: Account,
        /// The currency.
        currency: Currency,
        /// What the pending entries sum to.
        pending: i128,
        /// What the open holds sum to.
        held: i128,
    },
    /// Two transactions hold money for one attempt.
    #[error("transaction {sequence} holds money for `{attempt}` a second time")]
    HeldTwice {
        /// The second one.
        sequence: u64,
        /// The attempt.
        attempt: AttemptId,
    },
    /// A sale or release gives back something else than was held, or nothing was held.
    #[error("transaction {sequence} ends a hold of `{attempt}` that is not the one placed for it")]
    ResolvedOtherwise {
        /// The sale or release.
        sequence: u64,
        /// The attempt.
        attempt: AttemptId,
    },
    /// Two transactions end one hold.
    #[error(
        "transaction {sequence} ends the hold of `{attempt}` a second time: look for both a sale and a release"
    )]
    ResolvedTwice {
        /// The second one.
        sequence: u64,
        /// The attempt.
        attempt: AttemptId,
    },
    /// A stored hold differs from what the entries say about it, or one of the two is missing.
    #[error("the stored hold of `{attempt}` is missing or is not what its transactions say")]
    HoldMismatch {
        /// The attempt.
        attempt: AttemptId,
    },
    /// A hold is open, but no attempt is waiting for an outcome.
    #[error("the hold of `{attempt}` is open, but its attempt is neither prepared nor unknown")]
    HoldWithoutAttempt {
        /// The attempt.
        attempt: AttemptId,
    },
    /// An attempt waits for an outcome, but nothing is held for it.
    #[error("`{attempt}` is prepared or unknown, but no hold is open for it")]
    AttemptWithoutHold {
        /// The attempt.
        attempt: AttemptId,
    },
}

impl VerifyFinding {
    /// The name that output and metrics use; it never changes.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::ChainBroken { .. } => "chain_broken",
            Self::HeadMismatch { .. } => "head_mismatch",
            Self::BadTransaction { .. } => "bad_transaction",
            Self::SumNotZero { .. } => "sum_not_zero",
            Self::BalanceMismatch { .. } => "balance_mismatch",
            Self::PendingMismatch { .. } => "pending_mismatch",
            Self::HeldTwice { .. } => "held_twice",
            Self::ResolvedOtherwise { .. } => "resolved_otherwise",
            Self::ResolvedTwice { .. } => "resolved_twice",
            Self::HoldMismatch { .. } => "hold_mismatch",
            Self::HoldWithoutAttempt { .. } => "hold_without_attempt",
            Self::AttemptWithoutHold { .. } => "attempt_without_hold",
        }
    }
}
