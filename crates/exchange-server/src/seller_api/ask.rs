//! What sellers ask for: sell a lead, bid on a ping, sell on a promise.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request as HttpRequest;
use exchange_core::idempotency::RequestName;
use exchange_core::record::Promise;
use exchange_model::lead::{FieldError, IntakeFields, Intaken, intake};
use exchange_model::reason::Invalid;
use exchange_model::{Lead, LeadId, Money, PingId, Stage, Timestamp};
use exchange_store::{IdempotencyKey, IntakeKind, PingRecord};
use http::HeaderMap;
use ping_tree::{Source, Tree};
use sha2::{Digest as _, Sha256};

use super::SellerApi;
use super::answer::{self, Replied};
use super::body::Fields;
use super::door::{self, Call};
use super::problem::Problem;
use super::reply::Frame;
use super::reserved::{self, Reserved};
use super::test_mode;
use crate::auction_driver::ping_used;
use crate::exchange::Engine;
use crate::intake::{Request, Wanted, day_of, new_lead_id};
use crate::snapshot::Snapshot;

/// What is asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Sell this lead.
    Lead,
    /// What would you pay?
    Ping,
    /// Sell this lead on an earlier promise.
    PostOn(PingId),
}

/// A live request with its name, not yet checked against the vertical.
#[derive(Debug)]
pub struct Ask {
    /// What for.
    pub kind: Kind,
    /// The config that it is handled by.
    pub config: Arc<Snapshot>,
    /// Whose.
    pub source: Arc<Source>,
    /// The source's tree.
    pub tree: Arc<Tree>,
    /// The seller's name for it.
    pub key: Option<IdempotencyKey>,
    /// Whether that name is only the ping's.
    pub named_by_ping: bool,
    /// Method, path and body under one keyed hash.
    pub fingerprint: [u8; 32],
    /// When its first byte arrived.
    pub received_at: Timestamp,
    /// Its fields, without the reserved ones.
    pub fields: Fields,
    /// The reserved ones.
    pub reserved: Reserved,
}

/// `POST /v1/leads`.
///
/// # Errors
/// Why it is refused.
pub async fn post_lead(api: &SellerApi, request: HttpRequest) -> Result<Replied, Problem> {
    ask(api, Kind::Lead, request).await
}

/// `POST /v1/pings`.
///
/// # Errors
/// Why it is refused.
pub async fn post_ping(api: &SellerApi, request: HttpRequest) -> Result<Replied, Problem> {
    ask(api, Kind::Ping, request).await
}

/// `POST /v1/pings/{ping_id}/post`.
///
/// # Errors
/// Why it is refused.
pub async fn post_on_ping(
    api: &SellerApi,
    ping: PingId,
    request: HttpRequest,
) -> Result<Replied, Problem> {
    ask(api, Kind::PostOn(ping), request).await
}

async fn ask(api: &SellerApi, kind: Kind, request: HttpRequest) -> Result<Replied, Problem> {
    let call = door::enter(api, request).await?;
    if call.is_test() {
        return test_mode::answer(api, kind, call).await;
    }
    let (ask, admitted) = Ask::new(kind, call)?;
    answer::to(&api.engine, &ask, admitted).await
}

impl Ask {
    fn new(kind: Kind, call: Call) -> Result<(Self, crate::exchange::Admitted), Problem> {
        let mut fields = call.fields;
        let reserved = reserved::take(&mut fields, call.tree.vertical.currency());
        let header = header_name(&call.headers)?;
        let named_by_ping = header.is_none() && matches!(kind, Kind::PostOn(_));
        let ask = Self {
            kind,
            key: key(kind, header, &reserved),
            named_by_ping,
            config: call.config,
            source: call.source,
            tree: call.tree,
            fingerprint: call.fingerprint,
            received_at: call.received_at,
            fields,
            reserved,
        };
        Ok((ask, call.admitted))
    }

    /// The refusal of another body under the same name.
    #[must_use]
    pub fn reused(&self) -> Problem {
        if self.named_by_ping {
            return ping_used();
        }
        Problem::new(Invalid::KeyReused, "this key was used with another request")
    }

    /// Checks everything and makes the lead.
    ///
    /// # Errors
    /// Every fault at once.
    pub async fn request(&self, engine: &Engine) -> Result<Request, Problem> {
        match self.kind {
            Kind::Lead => {
                let id = new_lead_id(self.received_at);
                let taken = self.intake(id, Stage::Post, None)?;
                Ok(self.checked(taken, Wanted::Sale))
            }
            Kind::Ping => {
                let id = new_lead_id(self.received_at);
                let taken = self.intake(id, Stage::Ping, None)?;
                Ok(self.checked(taken, Wanted::Quote))
            }
            Kind::PostOn(ping) => {
                let (pinged, promise) = self.promised(engine, ping).await?;
                let id = LeadId::from_bytes(ping.to_bytes());
                let taken = self.intake(id, Stage::Post, Some(&pinged))?;
                Ok(self.checked(taken, Wanted::Fulfilment(promise)))
            }
        }
    }

    /// What was pinged and promised, if it may still be posted on.
    async fn promised(&self, engine: &Engine, ping: PingId) -> Result<(Lead, Promise), Problem> {
        let found = engine.store().ping(&self.source.id, ping).await;
        let unreadable =
            || Problem::overloaded("the ping cannot be read at the moment", engine.retry_after());
        let record: PingRecord =
            found.map_err(|_store_error| unreadable())?.ok_or_else(door::not_found)?;
        if record.used {
            return Err(ping_used());
        }
        let expired = |detail| Problem::new(Invalid::PingExpired, detail);
        let Some(promise) = record.promise else {
            return Err(expired("nobody bid on this ping"));
        };
        if promise.expires_at <= self.received_at {
            return Err(expired("the promise of this ping has ended; ping again"));
        }
        let vertical = &self.tree.vertical;
        if record.parts.vertical != *vertical.id() {
            return Err(expired("the vertical of this ping is no longer the source's"));
        }
        let pinged = record
            .parts
            .restore(vertical, day_of(record.parts.received_at))
            .map_err(|_erased| expired("what was pinged has been erased"))?;
        Ok((pinged, promise))
    }

    fn intake(&self, id: LeadId, stage: Stage, pinged: Option<&Lead>) -> Result<Intaken, Problem> {
        let from = IntakeFields {
            stage,
            fields: &self.fields.pairs,
            sealed: self.reserved.sealed.clone(),
            pinged,
            today: day_of(self.received_at),
        };
        match intake(id, &self.tree.vertical, from) {
            Ok(taken) if self.fields.errors.is_empty() => Ok(self.with_consent(taken, pinged)),
            Ok(_) => Err(Problem::fields(self.fields.errors.clone())),
            Err(errors) => Err(Problem::fields(together(&self.fields.errors, errors))),
        }
    }

    /// The tree that this lead goes through, where the source splits its traffic. A ping and the
    /// post on it have the same bits.
    fn arm(&self, lead: LeadId) -> Arc<Tree> {
        let arm = self.config.routing.tree(self.source.tree_for(lead));
        Arc::clone(arm.unwrap_or(&self.tree))
    }

    /// What the post says of consent counts; where it says nothing, what the ping said.
    fn with_consent(&self, taken: Intaken, pinged: Option<&Lead>) -> Intaken {
        let said = self.reserved.consented_to.clone();
        let consented_to = said.or_else(|| pinged?.consented_to().cloned());
        Intaken { lead: taken.lead.with_consent(consented_to), ..taken }
    }

    fn checked(&self, taken: Intaken, wanted: Wanted) -> Request {
        let id = taken.lead.id();
        Request {
            wanted,
            lead: taken.lead,
            config: Arc::clone(&self.config),
            source: Arc::clone(&self.source),
            tree: self.arm(id),
            idempotency: self.key.clone(),
            fingerprint: self.fingerprint,
            received_at: self.received_at,
            min_price: self.min_price(),
            max_time: self.max_time(),
            callback_url: self.reserved.callback_url.as_ref().map(ToString::to_string),
            frame: Frame {
                currency: self.tree.vertical.currency(),
                test: false,
                unknown_fields: taken.unknown,
            },
        }
    }

    fn min_price(&self) -> Option<Money> {
        self.reserved.min_price
    }

    fn max_time(&self) -> Option<Duration> {
        self.reserved.max_time
    }
}

/// The faults of the body and of the fields; a field with a fault of its body is not also missing.
fn together(of_body: &[FieldError], of_fields: Vec<FieldError>) -> Vec<FieldError> {
    let mut all = of_body.to_vec();
    let named = |error: &FieldError| of_body.iter().any(|other| other.field == error.field);
    all.extend(of_fields.into_iter().filter(|error| !named(error)));
    all
}

fn header_name(headers: &HeaderMap) -> Result<Option<RequestName>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let name = value.to_str().ok().and_then(RequestName::from_header);
    name.map(Some).ok_or_else(|| {
        let wanted = "expected 1 to 255 printable ASCII characters";
        Problem::field("Idempotency-Key", Invalid::BadValue, wanted)
    })
}

/// The header names a request. Without it a direct post is named by the seller's own lead id, and
/// a post on a ping by the ping.
fn key(kind: Kind, header: Option<RequestName>, reserved: &Reserved) -> Option<IdempotencyKey> {
    let stored_as = if kind == Kind::Ping { IntakeKind::Ping } else { IntakeKind::Lead };
    let name = match (header, kind, &reserved.seller_lead_id) {
        (Some(name), _, _) => name,
        (None, Kind::Lead, Some(id)) => {
            RequestName::from_seller_lead_id(&hex::encode(Sha256::digest(id.as_bytes())))
        }
        (None, Kind::PostOn(ping), _) => RequestName::from_ping(ping),
        (None, Kind::Lead, None) | (None, Kind::Ping, _) => return None,
    };
    IdempotencyKey::new(stored_as, name.as_str())
        .or_else(|_too_long| {
            // Only the longest header keys, by their prefix: their hash names them as well.
            let hashed = hex::encode(Sha256::digest(name.as_str().as_bytes()));
            IdempotencyKey::new(stored_as, &format!("hash:{hashed}"))
        })
        .ok()
}
