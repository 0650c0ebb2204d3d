//! What only shows when everything is read.

use std::collections::BTreeSet;

use exchange_model::Findings;

use crate::campaign::UnknownPolicy;
use crate::routing::Routing;
use crate::tree::SaleKind;

/// Warns of campaigns that may be sold a lead twice: whose lost answers do not hold it, in a tier
/// that sells to one.
pub(super) fn double_risk(routing: &Routing, findings: &mut Findings) {
    let mut warned = BTreeSet::new();
    let tiers = routing.trees().flat_map(|tree| &tree.tiers);
    let exclusive = tiers.filter(|tier| tier.sale == SaleKind::Exclusive);
    for campaign in exclusive.flat_map(|tier| &tier.members).map(|member| &member.campaign) {
        let Some(place) = &campaign.unknown_place else { continue };
        if campaign.unknown == Some(UnknownPolicy::Cascade) && warned.insert(&campaign.id) {
            let message = "after a lost answer an exclusive lead may be sold twice".to_owned();
            let help = "write `unknown = \"hold\"` unless the buyer has agreed to it".to_owned();
            findings.warning("double_risk", place.clone(), message, help);
        }
    }
}

/// Warns of what nothing uses, once there are no errors: a misspelt name is the likelier reason.
pub(super) fn whole(routing: &Routing, findings: &mut Findings) {
    if findings.has_errors() {
        return;
    }
    for tree in routing.trees().filter(|tree| !routing.names.trees.is_used(tree.id.as_str())) {
        let message = format!("no source sends its leads through tree `{}`", tree.id);
        let help = format!(
            "write `tree = \"{}\"` in a source, name it in a `split`, or remove the tree",
            tree.id
        );
        findings.warning("tree_unused", tree.place.clone(), message, help);
    }
    for campaign in routing.campaigns().filter(|campaign| !campaign.is_paused()) {
        if !routing.names.campaigns.is_used(campaign.id.as_str()) {
            let message = format!("campaign `{}` is in no tree", campaign.id);
            let help = "name it in a tier, or write `status = \"paused\"`".to_owned();
            findings.warning("campaign_unused", campaign.place.clone(), message, help);
        }
    }
}
