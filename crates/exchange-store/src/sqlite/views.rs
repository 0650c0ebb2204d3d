//! Reading leads, pings and replies back.

use exchange_core::record::Promise;
use exchange_model::{AttemptId, BrandList, LeadId, PingId, SourceId};
use rusqlite::{Connection, Row};

use super::attempt::{attempt_views, status};
use super::books;
use super::columns::{all, coded, json, lead_id, money, money_if, one, parsed, time, time_if};
use super::request::{read_bids, read_limits};
use super::sales::sales;
use crate::error::StoreError;
use crate::intake::{BuyerLimits, IntakeKind, StoredReply};
use crate::vault::{RootKey, SealedContact, Vaulted};
use crate::view::{ExceptionView, LeadParts, LeadStanding, LeadView, PingRecord, Replay};

const STANDING: &str =
    "id, status, payout, currency, redirect_url, reasons, received_at, answered_at";
const PARTS: &str = "id, vertical, attributes, received_at, consented_to";

/// The earlier request that a hashed idempotency key names.
pub(super) fn replay(conn: &Connection, hash: &[u8; 32]) -> Result<Option<Replay>, StoreError> {
    let sql = "SELECT kind, lead, fingerprint FROM idempotency WHERE hash = ?1";
    let found = one(conn, sql, [hash], |row| {
        let kind = coded(row, "kind", IntakeKind::from_code)?;
        Ok((kind, lead_id(row, "lead")?, row.get("fingerprint")?))
    })?;
    let Some((kind, lead, fingerprint)) = found else { return Ok(None) };
    let standing = match kind {
        IntakeKind::Lead => standing(conn, lead)?,
        // An abandoned ping has no answer and gives its key free.
        IntakeKind::Ping if is_abandoned_ping(conn, lead)? => return Ok(None),
        IntakeKind::Ping => None,
    };
    Ok(Some(Replay { kind, lead, fingerprint, reply: reply(conn, kind, lead)?, standing }))
}

fn is_abandoned_ping(conn: &Connection, ping: LeadId) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM ping WHERE id = ?1 AND status = 'abandoned'";
    Ok(one(conn, sql, [ping.to_bytes()], |_row| Ok(()))?.is_some())
}

/// What the seller was told.
pub(super) fn reply(
    conn: &Connection,
    kind: IntakeKind,
    lead: LeadId,
) -> Result<Option<StoredReply>, StoreError> {
    let sql = "SELECT http_status, body FROM reply WHERE kind = ?1 AND lead = ?2";
    one(conn, sql, (kind.code(), lead.to_bytes()), |row| {
        Ok(StoredReply { http_status: row.get(0)?, body: row.get(1)? })
    })
}

/// How a lead stands.
pub(super) fn standing(
    conn: &Connection,
    lead: LeadId,
) -> Result<Option<LeadStanding>, StoreError> {
    let sql = format!("SELECT {STANDING} FROM lead WHERE id = ?1");
    one(conn, &sql, [lead.to_bytes()], |row| read_standing(conn, row))
}

/// How a lead of this source stands.
pub(super) fn standing_for(
    conn: &Connection,
    source: &SourceId,
    lead: LeadId,
) -> Result<Option<LeadStanding>, StoreError> {
    let sql = format!("SELECT {STANDING} FROM lead WHERE id = ?1 AND source = ?2");
    one(conn, &sql, (lead.to_bytes(), source.as_str()), |row| read_standing(conn, row))
}

fn read_standing(conn: &Connection, row: &Row<'_>) -> Result<LeadStanding, StoreError> {
    let lead = lead_id(row, "id")?;
    Ok(LeadStanding {
        lead,
        sales: sales(conn, lead)?,
        status: status(row)?,
        payout: money_if(row, "payout", "currency")?,
        redirect_url: row.get("redirect_url")?,
        reasons: json(row, "reasons")?,
        received_at: time(row, "received_at")?,
        answered_at: time_if(row, "answered_at")?,
    })
}

/// A ping, whosever it is.
pub(super) fn ping(
    conn: &Connection,
    root: &RootKey,
    ping: PingId,
) -> Result<Option<PingRecord>, StoreError> {
    let sql = format!(
        "SELECT {PARTS}, source, expires_at, payout, currency, bids, limits,
           EXISTS (SELECT 1 FROM lead WHERE lead.id = ping.id AND
             (lead.status IS NULL OR lead.status <> 'abandoned')) AS used
         FROM ping WHERE id = ?1"
    );
    one(conn, &sql, [ping.to_bytes()], |row| {
        Ok(PingRecord {
            ping,
            source: parsed(row, "source")?,
            parts: parts(conn, root, row)?,
            promise: promise(row, ping)?,
            limits: limits(row)?,
            used: row.get("used")?,
        })
    })
}

fn limits(row: &Row<'_>) -> Result<BuyerLimits, StoreError> {
    let Some(text) = row.get::<_, Option<String>>("limits")? else {
        return Ok(BuyerLimits::default());
    };
    read_limits(&text).ok_or(StoreError::Unreadable("limits"))
}

fn promise(row: &Row<'_>, ping: PingId) -> Result<Option<Promise>, StoreError> {
    let (Some(expires_at), Some(bids)) =
        (time_if(row, "expires_at")?, row.get::<_, Option<String>>("bids")?)
    else {
        return Ok(None);
    };
    let bids = read_bids(&bids).ok_or(StoreError::Unreadable("bids"))?;
    Ok(Some(Promise { ping, payout: money(row, "payout", "currency")?, expires_at, bids }))
}

fn parts(conn: &Connection, root: &RootKey, row: &Row<'_>) -> Result<LeadParts, StoreError> {
    let id = lead_id(row, "id")?;
    Ok(LeadParts {
        id,
        vertical: parsed(row, "vertical")?,
        open: json(row, "attributes")?,
        sealed: sealed(conn, root, id)?,
        consented_to: consented_to(row)?,
        received_at: time(row, "received_at")?,
    })
}

/// Lists that were kept are lists still; an unreadable one has named nobody.
fn consented_to(row: &Row<'_>) -> Result<Option<BrandList>, StoreError> {
    if row.get_ref("consented_to")?.as_str_or_null().is_ok_and(|text| text.is_none()) {
        return Ok(None);
    }
    let names: Vec<String> = json(row, "consented_to")?;
    Ok(BrandList::new(names.iter().map(String::as_str)).ok())
}

fn sealed(
    conn: &Connection,
    root: &RootKey,
    lead: LeadId,
) -> Result<Option<SealedContact>, StoreError> {
    let sql = "SELECT sealed, wrapped FROM contact JOIN lead_key USING (lead) WHERE lead = ?1";
    let found = one(conn, sql, [lead.to_bytes()], |row| {
        Ok(Vaulted { sealed: row.get("sealed")?, wrapped_key: row.get("wrapped")? })
    })?;
    Ok(found.map(|vaulted| root.sealed_contact(lead, vaulted)).transpose()?)
}

/// The stored parts of a lead.
pub(super) fn lead_parts(
    conn: &Connection,
    root: &RootKey,
    lead: LeadId,
) -> Result<Option<LeadParts>, StoreError> {
    let sql = format!("SELECT {PARTS} FROM lead WHERE id = ?1");
    one(conn, &sql, [lead.to_bytes()], |row| parts(conn, root, row))
}

/// Everything about a lead.
pub(super) fn lead_view(
    conn: &Connection,
    root: &RootKey,
    lead: LeadId,
) -> Result<Option<LeadView>, StoreError> {
    let sql = format!(
        "SELECT {STANDING}, vertical, attributes, consented_to, source, config_version, callback_url,
           erased_at
         FROM lead WHERE id = ?1"
    );
    one(conn, &sql, [lead.to_bytes()], |row| {
        Ok(LeadView {
            source: parsed(row, "source")?,
            config_version: row.get("config_version")?,
            parts: parts(conn, root, row)?,
            standing: read_standing(conn, row)?,
            callback_url: row.get("callback_url")?,
            erased_at: time_if(row, "erased_at")?,
            ping: ping(conn, root, PingId::from_bytes(lead.to_bytes()))?,
            attempts: attempt_views(conn, lead)?,
            exceptions: exceptions_of(conn, lead)?,
            traces: traces(conn, lead)?,
            transactions: books::of_lead(conn, lead.to_bytes())?,
        })
    })
}

pub(super) fn traces(
    conn: &Connection,
    lead: LeadId,
) -> Result<Vec<exchange_core::trace::Trace>, StoreError> {
    let sql = "SELECT body FROM trace WHERE lead = ?1 ORDER BY id";
    all(conn, sql, [lead.to_bytes()], |row| json(row, "body"))
}

fn exceptions_of(conn: &Connection, lead: LeadId) -> Result<Vec<ExceptionView>, StoreError> {
    let sql = "SELECT lead, step, kind, detail, at FROM exception WHERE lead = ?1 ORDER BY id";
    all(conn, sql, [lead.to_bytes()], read_exception)
}

/// What people must look at, latest first.
pub(super) fn exceptions(conn: &Connection, limit: u32) -> Result<Vec<ExceptionView>, StoreError> {
    let sql = "SELECT lead, step, kind, detail, at FROM exception ORDER BY id DESC LIMIT ?1";
    all(conn, sql, [limit], read_exception)
}

fn read_exception(row: &Row<'_>) -> Result<ExceptionView, StoreError> {
    Ok(ExceptionView {
        attempt: AttemptId::new(lead_id(row, "lead")?, row.get("step")?),
        kind: row.get("kind")?,
        detail: row.get("detail")?,
        at: time(row, "at")?,
    })
}
