//! How long each buyer is waited for, and how likely it is to accept: what an auction is told of
//! its members beside the config.

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

/// How likely each campaign of a tree is to accept a post, in parts per million.
pub fn chances<'a>(
    tree: &Tree,
    store: &'a dyn ExchangeStore,
    now: Timestamp,
) -> impl Fn(&CampaignId) -> u32 + 'a {
    let members = tree.tiers.iter().flat_map(|tier| &tier.members);
    let of = |campaign: &CampaignId| store.accepted_share(campaign, now);
    let all = members.fold(Chance::default(), |sum, member| sum.and(of(&member.campaign.id)));
    let mean = all.share();
    move |campaign| store.accepted_share(campaign, now).with_mean(mean)
}
