//! Balances, and how a transaction changes them.
//!
//! A balance is debits minus credits of one account in one currency on one layer: debit-positive,
//! whatever the account's own side. A store keeps one row per [`BalanceKey`] and applies each
//! [`BalanceDelta`] with [`apply`]; [`Balances`] does the same in memory.

use std::collections::BTreeMap;

use exchange_model::money::{Currency, MinorUnits};

use crate::account::Account;
use crate::entry::{Layer, Transaction};
use crate::error::LedgerError;

/// Which balance.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct BalanceKey {
    /// Of which account.
    pub account: Account,
    /// In which currency.
    pub currency: Currency,
    /// On which layer.
    pub layer: Layer,
}

/// A change of one balance.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BalanceDelta {
    /// Of which account.
    pub account: Account,
    /// In which currency.
    pub currency: Currency,
    /// On which layer.
    pub layer: Layer,
    /// By how much: a debit is positive, a credit negative.
    pub change: MinorUnits,
}

impl BalanceDelta {
    /// The balance it changes.
    #[must_use]
    pub fn key(&self) -> BalanceKey {
        BalanceKey { account: self.account.clone(), currency: self.currency, layer: self.layer }
    }
}

/// The balance after a change.
///
/// # Errors
/// [`LedgerError::Overflow`]; the transaction is then refused as a whole.
pub fn apply(balance: MinorUnits, change: MinorUnits) -> Result<MinorUnits, LedgerError> {
    balance.checked_add(change).ok_or(LedgerError::Overflow)
}

/// Every balance of a ledger, in memory.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Balances(BTreeMap<BalanceKey, MinorUnits>);

impl Balances {
    /// No account has been touched.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Applies all entries of a transaction, or none.
    ///
    /// # Errors
    /// [`LedgerError::Overflow`]; every balance is then as it was.
    pub fn apply(&mut self, transaction: &Transaction) -> Result<(), LedgerError> {
        let mut changed: BTreeMap<BalanceKey, MinorUnits> = BTreeMap::new();
        for delta in transaction.deltas() {
            let key = delta.key();
            let before = changed.get(&key).copied().unwrap_or_else(|| self.of(&key));
            changed.insert(key, apply(before, delta.change)?);
        }
        self.0.extend(changed);
        Ok(())
    }

    /// One balance, debit-positive; zero where nothing was ever booked.
    #[must_use]
    pub fn of(&self, key: &BalanceKey) -> MinorUnits {
        self.0.get(key).copied().unwrap_or_default()
    }

    /// Every balance that was ever touched, in the order of the accounts.
    pub fn iter(&self) -> impl Iterator<Item = (&BalanceKey, MinorUnits)> {
        self.0.iter().map(|(key, balance)| (key, *balance))
    }
}
