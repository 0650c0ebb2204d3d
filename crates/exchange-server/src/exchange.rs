//! A running exchange: one config, one store, one transport, and the auctions under way.
//!
//! [`Engine::begin`] turns a request that has passed the door into an auction of its own task. The
//! handler that called it only waits: a seller who disconnects stops nothing that has begun, and a
//! bug in one auction ends that auction alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use buyer_connectors::{Connector, Connectors, Transport};
use exchange_core::auction::{Delivery, Ways};
use exchange_model::{CampaignId, SourceId, Timestamp};
use exchange_store::vault::DerivedKeys;
use exchange_store::{ApiKey, ExchangeStore, StoreError};
use ping_tree::Campaign;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;
use zeroize::Zeroizing;

use crate::auction_driver::{self, Job, Progress};
use crate::auth::{self, KeyMode, Principal};
use crate::callbacks::{About, Listeners, PublicUrl};
use crate::clock::Clock;
use crate::key_ring::KeyRing;
use crate::metrics::{self, CampaignMeters};
use crate::rates::Rates;
use crate::repeats::Repeats;
use crate::running::{Claimed, Running};
use crate::scores::Scores;
use crate::settings::LimitSettings;
use crate::snapshot::{Live, Snapshot};

/// Longest that a refused seller is told to wait, in seconds.
const RETRY_AFTER_MAX: u8 = 5;

/// Whether new leads are taken, and why not.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Shed {
    /// The process is stopping.
    Draining,
    /// The store has stopped.
    StoreFailed,
    /// Too little free space on the disk of the store.
    DiskFull,
    /// As many auctions as the limit allows.
    TooManyAuctions,
    /// Writes wait too long.
    StoreSlow,
}

impl Shed {
    /// The name that metrics use; it never changes.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Draining => "draining",
            Self::StoreFailed => "store_failed",
            Self::DiskFull => "disk_full",
            Self::TooManyAuctions => "too_many_auctions",
            Self::StoreSlow => "store_slow",
        }
    }
}

/// What the store says about itself beside its records.
pub trait StoreHealth: Send + Sync + std::fmt::Debug {
    /// How long the oldest write has waited.
    fn queue_age(&self) -> Duration;
    /// Free bytes on the disk of the store; nothing when it cannot be told.
    fn free_space(&self) -> Option<u64>;
}

/// What an engine is made of.
#[derive(Debug)]
pub struct Parts {
    /// The only reader of time.
    pub clock: Clock,
    /// What is routed by at first.
    pub config: Arc<Snapshot>,
    /// What is durable.
    pub store: Arc<dyn ExchangeStore>,
    /// Its health.
    pub health: Arc<dyn StoreHealth>,
    /// The sockets to buyers.
    pub transport: Transport,
    /// Keys derived from the root key.
    pub keys: DerivedKeys,
    /// The keys of sellers.
    pub api_keys: Vec<ApiKey>,
    /// Where buyers may call us.
    pub public_url: Option<PublicUrl>,
    /// Limits of the door.
    pub limits: LimitSettings,
    /// The least free space, in bytes.
    pub min_free: u64,
}

/// A running exchange.
#[derive(Debug)]
pub struct Engine {
    parts: Parts,
    ring: KeyRing,
    running: Running,
    listeners: Listeners,
    live: Live,
    scores: Scores,
    rates: Rates,
    repeats: Repeats,
    in_flight: Arc<AtomicUsize>,
    auctions: TaskTracker,
    background: TaskTracker,
    stopping: CancellationToken,
    /// Cuts background work off, once the auctions have ended.
    cut: CancellationToken,
}

impl Engine {
    /// Wires the parts.
    #[must_use]
    pub fn new(mut parts: Parts) -> Arc<Self> {
        metrics::running();
        let live = Live::new(Arc::clone(&parts.config));
        Arc::new(Self {
            live,
            scores: Scores::default(),
            rates: Rates::default(),
            repeats: Repeats::default(),
            ring: KeyRing::new(std::mem::take(&mut parts.api_keys)),
            running: Running::new(),
            listeners: Listeners::default(),
            in_flight: Arc::new(AtomicUsize::new(0)),
            auctions: TaskTracker::new(),
            background: TaskTracker::new(),
            stopping: CancellationToken::new(),
            cut: CancellationToken::new(),
            parts,
        })
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.parts.clock.now()
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.parts.clock
    }

    /// The newest config. Whoever begins something takes it once and keeps it.
    #[must_use]
    pub fn config(&self) -> Arc<Snapshot> {
        self.live.now()
    }

    /// From here on new leads are routed by this config; the one before is returned. Connections to
    /// buyers that are in no config any more are closed when their last exchange ends.
    pub fn route_by(&self, next: Arc<Snapshot>) -> Arc<Snapshot> {
        let before = self.live.swap(Arc::clone(&next));
        self.transport().keep_only(|buyer| next.routing.buyer(buyer).is_some());
        before
    }

    /// How the buyer of a campaign is understood when it calls us.
    #[must_use]
    pub fn hearing(
        &self,
        campaign: &CampaignId,
    ) -> Option<(Arc<Connector>, Option<CampaignMeters>)> {
        self.live.hearing(campaign)
    }

    /// The config for work that outlives its auction.
    #[must_use]
    pub fn config_knowing(&self, campaign: &CampaignId, began: &Arc<Snapshot>) -> Arc<Snapshot> {
        self.live.knowing(campaign, began)
    }

    /// What came in and what pings left lately.
    #[must_use]
    pub fn rates(&self) -> &Rates {
        &self.rates
    }

    /// What pings were promised lately.
    #[must_use]
    pub fn repeats(&self) -> &Repeats {
        &self.repeats
    }

    /// What is durable.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn ExchangeStore> {
        &self.parts.store
    }

    /// The sockets to buyers.
    #[must_use]
    pub fn transport(&self) -> &Transport {
        &self.parts.transport
    }

    /// Keys derived from the root key.
    #[must_use]
    pub fn keys(&self) -> &DerivedKeys {
        &self.parts.keys
    }

    /// What every buyer did with what it was given.
    #[must_use]
    pub fn scores(&self) -> &Scores {
        &self.scores
    }

    /// Requests under way.
    #[must_use]
    pub fn running(&self) -> &Running {
        &self.running
    }

    /// Who wants to hear of buyers' calls.
    #[must_use]
    pub fn listeners(&self) -> &Listeners {
        &self.listeners
    }

    /// Where the buyer of a campaign may call us about this; nothing when nobody would listen.
    #[must_use]
    pub fn callback_url(&self, connector: &Connector, about: About) -> Option<String> {
        let base = self.parts.public_url.as_ref().filter(|_| connector.hears())?;
        Some(base.address(self.keys(), connector.campaign(), about))
    }

    /// Shows in the metrics which buyers are left alone at this moment.
    pub fn show_breakers(&self) {
        for buyer in self.config().routing.buyers() {
            metrics::breaker(&buyer.id, self.transport().breaker(&buyer.id));
        }
        metrics::network_alarm(self.transport().network_alarm());
    }

    /// Whose request a key signs.
    #[must_use]
    pub fn authenticate(&self, text: &str) -> Option<Principal> {
        self.ring.look(auth::key_id(text), |record| auth::verify(text, record, self.keys()))
    }

    /// Makes, stores and accepts a key for a source; the text is shown once.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn issue_key(
        &self,
        source: &SourceId,
        mode: KeyMode,
    ) -> Result<(String, Zeroizing<String>), StoreError> {
        let new = auth::issue(source, mode, self.keys(), self.now());
        self.store().add_key(new.record.clone()).await?;
        let id = new.record.id.clone();
        self.ring.add(new.record);
        Ok((id, new.text))
    }

    /// Ends a key; `false` when there is none by that id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn revoke_key(&self, id: &str) -> Result<bool, StoreError> {
        let now = self.now();
        self.ring.revoke(id, now);
        self.store().revoke_key(id, now).await
    }

    /// A place for one more auction, held until it has answered.
    ///
    /// # Errors
    /// Why no new lead is taken.
    pub fn admit(&self) -> Result<Admitted, Shed> {
        // Before the look at `stopping`: whoever is let in is waited for from here on.
        let under_way = self.auctions.token();
        if self.stopping.is_cancelled() {
            return Err(Shed::Draining);
        }
        if self.store().failure().now().is_some() {
            return Err(Shed::StoreFailed);
        }
        if self.parts.health.queue_age() > self.parts.limits.queue_age {
            return Err(Shed::StoreSlow);
        }
        if self.parts.health.free_space().is_some_and(|free| free < self.parts.min_free) {
            return Err(Shed::DiskFull);
        }
        metrics::inflight().increment(1.0);
        let before = self.in_flight.fetch_add(1, Ordering::Relaxed);
        let admitted = Admitted { in_flight: Arc::clone(&self.in_flight), _under_way: under_way };
        if before >= self.parts.limits.auctions_in_flight {
            return Err(Shed::TooManyAuctions);
        }
        Ok(admitted)
    }

    /// How long a refused seller should wait, in seconds: spread, so that they do not all come
    /// back at once.
    #[must_use]
    pub fn retry_after(&self) -> u32 {
        let [noise] = crate::random::bytes::<1>();
        u32::from(noise % RETRY_AFTER_MAX).saturating_add(1)
    }

    /// Starts the auction of a request in a task of its own.
    pub fn begin(self: &Arc<Self>, job: Job, claimed: Claimed, admitted: Admitted) {
        let engine = Arc::clone(self);
        self.auctions.spawn(async move {
            let progress = Progress::new(&job, claimed);
            let run = auction_driver::run(Arc::clone(&engine), job, progress.clone(), admitted);
            if let Err(stopped) = tokio::spawn(run).await {
                tracing::error!(lead_id = %progress.lead(), panic = stopped.is_panic(), "auction ended by a bug");
                metrics::panicked();
                auction_driver::after_a_bug(&engine, &progress).await;
            }
        });
    }

    /// Runs work that may be cut off when the process stops: it is taken up again at the next start.
    pub fn spawn_background(&self, work: impl Future<Output = ()> + Send + 'static) {
        let cut = self.cut.clone();
        self.background.spawn(async move {
            tokio::select! {
                () = work => {}
                () = cut.cancelled() => {}
            }
        });
    }

    /// Resolves when the process is told to stop.
    pub async fn stopping(&self) {
        self.stopping.cancelled().await;
    }

    /// Whether the process was told to stop.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stopping.is_cancelled()
    }

    /// From now on no new lead is taken.
    pub fn stop(&self) {
        self.stopping.cancel();
        self.auctions.close();
    }

    /// Resolves when every request that was let in has been answered or refused, and every auction
    /// has ended, answers of its buyers included; after [`Engine::stop`].
    pub async fn drained(&self) {
        self.auctions.wait().await;
    }

    /// Cuts off what works in the background; the next start takes it up again.
    pub async fn cut_background(&self) {
        self.cut.cancel();
        self.background.close();
        self.background.wait().await;
    }

    /// What is checked for readiness, each with whether it is well. Never a buyer.
    #[must_use]
    pub fn checks(&self) -> [(&'static str, bool); 4] {
        let free = self.parts.health.free_space();
        [
            ("accepting", !self.is_stopping()),
            ("store", self.store().failure().now().is_none()),
            ("disk_space", free.is_none_or(|free| free >= self.parts.min_free)),
            ("store_queue", self.parts.health.queue_age() <= self.parts.limits.queue_age),
        ]
    }

    /// Auctions that have not answered yet.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }
}

/// The place of one auction.
#[derive(Debug)]
pub struct Admitted {
    in_flight: Arc<AtomicUsize>,
    /// Its body may still arrive when the process is told to stop.
    _under_way: TaskTrackerToken,
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        metrics::inflight().decrement(1.0);
    }
}

/// How a campaign is reached, by its connector. A campaign without one is never asked.
#[must_use]
pub fn delivery_of(connectors: &Connectors, campaign: &Campaign) -> Delivery {
    connectors.get(&campaign.id).map_or_else(Delivery::none, |connector| delivery_by(connector))
}

/// What an auction must know of a connector.
#[must_use]
pub fn delivery_by(connector: &Connector) -> Delivery {
    Delivery {
        typical: None,
        ping: connector.ping_timeout(),
        post: connector.post_timeout(),
        ways: ways_of(connector),
        answer_within: connector.answer_within(),
        counter_key_same: connector.counter_key_same(),
    }
}

/// How a connector finds out about a lost answer.
#[must_use]
pub fn ways_of(connector: &Connector) -> Ways {
    Ways { resolve: connector.resolvers().into(), poll: connector.poll().clone() }
}
