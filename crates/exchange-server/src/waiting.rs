//! How long each buyer is waited for, and how likely it is to accept: what an auction is told of
//! its members beside the config.

use std::cell::OnceCell;

use exchange_core::auction::Delivery;
use exchange_model::{CampaignId, LeadId, Timestamp};
use exchange_store::{Chance, ExchangeStore};
use ping_tree::{Campaign, Tree};

use buyer_connectors::Transport;

use crate::snapshot::Snapshot;

/// One lead in so many waits for every buyer as long as its connector allows, so that a buyer that
/// got slower or faster is noticed. One lead for all of its buyers: the others are not held up.
const PATIENT_LEADS: u64 = 20;

/// How an auction reaches a campaign for this lead: the wait follows the buyer's last answers.
#[must_use]
pub fn delivery(
    config: &Snapshot,
    transport: &Transport,
    campaign: &Campaign,
    lead: LeadId,
) -> Delivery {
    let written = config.delivery(campaign);
    match config.connectors.get(&campaign.id) {
        Some(connector) if lead.place_among(PATIENT_LEADS, "patience") > 0 => Delivery {
            ping: transport.ping_wait(connector),
            typical: transport.typical(connector).map(|typical| typical.p50),
            ..written
        },
        Some(_) | None => written,
    }
}

/// How likely the campaigns of a tree are to accept a post.
#[derive(Clone, Debug)]
pub struct Chances<'a> {
    store: &'a dyn ExchangeStore,
    now: Timestamp,
    tree: &'a Tree,
    /// The share that the campaigns of the tree accepted together, in parts per million: worked out
    /// when it is first asked for, since most tiers never do.
    mean: OnceCell<u32>,
}

impl<'a> Chances<'a> {
    /// Of this tree at this moment.
    #[must_use]
    pub const fn of(tree: &'a Tree, store: &'a dyn ExchangeStore, now: Timestamp) -> Self {
        Self { store, now, tree, mean: OnceCell::new() }
    }

    fn mean(&self) -> u32 {
        *self.mean.get_or_init(|| {
            let members = self.tree.tiers.iter().flat_map(|tier| &tier.members);
            let all = members.fold(Chance::default(), |sum, member| {
                sum.and(self.store.accepted_share(&member.campaign.id, self.now))
            });
            all.share()
        })
    }

    /// At which moment.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// Of a campaign with these answers, and 8 posts at the tree's mean.
    #[must_use]
    pub fn of_answers(&self, answers: Chance) -> u32 {
        answers.with_mean(self.mean())
    }

    /// Of one campaign, in parts per million: its own posts and 8 at the tree's mean.
    #[must_use]
    pub fn chance(&self, campaign: &CampaignId) -> u32 {
        self.store.accepted_share(campaign, self.now).with_mean(self.mean())
    }
}
