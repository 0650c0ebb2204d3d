//! What is known of every connector's speed, with a clock.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use exchange_model::BuyerId;
use tokio::time::Instant;

use super::latency::{Bounds, Latency, Typical};
use super::timings::now;
use crate::connector::Connector;

/// Most connectors that are remembered; beyond it a new one is waited for to its ceiling.
const CONNECTORS_MAX: usize = 20_000;

/// A buyer has a connector of this name. Both outlive a reload of config, and so does what is
/// known of them; the campaigns that share a connector learn together.
type Key = (BuyerId, Box<str>);

/// Shared by every exchange.
#[derive(Clone)]
pub(super) struct Latencies {
    known: Arc<Mutex<HashMap<Key, Latency>>>,
    started: Instant,
}

impl Latencies {
    pub(super) fn new() -> Self {
        Self { known: Arc::default(), started: now() }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Key, Latency>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn elapsed(&self) -> Duration {
        now().saturating_duration_since(self.started)
    }

    pub(super) fn typical(&self, connector: &Connector) -> Option<Typical> {
        self.known().get(&key(connector))?.typical(self.elapsed())
    }

    /// How long a ping is waited for; nothing without a ping.
    pub(super) fn wait(&self, connector: &Connector) -> Option<Duration> {
        let ceiling = connector.ping_timeout()?;
        let Some(least) = connector.ping_least_timeout() else { return Some(ceiling) };
        let bounds = Bounds { least, ceiling };
        let known = self.known();
        let learned = known.get(&key(connector));
        Some(learned.map_or(ceiling, |latency| latency.wait(self.elapsed(), bounds)))
    }

    /// A ping ended: with an answer of the buyer's, or without one.
    pub(super) fn record(&self, connector: &Connector, took: Duration, answered: bool) {
        let (now, ceiling) = (self.elapsed(), connector.ping_timeout().unwrap_or_default());
        let mut known = self.known();
        let key = key(connector);
        if known.len() >= CONNECTORS_MAX && !known.contains_key(&key) {
            return;
        }
        let latency = known.entry(key).or_default();
        if answered {
            latency.answered(now, took);
        } else {
            latency.unanswered(now, took, ceiling);
        }
    }
}

fn key(connector: &Connector) -> Key {
    (connector.buyer().clone(), connector.name().into())
}
