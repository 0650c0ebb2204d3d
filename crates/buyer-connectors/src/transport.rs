//! The only place that opens sockets to buyers.
//!
//! A [`Transport`] owns a pool of connections per buyer, a token per OAuth2 client, and the rule
//! which addresses may be called. It follows no redirect, decompresses nothing and reads at most
//! [`REPLY_MAX`] bytes of a reply.
//!
//! > Leaving is not cancelling. An exchange runs in its own task: dropping its [`Exchange`] stops
//! > nothing, and an answer that comes late still comes.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::task::{Context, Poll};
use std::time::Duration;

use exchange_model::outcome::{PingAnswer, PostAnswer, Resolver};
use exchange_model::reason::NotSent;
use exchange_model::{BuyerId, PostPermit};
use tokio::sync::oneshot;

use self::connect::Dialler;
use self::errand::Errand;
use self::exchange::{Attempt, Kind, Progress};
use self::pool::{Origin, Pool};
use self::token::{TokenClient, TokenSource};
use crate::connector::Connector;
use crate::job::{AskJob, PingJob, PostJob};
use crate::request::Request;

pub use self::errand::{Received, SendFailed};
pub use self::pool::BuyerLoad;
pub use self::settings::{TransportError, TransportSettings};
pub use self::timings::Timings;

mod address;
mod connect;
mod errand;
mod exchange;
mod pool;
mod settings;
mod timings;
mod token;

/// Most bytes of a reply's body. A longer one is cut and its connection closed.
pub const REPLY_MAX: usize = 64 * 1024;

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
        Pin::new(&mut self.answer)
            .poll(context)
            .map(|received| received.unwrap_or_else(|_stopped| unstarted(lost())))
    }
}

fn unstarted<A>(answer: A) -> Answered<A> {
    Answered { answer, status: None, timings: Timings::default() }
}

/// Sends pings and posts. Cheap to clone; needs a tokio runtime to send.
#[derive(Clone)]
pub struct Transport {
    inner: Arc<Inner>,
}

struct Inner {
    settings: Arc<TransportSettings>,
    dialler: Arc<Dialler>,
    tokens: TokenClient,
    token_sources: Mutex<Vec<Arc<TokenSource>>>,
    pools: RwLock<BTreeMap<BuyerId, Arc<Pool>>>,
}

impl std::fmt::Debug for Transport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transport").finish_non_exhaustive()
    }
}

impl Transport {
    /// A transport without a connection.
    ///
    /// # Errors
    /// [`TransportError`].
    pub fn new(settings: TransportSettings) -> Result<Self, TransportError> {
        let settings = Arc::new(settings);
        let tls = connect::tls_config(&settings.extra_roots)?;
        let tokens = TokenClient::new(Arc::clone(&settings), &tls)?;
        let dialler = Arc::new(Dialler::new(Arc::clone(&settings), tls));
        let token_sources = Mutex::new(Vec::new());
        let pools = RwLock::new(BTreeMap::new());
        Ok(Self { inner: Arc::new(Inner { settings, dialler, tokens, token_sources, pools }) })
    }

    /// Sends a ping. `timeout` is what the auction will wait; the reply is read for twice as long.
    pub fn ping(
        &self,
        connector: &Arc<Connector>,
        job: PingJob,
        timeout: Duration,
    ) -> Exchange<PingAnswer> {
        let attempt = self.attempt(connector, Kind::Ping, timeout);
        start(attempt, errand::Ping { connector: Arc::clone(connector), job })
    }

    /// Posts a lead, once. The permit is used up whatever happens.
    pub fn post(
        &self,
        connector: &Arc<Connector>,
        job: PostJob,
        permit: PostPermit,
        timeout: Duration,
    ) -> Exchange<PostAnswer> {
        let attempt = self.attempt(connector, Kind::Post, timeout);
        start(attempt, errand::Post { connector: Arc::clone(connector), job, permit })
    }

    /// Asks by `status` what became of a post, or by `void` to cancel it. For other resolvers, and
    /// where the connector has no such stage, nothing is sent.
    pub fn ask(
        &self,
        connector: &Arc<Connector>,
        how: Resolver,
        job: AskJob,
        timeout: Duration,
    ) -> Exchange<PostAnswer> {
        let attempt = self.attempt(connector, Kind::Ask, timeout);
        start(attempt, errand::Ask { connector: Arc::clone(connector), how, job })
    }

    /// Sends one request as it is, like a ping, and reads nothing out of its reply: for tools that
    /// show both.
    pub fn send(
        &self,
        connector: &Arc<Connector>,
        request: Request,
        timeout: Duration,
    ) -> Exchange<Result<Received, SendFailed>> {
        start(self.attempt(connector, Kind::Ping, timeout), errand::Raw { request })
    }

    /// Opens a connection for the campaign's pings (or posts) and fetches its token, so that its
    /// first lead waits for neither. Failures show when a lead is sent.
    pub fn warm(&self, connector: &Arc<Connector>) {
        let attempt = self.attempt(connector, Kind::Ping, self.inner.settings.connect_timeout);
        let plan = connector.ping.as_ref().map_or(&connector.post.plan, |ping| &ping.plan);
        let Ok(uri) = plan.origin.parse::<http::Uri>() else { return };
        tokio::spawn(async move {
            if let Some(token) = &attempt.token {
                token.authorization().await;
            }
            if let Ok(sender) = attempt.pool.open(&attempt.dialler, &uri).await {
                attempt.pool.park_when_ready(Origin::of(&uri), sender).await;
            }
        });
    }

    /// The load of one buyer, for metrics.
    #[must_use]
    pub fn load(&self, buyer: &BuyerId) -> BuyerLoad {
        let pools = self.inner.pools.read().unwrap_or_else(PoisonError::into_inner);
        pools.get(buyer).map(|pool| pool.load()).unwrap_or_default()
    }

    /// Exchanges going on with all buyers: what a shutdown waits for.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        let pools = self.inner.pools.read().unwrap_or_else(PoisonError::into_inner);
        pools.values().fold(0, |sum: usize, pool| sum.saturating_add(pool.load().in_flight))
    }

    fn attempt(&self, connector: &Connector, kind: Kind, timeout: Duration) -> Attempt {
        let settings = &self.inner.settings;
        let idle_max = match kind {
            Kind::Ping => settings.idle_max,
            Kind::Post | Kind::Ask => settings.idle_max_for_posts,
        };
        Attempt {
            pool: self.pool(connector.buyer()),
            dialler: Arc::clone(&self.inner.dialler),
            token: self.token_source(connector),
            kind,
            idle_max,
            timeout,
            on_its_way: AtomicBool::new(false),
        }
    }

    fn pool(&self, buyer: &BuyerId) -> Arc<Pool> {
        let known = self.inner.pools.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = known.get(buyer) {
            return Arc::clone(pool);
        }
        drop(known);
        let mut pools = self.inner.pools.write().unwrap_or_else(PoisonError::into_inner);
        let made = || Arc::new(Pool::new(&self.inner.settings));
        Arc::clone(pools.entry(buyer.clone()).or_insert_with(made))
    }

    /// Tokens outlive a reload of config: the same credentials have the same source.
    fn token_source(&self, connector: &Connector) -> Option<Arc<TokenSource>> {
        let oauth2 = connector.oauth2.as_ref()?;
        let mut sources = self.inner.token_sources.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(source) = sources.iter().find(|source| source.serves(oauth2)) {
            return Some(Arc::clone(source));
        }
        let client = self.inner.tokens.clone();
        let source = Arc::new(TokenSource::new(client, Arc::clone(oauth2)));
        if sources.len() >= TOKEN_SOURCES_MAX {
            sources.remove(0);
        }
        sources.push(Arc::clone(&source));
        Some(source)
    }
}

/// Most token sources kept; beyond it the oldest is forgotten, and made again when needed.
const TOKEN_SOURCES_MAX: usize = 1_000;

/// Starts an errand in its own task, if the buyer has room for one more.
fn start<E: Errand>(attempt: Attempt, errand: E) -> Exchange<E::Answer> {
    let (sender, answer) = oneshot::channel();
    let exchange = Exchange { answer, lost: E::lost };
    let Ok(slot) = Arc::clone(&attempt.pool.in_flight).try_acquire_owned() else {
        deliver(sender, unstarted(E::not_sent(NotSent::Saturated)));
        return exchange;
    };
    tokio::spawn(async move {
        let mut progress = Progress::new();
        let done = attempt.bounded(errand.run(&attempt, &mut progress)).await;
        let answer = done.unwrap_or_else(|| errand.cut(&progress));
        let timings = progress.finish();
        deliver(sender, Answered { answer, status: progress.status, timings });
        drop(slot);
        if let Some((origin, connection)) = progress.reusable {
            attempt.pool.park_when_ready(origin, connection).await;
        }
    });
    exchange
}

/// Nobody need be waiting: the auction may have left.
fn deliver<A>(sender: oneshot::Sender<Answered<A>>, answered: Answered<A>) {
    drop(sender.send(answered));
}
