//! What is used of every cap, and what every tier gave, while recorded leads are sold again.

use std::collections::{BTreeMap, HashMap};

use exchange_core::auction::{CHANCE_WHOLE, History, Served};
use exchange_core::caps::Usage;
use exchange_core::record::{Intent, Qualified};
use exchange_model::{BuyerId, CampaignId, MinorUnits, SourceId, Timestamp, TreeId};
use exchange_store::{AttemptState, Bought, ServedPost, TierCount, TierMembership};
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
    /// From the first lead on: the tiers of these files may not have been there before.
    tiers: HashMap<TierMembership, TierCount>,
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

    /// Counts a post in its tier: of a lead taken in at `at`, bought or refused.
    pub(super) fn served(&self, intent: &Intent, at: Timestamp, bought: bool) {
        let (tree, tier) = (intent.tree.clone(), intent.tier.clone());
        let by = TierMembership { tree, tier, campaign: intent.campaign.clone() };
        let attempt = intent.attempt;
        let post = ServedPost { attempt, by: by.clone(), taken_in: at, prepared_at: at };
        let state = if bought { AttemptState::Accepted } else { AttemptState::Rejected };
        self.lock().tiers.entry(by).or_default().change(&post, None, Some(state));
    }

    /// Counts usable bids for a lead taken in at `at`.
    pub(super) fn qualified(&self, members: &[Qualified], at: Timestamp) {
        let mut all = self.lock();
        for Qualified { tree, tier, campaign } in members.iter().cloned() {
            let member = TierMembership { tree, tier, campaign };
            all.tiers.entry(member).or_default().qualify(at, 1);
        }
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

/// What the tiers gave before one lead.
#[derive(Debug)]
pub(super) struct Turns<'a> {
    pub(super) world: &'a World,
    pub(super) now: Timestamp,
}

impl History for Turns<'_> {
    /// Who won when, in any tier, is not counted along.
    fn last_won(&self, _campaign: &CampaignId) -> Option<Timestamp> {
        None
    }

    fn served(&self, tree: &TreeId, tier: &str, campaign: &CampaignId, since: Timestamp) -> Served {
        let (tree, tier) = (tree.to_string(), tier.to_owned());
        let member = TierMembership { tree, tier, campaign: campaign.clone() };
        let found = self.world.lock().tiers.get_mut(&member).map(|of| of.record(since, self.now));
        let record = found.unwrap_or_default();
        Served {
            last: record.last,
            delivered: record.delivered,
            qualified: record.qualified,
            accept_rate: record.answers.with_mean(CHANCE_WHOLE),
        }
    }
}
