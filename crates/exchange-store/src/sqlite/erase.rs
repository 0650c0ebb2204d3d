//! Erasing a lead: its key, its sealed contact data, and every word that may echo them.
//!
//! The database overwrites what it deletes (`secure_delete`), and the writer empties the log after
//! the commit, so that no old copy of the wrapped key is left in our files. Open attributes,
//! attempts and the books stay: they name no person.

use exchange_core::trace::{Trace, TraceEvent};
use exchange_model::{LeadId, Timestamp};

use super::columns::{all, one, run, time, to_json};
use super::txn::Txn;
use crate::error::StoreError;
use crate::view::Erasure;

/// Everything to run for one lead. Buyers and sellers put what they like into their own words and
/// addresses, so those go too.
const STATEMENTS: [&str; 9] = [
    "DELETE FROM lead_key WHERE lead = ?1",
    "DELETE FROM contact WHERE lead = ?1",
    "DELETE FROM person_claim WHERE lead = ?1",
    "DELETE FROM resubmission WHERE lead = ?1",
    "DELETE FROM reply WHERE lead = ?1",
    "DELETE FROM outbox WHERE lead = ?1",
    "UPDATE attempt SET text = NULL, redirect_url = NULL, handles = NULL WHERE lead = ?1",
    "UPDATE lead SET redirect_url = NULL, callback_url = NULL, consented_to = NULL WHERE id = ?1",
    "UPDATE ping SET bids = NULL, consented_to = NULL WHERE id = ?1",
];

impl Txn<'_> {
    /// Erases a lead, and the ping it was posted on. Doing it again changes nothing.
    pub(super) fn erase(&self, lead: LeadId, at: Timestamp) -> Result<Option<Erasure>, StoreError> {
        let id = lead.to_bytes();
        for table in ["lead", "ping"] {
            let sql =
                format!("UPDATE {table} SET erased_at = coalesce(erased_at, ?2) WHERE id = ?1");
            run(self.conn, &sql, (id, at.unix_micros()))?;
        }
        let sql = "SELECT erased_at FROM lead WHERE id = ?1
                   UNION ALL SELECT erased_at FROM ping WHERE id = ?1";
        let Some(erased_at) = one(self.conn, sql, [id], |row| time(row, "erased_at"))? else {
            return Ok(None);
        };
        for statement in STATEMENTS {
            run(self.conn, statement, [id])?;
        }
        self.erase_words(lead)?;
        Ok(Some(Erasure { erased_at }))
    }

    /// Takes the buyers' own words out of the journeys.
    fn erase_words(&self, lead: LeadId) -> Result<(), StoreError> {
        let sql = "SELECT id, body FROM trace WHERE lead = ?1";
        let traces = all(self.conn, sql, [lead.to_bytes()], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
        })?;
        for (id, body) in traces {
            let mut trace: Trace = serde_json::from_str(&body).unwrap_or_default();
            for step in &mut trace.steps {
                if let TraceEvent::NoBid { text, .. } | TraceEvent::PostAnswer { text, .. } =
                    &mut step.event
                {
                    *text = None;
                }
            }
            run(self.conn, "UPDATE trace SET body = ?2 WHERE id = ?1", (id, to_json(&trace)))?;
        }
        Ok(())
    }
}
