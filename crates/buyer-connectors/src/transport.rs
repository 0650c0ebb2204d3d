//! The only place that opens sockets to buyers.
//!
//! A [`Transport`] owns a pool of connections and a breaker per buyer, a token per credentials, and
//! the rule which addresses may be called. It makes the calls of a delivery in their order. It
//! speaks HTTP/1.1 only, follows no redirect, decompresses nothing and reads at most [`REPLY_MAX`]
//! bytes of a reply.
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
use exchange_model::{BuyerId, LeadId, PostPermit, Timestamp};
use tokio::sync::oneshot;

use self::breaker::Admission;
use self::breakers::Breakers;
use self::connect::{Dialler, Names};
use self::errand::Errand;
use self::exchange::{Attempt, Line, Progress};
use self::latencies::Latencies;
use self::pool::Pool;
use self::token::TokenSource;
use crate::connector::Connector;
use crate::job::{AskJob, PingJob, PostJob};
use crate::request::Request;

pub use self::breaker::BreakerState;
pub use self::errand::{Received, SendFailed};
pub use self::latency::Typical;
pub use self::pool::BuyerLoad;
pub use self::settings::{TransportError, TransportSettings};
pub use self::timings::Timings;
pub use self::watch::{Watch, Watched};

mod address;
mod breaker;
mod breakers;
mod connect;
mod errand;
mod exchange;
mod latencies;
mod latency;
mod metered;
mod pool;
mod settings;
mod timings;
mod token;
mod watch;

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
    token_sources: Mutex<Vec<Arc<TokenSource>>>,
    pools: RwLock<BTreeMap<BuyerId, Arc<Pool>>>,
    breakers: Breakers,
    latencies: Latencies,
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
        let dialler = Arc::new(Dialler::new(Arc::clone(&settings), Names::System)?);
        let token_sources = Mutex::new(Vec::new());
        let pools = RwLock::new(BTreeMap::new());
        let breakers = Breakers::new();
        let latencies = Latencies::new();
        let inner = Inner { settings, dialler, token_sources, pools, breakers, latencies };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Sends a ping. `timeout` is what the auction will wait; the reply is read for twice as long.
    pub fn ping(
        &self,
        connector: &Arc<Connector>,
        job: PingJob,
        timeout: Duration,
    ) -> Exchange<PingAnswer> {
        let connector = Arc::clone(connector);
        let idle_max = self.inner.settings.idle_max;
        let attempt = self.attempt(&connector, idle_max, timeout);
        self.start(attempt, connector.buyer().clone(), errand::Ping { connector, job, timeout })
    }

    /// Posts a lead, once. The permit is used up whatever happens.
    pub fn post(
        &self,
        connector: &Arc<Connector>,
        job: PostJob,
        permit: PostPermit,
        timeout: Duration,
    ) -> Exchange<PostAnswer> {
        let connector = Arc::clone(connector);
        let idle_max = self.inner.settings.idle_max_for_posts;
        let attempt = self.attempt(&connector, idle_max, timeout);
        self.start(attempt, connector.buyer().clone(), errand::Post { connector, job, permit })
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
        let connector = Arc::clone(connector);
        let idle_max = self.inner.settings.idle_max_for_posts;
        let attempt = self.attempt(&connector, idle_max, timeout);
        self.start(attempt, connector.buyer().clone(), errand::Ask { connector, how, job })
    }

    /// Sends one request as it is, like a ping, and reads nothing out of its reply: for tools that
    /// show both.
    pub fn send(
        &self,
        connector: &Arc<Connector>,
        request: Request,
        timeout: Duration,
    ) -> Exchange<Result<Received, SendFailed>> {
        let attempt = self.attempt(connector, self.inner.settings.idle_max, timeout);
        self.start(attempt, connector.buyer().clone(), errand::Raw { request })
    }

    /// Opens a connection for the campaign's pings (or posts) and fetches its token, so that its
    /// first lead waits for neither. Failures show when a lead is sent.
    pub fn warm(&self, connector: &Arc<Connector>, now: Timestamp) {
        let settings = &self.inner.settings;
        let attempt = self.attempt(connector, settings.idle_max, settings.connect_timeout);
        let stages = &connector.stages;
        let plan = stages.ping.as_ref().map_or(&stages.post.plan, |ping| &ping.plan);
        let Ok(uri) = plan.origin.parse::<http::Uri>() else { return };
        tokio::spawn(async move {
            if let Some(token) = &attempt.token {
                token.handles(now).await;
            }
            if let Ok(connection) = attempt.line.open(&uri).await {
                let origin = attempt.line.origin(&uri);
                attempt.line.pool.park_when_ready(origin, connection).await;
            }
        });
    }

    /// What the breaker of a buyer does with its pings and posts at this moment.
    #[must_use]
    pub fn breaker(&self, buyer: &BuyerId) -> BreakerState {
        self.inner.breakers.state(buyer)
    }

    /// Whether a ping of this lead would not be sent at this moment, because its buyer is left
    /// alone or gets a share of pings only. The one ping that finds out whether the buyer is back
    /// is not held up.
    #[must_use]
    pub fn spares(&self, buyer: &BuyerId, lead: LeadId) -> bool {
        self.inner.breakers.look(buyer, lead) == Admission::Refused
    }

    /// How long an answer to a ping is worth waiting for, learned from the last ones where the
    /// connector has a `least_timeout`; nothing when there is no ping.
    #[must_use]
    pub fn ping_wait(&self, connector: &Connector) -> Option<Duration> {
        self.inner.latencies.wait(connector)
    }

    /// How long answers to pings take, where enough came lately.
    #[must_use]
    pub fn typical(&self, connector: &Connector) -> Option<Typical> {
        self.inner.latencies.typical(connector)
    }

    /// Whether most buyers have failed at once a moment ago: our own network is to blame, and no
    /// breaker opens.
    #[must_use]
    pub fn network_alarm(&self) -> bool {
        self.inner.breakers.is_panic()
    }

    /// Lets go of the connections of every buyer that is not to be kept. What is going on with it
    /// ends in good order; a buyer that is called again gets a new pool.
    pub fn keep_only(&self, keep: impl Fn(&BuyerId) -> bool) {
        let mut pools = self.inner.pools.write().unwrap_or_else(PoisonError::into_inner);
        pools.retain(|buyer, _pool| keep(buyer));
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

    fn attempt(&self, connector: &Connector, idle_max: Duration, timeout: Duration) -> Attempt {
        let line = Line {
            pool: self.pool(connector.buyer()),
            dialler: Arc::clone(&self.inner.dialler),
            identity: connector.identity.clone(),
            idle_max,
            for_tokens: false,
        };
        let token = self.token_source(connector, &line);
        Attempt { line, token, timeout, on_its_way: AtomicBool::new(false) }
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
    fn token_source(&self, connector: &Connector, line: &Line) -> Option<Arc<TokenSource>> {
        let grant = connector.grant.as_ref()?;
        let mut sources = self.inner.token_sources.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(source) = sources.iter().find(|source| source.serves(grant, line)) {
            return Some(Arc::clone(source));
        }
        let source = Arc::new(TokenSource::new(line.clone(), Arc::clone(grant)));
        if sources.len() >= TOKEN_SOURCES_MAX {
            sources.remove(0);
        }
        sources.push(Arc::clone(&source));
        Some(source)
    }

    /// Starts an errand in its own task, if the buyer has room for one more and is not left alone.
    fn start<E: Errand>(&self, attempt: Attempt, buyer: BuyerId, errand: E) -> Exchange<E::Answer> {
        let (sender, answer) = oneshot::channel();
        let exchange = Exchange { answer, lost: E::lost };
        let Ok(slot) = Arc::clone(&attempt.line.pool.in_flight).try_acquire_owned() else {
            deliver(sender, unstarted(E::not_sent(NotSent::Saturated)));
            return exchange;
        };
        let breakers = E::SPARED.then(|| self.inner.breakers.clone());
        let admitted = match &breakers {
            None => Admission::Call,
            Some(breakers) => breakers.admit(&buyer, errand.turn()),
        };
        if admitted == Admission::Refused {
            deliver(sender, unstarted(E::not_sent(NotSent::BreakerOpen)));
            return exchange;
        }
        let latencies = self.inner.latencies.clone();
        tokio::spawn(async move {
            let mut progress = Progress::new();
            let done = attempt.bounded(errand.run(&attempt, &mut progress)).await;
            let answer = done.unwrap_or_else(|| errand.cut(&mut progress));
            let timings = progress.finish();
            errand.learn(&answer, timings.done, &latencies);
            if let Some(breakers) = breakers {
                breakers.record(&buyer, admitted, errand.health(&answer, &progress));
            }
            deliver(sender, Answered { answer, status: progress.status, timings });
            drop(slot);
            if let Some((origin, connection)) = progress.reusable {
                attempt.line.pool.park_when_ready(origin, connection).await;
            }
        });
        exchange
    }
}

/// Most token sources kept; beyond it the oldest is forgotten, and made again when needed.
const TOKEN_SOURCES_MAX: usize = 1_000;

/// Nobody need be waiting: the auction may have left.
fn deliver<A>(sender: oneshot::Sender<Answered<A>>, answered: Answered<A>) {
    drop(sender.send(answered));
}
