//! Buyers' balances in memory, for eligibility's early look.
//!
//! A copy of the buyers' rows of the balance table, renewed after each commit. The decision about
//! credit is made again inside commit A, from the table itself.

use dashmap::DashMap;
use exchange_model::{BillingTerms, BuyerId, Currency, MinorUnits};
use settlement_ledger::balance::BalanceKey;
use settlement_ledger::hold::{self, Funds};
use settlement_ledger::{Account, Layer};

/// The balances of all buyers' own accounts.
#[derive(Debug, Default)]
pub(crate) struct FundsBook(DashMap<BalanceKey, MinorUnits>);

impl FundsBook {
    /// Keeps a balance, if it is of a buyer's own account.
    pub(crate) fn publish(&self, key: BalanceKey, minor: MinorUnits) {
        if key.account.buyer().is_some() {
            self.0.insert(key, minor);
        }
    }

    /// What these terms still allow this buyer.
    pub(crate) fn available(
        &self,
        buyer: &BuyerId,
        terms: &BillingTerms,
        currency: Currency,
    ) -> Option<MinorUnits> {
        let account = Account::of_buyer(buyer.clone(), terms);
        let of = |layer| {
            let key = BalanceKey { account: account.clone(), currency, layer };
            self.0.get(&key).map_or(MinorUnits::ZERO, |minor| *minor)
        };
        let (settled, pending) = (of(Layer::Settled), of(Layer::Pending));
        let funds = Funds::from_balances(&account, settled, pending).ok()?;
        hold::available(funds, terms, currency).ok()
    }
}
