//! The rows of attempts and of the leads they belong to.

use exchange_core::record::{Intent, OpenAttempt, UnknownPolicy};
use exchange_model::outcome::BidToken;
use exchange_model::reason::LeadStatus;
use exchange_model::{
    AttemptId, CampaignId, LeadId, MinorUnits, Money, SourceId, Timestamp, VerticalId,
};
use rusqlite::{Connection, Row};

use super::columns::{all, coded, lead_id, money, one, parsed, read_terms, time, time_if};
use crate::error::StoreError;
use crate::recovery::AttemptState;
use crate::view::AttemptView;

/// What commits need to know about a lead.
#[derive(Debug)]
pub(super) struct LeadRow {
    pub(super) source: SourceId,
    pub(super) vertical: VerticalId,
    pub(super) received_at: Timestamp,
    pub(super) status: Option<LeadStatus>,
    pub(super) callback_url: Option<String>,
}

/// What commit B needs to know about an attempt.
#[derive(Debug)]
pub(super) struct AttemptRow {
    pub(super) campaign: CampaignId,
    pub(super) price: Money,
    pub(super) payout: Money,
    pub(super) price_minor: MinorUnits,
    pub(super) counted_at: Timestamp,
    pub(super) prepared_at: Timestamp,
    pub(super) state: AttemptState,
}

pub(super) fn lead_row(conn: &Connection, lead: LeadId) -> Result<LeadRow, StoreError> {
    let sql = "SELECT source, vertical, received_at, status, callback_url FROM lead WHERE id = ?1";
    let found = one(conn, sql, [lead.to_bytes()], |row| {
        Ok(LeadRow {
            source: parsed(row, "source")?,
            vertical: parsed(row, "vertical")?,
            received_at: time(row, "received_at")?,
            status: status(row)?,
            callback_url: row.get("callback_url")?,
        })
    })?;
    found.ok_or(StoreError::NoLead(lead))
}

/// The status column; nothing while the auction runs.
pub(super) fn status(row: &Row<'_>) -> Result<Option<LeadStatus>, StoreError> {
    match row.get_ref("status")? {
        rusqlite::types::ValueRef::Null => Ok(None),
        _ => coded(row, "status", LeadStatus::from_code).map(Some),
    }
}

/// The states of a lead's attempts with what a lost answer means for each, in order.
pub(super) fn states(
    conn: &Connection,
    lead: LeadId,
) -> Result<Vec<(AttemptState, UnknownPolicy)>, StoreError> {
    let sql = "SELECT state, policy FROM attempt WHERE lead = ?1 ORDER BY step";
    all(conn, sql, [lead.to_bytes()], |row| {
        Ok((coded(row, "state", AttemptState::from_code)?, coded(row, "policy", read_policy)?))
    })
}

pub(super) fn attempt_row(conn: &Connection, attempt: AttemptId) -> Result<AttemptRow, StoreError> {
    let sql =
        "SELECT campaign, price, payout, currency, price_minor, counted_at, prepared_at, state
               FROM attempt WHERE lead = ?1 AND step = ?2";
    let found = one(conn, sql, (attempt.lead().to_bytes(), attempt.step()), |row| {
        Ok(AttemptRow {
            campaign: parsed(row, "campaign")?,
            price: money(row, "price", "currency")?,
            payout: money(row, "payout", "currency")?,
            price_minor: MinorUnits::new(row.get("price_minor")?),
            counted_at: time(row, "counted_at")?,
            prepared_at: time(row, "prepared_at")?,
            state: coded(row, "state", AttemptState::from_code)?,
        })
    })?;
    found.ok_or(StoreError::NoAttempt(attempt))
}

/// `hold` or `cascade`.
pub(super) const fn policy_code(policy: UnknownPolicy) -> &'static str {
    match policy {
        UnknownPolicy::Hold => "hold",
        UnknownPolicy::Cascade => "cascade",
    }
}

fn read_policy(code: &str) -> Option<UnknownPolicy> {
    match code {
        "hold" => Some(UnknownPolicy::Hold),
        "cascade" => Some(UnknownPolicy::Cascade),
        _ => None,
    }
}

/// Attempts whose outcome is unknown, oldest first.
pub(super) fn open_attempts(conn: &Connection) -> Result<Vec<OpenAttempt>, StoreError> {
    // The first condition is that of the index.
    let sql = "SELECT lead, step, campaign, tier, price, payout, currency, token, terms, policy,
                 resolve_by, prepared_at, concluded_at
               FROM attempt WHERE state IN ('prepared', 'unknown') AND state = 'unknown'
               ORDER BY prepared_at, lead, step";
    all(conn, sql, [], |row| {
        let since = time_if(row, "concluded_at")?;
        Ok(OpenAttempt { since: since.unwrap_or(time(row, "prepared_at")?), intent: intent(row)? })
    })
}

fn intent(row: &Row<'_>) -> Result<Intent, StoreError> {
    Ok(Intent {
        attempt: AttemptId::new(lead_id(row, "lead")?, row.get("step")?),
        campaign: parsed(row, "campaign")?,
        tier: row.get("tier")?,
        price: money(row, "price", "currency")?,
        payout: money(row, "payout", "currency")?,
        token: row.get::<_, Option<String>>("token")?.and_then(|text| BidToken::from_text(&text)),
        caps: Vec::new(),
        terms: coded(row, "terms", read_terms)?,
        unknown: coded(row, "policy", read_policy)?,
        resolve_by: time(row, "resolve_by")?,
    })
}

/// A lead's attempts for people, in order.
pub(super) fn attempt_views(
    conn: &Connection,
    lead: LeadId,
) -> Result<Vec<AttemptView>, StoreError> {
    let sql =
        "SELECT step, campaign, tier, price, payout, currency, state, reason, text, buyer_ref,
                 prepared_at, concluded_at
               FROM attempt WHERE lead = ?1 ORDER BY step";
    all(conn, sql, [lead.to_bytes()], |row| {
        Ok(AttemptView {
            attempt: AttemptId::new(lead, row.get("step")?),
            campaign: parsed(row, "campaign")?,
            tier: row.get("tier")?,
            price: money(row, "price", "currency")?,
            payout: money(row, "payout", "currency")?,
            state: row.get("state")?,
            reason: row.get("reason")?,
            text: row.get("text")?,
            buyer_ref: row.get("buyer_ref")?,
            prepared_at: time(row, "prepared_at")?,
            concluded_at: time_if(row, "concluded_at")?,
        })
    })
}
