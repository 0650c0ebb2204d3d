//! Scorecards: pings and bids by the hour, and what became of posts, from the record.

use std::time::Duration;

use exchange_model::{LeadId, Timestamp};
use rusqlite::Connection;

use super::columns::{all, coded, each, parsed, run, time};
use super::shared::Shared;
use super::txn::Txn;
use crate::error::StoreError;
use crate::recovery::AttemptState;
use crate::track_record::{DAYS_KEPT, PingCount};

/// Counts of pings that are older than this are forgotten.
const PINGS_KEPT: Duration = Duration::from_secs(8 * 24 * 3_600);
/// An attempt is prepared at most this long after its lead was named.
const POSTED_WITHIN: Duration = Duration::from_secs(24 * 3_600);

impl Txn<'_> {
    /// Adds to the counts of pings, and forgets old ones.
    pub(super) fn add_pings(&self, counts: &[PingCount], now: Timestamp) -> Result<(), StoreError> {
        let sql = "INSERT INTO ping_count (buyer, hour, pings, bids) VALUES (?1, ?2, ?3, ?4)
                   ON CONFLICT DO UPDATE SET pings = pings + excluded.pings,
                     bids = bids + excluded.bids";
        for count in counts {
            let whole = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
            let (pings, bids) = (whole(count.pings), whole(count.bids));
            run(self.conn, sql, (count.buyer.as_str(), count.hour.unix_micros(), pings, bids))?;
        }
        let forgotten = now.before(PINGS_KEPT).unix_micros();
        run(self.conn, "DELETE FROM ping_count WHERE hour < ?1", [forgotten])?;
        Ok(())
    }
}

/// Counts of pings since the hour of `since`; none in a file that does not keep them yet.
pub(super) fn ping_counts(
    conn: &Connection,
    since: Timestamp,
) -> Result<Vec<PingCount>, StoreError> {
    let known = "SELECT 1 FROM sqlite_schema WHERE name = 'ping_count'";
    if all(conn, known, [], |_row| Ok(()))?.is_empty() {
        return Ok(Vec::new());
    }
    let sql = "SELECT buyer, hour, pings, bids FROM ping_count WHERE hour >= ?1";
    all(conn, sql, [PingCount::hour_of(since).unix_micros()], |row| {
        let count = |value: i64| u64::try_from(value).unwrap_or(0);
        Ok(PingCount {
            buyer: parsed(row, "buyer")?,
            hour: time(row, "hour")?,
            pings: count(row.get("pings")?),
            bids: count(row.get("bids")?),
        })
    })
}

/// Counts again what became of posts. Leads are named in the order of time, so that no older
/// attempt is looked at.
pub(super) fn fill(conn: &Connection, shared: &Shared, now: Timestamp) -> Result<(), StoreError> {
    let first = now.before(Duration::from_secs(u64::from(DAYS_KEPT).saturating_mul(24 * 3_600)));
    let lead = LeadId::new(first.before(POSTED_WITHIN), [0; 10]);
    let sql = "SELECT campaign, prepared_at / 3600000000 * 3600000000 AS hour, state,
                 count(*) AS posts
               FROM attempt WHERE lead >= ?1 AND prepared_at >= ?2
               GROUP BY campaign, hour, state ORDER BY hour";
    each(conn, sql, (lead.to_bytes(), first.unix_micros()), |row| {
        let (at, state) = (time(row, "hour")?, coded(row, "state", AttemptState::from_code)?);
        let posts = u64::try_from(row.get::<_, i64>("posts")?).unwrap_or(0);
        shared.record.fill(&parsed(row, "campaign")?, at, state, posts);
        Ok(())
    })
}
