//! The only place that opens sockets to buyers.
//!
//! A [`Transport`] owns a pool of connections per buyer, a token per OAuth2 client, and the rule
//! which addresses may be called. It follows no redirect, decompresses nothing and reads at most
//! [`REPLY_MAX`] bytes of a reply.
//!
//! > Leaving is not cancelling. An exchange runs in its own task: dropping its [`Exchange`] stops
//! > nothing, and an answer that comes late still comes.

use std::collections::HashMap;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use exchange_model::outcome::{PingAnswer, PostAnswer};
use exchange_model::reason::{NoBid, NotSent, Unknown};
use exchange_model::{BuyerId, PostPermit};
use tokio::sync::oneshot;

use crate::connector::Connector;
use crate::request::Request;

/// Most bytes of a reply's body. A longer one is cut and its connection closed.
pub const REPLY_MAX: usize = 64 * 1024;

/// How buyers are called. [`TransportSettings::default`] is right for production.
#[derive(Clone, Debug)]
pub struct TransportSettings {
    /// Host name -> address. Requests for these hosts go there over plain TCP whatever their
    /// scheme. Only the demo and tests fill it.
    pub hosts: HashMap<String, SocketAddr>,
    /// Whether private and loopback addresses, and `http://` to them, may be called.
    pub allow_private: bool,
    /// Most exchanges with one buyer at a time, drains included. Beyond it a ping is
    /// `saturated` and a post is not sent.
    pub in_flight_max: usize,
    /// Most exchanges of one buyer that may go on after their timeout. Beyond it the oldest rule
    /// gives way: the exchange is cut at its timeout.
    pub drains_max: usize,
    /// How long an idle connection may carry a ping.
    pub idle_max: Duration,
    /// How long an idle connection may carry a post: shorter, because a post that meets a closing
    /// connection is unknown.
    pub idle_max_for_posts: Duration,
    /// Name resolution, TCP and TLS together.
    pub connect_timeout: Duration,
    /// Further trusted roots, DER, beside the public ones.
    pub extra_roots: Vec<Vec<u8>>,
}

impl Default for TransportSettings {
    fn default() -> Self {
        Self {
            hosts: HashMap::new(),
            allow_private: false,
            in_flight_max: 512,
            drains_max: 256,
            idle_max: Duration::from_secs(4),
            idle_max_for_posts: Duration::from_secs(1),
            connect_timeout: Duration::from_secs(2),
            extra_roots: Vec::new(),
        }
    }
}

/// Why a transport cannot be made.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TransportError {
    /// A further root certificate is none.
    #[error("a trusted root certificate cannot be read")]
    BadRoot,
    /// TLS or the client for tokens cannot be set up.
    #[error("tls cannot be set up")]
    Tls,
}

impl TransportError {
    /// The name that appears in logs; it never changes.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::BadRoot => "bad_root",
            Self::Tls => "tls_setup",
        }
    }
}

/// When the steps of an exchange were done, each counted from its start.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Timings {
    /// A connection was there (pooled or new); nothing when none came.
    pub connected: Option<Duration>,
    /// Whether that connection had carried a request before.
    pub reused: bool,
    /// The request was handed to the connection.
    pub sent: Option<Duration>,
    /// The reply's head was read.
    pub first_byte: Option<Duration>,
    /// The exchange was over, one way or another.
    pub done: Duration,
}

/// How an exchange ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answered<A> {
    /// What the connector read, or why it could not.
    pub answer: A,
    /// The status of the reply, where one was read.
    pub status: Option<u16>,
    /// When the steps were done.
    pub timings: Timings,
}

/// A running exchange. Await it for the answer; drop it and the exchange still finishes.
///
/// It resolves no later than twice the timeout it was started with: the auction leaves by its own
/// timer, and what comes afterwards is a late answer.
#[derive(Debug)]
#[must_use = "an exchange that nobody awaits loses its answer"]
pub struct Exchange<A> {
    answer: oneshot::Receiver<Answered<A>>,
    lost: fn() -> A,
}

impl<A> Future for Exchange<A> {
    type Output = Answered<A>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answered<A>> {
        let lost = self.lost;
        Pin::new(&mut self.answer).poll(context).map(|received| {
            received.unwrap_or_else(|_stopped| Answered {
                answer: lost(),
                status: None,
                timings: Timings::default(),
            })
        })
    }
}

/// One buyer's connections at this moment.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct BuyerLoad {
    /// Exchanges going on.
    pub in_flight: usize,
    /// Connections parked.
    pub idle: usize,
    /// Connections opened since the start.
    pub connections_opened: u64,
    /// Exchanges cut because too many were draining.
    pub drains_cut: u64,
}

/// Sends pings and posts. Cheap to clone; needs a tokio runtime.
#[derive(Clone, Debug)]
pub struct Transport {
    settings: Arc<TransportSettings>,
}

impl Transport {
    /// A transport without a connection.
    ///
    /// # Errors
    /// [`TransportError`].
    pub fn new(settings: TransportSettings) -> Result<Self, TransportError> {
        Ok(Self { settings: Arc::new(settings) })
    }

    /// Sends a ping. `timeout` is what the auction will wait; the reply is read for twice as long.
    pub fn ping(
        &self,
        _connector: &Arc<Connector>,
        _request: Request,
        _timeout: Duration,
    ) -> Exchange<PingAnswer> {
        let (_sender, answer) = oneshot::channel();
        Exchange { answer, lost: || PingAnswer::NoBid(NoBid::ConnectError(NotSent::Connect)) }
    }

    /// Posts a lead, once. The permit is used up whatever happens.
    pub fn post(
        &self,
        _connector: &Arc<Connector>,
        _request: Request,
        permit: PostPermit,
        _timeout: Duration,
    ) -> Exchange<PostAnswer> {
        drop(permit);
        let (_sender, answer) = oneshot::channel();
        Exchange { answer, lost: || PostAnswer::Unknown(Unknown::Crash) }
    }

    /// The load of one buyer, for metrics.
    #[must_use]
    pub fn load(&self, _buyer: &BuyerId) -> BuyerLoad {
        BuyerLoad::default()
    }
}
