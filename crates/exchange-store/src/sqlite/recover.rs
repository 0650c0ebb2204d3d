//! Opening after whatever happened: every request gets a named state, and memory is filled.

use exchange_model::reason::{LeadStatus, Unknown};
use exchange_model::{LeadId, Timestamp};
use rusqlite::Connection;

use super::books::balances;
use super::caps::count_used;
use super::columns::{all, each, lead_id, parsed, run, time};
use super::operators::stops;
use super::places::posts;
use super::sales::{ended, sold};
use super::shared::Shared;
use super::txn::Txn;
use crate::error::StoreError;
use crate::recovery::{Fate, Recovered, fate};

impl Txn<'_> {
    /// Settles what the last process left open.
    pub(super) fn recover(&mut self, now: Timestamp) -> Result<Recovered, StoreError> {
        let crashed = "UPDATE attempt SET state = 'unknown', reason = ?1, concluded_at = ?2
                       WHERE state IN ('prepared', 'unknown') AND state = 'prepared'";
        let unknown = run(self.conn, crashed, (Unknown::Crash.code(), now.unix_micros()))?;
        let pings = "UPDATE ping SET status = 'abandoned' WHERE status IS NULL";
        let pings = run(self.conn, pings, [])?;
        let mut recovered = Recovered {
            unknown: u64::try_from(unknown).unwrap_or(u64::MAX),
            abandoned: u64::try_from(pings).unwrap_or(u64::MAX),
            answered: 0,
        };
        let running = "SELECT id FROM lead WHERE status IS NULL";
        for lead in all(self.conn, running, [], |row| lead_id(row, "id"))? {
            self.settle(lead, now, &mut recovered)?;
        }
        Ok(recovered)
    }

    fn settle(
        &self,
        lead: LeadId,
        now: Timestamp,
        recovered: &mut Recovered,
    ) -> Result<(), StoreError> {
        let states: Vec<_> = posts(self.conn, lead)?.into_iter().map(|post| post.state).collect();
        let ended = |status| ended(status, Unknown::Crash.code());
        let answer = match fate(&states) {
            Fate::Abandoned => {
                recovered.abandoned += 1;
                ended(LeadStatus::Abandoned)
            }
            Fate::Pending => ended(LeadStatus::Pending),
            Fate::Sold => {
                recovered.answered += 1;
                sold(self.conn, lead)?
            }
            Fate::Unsold => {
                recovered.answered += 1;
                ended(LeadStatus::Unsold)
            }
        };
        self.write_answer(lead, &answer, now)
    }
}

/// Counts again what every campaign has bought and reserved, and what every buyer has.
pub(super) fn fill(conn: &Connection, shared: &Shared, now: Timestamp) -> Result<(), StoreError> {
    count_used(conn, &shared.usage, now)?;
    let sql = "SELECT campaign, max(concluded_at) AS won FROM attempt
               WHERE state = 'accepted' GROUP BY campaign";
    each(conn, sql, [], |row| {
        let won = time(row, "won")?;
        shared.usage.with(&parsed(row, "campaign")?, |counters| counters.last_won = Some(won));
        Ok(())
    })?;
    shared.stops.show(stops(conn)?);
    for balance in balances(conn)? {
        shared.funds.publish(balance.key, balance.minor);
    }
    Ok(())
}
