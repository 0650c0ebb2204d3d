//! The rows of suppression lists.

use exchange_model::lead::ListHash;
use exchange_model::{BuyerId, Timestamp};
use rusqlite::Connection;

use super::columns::{all, each, one, parsed, run, time};
use super::shared::Shared;
use super::txn::Txn;
use crate::error::StoreError;
use crate::suppression::{SuppressionAdded, SuppressionList, SuppressionTarget, SuppressionUpload};

/// What became durable, for the memory.
pub(super) struct Added {
    pub(super) list: i64,
    /// A list that is live and may be new.
    pub(super) live: Option<(BuyerId, String)>,
    pub(super) entries: Vec<ListHash>,
    pub(super) counts: SuppressionAdded,
}

/// What took another's place.
pub(super) struct Swapped {
    pub(super) list: i64,
    pub(super) of: (BuyerId, String),
}

impl Txn<'_> {
    pub(super) fn suppress(
        &self,
        target: &SuppressionTarget,
        entries: Vec<ListHash>,
        at: Timestamp,
    ) -> Result<Added, StoreError> {
        let (list, live) = match target {
            SuppressionTarget::List(buyer, name) => {
                (self.live_list(buyer, name, at)?, Some((buyer.clone(), name.clone())))
            }
            SuppressionTarget::Upload(SuppressionUpload(id)) => {
                self.coming(*id)?;
                (*id, None)
            }
        };
        let mut counts = SuppressionAdded::default();
        let sql = "INSERT INTO suppression_entry (list, entry) VALUES (?1, ?2)
                   ON CONFLICT DO NOTHING";
        for entry in &entries {
            match run(self.conn, sql, (list, entry.as_bytes()))? {
                0 => counts.known = counts.known.saturating_add(1),
                _ => counts.added = counts.added.saturating_add(1),
            }
        }
        if counts.added > 0 {
            let sql = "UPDATE suppression_list SET changed_at = ?2 WHERE id = ?1";
            run(self.conn, sql, (list, at.unix_micros()))?;
        }
        Ok(Added { list, live, entries, counts })
    }

    fn live_list(&self, buyer: &BuyerId, name: &str, at: Timestamp) -> Result<i64, StoreError> {
        let sql = "SELECT id FROM suppression_list
                   WHERE buyer = ?1 AND name = ?2 AND state = 'live'";
        if let Some(id) = one(self.conn, sql, (buyer.as_str(), name), |row| Ok(row.get(0)?))? {
            return Ok(id);
        }
        self.new_list(buyer, name, "live", at)
    }

    fn new_list(
        &self,
        buyer: &BuyerId,
        name: &str,
        state: &str,
        at: Timestamp,
    ) -> Result<i64, StoreError> {
        let sql = "INSERT INTO suppression_list (buyer, name, state, changed_at)
                   VALUES (?1, ?2, ?3, ?4)";
        run(self.conn, sql, (buyer.as_str(), name, state, at.unix_micros()))?;
        Ok(self.conn.last_insert_rowid())
    }

    fn coming(&self, id: i64) -> Result<(BuyerId, String), StoreError> {
        let sql = "SELECT buyer, name FROM suppression_list WHERE id = ?1 AND state = 'coming'";
        let found = one(self.conn, sql, [id], |row| Ok((parsed(row, "buyer")?, row.get("name")?)))?;
        found.ok_or_else(|| StoreError::Conflict("this upload has ended".to_owned()))
    }

    /// Begins an upload; an earlier one of the same list is given up. Says which were.
    pub(super) fn begin_upload(
        &self,
        buyer: &BuyerId,
        name: &str,
        at: Timestamp,
    ) -> Result<(SuppressionUpload, Vec<i64>), StoreError> {
        let sql = "SELECT id FROM suppression_list
                   WHERE buyer = ?1 AND name = ?2 AND state = 'coming'";
        let before: Vec<i64> = all(self.conn, sql, (buyer.as_str(), name), |row| Ok(row.get(0)?))?;
        for id in &before {
            run(self.conn, "UPDATE suppression_list SET state = 'gone' WHERE id = ?1", [id])?;
        }
        let id = self.new_list(buyer, name, "coming", at)?;
        Ok((SuppressionUpload(id), before))
    }

    /// The upload takes the place of the list, whole.
    pub(super) fn swap_upload(
        &self,
        SuppressionUpload(id): SuppressionUpload,
        at: Timestamp,
    ) -> Result<Swapped, StoreError> {
        let of = self.coming(id)?;
        self.end_list(&of.0, &of.1)?;
        let sql = "UPDATE suppression_list SET state = 'live', changed_at = ?2 WHERE id = ?1";
        run(self.conn, sql, (id, at.unix_micros()))?;
        Ok(Swapped { list: id, of })
    }

    /// Takes a list away; whether there was one.
    pub(super) fn end_list(&self, buyer: &BuyerId, name: &str) -> Result<bool, StoreError> {
        let sql = "UPDATE suppression_list SET state = 'gone'
                   WHERE buyer = ?1 AND name = ?2 AND state = 'live'";
        Ok(run(self.conn, sql, (buyer.as_str(), name))? > 0)
    }

    /// Deletes some entries of lists that are gone; whether there may be more.
    pub(super) fn sweep_lists(&self, limit: u32) -> Result<bool, StoreError> {
        let sql = "DELETE FROM suppression_entry WHERE (list, entry) IN (
                     SELECT list, entry FROM suppression_entry
                     WHERE list IN (SELECT id FROM suppression_list WHERE state = 'gone')
                     LIMIT ?1)";
        if run(self.conn, sql, [limit])? > 0 {
            return Ok(true);
        }
        run(self.conn, "DELETE FROM suppression_list WHERE state = 'gone'", [])?;
        Ok(false)
    }
}

/// Every list that is live, by buyer and name.
pub(super) fn lists(conn: &Connection) -> Result<Vec<SuppressionList>, StoreError> {
    let sql = "SELECT buyer, name, changed_at,
                 (SELECT count(*) FROM suppression_entry WHERE list = id) AS entries
               FROM suppression_list WHERE state = 'live' ORDER BY buyer, name";
    all(conn, sql, [], |row| {
        Ok(SuppressionList {
            buyer: parsed(row, "buyer")?,
            name: row.get("name")?,
            entries: u64::try_from(row.get::<_, i64>("entries")?).unwrap_or(0),
            changed_at: time(row, "changed_at")?,
        })
    })
}

/// Reads every live list into memory. No upload outlives the process that took it.
pub(super) fn fill(conn: &Connection, shared: &Shared) -> Result<(), StoreError> {
    run(conn, "UPDATE suppression_list SET state = 'gone' WHERE state = 'coming'", [])?;
    let sql = "SELECT id, buyer, name FROM suppression_list WHERE state = 'live'";
    let live = all(conn, sql, [], |row| {
        Ok((row.get::<_, i64>("id")?, parsed(row, "buyer")?, row.get::<_, String>("name")?))
    })?;
    for (id, buyer, name) in live {
        let mut entries = Vec::new();
        let sql = "SELECT entry FROM suppression_entry WHERE list = ?1 ORDER BY entry";
        each(conn, sql, [id], |row| {
            entries.push(ListHash::from_bytes(row.get(0)?));
            Ok(())
        })?;
        shared.suppression.fill(id, (buyer, name), entries);
    }
    Ok(())
}
