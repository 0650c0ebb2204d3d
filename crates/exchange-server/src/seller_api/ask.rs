//! What sellers ask for: sell a lead, bid on a ping, sell on a promise.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request as HttpRequest;
use exchange_core::idempotency::RequestName;
use exchange_core::record::Promise;
use exchange_model::lead::{FieldError, IntakeFields, Intaken, intake};
use exchange_model::reason::Invalid;
use exchange_model::{Lead, LeadId, Money, PingId, Stage, Timestamp};
use exchange_store::{
    BuyerLimits, EarlierPosts, IdempotencyKey, IntakeKind, NotRepostable, PingRecord,
};
use http::HeaderMap;
use ping_tree::{OnMismatch, Source, Tree, Wishes};
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
use crate::repeats::{self, Asked};
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
        if reserved.repost_of.is_some() && kind != Kind::Lead {
            fields.errors.push(fault("repost_of", Invalid::BadValue, ONLY_DIRECT));
        }
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
                let taken = self.intake(id, Stage::Post, None, &[])?;
                let earlier = self.earlier(engine).await?;
                let request = self.checked(taken, Wanted::Sale, self.wishes());
                Ok(Request { earlier, ..request })
            }
            Kind::Ping => {
                let id = new_lead_id(self.received_at);
                let taken = self.intake(id, Stage::Ping, None, &[])?;
                let request = self.checked(taken, Wanted::Quote, self.wishes());
                let asked = Asked {
                    source: &request.source.id,
                    min_price: request.min_price,
                    wishes: &request.wishes,
                    unknown: &request.frame.unknown_fields,
                };
                let repeat = repeats::of(&request.lead, asked, engine.keys());
                Ok(Request { repeat, ..request })
            }
            Kind::PostOn(ping) => {
                let (pinged, promise, limits) = self.promised(engine, ping).await?;
                let id = LeadId::from_bytes(ping.to_bytes());
                let changed = self.changed(&limits);
                let taken = self.intake(id, Stage::Post, Some(&pinged), &changed)?;
                let BuyerLimits { max_buyers, exclude } = limits;
                let wishes = Wishes { max_buyers, exclude };
                Ok(self.checked(taken, Wanted::Fulfilment(promise), wishes))
            }
        }
    }

    /// What was pinged and promised, if it may still be posted on.
    async fn promised(
        &self,
        engine: &Engine,
        ping: PingId,
    ) -> Result<(Lead, Promise, BuyerLimits), Problem> {
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
        Ok((pinged, promise, record.limits))
    }

    /// What the request asks of whoever buys.
    fn wishes(&self) -> Wishes {
        let exclude = self.reserved.exclude.clone().unwrap_or_default();
        Wishes { max_buyers: self.reserved.max_buyers, exclude }
    }

    /// What the post asks otherwise than its ping: the promise was made for what the ping asked.
    fn changed(&self, limits: &BuyerLimits) -> Vec<FieldError> {
        let Reserved { max_buyers, exclude, .. } = &self.reserved;
        let differs = [
            ("max_buyers", max_buyers.is_some() && *max_buyers != limits.max_buyers),
            ("exclude", exclude.as_ref().is_some_and(|exclude| *exclude != limits.exclude)),
        ];
        let refused = self.source.on_mismatch == OnMismatch::Refuse;
        let differing = differs.iter().filter(|(_, differs)| refused && *differs);
        let detail = "differs from what was pinged; ping again to change it";
        differing.map(|(name, _)| fault(name, Invalid::PingMismatch, detail)).collect()
    }

    /// What became of the lead that this one is posted again after.
    async fn earlier(&self, engine: &Engine) -> Result<Option<EarlierPosts>, Problem> {
        let Some(lead) = self.reserved.repost_of else { return Ok(None) };
        // Who declined is told by the journey of the earlier lead, which is written behind it; where
        // it cannot be told, everybody is asked again.
        let _written_or_not = engine.store().flush().await;
        let found = engine.store().earlier_posts(&self.source.id, lead).await;
        let found = found.map_err(|_store_error| {
            let detail = "the earlier lead cannot be read at the moment";
            Problem::overloaded(detail, engine.retry_after())
        })?;
        found.map(Some).ok_or_else(|| not_repostable(NotRepostable::Unknown))
    }

    fn intake(
        &self,
        id: LeadId,
        stage: Stage,
        pinged: Option<&Lead>,
        changed: &[FieldError],
    ) -> Result<Intaken, Problem> {
        let of_body = [&self.fields.errors, changed].concat();
        let from = IntakeFields {
            stage,
            fields: &self.fields.pairs,
            sealed: self.reserved.sealed.clone(),
            pinged,
            ping_counts: self.source.on_mismatch == OnMismatch::Ignore,
            today: day_of(self.received_at),
        };
        match intake(id, &self.tree.vertical, from) {
            Ok(taken) if of_body.is_empty() => Ok(self.with_consent(taken, pinged)),
            Ok(_) => Err(Problem::fields(of_body)),
            Err(errors) => Err(Problem::fields(together(&of_body, errors))),
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

    fn checked(&self, taken: Intaken, wanted: Wanted, wishes: Wishes) -> Request {
        let id = taken.lead.id();
        Request {
            wanted,
            wishes,
            earlier: None,
            repeat: None,
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

/// Reposts of pings would be promises of promises.
const ONLY_DIRECT: &str = "only a lead that is posted directly names an earlier one";

fn fault(name: &str, code: Invalid, detail: &str) -> FieldError {
    FieldError { field: name.to_owned(), code, detail: detail.to_owned() }
}

/// The refusal of a lead that may not be posted again.
#[must_use]
pub fn not_repostable(why: NotRepostable) -> Problem {
    Problem::field("repost_of", Invalid::BadValue, why.detail())
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

/// The seller's own id names one posting of its lead: one that is posted again, for less, is another
/// request.
fn named(id: &str, reserved: &Reserved) -> String {
    let mut hash = Sha256::new_with_prefix(id.as_bytes());
    if let Some(earlier) = reserved.repost_of {
        let least = reserved.min_price.map(|price| price.to_string()).unwrap_or_default();
        hash.update(format!("\0{earlier}\0{least}"));
    }
    hex::encode(hash.finalize())
}

/// The header names a request. Without it a direct post is named by the seller's own lead id, and
/// a post on a ping by the ping.
fn key(kind: Kind, header: Option<RequestName>, reserved: &Reserved) -> Option<IdempotencyKey> {
    let stored_as = if kind == Kind::Ping { IntakeKind::Ping } else { IntakeKind::Lead };
    let name = match (header, kind, &reserved.seller_lead_id) {
        (Some(name), _, _) => name,
        (None, Kind::Lead, Some(id)) => RequestName::from_seller_lead_id(&named(id, reserved)),
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
