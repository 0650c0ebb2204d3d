//! What only shows when everything is read.

use exchange_model::Findings;

use crate::routing::Routing;

pub(super) fn whole(routing: &Routing, findings: &mut Findings) {
    for campaign in routing.campaigns().filter(|campaign| !campaign.is_paused()) {
        if !routing.names.campaigns.is_used(campaign.id.as_str()) {
            let message = format!("campaign `{}` is in no tree", campaign.id);
            let help = "name it in a tier, or write `status = \"paused\"`".to_owned();
            findings.warning("campaign_unused", campaign.place.clone(), message, help);
        }
    }
}
