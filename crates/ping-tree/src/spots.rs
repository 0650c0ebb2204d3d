//! Every place of every campaign of a tree, for one lead.
//!
//! A campaign with a condition may stand in several tiers: it is asked in the first whose condition
//! holds, and every later place knows of that one.

use std::collections::BTreeMap;
use std::sync::Arc;

use exchange_model::{Attributes, CampaignId};

use crate::eligibility::Spot;
use crate::tree::{Tier, TierMember, Tree};

/// Every place in order, with the index of its tier.
pub(crate) fn spots<'a>(
    tree: &'a Tree,
    attributes: &'a Attributes,
) -> impl Iterator<Item = (usize, &'a Arc<TierMember>, Spot<'a>)> {
    let mut asked: BTreeMap<&CampaignId, &Tier> = BTreeMap::new();
    let places = tree
        .tiers
        .iter()
        .enumerate()
        .flat_map(|(index, tier)| tier.members.iter().map(move |member| (index, tier, member)));
    places.map(move |(index, tier, member)| {
        let id = &member.campaign.id;
        let spot = Spot { tier, member, earlier: asked.get(id).copied() };
        if tree.repeats && spot.is_met(attributes) {
            asked.insert(id, tier);
        }
        (index, member, spot)
    })
}
