//! One operation inside the writer's transaction.
//!
//! An operation runs in a savepoint of its own. When it fails, the savepoint is rolled back, and so
//! is what it changed in memory, so that the rest of the batch can still be committed.

use std::collections::BTreeSet;

use exchange_core::caps::Counted;
use exchange_core::record::Tally;
use exchange_model::{CampaignId, MinorUnits, SourceId, Timestamp};
use rusqlite::Connection;
use settlement_ledger::balance::BalanceKey;
use settlement_ledger::chain::RecordHash;

use super::columns::run;
use super::shared::Shared;
use crate::error::StoreError;
use crate::recovery::AttemptState;
use crate::served::{ServedPost, TierMembership};

/// What the caps of a source count.
const ONE_LEAD: Tally = Tally { leads: 1, spend: MinorUnits::ZERO };

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
enum Change {
    Reserved(Counted),
    /// And whether it had counted as open.
    Released(Counted, bool),
    Rebooked(Counted, MinorUnits),
    Finished(Counted),
    TakenIn(SourceId, Timestamp),
    Won {
        campaign: CampaignId,
        before: Option<Timestamp>,
    },
    Post {
        campaign: CampaignId,
        at: Timestamp,
        from: Option<AttemptState>,
        into: AttemptState,
    },
    Served {
        post: ServedPost,
        from: Option<AttemptState>,
        into: AttemptState,
        /// When the latest one was bought before.
        bought: Option<Timestamp>,
    },
    Qualified(TierMembership, Timestamp),
}

/// The writer's transaction, as one operation sees it.
#[derive(Debug)]
pub(super) struct Txn<'a> {
    pub(super) conn: &'a Connection,
    pub(super) shared: &'a Shared,
    pub(super) head: &'a mut Head,
    /// Balances that the batch has changed.
    pub(super) touched: &'a mut BTreeSet<BalanceKey>,
    counted: Vec<Change>,
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
    pub(super) fn reserve(&mut self, counted: Counted) {
        self.shared.usage.reserve(&counted, true);
        self.counted.push(Change::Reserved(counted));
    }

    /// Gives back what an attempt that did not buy had reserved.
    pub(super) fn release(&mut self, counted: Counted) {
        let open = self.shared.usage.release(&counted);
        self.counted.push(Change::Released(counted, open));
    }

    /// Counts what was booked instead of what was held.
    pub(super) fn rebook(&mut self, counted: Counted, booked: MinorUnits) {
        self.shared.usage.rebook(&counted, booked);
        self.counted.push(Change::Rebooked(counted, booked));
    }

    /// The buyer is done with the lead.
    pub(super) fn finish(&mut self, counted: Counted) {
        if self.shared.usage.set_open(&counted, false) {
            self.counted.push(Change::Finished(counted));
        }
    }

    /// Counts a lead that a source sent in.
    pub(super) fn count_taken_in(&mut self, source: &SourceId, at: Timestamp) {
        self.shared.usage.with_source(source, |usage| usage.add(at, ONE_LEAD));
        self.counted.push(Change::TakenIn(source.clone(), at));
    }

    /// Remembers when a campaign last bought.
    pub(super) fn won(&mut self, campaign: &CampaignId, at: Timestamp) {
        let before = self.shared.usage.with(campaign, |counters| counters.last_won.replace(at));
        self.counted.push(Change::Won { campaign: campaign.clone(), before });
    }

    /// Counts what became of a post that was prepared at `at`.
    pub(super) fn track(
        &mut self,
        campaign: &CampaignId,
        at: Timestamp,
        from: Option<AttemptState>,
        into: AttemptState,
    ) {
        self.shared.record.change(campaign, at, from, Some(into));
        self.counted.push(Change::Post { campaign: campaign.clone(), at, from, into });
    }

    /// Counts what became of a post in its tier.
    pub(super) fn serve(
        &mut self,
        post: ServedPost,
        from: Option<AttemptState>,
        into: AttemptState,
    ) {
        let bought = self.shared.served.change(&post, from, Some(into));
        self.counted.push(Change::Served { post, from, into, bought });
    }

    /// Counts a lead taken in at `at` that a member of a tier made a usable bid for; whether it is
    /// the first of its quarter of an hour.
    pub(super) fn count_qualified(&mut self, member: TierMembership, at: Timestamp) -> bool {
        let first = self.shared.served.qualify(&member, at, 1);
        self.counted.push(Change::Qualified(member, at));
        first
    }

    fn uncount(&mut self) {
        while let Some(change) = self.counted.pop() {
            let usage = &self.shared.usage;
            match change {
                Change::Reserved(counted) => {
                    usage.release(&counted);
                }
                Change::Released(counted, open) => usage.reserve(&counted, open),
                Change::Rebooked(counted, booked) => {
                    let held = counted.price;
                    usage.rebook(&Counted { price: booked, ..counted }, held);
                }
                Change::Finished(counted) => {
                    usage.set_open(&counted, true);
                }
                Change::TakenIn(source, at) => {
                    usage.with_source(&source, |usage| usage.take_back(at, ONE_LEAD));
                }
                Change::Post { campaign, at, from, into } => {
                    self.shared.record.change(&campaign, at, Some(into), from);
                }
                Change::Served { post, from, into, bought } => {
                    self.shared.served.undo(&post, (from, into), bought);
                }
                Change::Qualified(member, at) => self.shared.served.disqualify(&member, at),
                Change::Won { campaign, before } => {
                    usage.with(&campaign, |counters| counters.last_won = before);
                }
            }
        }
    }
}
