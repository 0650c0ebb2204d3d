//! One operation inside the writer's transaction.
//!
//! An operation runs in a savepoint of its own. When it fails, the savepoint is rolled back, and so
//! is what it changed in memory, so that the rest of the batch can still be committed.

use std::collections::BTreeSet;

use exchange_model::{CampaignId, MinorUnits, Timestamp};
use rusqlite::Connection;
use settlement_ledger::balance::BalanceKey;
use settlement_ledger::chain::RecordHash;

use super::columns::run;
use super::shared::Shared;
use crate::error::StoreError;

/// The end of the chain of record hashes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    /// The number of the last transaction; 0 for none.
    pub(super) sequence: i64,
    /// Its hash.
    pub(super) hash: RecordHash,
    /// When it was recorded; later ones are recorded later.
    pub(super) recorded_at: Timestamp,
}

/// A change of the in-memory counters, to be taken back if the operation fails.
#[derive(Debug)]
enum Counted {
    Reserved { campaign: CampaignId, at: Timestamp, price: MinorUnits },
    Released { campaign: CampaignId, at: Timestamp, price: MinorUnits },
    Won { campaign: CampaignId, before: Option<Timestamp> },
}

/// The writer's transaction, as one operation sees it.
#[derive(Debug)]
pub(super) struct Txn<'a> {
    pub(super) conn: &'a Connection,
    pub(super) shared: &'a Shared,
    pub(super) head: &'a mut Head,
    /// Balances that the batch has changed.
    pub(super) touched: &'a mut BTreeSet<BalanceKey>,
    counted: Vec<Counted>,
}

impl<'a> Txn<'a> {
    /// Runs one operation: all of it happens, or none.
    pub(super) fn run(
        conn: &'a Connection,
        shared: &'a Shared,
        head: &'a mut Head,
        touched: &'a mut BTreeSet<BalanceKey>,
        act: impl FnOnce(&mut Self) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let before = *head;
        run(conn, "SAVEPOINT operation", [])?;
        let mut txn = Txn { conn, shared, head, touched, counted: Vec::new() };
        let done = act(&mut txn);
        if let Err(StoreError::Failed(_)) = done {
            // The database has rolled everything back by itself, and nothing more is asked of it.
            return done;
        }
        if done.is_err() {
            *txn.head = before;
            txn.uncount();
            run(conn, "ROLLBACK TO operation", [])?;
        }
        run(conn, "RELEASE operation", [])?;
        done
    }

    /// Counts a prepared attempt as used.
    pub(super) fn reserve(&mut self, campaign: &CampaignId, at: Timestamp, price: MinorUnits) {
        self.shared.usage.with(campaign, |counters| counters.usage.reserve(at, price));
        self.counted.push(Counted::Reserved { campaign: campaign.clone(), at, price });
    }

    /// Gives back what an attempt that did not buy had reserved.
    pub(super) fn release(&mut self, campaign: &CampaignId, at: Timestamp, price: MinorUnits) {
        self.shared.usage.with(campaign, |counters| counters.usage.release(at, price));
        self.counted.push(Counted::Released { campaign: campaign.clone(), at, price });
    }

    /// Remembers when a campaign last bought.
    pub(super) fn won(&mut self, campaign: &CampaignId, at: Timestamp) {
        let before = self.shared.usage.with(campaign, |counters| counters.last_won.replace(at));
        self.counted.push(Counted::Won { campaign: campaign.clone(), before });
    }

    fn uncount(&mut self) {
        while let Some(change) = self.counted.pop() {
            let usage = &self.shared.usage;
            match change {
                Counted::Reserved { campaign, at, price } => {
                    usage.with(&campaign, |counters| counters.usage.release(at, price));
                }
                Counted::Released { campaign, at, price } => {
                    usage.with(&campaign, |counters| counters.usage.reserve(at, price));
                }
                Counted::Won { campaign, before } => {
                    usage.with(&campaign, |counters| counters.last_won = before);
                }
            }
        }
    }
}
