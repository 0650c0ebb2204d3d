//! The index of one tree: every place of every campaign in it, in order.

use std::collections::BTreeMap;
use std::sync::Arc;

use exchange_model::{Attributes, CampaignId};

use crate::eligibility::Spot;
use crate::index::{Index, Slots};
use crate::tree::{Tier, TierMember, Tree};

/// The places of a tree, and for a lead, in which of them the campaign's `accepts` holds.
#[derive(Debug, Default)]
pub struct Places {
    index: Index,
    /// The slot of each tier's first member.
    starts: Vec<usize>,
    /// Of a place whose campaign stands in earlier ones too, the slots of those.
    earlier: BTreeMap<usize, Vec<usize>>,
}

impl Places {
    /// The places of these tiers.
    #[must_use]
    pub fn new(tiers: &[Tier]) -> Self {
        let members = || tiers.iter().flat_map(|tier| &tier.members);
        let mut starts = Vec::with_capacity(tiers.len());
        let mut next = 0_usize;
        for tier in tiers {
            starts.push(next);
            next = next.saturating_add(tier.members.len());
        }
        let mut seen: BTreeMap<&CampaignId, Vec<usize>> = BTreeMap::new();
        let mut earlier = BTreeMap::new();
        for (slot, member) in members().enumerate() {
            let slots = seen.entry(&member.campaign.id).or_default();
            if !slots.is_empty() {
                earlier.insert(slot, slots.clone());
            }
            slots.push(slot);
        }
        let index = Index::new(members().map(|member| &member.campaign.accepts));
        Self { index, starts, earlier }
    }

    /// The slots whose campaign accepts these attributes.
    #[must_use]
    pub fn matching(&self, attributes: &Attributes) -> Slots {
        self.index.matching(attributes)
    }

    /// How many places there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// About how much memory it takes, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.index.bytes()
    }

    /// The place at a slot: the index of its tier, the tier, the member.
    fn at<'t>(
        &self,
        tree: &'t Tree,
        slot: usize,
    ) -> Option<(usize, &'t Tier, &'t Arc<TierMember>)> {
        let index = self.starts.partition_point(|start| *start <= slot).checked_sub(1)?;
        let within = slot.checked_sub(*self.starts.get(index)?)?;
        let tier = tree.tiers.get(index)?;
        Some((index, tier, tier.members.get(within)?))
    }

    /// The place at a slot of the tree that these are the places of, for one lead.
    pub(crate) fn spot<'t>(
        &self,
        tree: &'t Tree,
        slot: usize,
        attributes: &Attributes,
    ) -> Option<(usize, &'t Arc<TierMember>, Spot<'t>)> {
        let (index, tier, member) = self.at(tree, slot)?;
        let before = self.earlier.get(&slot).map_or(&[][..], Vec::as_slice);
        let met = before
            .iter()
            .filter_map(|slot| self.at(tree, *slot))
            .find(|(_, tier, member)| Spot { tier, member, earlier: None }.holds(attributes));
        let earlier = met.map(|(_, tier, _)| tier);
        Some((index, member, Spot { tier, member, earlier }))
    }
}
