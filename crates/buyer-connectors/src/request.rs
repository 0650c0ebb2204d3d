//! A request to a buyer, ready to be written.
//!
//! Nothing here is decided at sending time: the dialect has made every byte.

use bytes::Bytes;
use http::{HeaderMap, Method, Uri};

use exchange_model::reason::NotSent;

/// Largest body sent to a buyer, in bytes.
pub(crate) const REQUEST_MAX: usize = 512 * 1024;

/// One request, complete but for an OAuth2 token, which the transport adds.
#[derive(Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Scheme, host, path and query.
    pub uri: Uri,
    /// Every header but `host` and `content-length`.
    pub headers: HeaderMap,
    /// The body; empty for a query request.
    pub body: Bytes,
    /// The ping id that the reply must repeat, where the dialect says it does.
    pub echo: Option<Box<str>>,
}

/// Shows method, host and size: paths, headers and bodies may hold secrets or contact data.
impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("host", &self.uri.host())
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Why a lead cannot be written in a buyer's dialect. Nothing has left the house.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum EncodeError {
    /// The connector has no ping: its campaign is priced by us.
    #[error("connector `{0}` has no ping")]
    NoPing(String),
    /// The connector has no such stage.
    #[error("the connector has no `{0}`")]
    NoStage(&'static str),
    /// The permit is for another campaign or another lead.
    #[error("the permit is for another campaign or lead")]
    WrongPermit,
    /// The lead belongs to another vertical than the connector was compiled for.
    #[error("the lead is of another vertical than connector `{0}`")]
    WrongVertical(String),
    /// A header's value would hold characters that no header may.
    #[error("header `{0}` cannot hold this value")]
    BadHeader(String),
    /// The address would not be one.
    #[error("the url cannot hold these values")]
    BadUrl,
    /// The request is larger than any buyer takes.
    #[error("the request is larger than {0} bytes")]
    TooLarge(usize),
}

impl EncodeError {
    /// The name that appears in records; it never changes.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoPing(_) => "no_ping",
            Self::NoStage(_) => "no_stage",
            Self::WrongPermit => "wrong_permit",
            Self::WrongVertical(_) => "wrong_vertical",
            Self::BadHeader(_) => "bad_header",
            Self::BadUrl => "bad_url",
            Self::TooLarge(_) => "request_too_large",
        }
    }

    /// The same, as the reason why nothing was sent.
    #[must_use]
    pub fn not_sent(&self) -> NotSent {
        NotSent::Unrendered
    }
}
