//! What every campaign has bought and reserved, in memory.
//!
//! Filled from the attempts when the store opens. Only the writer changes it, inside the operation
//! that makes the change durable; eligibility reads it. The map's guards stay in here: callers pass
//! closures, so that nobody holds a shard while waiting for something.

use dashmap::DashMap;
use exchange_core::caps::Usage;
use exchange_model::{CampaignId, Timestamp};

/// One campaign's counters.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// For its caps.
    pub(crate) usage: Usage,
    /// When it last bought a lead.
    pub(crate) last_won: Option<Timestamp>,
}

/// Every campaign's counters.
#[derive(Debug, Default)]
pub(crate) struct UsageBook(DashMap<CampaignId, Counters>);

impl UsageBook {
    /// Reads or changes one campaign's counters.
    pub(crate) fn with<T>(&self, campaign: &CampaignId, act: impl FnOnce(&mut Counters) -> T) -> T {
        if let Some(mut counters) = self.0.get_mut(campaign) {
            return act(&mut counters);
        }
        act(&mut self.0.entry(campaign.clone()).or_default())
    }

    /// Reads one campaign's counters, if it ever had any; makes no entry for one that did not.
    pub(crate) fn look<T>(
        &self,
        campaign: &CampaignId,
        act: impl FnOnce(&mut Counters) -> T,
    ) -> Option<T> {
        self.0.get_mut(campaign).map(|mut counters| act(&mut counters))
    }
}
