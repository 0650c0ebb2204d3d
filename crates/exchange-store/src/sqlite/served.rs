//! What tiers gave their members: posts from the attempts, usable bids from rows of their own.

use std::time::Duration;

use exchange_core::record::Qualified;
use exchange_model::{AttemptId, LeadId, Timestamp};
use rusqlite::Connection;

use super::attempt::lead_row;
use super::columns::{coded, each, lead_id, parsed, run, time};
use super::shared::Shared;
use super::txn::Txn;
use crate::error::StoreError;
use crate::recovery::AttemptState;
use crate::served::{SERVED_KEPT, ServedPost, TierMembership, step_of};

/// An attempt is prepared at most this long after its lead was named.
const POSTED_WITHIN: Duration = Duration::from_hours(24);

impl Txn<'_> {
    /// Counts the usable bids for a lead. They are durable with the step that they came with, so
    /// that a crash loses those of a lead only where it loses its auction.
    pub(super) fn qualify(
        &mut self,
        lead: LeadId,
        qualified: &[Qualified],
    ) -> Result<(), StoreError> {
        if qualified.is_empty() {
            return Ok(());
        }
        let at = lead_row(self.conn, lead)?.received_at;
        for Qualified { tree, tier, campaign } in qualified {
            let sql = "INSERT INTO qualified (tree, tier, campaign, step, leads)
                       VALUES (?1, ?2, ?3, ?4, 1) ON CONFLICT DO UPDATE SET leads = leads + 1";
            let step = step_of(at).unix_micros();
            run(self.conn, sql, (tree, tier, campaign.as_str(), step))?;
            let (tree, tier, campaign) = (tree.clone(), tier.clone(), campaign.clone());
            let member = TierMembership { tree, tier, campaign };
            if self.count_qualified(member.clone(), at) {
                self.forget_qualified(&member, at)?;
            }
        }
        Ok(())
    }

    fn forget_qualified(&self, member: &TierMembership, at: Timestamp) -> Result<(), StoreError> {
        let sql = "DELETE FROM qualified
                   WHERE tree = ?1 AND tier = ?2 AND campaign = ?3 AND step < ?4";
        let kept_from = step_of(at.before(SERVED_KEPT)).unix_micros();
        let names = (&member.tree, &member.tier, member.campaign.as_str());
        run(self.conn, sql, (names.0, names.1, names.2, kept_from))?;
        Ok(())
    }
}

/// Counts again what every tier gave. Leads are named in the order of time, so that no older
/// attempt is looked at.
pub(super) fn fill(conn: &Connection, shared: &Shared, now: Timestamp) -> Result<(), StoreError> {
    let first = now.before(SERVED_KEPT);
    let lead = LeadId::new(first.before(POSTED_WITHIN), [0; 10]);
    let sql = "SELECT lead, step, tree, tier, campaign, counted_at, prepared_at, state
               FROM attempt WHERE lead >= ?1 AND tree IS NOT NULL";
    each(conn, sql, [lead.to_bytes()], |row| {
        let post = ServedPost {
            attempt: AttemptId::new(lead_id(row, "lead")?, row.get("step")?),
            by: member(row)?,
            taken_in: time(row, "counted_at")?,
            prepared_at: time(row, "prepared_at")?,
        };
        let state = coded(row, "state", AttemptState::from_code)?;
        shared.served.change(&post, None, Some(state));
        Ok(())
    })?;
    let sql = "SELECT tree, tier, campaign, step, leads FROM qualified WHERE step >= ?1";
    each(conn, sql, [step_of(first).unix_micros()], |row| {
        let leads = u32::try_from(row.get::<_, i64>("leads")?).unwrap_or(u32::MAX);
        shared.served.qualify(&member(row)?, time(row, "step")?, leads);
        Ok(())
    })
}

fn member(row: &rusqlite::Row<'_>) -> Result<TierMembership, StoreError> {
    let (tree, tier) = (row.get("tree")?, row.get("tier")?);
    Ok(TierMembership { tree, tier, campaign: parsed(row, "campaign")? })
}
