//! Requests: their intake, a ping's answer, and giving up.

use exchange_core::record::{Answer, Promise, PromisedBid};
use exchange_model::outcome::BidToken;
use exchange_model::reason::LeadStatus;
use exchange_model::{BrandList, LeadId, MinorUnits, Money, PingId, Timestamp};
use serde::{Deserialize, Serialize};

use super::attempt::lead_row;
use super::columns::{coded, decimal, digits, lead_id, one, run, to_json};
use super::places::posts;
use super::txn::Txn;
use crate::error::StoreError;
use crate::intake::{BuyerLimits, FullCap, Intake, IntakeKind, IntakeReply, StoredReply};
use crate::vault::Vaulted;

/// An intake as it is written: contact data sealed, the key hashed, all before it is queued.
pub(super) struct Prepared {
    pub(super) intake: Intake,
    pub(super) attributes: String,
    pub(super) vaulted: Vaulted,
    pub(super) idempotency: Option<[u8; 32]>,
}

impl Txn<'_> {
    /// Records a request, unless its key or its ping is used.
    pub(super) fn take_in(&mut self, from: &Prepared) -> Result<IntakeReply, StoreError> {
        let lead = from.intake.lead.id();
        if let Some(hash) = &from.idempotency
            && let Some(lead) = self.key_in_use(hash)?
        {
            return Ok(IntakeReply::KeyInUse { lead });
        }
        if self.is_known(from.intake.kind, lead)? {
            return Ok(IntakeReply::PingUsed);
        }
        if let Some(why) = self.not_repostable(&from.intake)? {
            return Ok(IntakeReply::NotRepostable(why));
        }
        if let Some(full) = self.full_source(&from.intake)? {
            return Ok(IntakeReply::SourceCap(full));
        }
        self.write_request(from)?;
        self.write_vault(lead, &from.vaulted)?;
        if let Some(hash) = &from.idempotency {
            let kind = from.intake.kind.code();
            run(
                self.conn,
                "INSERT INTO idempotency (hash, kind, lead, fingerprint) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET lead = excluded.lead, fingerprint = excluded.fingerprint",
                (hash, kind, lead.to_bytes(), from.intake.fingerprint),
            )?;
        }
        if from.intake.kind == IntakeKind::Lead {
            self.count_taken_in(&from.intake.source, from.intake.received_at);
        }
        let intake = &from.intake;
        match self.resubmitted(lead, &intake.resubmission, intake.received_at)? {
            Some(first) if !self.belongs_to(intake, first)? => {
                Ok(IntakeReply::Resubmitted { first })
            }
            Some(_) | None => Ok(IntakeReply::Accepted),
        }
    }

    /// The cap of its source that has no room for one lead more.
    fn full_source(&self, intake: &Intake) -> Result<Option<FullCap>, StoreError> {
        if intake.kind == IntakeKind::Ping {
            return Ok(None);
        }
        self.know_caps(&intake.caps)?;
        let full = intake
            .caps
            .iter()
            .find(|cap| !cap.limit.has_room(self.shared.usage.used(cap), MinorUnits::ZERO));
        Ok(full.map(|cap| FullCap { kind: cap.kind, window: cap.window, limit: cap.limit }))
    }

    /// The request that has the key, unless it was abandoned.
    fn key_in_use(&self, hash: &[u8; 32]) -> Result<Option<LeadId>, StoreError> {
        let sql = "SELECT kind, lead FROM idempotency WHERE hash = ?1";
        let found = one(self.conn, sql, [hash], |row| {
            Ok((coded(row, "kind", IntakeKind::from_code)?, lead_id(row, "lead")?))
        })?;
        let Some((kind, lead)) = found else { return Ok(None) };
        let status = self.status_of(kind, lead)?;
        let abandoned = status.flatten().is_some_and(|s| s == LeadStatus::Abandoned.code());
        Ok((!abandoned).then_some(lead))
    }

    /// Whether the id is taken. A post on a ping that was abandoned before anything left the house
    /// gives the ping free.
    fn is_known(&self, kind: IntakeKind, lead: LeadId) -> Result<bool, StoreError> {
        let Some(status) = self.status_of(kind, lead)? else { return Ok(false) };
        let abandoned = status.is_some_and(|status| status == LeadStatus::Abandoned.code());
        if kind == IntakeKind::Ping || !abandoned || !posts(self.conn, lead)?.is_empty() {
            return Ok(true);
        }
        for sql in [
            "DELETE FROM reply WHERE kind = 'lead' AND lead = ?1",
            "DELETE FROM lead WHERE id = ?1",
        ] {
            run(self.conn, sql, [lead.to_bytes()])?;
        }
        Ok(false)
    }

    /// The status of a request, if there is one by that id; an inner `None` while it runs.
    fn status_of(
        &self,
        kind: IntakeKind,
        lead: LeadId,
    ) -> Result<Option<Option<String>>, StoreError> {
        let sql = match kind {
            IntakeKind::Lead => "SELECT status FROM lead WHERE id = ?1",
            IntakeKind::Ping => "SELECT status FROM ping WHERE id = ?1",
        };
        one(self.conn, sql, [lead.to_bytes()], |row| Ok(row.get(0)?))
    }

    fn write_request(&self, from: &Prepared) -> Result<(), StoreError> {
        let intake = &from.intake;
        let (id, at) = (intake.lead.id().to_bytes(), intake.received_at.unix_micros());
        let (source, vertical) = (intake.source.as_str(), intake.lead.vertical().id().as_str());
        let consented_to = intake.lead.consented_to().map(|list| to_json(&list.as_slice()));
        match intake.kind {
            IntakeKind::Lead => run(
                self.conn,
                "INSERT INTO lead (id, source, vertical, received_at, config_version, attributes,
                   callback_url, consented_to, repost_of)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                (
                    id,
                    source,
                    vertical,
                    at,
                    &intake.config_version,
                    &from.attributes,
                    &intake.callback_url,
                    &consented_to,
                    intake.repost_of.map(LeadId::to_bytes),
                ),
            )?,
            IntakeKind::Ping => run(
                self.conn,
                "INSERT INTO ping (id, source, vertical, received_at, config_version, attributes,
                   consented_to, limits) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                (
                    id,
                    source,
                    vertical,
                    at,
                    &intake.config_version,
                    &from.attributes,
                    &consented_to,
                    limits_text(&intake.limits),
                ),
            )?,
        };
        Ok(())
    }

    /// A lead posted on a ping takes over the ping's place in the vault, under a new key.
    fn write_vault(&self, lead: LeadId, vaulted: &Vaulted) -> Result<(), StoreError> {
        run(
            self.conn,
            "INSERT INTO contact (lead, sealed) VALUES (?1, ?2)
             ON CONFLICT DO UPDATE SET sealed = excluded.sealed",
            (lead.to_bytes(), &vaulted.sealed),
        )?;
        run(
            self.conn,
            "INSERT INTO lead_key (lead, wrapped) VALUES (?1, ?2)
             ON CONFLICT DO UPDATE SET wrapped = excluded.wrapped",
            (lead.to_bytes(), &vaulted.wrapped_key),
        )?;
        Ok(())
    }

    /// Answers a ping, once: with a promise, or with nothing.
    pub(super) fn answer_ping(
        &self,
        ping: PingId,
        promise: Option<&Promise>,
        reply: &StoredReply,
    ) -> Result<(), StoreError> {
        let changed = run(
            self.conn,
            "UPDATE ping SET status = ?2, expires_at = ?3, payout = ?4, currency = ?5, bids = ?6
             WHERE id = ?1 AND status IS NULL",
            (
                ping.to_bytes(),
                if promise.is_some() { "bid" } else { "no_bid" },
                promise.map(|promise| promise.expires_at.unix_micros()),
                promise.map(|promise| digits(promise.payout)),
                promise.map(|promise| promise.payout.currency().to_string()),
                promise.map(|promise| to_json(&bids(&promise.bids))),
            ),
        )?;
        if changed != 1 {
            return Err(StoreError::Conflict(format!("`{ping}` is not waiting for an answer")));
        }
        let lead = LeadId::from_bytes(ping.to_bytes());
        self.keep_reply(IntakeKind::Ping, lead, reply.clone()).map(drop)
    }

    /// Gives a request up, if nothing has left the house. Doing it again changes nothing.
    pub(super) fn abandon(&self, lead: LeadId, at: Timestamp) -> Result<(), StoreError> {
        if self.abandon_ping(lead)? {
            return Ok(());
        }
        let row = lead_row(self.conn, lead)?;
        if row.status == Some(LeadStatus::Abandoned) {
            return Ok(());
        }
        if row.status.is_some() || !posts(self.conn, lead)?.is_empty() {
            return Err(StoreError::Conflict(format!("`{lead}` has left the house")));
        }
        let answer = Answer {
            sales: Vec::new(),
            status: LeadStatus::Abandoned,
            payout: None,
            redirect_url: None,
            reasons: Vec::new(),
        };
        self.write_answer(lead, &answer, at)
    }

    fn abandon_ping(&self, lead: LeadId) -> Result<bool, StoreError> {
        let sql = "UPDATE ping SET status = 'abandoned' WHERE id = ?1 AND status IS NULL";
        Ok(run(self.conn, sql, [lead.to_bytes()])? == 1)
    }
}

/// A ping's limits as JSON; nothing where it has none.
#[derive(Deserialize, Serialize)]
struct StoredLimits {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_buyers: Option<u8>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    exclude: Vec<String>,
}

fn limits_text(limits: &BuyerLimits) -> Option<String> {
    let BuyerLimits { max_buyers, exclude } = limits;
    let stored = StoredLimits { max_buyers: *max_buyers, exclude: exclude.as_slice().to_vec() };
    (*limits != BuyerLimits::default()).then(|| to_json(&stored))
}

/// What was written for a ping's limits.
pub(super) fn read_limits(text: &str) -> Option<BuyerLimits> {
    let stored: StoredLimits = serde_json::from_str(text).ok()?;
    let exclude = BrandList::new(stored.exclude.iter().map(String::as_str)).ok()?;
    Some(BuyerLimits { max_buyers: stored.max_buyers, exclude })
}

/// A promised bid as JSON.
#[derive(Deserialize, Serialize)]
struct StoredBid {
    campaign: String,
    tier: String,
    price: String,
    currency: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    /// Microseconds since 1970; a bid without one has a token without an end.
    #[serde(default)]
    answered_at: i64,
    /// Whether the price is the contract's.
    #[serde(default)]
    contract: bool,
    /// To how many buyers the lead would go with it.
    #[serde(default)]
    buyers: u8,
}

fn bids(bids: &[PromisedBid]) -> Vec<StoredBid> {
    let stored = |bid: &PromisedBid| StoredBid {
        campaign: bid.campaign.to_string(),
        tier: bid.tier.clone(),
        price: digits(bid.price),
        currency: bid.price.currency().to_string(),
        token: bid.token.as_ref().map(BidToken::to_text),
        answered_at: bid.answered_at.unix_micros(),
        contract: bid.contract,
        buyers: bid.buyers,
    };
    bids.iter().map(stored).collect()
}

/// What was written for a promise's bids.
pub(super) fn read_bids(text: &str) -> Option<Vec<PromisedBid>> {
    let stored: Vec<StoredBid> = serde_json::from_str(text).ok()?;
    let bid = |bid: StoredBid| {
        let currency = exchange_model::Currency::new(&bid.currency).ok()?;
        Some(PromisedBid {
            campaign: bid.campaign.parse().ok()?,
            tier: bid.tier,
            price: Money::new(decimal(&bid.price)?, currency),
            token: bid.token.and_then(|text| BidToken::from_text(&text)),
            answered_at: Timestamp::from_unix_micros(bid.answered_at),
            contract: bid.contract,
            buyers: bid.buyers,
        })
    };
    stored.into_iter().map(bid).collect()
}
