//! The rows of attempts and of the leads they belong to.

use exchange_core::caps::Counted;
use exchange_core::duplicates::Person;
use exchange_core::record::{Intent, LegOffer, OpenAttempt, Sale, UnknownPolicy, most_booked};
use exchange_model::outcome::{Acceptance, BidToken, Handles};
use exchange_model::reason::{LeadStatus, Unknown};
use exchange_model::{
    AttemptId, CampaignId, LeadId, MinorUnits, Money, SourceId, Timestamp, VerticalId,
};
use rusqlite::{Connection, Row};

use super::columns::{
    all, coded, currency, json, lead_id, money, money_if, one, parsed, read_terms, time, time_if,
};
use super::price_terms;
use crate::error::StoreError;
use crate::recovery::AttemptState;
use crate::served::{ServedPost, TierMembership};
use crate::view::{AttemptRecord, AttemptView};

/// What commits need to know about a lead.
#[derive(Debug)]
pub(super) struct LeadRow {
    pub(super) source: SourceId,
    pub(super) vertical: VerticalId,
    pub(super) received_at: Timestamp,
    pub(super) status: Option<LeadStatus>,
    /// What the seller was told to be paid.
    pub(super) payout: Option<Money>,
    pub(super) callback_url: Option<String>,
}

/// What commit B needs to know about an attempt.
#[derive(Debug)]
pub(super) struct AttemptRow {
    pub(super) campaign: CampaignId,
    /// Unknown of attempts from before it was kept.
    pub(super) tree: Option<String>,
    pub(super) tier: String,
    pub(super) source: SourceId,
    pub(super) price: Money,
    /// What the buyer named in the acceptance that was taken first.
    pub(super) reply_price: Option<Money>,
    /// What was booked.
    pub(super) sold: Option<(Money, Money)>,
    pub(super) handles: Handles,
    /// What the caps count: what is held, then what was booked.
    pub(super) price_minor: MinorUnits,
    pub(super) counted_at: Timestamp,
    pub(super) prepared_at: Timestamp,
    pub(super) state: AttemptState,
}

impl AttemptRow {
    /// What its tier counts of it; nothing where the tree is not known.
    pub(super) fn served(&self, attempt: AttemptId) -> Option<ServedPost> {
        Some(ServedPost {
            attempt,
            by: TierMembership {
                tree: self.tree.clone()?,
                tier: self.tier.clone(),
                campaign: self.campaign.clone(),
            },
            taken_in: self.counted_at,
            prepared_at: self.prepared_at,
        })
    }

    /// What the caps count of it.
    pub(super) fn counted(&self, attempt: AttemptId) -> Counted {
        Counted {
            attempt,
            campaign: self.campaign.clone(),
            source: self.source.clone(),
            at: self.counted_at,
            price: self.price_minor,
        }
    }
}

pub(super) fn lead_row(conn: &Connection, lead: LeadId) -> Result<LeadRow, StoreError> {
    let sql = "SELECT source, vertical, received_at, status, payout, currency, callback_url
               FROM lead WHERE id = ?1";
    let found = one(conn, sql, [lead.to_bytes()], |row| {
        Ok(LeadRow {
            source: parsed(row, "source")?,
            vertical: parsed(row, "vertical")?,
            received_at: time(row, "received_at")?,
            status: status(row)?,
            payout: money_if(row, "payout", "currency")?,
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

pub(super) fn attempt_row(conn: &Connection, attempt: AttemptId) -> Result<AttemptRow, StoreError> {
    let sql = "SELECT campaign, tree, tier, source, price, currency, reply_price, reply_currency,
                 sold_price, sold_payout, handles, price_minor, counted_at, prepared_at, state
               FROM attempt WHERE lead = ?1 AND step = ?2";
    let found = one(conn, sql, (attempt.lead().to_bytes(), attempt.step()), |row| {
        Ok(AttemptRow {
            campaign: parsed(row, "campaign")?,
            tree: row.get("tree")?,
            tier: row.get("tier")?,
            source: parsed(row, "source")?,
            price: money(row, "price", "currency")?,
            reply_price: money_if(row, "reply_price", "reply_currency")?,
            sold: sold(row)?,
            handles: handles(row)?,
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

pub(super) fn read_policy(code: &str) -> Option<UnknownPolicy> {
    match code {
        "hold" => Some(UnknownPolicy::Hold),
        "cascade" => Some(UnknownPolicy::Cascade),
        _ => None,
    }
}

const OPEN: &str = "lead, step, request_step, campaign, tree, tier, price, payout, currency,
  token, terms, policy, on_price, buyers, legs, handles, resolve_by, prepared_at, concluded_at, state, reason";

/// Attempts whose outcome is unknown, oldest first.
pub(super) fn open_attempts(conn: &Connection) -> Result<Vec<OpenAttempt>, StoreError> {
    // The first condition is that of the index.
    let sql = format!(
        "SELECT {OPEN} FROM attempt WHERE state IN ('prepared', 'unknown') AND state = 'unknown'
         ORDER BY prepared_at, lead, step"
    );
    all(conn, &sql, [], open_attempt)
}

/// An attempt with all that a late word of its buyer is judged by.
pub(super) fn record(
    conn: &Connection,
    attempt: AttemptId,
) -> Result<Option<AttemptRecord>, StoreError> {
    let sql = format!("SELECT {OPEN} FROM attempt WHERE lead = ?1 AND step = ?2");
    one(conn, &sql, (attempt.lead().to_bytes(), attempt.step()), |row| {
        Ok(AttemptRecord {
            attempt: open_attempt(row)?,
            state: coded(row, "state", AttemptState::from_code)?,
        })
    })
}

/// The posts of a lead that bought, with what is booked for them.
pub(super) fn sold_posts(
    conn: &Connection,
    lead: LeadId,
) -> Result<Vec<(Intent, Sale)>, StoreError> {
    let sql = format!(
        "SELECT {OPEN}, sold_price, sold_payout, sold_legs FROM attempt
         WHERE lead = ?1 AND state = 'accepted' ORDER BY step"
    );
    all(conn, &sql, [lead.to_bytes()], |row| {
        let intent = intent(row)?;
        let (price, payout) = sold(row)?.unwrap_or((intent.price, intent.payout));
        let legs = legs(row, "sold_legs")?;
        let acceptance = Acceptance::default();
        Ok((intent, Sale { price, payout, acceptance, legs }))
    })
}

fn open_attempt(row: &Row<'_>) -> Result<OpenAttempt, StoreError> {
    let since = time_if(row, "concluded_at")?;
    Ok(OpenAttempt {
        since: since.unwrap_or(time(row, "prepared_at")?),
        why: why(row)?,
        intent: intent(row)?,
        handles: handles(row)?,
        // Nobody remembers: then it may have been.
        posted_again: true,
    })
}

/// Why an outcome is unknown; of a post that is still out, and of a decided one, nobody asks.
fn why(row: &Row<'_>) -> Result<Unknown, StoreError> {
    let reason: Option<String> = row.get("reason")?;
    Ok(reason.as_deref().and_then(Unknown::from_code).unwrap_or(Unknown::Crash))
}

fn handles(row: &Row<'_>) -> Result<Handles, StoreError> {
    match row.get_ref("handles")? {
        rusqlite::types::ValueRef::Null => Ok(Handles::default()),
        _ => json(row, "handles"),
    }
}

fn sold(row: &Row<'_>) -> Result<Option<(Money, Money)>, StoreError> {
    let price = money_if(row, "sold_price", "currency")?;
    Ok(price.zip(money_if(row, "sold_payout", "currency")?))
}

fn intent(row: &Row<'_>) -> Result<Intent, StoreError> {
    let attempt = AttemptId::new(lead_id(row, "lead")?, row.get("step")?);
    let request_step: Option<u8> = row.get("request_step")?;
    let (price, payout) = (money(row, "price", "currency")?, money(row, "payout", "currency")?);
    let on_price = match row.get::<_, Option<String>>("on_price")? {
        Some(text) => {
            price_terms::read(&text, price.currency()).ok_or(StoreError::Unreadable("on_price"))?
        }
        None => price_terms::of_old(price, payout),
    };
    let offered = legs(row, "legs")?;
    Ok(Intent {
        attempt,
        request_key: request_step.map_or(attempt, |step| AttemptId::new(attempt.lead(), step)),
        campaign: parsed(row, "campaign")?,
        tree: row.get::<_, Option<String>>("tree")?.unwrap_or_default(),
        tier: row.get("tier")?,
        price,
        payout,
        hold: most_booked(&on_price, price, &offered),
        on_price,
        token: row.get::<_, Option<String>>("token")?.and_then(|text| BidToken::from_text(&text)),
        caps: Vec::new(),
        terms: coded(row, "terms", read_terms)?,
        buyers: row.get("buyers")?,
        legs: offered,
        person: Person::default(),
        unknown: coded(row, "policy", read_policy)?,
        resolve_by: time(row, "resolve_by")?,
    })
}

/// Companies behind a buyer, in the currency of the attempt.
pub(super) fn legs(row: &Row<'_>, column: &'static str) -> Result<Vec<LegOffer>, StoreError> {
    let text: Option<String> = row.get(column)?;
    let found = super::legs::read(text.as_deref(), currency(row, "currency")?);
    found.ok_or(StoreError::Unreadable(column))
}

/// A lead's attempts for people, in order.
pub(super) fn attempt_views(
    conn: &Connection,
    lead: LeadId,
) -> Result<Vec<AttemptView>, StoreError> {
    let sql =
        "SELECT step, campaign, tier, price, payout, currency, state, reason, text, buyer_ref,
                 reply_price, reply_currency, sold_price, sold_payout, prepared_at, concluded_at,
                 buyers, legs, sold_legs
               FROM attempt WHERE lead = ?1 ORDER BY step";
    all(conn, sql, [lead.to_bytes()], |row| {
        Ok(AttemptView {
            attempt: AttemptId::new(lead, row.get("step")?),
            campaign: parsed(row, "campaign")?,
            tier: row.get("tier")?,
            price: money(row, "price", "currency")?,
            payout: money(row, "payout", "currency")?,
            reply_price: money_if(row, "reply_price", "reply_currency")?,
            sold: sold(row)?,
            state: row.get("state")?,
            reason: row.get("reason")?,
            text: row.get("text")?,
            buyer_ref: row.get("buyer_ref")?,
            prepared_at: time(row, "prepared_at")?,
            concluded_at: time_if(row, "concluded_at")?,
            buyers: row.get("buyers")?,
            legs: legs(row, "legs")?,
            sold_legs: legs(row, "sold_legs")?,
        })
    })
}
