//! What was recorded, for looking back over many leads.

use exchange_model::{CampaignId, LeadId, MinorUnits, SourceId, Timestamp};
use rusqlite::Connection;

use super::columns::{all, lead_id, parsed, time};
use super::reading::StoreReader;
use crate::error::StoreError;
use crate::ticket::Ticket;

/// A lead that some campaign bought, or may have.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Bought {
    /// Which campaign.
    pub campaign: CampaignId,
    /// Where the lead came from.
    pub source: SourceId,
    /// When the lead was taken in.
    pub at: Timestamp,
    /// What is held or was booked at most.
    pub price: MinorUnits,
}

impl StoreReader {
    /// The leads taken in from one moment up to another that ended, oldest first, at most so many.
    pub fn lead_ids(&self, from: Timestamp, to: Timestamp, limit: u32) -> Ticket<Vec<LeadId>> {
        self.ask(move |conn| lead_ids(conn, from, to, limit))
    }

    /// What was bought of the leads taken in from one moment up to another.
    pub fn bought(&self, from: Timestamp, to: Timestamp) -> Ticket<Vec<Bought>> {
        self.ask(move |conn| bought(conn, from, to))
    }
}

/// Ids begin with the moment of intake, so their order is that of time.
fn lead_ids(
    conn: &Connection,
    from: Timestamp,
    to: Timestamp,
    limit: u32,
) -> Result<Vec<LeadId>, StoreError> {
    let first = LeadId::new(from, [0; 10]);
    let sql = "SELECT id FROM lead WHERE id >= ?1 AND received_at >= ?2 AND received_at < ?3
               AND status IN ('sold', 'unsold', 'pending', 'unresolved') ORDER BY id LIMIT ?4";
    let params = (first.to_bytes(), from.unix_micros(), to.unix_micros(), limit);
    all(conn, sql, params, |row| lead_id(row, "id"))
}

fn bought(conn: &Connection, from: Timestamp, to: Timestamp) -> Result<Vec<Bought>, StoreError> {
    let sql = "SELECT campaign, lead.source, counted_at, price_minor
               FROM attempt JOIN lead ON lead.id = attempt.lead
               WHERE counted_at >= ?1 AND counted_at < ?2
                 AND state IN ('prepared', 'unknown', 'accepted') ORDER BY counted_at";
    all(conn, sql, (from.unix_micros(), to.unix_micros()), |row| {
        Ok(Bought {
            campaign: parsed(row, "campaign")?,
            source: parsed(row, "source")?,
            at: time(row, "counted_at")?,
            price: MinorUnits::new(row.get("price_minor")?),
        })
    })
}
