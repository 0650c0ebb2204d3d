//! The breakers of all buyers, with a clock and a log.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use exchange_model::BuyerId;
use tokio::time::Instant;

use super::breaker::{Admission, BreakerState, Change, Health, Panel};
use super::timings::now;

/// Shared by every exchange.
#[derive(Clone)]
pub(super) struct Breakers {
    panel: Arc<Mutex<Panel>>,
    started: Instant,
}

impl Breakers {
    pub(super) fn new() -> Self {
        Self { panel: Arc::new(Mutex::new(Panel::default())), started: now() }
    }

    fn panel(&self) -> MutexGuard<'_, Panel> {
        self.panel.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn elapsed(&self) -> Duration {
        now().saturating_duration_since(self.started)
    }

    pub(super) fn admit(&self, buyer: &BuyerId) -> Admission {
        self.panel().admit(buyer, self.elapsed())
    }

    pub(super) fn record(&self, buyer: &BuyerId, admitted: Admission, health: Health) {
        let change = self.panel().record(buyer, self.elapsed(), admitted, health);
        match change {
            None => {}
            Some(Change::Opened) => tracing::warn!(%buyer, "a buyer fails and is left alone"),
            Some(Change::Closed) => tracing::info!(%buyer, "a buyer is called again"),
            Some(Change::Panic) => {
                tracing::error!("most buyers fail at once: our network? none is left alone");
            }
        }
    }

    pub(super) fn state(&self, buyer: &BuyerId) -> BreakerState {
        self.panel().state(buyer, self.elapsed())
    }

    pub(super) fn is_panic(&self) -> bool {
        self.panel().is_panic(self.elapsed())
    }
}
