//! Which campaigns one lead is offered to, tier by tier.

use std::sync::Arc;

use exchange_model::reason::Ineligible;
use exchange_model::CampaignId;

use crate::eligibility::{LeadRequest, Standing, eligibility};
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
    let mut tiers = Vec::with_capacity(tree.tiers.len());
    for (index, tier) in tree.tiers.iter().enumerate() {
        let mut members = Vec::with_capacity(tier.members.len());
        for member in &tier.members {
            let campaign = &member.campaign;
            match eligibility(campaign, request, standing) {
                Ok(()) => members.push(Arc::clone(member)),
                Err(reason) => ineligible.push((campaign.id.clone(), index, reason)),
            }
        }
        tiers.push(PlannedTier { tier: tier.name.clone(), members });
    }
    Plan { tree: Arc::clone(tree), tiers, ineligible }
}
