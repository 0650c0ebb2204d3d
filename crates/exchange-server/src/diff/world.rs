//! What is used of every cap while recorded leads are sold again.

use std::collections::BTreeMap;

use exchange_core::caps::Usage;
use exchange_model::{BuyerId, CampaignId, MinorUnits, SourceId, Timestamp};
use exchange_store::Bought;
use ping_tree::{CapLimit, CapScope, Standing, Tally};
use std::sync::{Mutex, PoisonError};

/// Counters that begin with what was bought before the first lead.
#[derive(Debug, Default)]
pub(super) struct World(Mutex<Counters>);

#[derive(Debug, Default)]
struct Counters {
    campaigns: BTreeMap<CampaignId, Usage>,
    sources: BTreeMap<(CampaignId, SourceId), Usage>,
    buyers: BTreeMap<BuyerId, Usage>,
}

impl World {
    /// With this bought already.
    pub(super) fn after(bought: &[Bought]) -> Self {
        let world = Self::default();
        for one in bought {
            world.count(&one.campaign, &one.source, one.at, one.price);
        }
        world
    }

    /// Counts a lead as bought.
    pub(super) fn count(
        &self,
        campaign: &CampaignId,
        source: &SourceId,
        at: Timestamp,
        price: MinorUnits,
    ) {
        let tally = Tally { leads: 1, spend: price };
        let mut all = self.lock();
        all.campaigns.entry(campaign.clone()).or_default().add(at, tally);
        all.sources.entry((campaign.clone(), source.clone())).or_default().add(at, tally);
        all.buyers.entry(campaign.buyer()).or_default().add(at, tally);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Counters> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Standing for World {
    /// Who is paused by hand today says nothing about that day.
    fn paused(&self, _campaign: &CampaignId) -> bool {
        false
    }

    fn used(&self, cap: &CapLimit) -> Tally {
        let mut all = self.lock();
        let of = |usage: Option<&mut Usage>| {
            usage.map(|usage| usage.used(cap.window)).unwrap_or_default()
        };
        match &cap.scope {
            CapScope::Campaign(campaign) => of(all.campaigns.get_mut(campaign)),
            CapScope::Source(campaign, source) => {
                of(all.sources.get_mut(&(campaign.clone(), source.clone())))
            }
            CapScope::Buyer(buyer) => of(all.buyers.get_mut(buyer)),
            CapScope::Group(group) => {
                let each = group.members.iter().map(|member| of(all.campaigns.get_mut(member)));
                each.fold(Tally::default(), Tally::plus)
            }
            CapScope::Inbound(_) => Tally::default(),
        }
    }

    /// Balances of that day are not known: nobody is stopped by them.
    fn available(&self, _buyer: &BuyerId) -> Option<MinorUnits> {
        None
    }
}
