//! The words between a buyer's desk and its dialect.

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};

use super::RequestKind;

/// A request, read whole.
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Request {
    /// A header's text; empty where it is absent.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The idempotency key, where the caller sent one.
    pub(crate) fn idempotency_key(&self) -> Option<String> {
        let key = self.header("idempotency-key");
        (!key.is_empty()).then(|| key.to_owned())
    }
}

/// A ping, read: the text that decides the bid.
pub(crate) struct Asked {
    pub(crate) content: String,
}

/// A post, read.
pub(crate) struct Offered {
    pub(crate) token: Option<String>,
    /// What it is to pay, as the post says it; a dialect without a word for it says nothing.
    pub(crate) told: Option<String>,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) phone: String,
}

/// A buyer's decision on a ping, as its dialect will say it.
pub(crate) enum Bid<'a> {
    /// `price` is put into the answer as it is.
    Offer { price: &'a str, currency: &'a str, token: &'a str },
    /// Declined; most dialects hand out an id all the same.
    Pass { token: &'a str },
}

/// A buyer's decision on a post, as its dialect will say it.
pub(crate) enum Decision<'a> {
    /// Bought. `price` is put into the answer as it is.
    Bought { price: &'a str, currency: &'a str, reference: &'a str },
    /// Refused.
    Refused(Refusal),
}

/// Why a buyer refuses a post.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Refusal {
    /// It has this person already.
    Duplicate,
    /// The token is not one of its own.
    UnknownToken,
    /// It changed its mind.
    Filter,
    /// It was told a price that it never offered, or one that is none.
    Price,
}

/// What goes back over the wire.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) content_type: &'static str,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) const fn json(body: String) -> Self {
        Self { status: StatusCode::OK, content_type: "application/json", body }
    }

    pub(crate) const fn xml(body: String) -> Self {
        Self { status: StatusCode::OK, content_type: "text/xml; charset=utf-8", body }
    }

    pub(crate) const fn text(body: String) -> Self {
        Self { status: StatusCode::OK, content_type: "text/plain", body }
    }

    pub(crate) fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    pub(crate) fn not_found() -> Self {
        Self::text("not found".to_owned()).with_status(StatusCode::NOT_FOUND)
    }
}

/// How one family talks. It decides nothing: it reads requests into words and writes words out.
pub(crate) trait Dialect: Send + Sync {
    /// What the request is for, from its head alone; `None` is not found.
    fn kind(&self, method: &Method, path: &str, query: &str) -> Option<RequestKind>;

    /// Reads a ping, or says what to answer instead.
    fn read_ping(&self, request: &Request) -> Result<Asked, Reply>;

    /// Writes the answer to a ping.
    fn write_bid(&self, request: &Request, bid: &Bid<'_>) -> Reply;

    /// Reads a post, or says what to answer instead.
    fn read_post(&self, request: &Request) -> Result<Offered, Reply>;

    /// Writes the answer to a post.
    fn write_decision(&self, request: &Request, decision: &Decision<'_>) -> Reply;

    /// Hands out an access token.
    fn token(&self, _request: &Request) -> Reply {
        Reply::not_found()
    }
}
