//! The config that is routed by: one immutable snapshot, exchanged whole by a reload.
//!
//! > Whoever works on a lead takes one [`Snapshot`] at the door and uses no other for it: its plan,
//! > its connectors and its meters all come from the version that stands in its record.
//!
//! What outlives its lead's auction (a resolver, a buyer's call) uses the newest snapshot that
//! still knows the campaign, else the one it began with.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use buyer_connectors::Connector;
use exchange_core::auction::{Delivery, Ways};
use exchange_core::record::OpenAttempt;
use exchange_model::CampaignId;
use exchange_model::outcome::Resolver;
use ping_tree::Campaign;
use tokio::sync::watch;

use crate::exchange::{delivery_by, ways_of};
use crate::load::Exchange;
use crate::metrics::CampaignMeters;

/// One version of the config, with what is kept per campaign beside it.
#[derive(Debug)]
pub struct Snapshot {
    number: u64,
    config: Exchange,
    meters: BTreeMap<CampaignId, CampaignMeters>,
}

impl Deref for Snapshot {
    type Target = Exchange;

    fn deref(&self) -> &Exchange {
        &self.config
    }
}

impl Snapshot {
    /// A snapshot of this config, which the store keeps under this number.
    #[must_use]
    pub fn new(config: Exchange, number: u64) -> Self {
        let meters = config.routing.campaigns().map(|campaign| {
            (campaign.id.clone(), CampaignMeters::new(&campaign.buyer.id, &campaign.id))
        });
        Self { number, meters: meters.collect(), config }
    }

    /// Its number in the store.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// `v41-1c83e49ab2f0`: number and content, as each lead carries it.
    #[must_use]
    pub fn label(&self) -> String {
        format!("v{}-{}", self.number, self.version)
    }

    /// The meters of a campaign.
    #[must_use]
    pub fn meters(&self, campaign: &CampaignId) -> Option<&CampaignMeters> {
        self.meters.get(campaign)
    }

    /// How a lost answer of a campaign is found out; in no way when the config does not know it.
    #[must_use]
    pub fn ways(&self, campaign: &CampaignId) -> Ways {
        self.connectors.get(campaign).map(|known| ways_of(known)).unwrap_or_default()
    }

    /// An attempt as the record has it. Whether its post was repeated nobody wrote down; it was
    /// not where the connector never does that.
    #[must_use]
    pub fn as_remembered(&self, open: OpenAttempt) -> OpenAttempt {
        let repeats = match self.connectors.get(&open.intent.campaign) {
            Some(connector) => connector.resolvers().contains(&Resolver::Repost),
            None => true,
        };
        OpenAttempt { posted_again: open.posted_again && repeats, ..open }
    }

    /// How an auction reaches a campaign.
    #[must_use]
    pub fn delivery(&self, campaign: &Campaign) -> Delivery {
        match self.connectors.get(&campaign.id) {
            Some(connector) => delivery_by(connector),
            // A config without a connector for one of its campaigns does not load.
            None => Delivery { ping: Some(Duration::ZERO), ..Delivery::none() },
        }
    }
}

/// The newest snapshot, for whoever begins something.
#[derive(Debug)]
pub struct Live {
    newest: watch::Sender<Arc<Snapshot>>,
    /// Connectors of campaigns that a reload has removed: their buyers may still call.
    removed: Mutex<BTreeMap<CampaignId, Removed>>,
}

/// What is kept of a campaign that is in no config any more.
type Removed = (Arc<Connector>, Option<CampaignMeters>);

/// Most removed campaigns whose buyers are still heard.
const REMOVED_MAX: usize = 1_000;

impl Live {
    /// This one first.
    #[must_use]
    pub fn new(first: Arc<Snapshot>) -> Self {
        Self { newest: watch::Sender::new(first), removed: Mutex::default() }
    }

    /// The newest. Whoever keeps working with it keeps this value.
    #[must_use]
    pub fn now(&self) -> Arc<Snapshot> {
        Arc::clone(&self.newest.borrow())
    }

    /// From here on everybody who begins uses this one; the one before is returned.
    pub fn swap(&self, next: Arc<Snapshot>) -> Arc<Snapshot> {
        let before = self.newest.send_replace(Arc::clone(&next));
        let mut removed = self.removed.lock().unwrap_or_else(PoisonError::into_inner);
        removed.retain(|campaign, _| next.connectors.get(campaign).is_none());
        for (campaign, connector) in before.connectors.iter() {
            if next.connectors.get(campaign).is_none() && removed.len() < REMOVED_MAX {
                let meters = before.meters(campaign).cloned();
                removed.insert(campaign.clone(), (Arc::clone(connector), meters));
            }
        }
        drop(removed);
        before
    }

    /// How the buyer of a campaign is understood when it calls us: also after the campaign was
    /// removed, for what it was posted before.
    #[must_use]
    pub fn hearing(&self, campaign: &CampaignId) -> Option<Removed> {
        let newest = self.now();
        if let Some(connector) = newest.connectors.get(campaign) {
            return Some((Arc::clone(connector), newest.meters(campaign).cloned()));
        }
        self.removed.lock().unwrap_or_else(PoisonError::into_inner).get(campaign).cloned()
    }

    /// The newest, if it knows the campaign; else the one that the work began with.
    #[must_use]
    pub fn knowing(&self, campaign: &CampaignId, began: &Arc<Snapshot>) -> Arc<Snapshot> {
        let newest = self.now();
        let known: Option<&Arc<Connector>> = newest.connectors.get(campaign);
        if known.is_some() { newest } else { Arc::clone(began) }
    }
}
