//! The breakers of all buyers, with a clock and a log.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use exchange_model::{BuyerId, LeadId};
use tokio::time::Instant;

use super::breaker::{Admission, BreakerState, Change, Health, Panel, Turn};
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

    pub(super) fn admit(&self, buyer: &BuyerId, turn: Option<Turn>) -> Admission {
        self.panel().admit(buyer, self.elapsed(), turn)
    }

    /// What a ping of this lead would be told now.
    pub(super) fn look(&self, buyer: &BuyerId, lead: LeadId) -> Admission {
        self.panel().look(buyer, self.elapsed(), Some(Turn::of(lead, buyer)))
    }

    pub(super) fn record(&self, buyer: &BuyerId, admitted: Admission, health: Health) {
        let change = self.panel().record(buyer, self.elapsed(), admitted, health);
        match change {
            None => {}
            Some(Change::Opened) => tracing::warn!(%buyer, "a buyer fails and is left alone"),
            Some(Change::Returning) => {
                tracing::info!(%buyer, "a buyer answers again: it gets a growing share of pings");
            }
            Some(Change::Closed) => tracing::info!(%buyer, "a buyer is called again as ever"),
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
