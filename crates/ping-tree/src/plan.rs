//! Which campaigns one lead is offered to, tier by tier.

use std::sync::Arc;

use exchange_model::reason::Ineligible;
use exchange_model::CampaignId;

use crate::eligibility::{LeadRequest, Standing, eligibility_at};
use crate::spots::spots;
use crate::tree::{TierMember, Tree};

/// A tier with the members that may be pinged.
#[derive(Clone, Debug)]
pub struct PlannedTier {
    /// Its name.
    pub tier: String,
    /// Who may be pinged, in the order written; perhaps nobody.
    pub members: Vec<Arc<TierMember>>,
}

/// What an auction starts from.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The tree it follows.
    pub tree: Arc<Tree>,
    /// Every tier of the tree, in order: the index in the tree is the index here.
    pub tiers: Vec<PlannedTier>,
    /// Who is not pinged: the campaign, the index of its tier, the first reason.
    pub ineligible: Vec<(CampaignId, usize, Ineligible)>,
}

/// Splits the members of a tree into those that may be pinged for this lead and those that may not.
#[must_use]
pub fn plan(tree: &Arc<Tree>, request: &LeadRequest<'_>, standing: &dyn Standing) -> Plan {
    let mut ineligible = Vec::new();
    let mut tiers: Vec<PlannedTier> = tree
        .tiers
        .iter()
        .map(|tier| PlannedTier { tier: tier.name.clone(), members: Vec::new() })
        .collect();
    for (index, member, spot) in spots(tree, request.lead.attributes()) {
        match (eligibility_at(&spot, request, standing), tiers.get_mut(index)) {
            (Ok(()), Some(tier)) => tier.members.push(Arc::clone(member)),
            (Ok(()), None) => {}
            (Err(reason), _) => ineligible.push((member.campaign.id.clone(), index, reason)),
        }
    }
    Plan { tree: Arc::clone(tree), tiers, ineligible }
}
