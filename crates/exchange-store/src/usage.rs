//! What every campaign and buyer has bought and reserved, in memory.
//!
//! Filled from the attempts when the store opens. Only the writer changes it, inside the operation
//! that makes the change durable; eligibility reads it. The maps' guards stay in here: callers pass
//! closures, so that nobody holds a shard while waiting for something.
//!
//! A group is not counted: it is the sum of its members, so that whoever joins it brings its
//! history along.

use std::collections::BTreeMap;

use dashmap::DashMap;
use exchange_core::caps::{Counted, OpenLeads, Usage, first_full};
use exchange_core::record::{CapLimit, CapScope, Tally};
use exchange_model::reason::{CapKind, CapName};
use exchange_model::{BuyerId, CampaignId, MinorUnits, SourceId, Timestamp};

/// One campaign's counters.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// For its caps.
    pub(crate) usage: Usage,
    /// For its caps by source.
    pub(crate) by_source: BTreeMap<SourceId, Usage>,
    /// What its buyer works on.
    pub(crate) open: OpenLeads,
    /// When it last bought a lead.
    pub(crate) last_won: Option<Timestamp>,
}

/// Every counter.
#[derive(Debug, Default)]
pub(crate) struct UsageBook {
    campaigns: DashMap<CampaignId, Counters>,
    buyers: DashMap<BuyerId, Usage>,
    /// Leads taken in.
    sources: DashMap<SourceId, Usage>,
}

impl UsageBook {
    /// Reads or changes one campaign's counters.
    pub(crate) fn with<T>(&self, campaign: &CampaignId, act: impl FnOnce(&mut Counters) -> T) -> T {
        if let Some(mut counters) = self.campaigns.get_mut(campaign) {
            return act(&mut counters);
        }
        act(&mut self.campaigns.entry(campaign.clone()).or_default())
    }

    /// Reads one campaign's counters, if it ever had any; makes no entry for one that did not.
    pub(crate) fn look<T>(
        &self,
        campaign: &CampaignId,
        act: impl FnOnce(&mut Counters) -> T,
    ) -> Option<T> {
        self.campaigns.get_mut(campaign).map(|mut counters| act(&mut counters))
    }

    /// What is used of a cap.
    pub(crate) fn used(&self, cap: &CapLimit) -> Tally {
        let used = |usage: &mut Usage| usage.used(cap.window);
        match &cap.scope {
            CapScope::Campaign(campaign) if cap.kind == CapKind::Open => {
                let leads = self.look(campaign, |found| found.open.since(cap.window.start));
                Tally { leads: leads.unwrap_or(0), spend: MinorUnits::ZERO }
            }
            CapScope::Campaign(campaign) => {
                self.look(campaign, |found| used(&mut found.usage)).unwrap_or_default()
            }
            CapScope::Source(campaign, source) => {
                let of = |found: &mut Counters| found.by_source.get_mut(source).map(used);
                self.look(campaign, of).flatten().unwrap_or_default()
            }
            CapScope::Buyer(buyer) => {
                self.buyers.get_mut(buyer).map(|mut usage| used(&mut usage)).unwrap_or_default()
            }
            CapScope::Group(group) => {
                let of = |campaign| self.look(campaign, |found| used(&mut found.usage));
                let all = group.members.iter().filter_map(of);
                all.fold(Tally::default(), Tally::plus)
            }
            CapScope::Inbound(source) => {
                self.sources.get_mut(source).map(|mut usage| used(&mut usage)).unwrap_or_default()
            }
        }
    }

    /// Whether a lead at `price` fits under every cap.
    pub(crate) fn has_room(&self, caps: &[CapLimit], price: MinorUnits) -> Result<(), CapName> {
        first_full(caps, price, |cap| self.used(cap))
    }

    /// Counts an attempt for its campaign, its source and its buyer; as open unless it is finished.
    pub(crate) fn reserve(&self, counted: &Counted, open: bool) {
        let (at, tally) = (counted.at, counted.tally());
        self.with(&counted.campaign, |found| {
            found.usage.add(at, tally);
            found.by_source.entry(counted.source.clone()).or_default().add(at, tally);
            if open {
                found.open.add(at, counted.attempt);
            }
        });
        self.with_buyer(counted.campaign.buyer(), |usage| usage.add(at, tally));
    }

    /// Gives back what [`UsageBook::reserve`] counted; whether the attempt counted as open.
    pub(crate) fn release(&self, counted: &Counted) -> bool {
        let (at, tally) = (counted.at, counted.tally());
        let open = self.with(&counted.campaign, |found| {
            found.usage.take_back(at, tally);
            found.by_source.entry(counted.source.clone()).or_default().take_back(at, tally);
            found.open.remove(at, counted.attempt)
        });
        self.with_buyer(counted.campaign.buyer(), |usage| usage.take_back(at, tally));
        open
    }

    /// Counts what was booked instead of what was held.
    pub(crate) fn rebook(&self, counted: &Counted, booked: MinorUnits) {
        let (at, from) = (counted.at, counted.price);
        self.with(&counted.campaign, |found| {
            found.usage.rebook(at, from, booked);
            let by_source = found.by_source.entry(counted.source.clone()).or_default();
            by_source.rebook(at, from, booked);
        });
        self.with_buyer(counted.campaign.buyer(), |usage| usage.rebook(at, from, booked));
    }

    /// The buyer is done with the lead, or is not after all; whether that changed anything.
    pub(crate) fn set_open(&self, counted: &Counted, open: bool) -> bool {
        self.with(&counted.campaign, |found| {
            if open {
                found.open.add(counted.at, counted.attempt);
                return true;
            }
            found.open.remove(counted.at, counted.attempt)
        })
    }

    /// Counts a lead that a source sent in, or takes it back.
    pub(crate) fn with_source<T>(&self, source: &SourceId, act: impl FnOnce(&mut Usage) -> T) -> T {
        if let Some(mut usage) = self.sources.get_mut(source) {
            return act(&mut usage);
        }
        act(&mut self.sources.entry(source.clone()).or_default())
    }

    /// Reads or changes one buyer's counter.
    pub(crate) fn with_buyer<T>(&self, buyer: BuyerId, act: impl FnOnce(&mut Usage) -> T) -> T {
        if let Some(mut usage) = self.buyers.get_mut(&buyer) {
            return act(&mut usage);
        }
        act(&mut self.buyers.entry(buyer).or_default())
    }
}

#[cfg(test)]
mod schedules;
