//! Which campaigns one lead is offered to, tier by tier.

use std::sync::Arc;

use exchange_model::CampaignId;
use exchange_model::reason::Ineligible;

use crate::eligibility::{LeadRequest, Standing, eligibility_at, eligibility_of_accepting};
use crate::spots::spots;
use crate::tree::{Tier, TierMember, Tree};

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
    let mut plan = empty(tree);
    for (index, member, spot) in spots(tree, request.lead.attributes()) {
        plan.put(index, member, eligibility_at(&spot, request, standing));
    }
    plan
}

/// Most campaigns whose reason the record of one lead names, of those that their filter keeps out.
pub const REASONS_MAX: usize = 1_000;

/// The same for the door, where every microsecond counts: who accepts the lead is looked up, and of
/// the others the first `reasons` are asked why. In a tree of no more members than that it says what
/// [`plan`] says; in a larger one, `explain` tells the rest.
#[must_use]
pub fn sift(
    tree: &Arc<Tree>,
    request: &LeadRequest<'_>,
    standing: &dyn Standing,
    reasons: usize,
) -> Plan {
    let attributes = request.lead.attributes();
    let matching = tree.places.matching(attributes);
    let mut plan = empty(tree);
    let mut left = reasons;
    let mut judge = |slot: usize, accepted: bool| {
        let Some((index, member, spot)) = tree.places.spot(tree, slot, attributes) else { return };
        let verdict = match accepted {
            true => eligibility_of_accepting(&spot, request, standing),
            false => eligibility_at(&spot, request, standing),
        };
        plan.put(index, member, verdict);
    };
    let mut slots = 0..tree.places.len();
    while left > 0
        && let Some(slot) = slots.next()
    {
        let accepted = matching.contains(slot);
        left = left.saturating_sub(usize::from(!accepted));
        judge(slot, accepted);
    }
    let behind = matching.iter().skip_while(|slot| *slot < slots.start);
    behind.for_each(|slot| judge(slot, true));
    plan
}

fn empty(tree: &Arc<Tree>) -> Plan {
    let tier = |tier: &Tier| PlannedTier { tier: tier.name.clone(), members: Vec::new() };
    let tiers = tree.tiers.iter().map(tier).collect();
    Plan { tree: Arc::clone(tree), tiers, ineligible: Vec::new() }
}

impl Plan {
    fn put(&mut self, tier: usize, member: &Arc<TierMember>, verdict: Result<(), Ineligible>) {
        match (verdict, self.tiers.get_mut(tier)) {
            (Ok(()), Some(tier)) => tier.members.push(Arc::clone(member)),
            (Ok(()), None) => {}
            (Err(reason), _) => self.ineligible.push((member.campaign.id.clone(), tier, reason)),
        }
    }
}
