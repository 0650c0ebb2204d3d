//! Leads with bids that came late, for the report on what waiting longer would have earned.

use exchange_model::reason::LeadStatus;
use exchange_model::{LeadId, Timestamp};
use rusqlite::{Connection, Row};

use super::attempt::status;
use super::columns::{all, json, lead_id, money, one};
use crate::error::StoreError;
use crate::view::LateLead;

/// Leads that arrived since, with a late bid in their journeys, after this one in their order.
pub(super) fn late_leads(
    conn: &Connection,
    since: Timestamp,
    after: Option<LeadId>,
    limit: u32,
) -> Result<Vec<LateLead>, StoreError> {
    let first = LeadId::new(since, [0; 10]);
    let after = after.map_or(first, |after| after.max(first));
    // The words are those of the journey's form; a seller cannot write into it.
    let sql = "SELECT DISTINCT lead FROM trace WHERE lead > ?1 AND instr(body, '\"late_by\":') > 0
               ORDER BY lead LIMIT ?2";
    let leads = all(conn, sql, (after.to_bytes(), limit), |row| lead_id(row, "lead"))?;
    leads.into_iter().map(|lead| late_lead(conn, lead)).collect()
}

fn late_lead(conn: &Connection, lead: LeadId) -> Result<LateLead, StoreError> {
    let sql = "SELECT body FROM trace WHERE lead = ?1 ORDER BY id";
    let journeys = all(conn, sql, [lead.to_bytes()], |row| json(row, "body"))?;
    let sql = "SELECT ifnull(sold_price, price) AS price, ifnull(sold_payout, payout) AS payout,
                 currency FROM attempt WHERE lead = ?1 AND state = 'accepted'";
    let sold = all(conn, sql, [lead.to_bytes()], |row: &Row<'_>| {
        Ok((money(row, "price", "currency")?, money(row, "payout", "currency")?))
    })?;
    let sql = "SELECT status FROM lead WHERE id = ?1";
    let standing: Option<Option<LeadStatus>> = one(conn, sql, [lead.to_bytes()], status)?;
    Ok(LateLead { lead, journeys, posted: standing.is_some(), status: standing.flatten(), sold })
}
