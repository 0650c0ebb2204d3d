//! A running buyer: its desk, its book, its dialect, and what it counts and keeps.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::{Method, StatusCode};
use rust_decimal::Decimal;

use super::answer::{Bid, Decision, Dialect, Reply, Request};
use super::boberdoo::Boberdoo;
use super::book::{Book, Purchase};
use super::desk::{Desk, Verdict, price};
use super::direct_post::DirectPost;
use super::json_bidder::JsonBidder;
use super::leads_pedia::LeadsPedia;
use super::plain_json::PlainJson;
use super::xml_bidder::XmlBidder;
use super::{BuyerSpec, BuyerStats, Family, REQUESTS_KEPT_MAX, RecordedRequest, RequestKind};
use crate::faults::{Fault, FaultPlan};
use crate::random::hash;

/// A buyer behind its socket.
pub(crate) struct Buyer {
    pub(crate) spec: BuyerSpec,
    pub(crate) book: Arc<Book>,
    dialect: Box<dyn Dialect>,
    desk: Arc<Desk>,
    faults: Mutex<FaultPlan>,
    requests: Mutex<Vec<RecordedRequest>>,
    counts: Counts,
}

#[derive(Debug, Default)]
struct Counts {
    pings: AtomicU64,
    bids: AtomicU64,
    posts: AtomicU64,
    accepted: AtomicU64,
    rejected: AtomicU64,
    repeats: AtomicU64,
    tokens: AtomicU64,
    faults: AtomicU64,
    refused: AtomicU64,
}

/// What a fault changes in an answer's text.
pub(crate) struct Quirk {
    price: Option<String>,
    currency: &'static str,
}

impl std::fmt::Debug for Buyer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Buyer").field("spec", &self.spec).finish_non_exhaustive()
    }
}

impl Buyer {
    pub(crate) fn open(spec: BuyerSpec) -> io::Result<Self> {
        let book = spec.book_path.as_deref().map_or_else(|| Ok(Book::in_memory()), Book::open)?;
        Ok(Self {
            dialect: dialect(&spec),
            desk: Arc::new(Desk::new(spec.appetite, hash(spec.seed, spec.name.as_bytes()))),
            book: Arc::new(book),
            faults: Mutex::new(spec.faults.clone()),
            requests: Mutex::default(),
            counts: Counts::default(),
            spec,
        })
    }

    pub(crate) fn stats(&self) -> BuyerStats {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        BuyerStats {
            pings: read(&self.counts.pings),
            bids: read(&self.counts.bids),
            posts: read(&self.counts.posts),
            accepted: read(&self.counts.accepted),
            rejected: read(&self.counts.rejected),
            repeats: read(&self.counts.repeats),
            tokens: read(&self.counts.tokens),
            faults: read(&self.counts.faults),
            refused: read(&self.counts.refused),
        }
    }

    pub(crate) fn requests(&self) -> Vec<RecordedRequest> {
        self.kept().clone()
    }

    pub(crate) fn clear_requests(&self) {
        self.kept().clear();
    }

    pub(crate) fn set_faults(&self, plan: FaultPlan) {
        *self.faults.lock().unwrap_or_else(PoisonError::into_inner) = plan;
    }

    /// What a request is for, from its head.
    pub(crate) fn kind(&self, method: &Method, path: &str, query: &str) -> Option<RequestKind> {
        self.dialect.kind(method, path, query)
    }

    /// Counts the request and draws its fault.
    pub(crate) fn meet(&self, kind: RequestKind) -> Fault {
        let count = match kind {
            RequestKind::Ping => &self.counts.pings,
            RequestKind::Post => &self.counts.posts,
            RequestKind::Token => &self.counts.tokens,
        };
        let nth = count.fetch_add(1, Ordering::Relaxed);
        let plan = self.faults.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let fault = plan.fault(kind, nth);
        if fault != Fault::None {
            add_one(&self.counts.faults);
        }
        fault
    }

    pub(crate) fn keep(&self, kind: RequestKind, request: &Request) {
        let mut kept = self.kept();
        if self.spec.keep_requests && kept.len() < REQUESTS_KEPT_MAX {
            kept.push(RecordedRequest { kind, bytes: bytes_of(request) });
        }
    }

    fn kept(&self) -> MutexGuard<'_, Vec<RecordedRequest>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long an ordinary answer to this request takes.
    pub(crate) fn thinking_time(&self, request: &Request) -> Duration {
        let (shortest, longest) = self.spec.latency;
        let span = u64::try_from(longest.saturating_sub(shortest).as_micros()).unwrap_or(0);
        let draw =
            hash(self.spec.seed, &request.body) ^ hash(!self.spec.seed, request.query.as_bytes());
        shortest + Duration::from_micros(draw.checked_rem(span + 1).unwrap_or(0))
    }

    /// The buyer's own answer, before a fault gets at the bytes.
    pub(crate) async fn answer(
        &self,
        kind: RequestKind,
        request: &Request,
        quirk: &Quirk,
    ) -> Reply {
        match kind {
            RequestKind::Token => self.dialect.token(request),
            RequestKind::Ping => self.answer_ping(request, quirk),
            RequestKind::Post => self.answer_post(request, quirk).await,
        }
    }

    fn answer_ping(&self, request: &Request, quirk: &Quirk) -> Reply {
        let asked = match self.dialect.read_ping(request) {
            Ok(asked) => asked,
            Err(reply) => return self.refuse(reply),
        };
        let Some(cents) = self.desk.bid(&asked.content) else {
            let token = self.desk.mint(0);
            return self.dialect.write_bid(request, &Bid::Pass { token: &token });
        };
        add_one(&self.counts.bids);
        let (price, token) = (quirk.price_text(price(cents)), self.desk.mint(cents));
        let offer = Bid::Offer { price: &price, currency: quirk.currency, token: &token };
        self.dialect.write_bid(request, &offer)
    }

    async fn answer_post(&self, request: &Request, quirk: &Quirk) -> Reply {
        let offered = match self.dialect.read_post(request) {
            Ok(offered) => offered,
            Err(reply) => return self.refuse(reply),
        };
        let (desk, book) = (Arc::clone(&self.desk), Arc::clone(&self.book));
        let decided = tokio::task::spawn_blocking(move || desk.decide(&book, offered)).await;
        match decided {
            Ok(Ok(verdict)) => self.say(request, verdict, quirk),
            Ok(Err(_)) | Err(_) => Reply::text("book unavailable".to_owned())
                .with_status(StatusCode::SERVICE_UNAVAILABLE),
        }
    }

    fn say(&self, request: &Request, verdict: Verdict, quirk: &Quirk) -> Reply {
        let bought = |purchase: &Purchase| {
            let price = quirk.price_text(purchase.price);
            let reference = &purchase.lead_ref;
            let decision = Decision::Bought { price: &price, currency: quirk.currency, reference };
            self.dialect.write_decision(request, &decision)
        };
        match verdict {
            Verdict::Bought(purchase) => {
                add_one(&self.counts.accepted);
                bought(&purchase)
            }
            Verdict::Repeat(purchase) => {
                add_one(&self.counts.repeats);
                bought(&purchase)
            }
            Verdict::Refused(refusal) => {
                add_one(&self.counts.rejected);
                self.dialect.write_decision(request, &Decision::Refused(refusal))
            }
        }
    }

    fn refuse(&self, reply: Reply) -> Reply {
        add_one(&self.counts.refused);
        reply
    }
}

impl Quirk {
    pub(crate) fn of(fault: &Fault) -> Self {
        match fault {
            Fault::BadPrice(text) => Self { price: Some(text.clone()), currency: "USD" },
            Fault::WrongCurrency => Self { price: None, currency: "EUR" },
            _ => Self { price: None, currency: "USD" },
        }
    }

    fn price_text(&self, price: Decimal) -> String {
        self.price.clone().unwrap_or_else(|| price.to_string())
    }
}

fn dialect(spec: &BuyerSpec) -> Box<dyn Dialect> {
    match spec.family.clone() {
        Family::JsonBidder { api_key } => Box::new(JsonBidder { api_key }),
        Family::XmlBidder { key } => Box::new(XmlBidder { key }),
        Family::Boberdoo { key } => Box::new(Boberdoo { key }),
        Family::LeadsPedia { campaign_id, campaign_key } => {
            Box::new(LeadsPedia { campaign_id, campaign_key })
        }
        Family::PlainJson { access, priced } => Box::new(PlainJson::new(access, priced, spec.seed)),
        Family::DirectPost { key } => Box::new(DirectPost { key }),
    }
}

fn bytes_of(request: &Request) -> Vec<u8> {
    let mark = if request.query.is_empty() { "" } else { "?" };
    let Request { method, path, query, .. } = request;
    let mut bytes = format!("{method} {path}{mark}{query} HTTP/1.1\r\n").into_bytes();
    for (name, value) in &request.headers {
        bytes.extend_from_slice(name.as_str().as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(&request.body);
    bytes
}

fn add_one(count: &AtomicU64) {
    count.fetch_add(1, Ordering::Relaxed);
}
