//! One request as it is, for tools that show both sides.

use std::fmt;

use bytes::Bytes;
use exchange_model::reason::NotSent;
use http::HeaderMap;

use super::Errand;
use crate::reply::RawReply;
use crate::request::Request;
use crate::transport::exchange::{Attempt, Ending, Progress};

/// A reply that nobody has read yet.
#[derive(Clone, Eq, PartialEq)]
pub struct Received {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, whole.
    pub body: Bytes,
}

impl Received {
    /// The same, for a reader.
    #[must_use]
    pub fn raw(&self) -> RawReply<'_> {
        RawReply { status: self.status, headers: &self.headers, body: &self.body }
    }
}

/// Status and size; a body may repeat the lead.
impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.raw().fmt(f)
    }
}

/// Why a request has no reply that can be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SendFailed {
    /// It did not leave.
    #[error("not sent: {0}")]
    NotSent(NotSent),
    /// The connection broke before the reply's head.
    #[error("the connection broke before a reply")]
    Reset,
    /// The reply was cut off or too long.
    #[error("the reply was cut off, or is longer than is read")]
    Truncated,
    /// The reply is compressed although that was not asked for.
    #[error("the reply is compressed")]
    Compressed,
    /// The time was up.
    #[error("no reply in time")]
    TimedOut,
}

/// One request.
pub(in crate::transport) struct Raw {
    pub(in crate::transport) request: Request,
}

impl Errand for Raw {
    type Answer = Result<Received, SendFailed>;
    const SPARED: bool = false;

    async fn run(&self, attempt: &Attempt, progress: &mut Progress) -> Self::Answer {
        received(attempt.decide(&self.request, true, progress).await)
    }

    fn cut(&self, progress: &mut Progress) -> Self::Answer {
        received(Attempt::cut(progress))
    }

    fn not_sent(why: NotSent) -> Self::Answer {
        Err(SendFailed::NotSent(why))
    }

    fn lost() -> Self::Answer {
        Err(SendFailed::TimedOut)
    }
}

/// A reply for whoever reads it himself.
pub(in crate::transport) fn received(ending: Ending) -> Result<Received, SendFailed> {
    match ending {
        Ending::Reply { encoded: true, .. } => Err(SendFailed::Compressed),
        Ending::Reply { status, headers, body, .. } => Ok(Received { status, headers, body }),
        Ending::NotSent(why) => Err(SendFailed::NotSent(why)),
        Ending::Reset => Err(SendFailed::Reset),
        Ending::Truncated { .. } => Err(SendFailed::Truncated),
        Ending::TimedOut => Err(SendFailed::TimedOut),
        Ending::NoTimeLeft => Err(SendFailed::NotSent(NotSent::NoTimeLeft)),
    }
}
