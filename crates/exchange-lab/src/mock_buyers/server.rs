//! The shared server loop: connections, one request at a time, and the faults.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rust_decimal::Decimal;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;

use super::answer::{Bid, Decision, Dialect, Reply, Request};
use super::boberdoo::Boberdoo;
use super::body::{ReplyBody, gzip_bomb};
use super::book::{Book, Purchase};
use super::desk::{Desk, Verdict, price};
use super::direct_post::DirectPost;
use super::json_bidder::JsonBidder;
use super::leads_pedia::LeadsPedia;
use super::plain_json::PlainJson;
use super::xml_bidder::XmlBidder;
use super::{BuyerSpec, BuyerStats, Family, REQUESTS_KEPT_MAX, RecordedRequest, RequestKind};
use crate::faults::{Fault, FaultPlan, HUGE_BODY_BYTES};
use crate::random::hash;

/// Most connections of one buyer; more wait in the kernel's queue.
const CONNECTIONS_MAX: usize = 4096;
/// Largest request body a buyer reads.
const REQUEST_BODY_MAX: usize = 1 << 20;

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
struct Quirk {
    price: Option<String>,
    currency: &'static str,
}

type HttpRequest = http::Request<Incoming>;
type HttpResponse = Response<ReplyBody>;

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

    /// Counts the request and draws its fault.
    fn meet(&self, kind: RequestKind) -> Fault {
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

    fn keep(&self, kind: RequestKind, request: &Request) {
        let mut kept = self.kept();
        if self.spec.keep_requests && kept.len() < REQUESTS_KEPT_MAX {
            kept.push(RecordedRequest { kind, bytes: bytes_of(request) });
        }
    }

    fn kept(&self) -> MutexGuard<'_, Vec<RecordedRequest>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long an ordinary answer to this request takes.
    fn thinking_time(&self, request: &Request) -> Duration {
        let (shortest, longest) = self.spec.latency;
        let span = u64::try_from(longest.saturating_sub(shortest).as_micros()).unwrap_or(0);
        let draw =
            hash(self.spec.seed, &request.body) ^ hash(!self.spec.seed, request.query.as_bytes());
        shortest + Duration::from_micros(draw.checked_rem(span + 1).unwrap_or(0))
    }

    /// The buyer's own answer, before a fault gets at the bytes.
    async fn answer(&self, kind: RequestKind, request: &Request, quirk: &Quirk) -> Reply {
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
    fn of(fault: &Fault) -> Self {
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

/// Accepts connections until it is aborted; its connections end with it.
pub(crate) async fn accept(listener: TcpListener, buyer: Arc<Buyer>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    while let Ok(permit) = Arc::clone(&room).acquire_owned().await {
        while connections.try_join_next().is_some() {}
        let Some((stream, _peer)) = next_connection(&listener).await else { continue };
        let buyer = Arc::clone(&buyer);
        connections.spawn(async move {
            serve(buyer, stream).await;
            drop(permit);
        });
    }
}

async fn next_connection(listener: &TcpListener) -> Option<(TcpStream, SocketAddr)> {
    match listener.accept().await {
        Ok(connection) => Some(connection),
        Err(_) => {
            tokio::time::sleep(Duration::from_millis(10)).await;
            None
        }
    }
}

async fn serve(buyer: Arc<Buyer>, stream: TcpStream) {
    // Small answers should leave at once; a socket that refuses the option still works.
    drop(stream.set_nodelay(true));
    let reset = Arc::new(Notify::new());
    let asked_to_reset = Arc::clone(&reset);
    let service =
        service_fn(move |request| handle(Arc::clone(&buyer), Arc::clone(&reset), request));
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        // How a client leaves is its own affair.
        _left = &mut connection => {}
        () = asked_to_reset.notified() => {
            // With zero linger, closing sends a reset and drops what was not sent.
            drop(connection.into_parts().io.into_inner().set_zero_linger());
        }
    }
}

async fn handle(
    buyer: Arc<Buyer>,
    reset: Arc<Notify>,
    request: HttpRequest,
) -> Result<HttpResponse, Infallible> {
    let uri = request.uri();
    let query = uri.query().unwrap_or_default();
    let Some(kind) = buyer.dialect.kind(request.method(), uri.path(), query) else {
        return Ok(plain(Reply::not_found()));
    };
    let fault = buyer.meet(kind);
    if fault == Fault::Reset {
        return reset_connection(&reset).await;
    }
    let Some(request) = read(request).await else {
        let refusal = Reply::text("too large".to_owned());
        return Ok(plain(refusal.with_status(StatusCode::PAYLOAD_TOO_LARGE)));
    };
    buyer.keep(kind, &request);
    if !fault.books() {
        return misbehave(&fault, &reset).await;
    }
    let reply = buyer.answer(kind, &request, &Quirk::of(&fault)).await;
    match fault {
        Fault::AcceptThenDrop => reset_connection(&reset).await,
        Fault::Delay(pause) => {
            tokio::time::sleep(pause).await;
            Ok(plain(reply))
        }
        Fault::Drip { bytes, every } => {
            Ok(dressed(&reply, ReplyBody::drip(reply.body.clone().into(), bytes, every)))
        }
        Fault::Truncate => Ok(dressed(&reply, ReplyBody::truncated(&reply.body.clone().into()))),
        _ => {
            tokio::time::sleep(buyer.thinking_time(&request)).await;
            Ok(plain(reply))
        }
    }
}

/// The faults of a buyer that never got as far as deciding.
async fn misbehave(fault: &Fault, reset: &Notify) -> Result<HttpResponse, Infallible> {
    let json = |body: ReplyBody| Ok(dressed(&Reply::json(String::new()), body));
    match fault {
        Fault::Reset | Fault::ResetAfterRead => reset_connection(reset).await,
        Fault::Garbage => json(ReplyBody::whole(&b"\x00\xFF\xFE{]<\x80 not a document\x07"[..])),
        Fault::HugeBody => json(ReplyBody::whole(vec![b' '; HUGE_BODY_BYTES])),
        Fault::EndlessChunks => json(ReplyBody::endless()),
        Fault::GzipBomb => {
            let mut response = dressed(&Reply::json(String::new()), ReplyBody::whole(gzip_bomb()));
            let gzip = http::HeaderValue::from_static("gzip");
            response.headers_mut().insert(header::CONTENT_ENCODING, gzip);
            Ok(response)
        }
        Fault::Status(status) => {
            let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            Ok(plain(Reply::text("something went wrong".to_owned()).with_status(status)))
        }
        Fault::Redirect(url) => Ok(redirect(url)),
        Fault::HtmlPage => Ok(plain(html_page())),
        Fault::EmptyBody => json(ReplyBody::whole(Bytes::new())),
        // `Hang`; the faults that book never come here.
        _ => std::future::pending().await,
    }
}

async fn reset_connection(reset: &Notify) -> Result<HttpResponse, Infallible> {
    reset.notify_one();
    std::future::pending().await
}

async fn read(request: HttpRequest) -> Option<Request> {
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, REQUEST_BODY_MAX).collect().await.ok()?.to_bytes();
    Some(Request {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body,
    })
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

fn plain(reply: Reply) -> HttpResponse {
    let head = Reply { body: String::new(), ..reply };
    dressed(&head, ReplyBody::whole(reply.body))
}

fn dressed(reply: &Reply, body: ReplyBody) -> HttpResponse {
    let mut response = Response::new(body);
    *response.status_mut() = reply.status;
    let content_type = http::HeaderValue::from_static(reply.content_type);
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response
}

fn redirect(url: &str) -> HttpResponse {
    let mut response =
        plain(Reply::text(String::new()).with_status(StatusCode::TEMPORARY_REDIRECT));
    if let Ok(location) = http::HeaderValue::from_str(url) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

fn html_page() -> Reply {
    let page = "<!DOCTYPE html><html><head><title>Error</title></head><body><h1>Service \
                temporarily unavailable</h1></body></html>";
    Reply { status: StatusCode::OK, content_type: "text/html", body: page.to_owned() }
}

fn add_one(count: &AtomicU64) {
    count.fetch_add(1, Ordering::Relaxed);
}
