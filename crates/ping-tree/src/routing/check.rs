//! What only shows when everything is read.

use exchange_model::Findings;

use crate::routing::Routing;

/// Warns of what nothing uses, once there are no errors: a misspelt name is the likelier reason.
pub(super) fn whole(routing: &Routing, findings: &mut Findings) {
    if findings.has_errors() {
        return;
    }
    for tree in routing.trees().filter(|tree| !routing.names.trees.is_used(tree.id.as_str())) {
        let message = format!("no source sends its leads through tree `{}`", tree.id);
        let help = format!("write `tree = \"{}\"` in a source, or remove the tree", tree.id);
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
