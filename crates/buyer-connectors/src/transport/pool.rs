//! The connections to one buyer: last in, first out, so that a quiet buyer's spare ones age.
//!
//! A connection is opened in a task of its own. Whoever wanted it may leave; the connection is
//! then parked for the next.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use exchange_model::reason::NotSent;
use http::Uri;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::Instant;

use super::connect::{Connection, Dialler};
use super::settings::TransportSettings;
use super::timings::now;
use crate::identity::Identity;

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
    /// Requests stopped because contact data was in them that must not be.
    pub contact_stopped: u64,
}

/// Scheme, host, port and our certificate: connections are shared by what has the same.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Origin {
    address: Arc<str>,
    identity: Option<Arc<Identity>>,
}

impl Origin {
    pub(super) fn of(uri: &Uri, identity: Option<&Arc<Identity>>) -> Self {
        let scheme = uri.scheme_str().unwrap_or("");
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        let address = format!("{scheme}://{authority}").into();
        Self { address, identity: identity.map(Arc::clone) }
    }
}

struct Idle {
    origin: Origin,
    connection: Connection,
    since: Instant,
}

/// Everything kept for one buyer.
pub(super) struct Pool {
    idle: Mutex<Vec<Idle>>,
    idle_max: Duration,
    idle_connections_max: usize,
    in_flight_max: usize,
    pub(super) in_flight: Arc<Semaphore>,
    pub(super) drains: Arc<Semaphore>,
    opened: AtomicU64,
    cut: AtomicU64,
    contact_stopped: AtomicU64,
}

impl Pool {
    pub(super) fn new(settings: &TransportSettings) -> Self {
        Self {
            idle: Mutex::new(Vec::new()),
            idle_max: settings.idle_max,
            idle_connections_max: settings.in_flight_max,
            in_flight_max: settings.in_flight_max,
            in_flight: Arc::new(Semaphore::new(settings.in_flight_max)),
            drains: Arc::new(Semaphore::new(settings.drains_max)),
            opened: AtomicU64::new(0),
            cut: AtomicU64::new(0),
            contact_stopped: AtomicU64::new(0),
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn load(&self) -> BuyerLoad {
        BuyerLoad {
            in_flight: self.in_flight_max.saturating_sub(self.in_flight.available_permits()),
            idle: self.idle().len(),
            connections_opened: self.opened.load(Ordering::Relaxed),
            drains_cut: self.cut.load(Ordering::Relaxed),
            contact_stopped: self.contact_stopped.load(Ordering::Relaxed),
        }
    }

    pub(super) fn count_cut(&self) {
        self.cut.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_contact_stopped(&self) {
        self.contact_stopped.fetch_add(1, Ordering::Relaxed);
    }

    /// The connection parked last, if it was parked less than `age_max` ago and still stands.
    pub(super) fn checkout(&self, origin: &Origin, age_max: Duration) -> Option<Connection> {
        let now = now();
        let mut idle = self.idle();
        idle.retain(|entry| is_fresh(entry, now, self.idle_max) && entry.connection.is_ready());
        let at = idle
            .iter()
            .rposition(|entry| entry.origin == *origin && is_fresh(entry, now, age_max))?;
        Some(idle.remove(at).connection)
    }

    /// Keeps a connection for later. It must be ready for a request.
    pub(super) fn park(&self, origin: Origin, connection: Connection) {
        let now = now();
        let mut idle = self.idle();
        idle.retain(|entry| is_fresh(entry, now, self.idle_max) && entry.connection.is_ready());
        if idle.len() < self.idle_connections_max && connection.is_ready() {
            idle.push(Idle { origin, connection, since: now });
        }
    }

    /// Opens a connection; one that comes too late for its caller is parked.
    pub(super) async fn open(
        self: &Arc<Self>,
        dialler: &Arc<Dialler>,
        uri: &Uri,
        identity: Option<&Arc<Identity>>,
    ) -> Result<Connection, NotSent> {
        let (caller, opened) = oneshot::channel();
        let (pool, dialler, uri) = (Arc::clone(self), Arc::clone(dialler), uri.clone());
        let identity = identity.map(Arc::clone);
        tokio::spawn(async move {
            let result = dialler.connect(&uri, identity.as_ref()).await;
            if result.is_ok() {
                pool.opened.fetch_add(1, Ordering::Relaxed);
            }
            if let Err(Ok(connection)) = caller.send(result) {
                pool.park_when_ready(Origin::of(&uri, identity.as_ref()), connection).await;
            }
        });
        opened.await.unwrap_or(Err(NotSent::Connect))
    }

    /// Parks a connection once it can take a request; one that cannot soon is closed.
    pub(super) async fn park_when_ready(&self, origin: Origin, mut connection: Connection) {
        let ready = tokio::time::timeout(READY_MAX, connection.sender.ready()).await;
        if matches!(ready, Ok(Ok(()))) {
            self.park(origin, connection);
        }
    }
}

/// How long a connection may take to become ready for the next request.
const READY_MAX: Duration = Duration::from_millis(250);

fn is_fresh(entry: &Idle, now: Instant, age_max: Duration) -> bool {
    now.saturating_duration_since(entry.since) < age_max
}
