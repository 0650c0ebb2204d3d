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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Entry;
    use crate::samples::{cents, noon, usd, wired};

    fn key(code: &str) -> BalanceKey {
        BalanceKey {
            account: code.parse().unwrap(),
            currency: Currency::USD,
            layer: Layer::Settled,
        }
    }

    #[test]
    fn an_account_that_appears_twice_is_changed_twice() {
        let sample = wired("acme_mutual", "REF-1", usd("0.05"), noon(1));
        let doubled: Vec<Entry> =
            sample.entries().iter().chain(sample.entries()).cloned().collect();
        let mut balances = Balances::new();
        balances.apply(&Transaction::new(sample.header().clone(), doubled).unwrap()).unwrap();
        assert_eq!(balances.of(&key("A:Bank:main")), cents(10));
        assert_eq!(balances.of(&key("L:Prepaid:acme_mutual")), cents(-10));
    }

    #[test]
    fn a_balance_that_would_not_fit_leaves_every_balance_as_it_was() {
        let sample = wired("acme_mutual", "REF-1", usd("0.05"), noon(1));
        let huge = |account: &str| Entry::credit(account.parse().unwrap(), cents(i64::MAX));
        let entries =
            vec![Entry::debit(key("A:Bank:main").account, cents(i64::MAX)), huge("E:Opening")];
        let huge = Transaction::new(sample.header().clone(), entries).unwrap();
        let mut balances = Balances::new();
        balances.apply(&huge).unwrap();
        let before = balances.clone();
        assert_eq!(balances.apply(&sample), Err(LedgerError::Overflow));
        assert_eq!(balances, before);
    }
}
