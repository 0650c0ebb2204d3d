//! Leads that are posted again.

use exchange_model::reason::LeadStatus;
use exchange_model::{LeadId, SourceId, Timestamp};
use rusqlite::Connection;

use super::attempt::{attempt_views, status};
use super::columns::{all, lead_id, one, time};
use super::txn::Txn;
use super::views::traces;
use crate::error::StoreError;
use crate::intake::Intake;
use crate::repost::{EarlierPost, EarlierPosts, NotRepostable, REPOST_WITHIN, REPOSTS_MAX};

/// One of the leads that belong together.
struct Posted {
    lead: LeadId,
    status: Option<LeadStatus>,
    received_at: Timestamp,
}

/// Everything that became of a lead of this source, whichever time of posting it names.
pub(super) fn earlier_posts(
    conn: &Connection,
    source: &SourceId,
    lead: LeadId,
) -> Result<Option<EarlierPosts>, StoreError> {
    let sql = "SELECT ifnull(repost_of, id) AS first FROM lead WHERE id = ?1 AND source = ?2";
    let first = one(conn, sql, (lead.to_bytes(), source.as_str()), |row| lead_id(row, "first"))?;
    let Some(first) = first else { return Ok(None) };
    let posts = all_of(conn, source, first)?;
    let posts = posts.into_iter().map(|posted| earlier_post(conn, &posted));
    Ok(Some(EarlierPosts { first, posts: posts.collect::<Result<_, _>>()? }))
}

fn all_of(conn: &Connection, source: &SourceId, first: LeadId) -> Result<Vec<Posted>, StoreError> {
    let sql = "SELECT id, status, received_at FROM lead
               WHERE (id = ?1 OR repost_of = ?1) AND source = ?2 ORDER BY received_at, id";
    all(conn, sql, (first.to_bytes(), source.as_str()), |row| {
        Ok(Posted {
            lead: lead_id(row, "id")?,
            status: status(row)?,
            received_at: time(row, "received_at")?,
        })
    })
}

/// A post that provably did not reach the buyer counts for nothing.
fn earlier_post(conn: &Connection, posted: &Posted) -> Result<EarlierPost, StoreError> {
    let attempts = attempt_views(conn, posted.lead)?.into_iter();
    Ok(EarlierPost {
        lead: posted.lead,
        received_at: posted.received_at,
        posted_to: attempts.filter(|a| a.state != "not_sent").map(|a| a.campaign).collect(),
        traces: traces(conn, posted.lead)?,
    })
}

impl Txn<'_> {
    /// Why this lead may not be posted again; nothing when it may, and for every other lead.
    pub(super) fn not_repostable(
        &self,
        intake: &Intake,
    ) -> Result<Option<NotRepostable>, StoreError> {
        let Some(first) = intake.repost_of else { return Ok(None) };
        let posts = all_of(self.conn, &intake.source, first)?;
        let Some(began) = posts.iter().find(|posted| posted.lead == first) else {
            return Ok(Some(NotRepostable::Unknown));
        };
        // What was given up before anything left the house is as if it had not been.
        let again =
            |posted: &&Posted| posted.lead != first && posted.status != Some(LeadStatus::Abandoned);
        let unsold = |posted: &Posted| posted.status == Some(LeadStatus::Unsold);
        if !unsold(began) || !posts.iter().filter(again).all(unsold) {
            return Ok(Some(NotRepostable::NotUnsold));
        }
        if began.received_at < intake.received_at.before(REPOST_WITHIN) {
            return Ok(Some(NotRepostable::TooLate));
        }
        let times = posts.iter().filter(again).count();
        Ok((times >= REPOSTS_MAX).then_some(NotRepostable::TooOften))
    }

    /// Whether the lead is the one that this is a repost of, or another repost of it.
    pub(super) fn belongs_to(&self, intake: &Intake, other: LeadId) -> Result<bool, StoreError> {
        let Some(first) = intake.repost_of else { return Ok(false) };
        let posts = all_of(self.conn, &intake.source, first)?;
        Ok(posts.iter().any(|posted| posted.lead == other))
    }
}
