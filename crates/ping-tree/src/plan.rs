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

/// The same for whoever's filter accepts the lead; the others are only looked up in the index, and
/// named nowhere. What it costs follows the campaigns that are left, not those that there are.
#[must_use]
pub fn sift(tree: &Arc<Tree>, request: &LeadRequest<'_>, standing: &dyn Standing) -> Plan {
    let attributes = request.lead.attributes();
    let mut plan = empty(tree);
    for slot in tree.places.matching(attributes).iter() {
        let Some((index, member, spot)) = tree.places.spot(tree, slot, attributes) else {
            continue;
        };
        plan.put(index, member, eligibility_of_accepting(&spot, request, standing));
    }
    plan
}

/// Those that [`sift`] does not name: the campaign, the index of its tier, the first reason; in the
/// order written, at most `most` of them. Asked for once the pings are out: it costs a little for
/// each campaign that is kept out.
#[must_use]
pub fn kept_out(
    tree: &Arc<Tree>,
    request: &LeadRequest<'_>,
    standing: &dyn Standing,
    most: usize,
) -> Vec<(CampaignId, usize, Ineligible)> {
    let attributes = request.lead.attributes();
    let matching = tree.places.matching(attributes);
    let slots = (0..tree.places.len()).filter(|slot| !matching.contains(*slot));
    let reasons = slots.filter_map(|slot| {
        let (index, member, spot) = tree.places.spot(tree, slot, attributes)?;
        let reason = eligibility_at(&spot, request, standing).err()?;
        Some((member.campaign.id.clone(), index, reason))
    });
    reasons.take(most).collect()
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
