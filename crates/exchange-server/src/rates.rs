//! How much comes in and how many pings leave.
//!
//! One moment in time for each name in the config, whatever its rate; lost at a restart, which lets
//! one second's worth more through. Caps are elsewhere: what they count is on record.

use std::time::Duration;

use dashmap::DashMap;
use exchange_model::{Bucket, BuyerId, CampaignId, SourceId, Timestamp};
use ping_tree::{Campaign, Source};

/// What passed lately.
#[derive(Debug, Default)]
pub struct Rates {
    sources: DashMap<SourceId, Bucket>,
    campaigns: DashMap<CampaignId, Bucket>,
    buyers: DashMap<BuyerId, Bucket>,
}

impl Rates {
    /// Lets a request of a source in.
    ///
    /// # Errors
    /// How long until one more may come in.
    pub fn come_in(&self, source: &Source, now: Timestamp) -> Result<(), Duration> {
        let Some(rate) = source.rate_limit else { return Ok(()) };
        self.sources.entry(source.id.clone()).or_default().take(rate, now)
    }

    /// Whether a ping to this campaign may leave; takes nothing.
    #[must_use]
    pub fn may_ping(&self, campaign: &Campaign, now: Timestamp) -> bool {
        let own = campaign.ping_rate.is_none_or(|rate| {
            self.campaigns.get(&campaign.id).is_none_or(|bucket| bucket.look(rate, now).is_ok())
        });
        own && campaign.buyer.ping_rate.is_none_or(|rate| {
            self.buyers.get(&campaign.buyer.id).is_none_or(|bucket| bucket.look(rate, now).is_ok())
        })
    }

    /// Lets a ping to this campaign leave, by its own rate and its buyer's, or by neither.
    #[must_use]
    pub fn ping(&self, campaign: &Campaign, now: Timestamp) -> bool {
        let Some(rate) = campaign.ping_rate else { return self.ping_buyer(campaign, now) };
        // The buyer's is only ever locked after the campaign's.
        let mut own = self.campaigns.entry(campaign.id.clone()).or_default();
        if own.look(rate, now).is_err() || !self.ping_buyer(campaign, now) {
            return false;
        }
        own.take(rate, now).is_ok()
    }

    fn ping_buyer(&self, campaign: &Campaign, now: Timestamp) -> bool {
        let Some(rate) = campaign.buyer.ping_rate else { return true };
        self.buyers.entry(campaign.buyer.id.clone()).or_default().take(rate, now).is_ok()
    }
}
