//! Buyers that pay another price than they bid, and are never told which.

use exchange_model::Findings;
use ping_tree::{Amount, Campaign, Method, PriceMode, Tier, TierMember};

use crate::load::Exchange;

/// Members of a tier whose post does not say what they owe.
pub(super) fn untold(exchange: &Exchange, tier: &Tier, findings: &mut Findings) {
    for member in &tier.members {
        let connector = exchange.connectors.get(&member.campaign.id);
        if connector.is_some_and(|connector| connector.post_tells_price()) {
            continue;
        }
        if let Some(why) = another_price(tier, &member.campaign) {
            report(tier, member, why, findings);
        }
    }
}

/// Why the tier may sell at another price than the campaign bid or has in its contract.
fn another_price(tier: &Tier, campaign: &Campaign) -> Option<&'static str> {
    let bids = matches!(campaign.price, PriceMode::Bid { .. });
    if shares_below_whole(tier, campaign) {
        Some("a share of its price")
    } else if tier.method == Method::SecondPrice && bids {
        Some("the second price")
    } else {
        None
    }
}

/// Whether it pays less than its price at a number of buyers that the tier sells to. An exclusive
/// tier sells to one, and a campaign may pay a share of its bid even then.
fn shares_below_whole(tier: &Tier, campaign: &Campaign) -> bool {
    let sold = tier.sale.buyers();
    let whole = campaign.price.most();
    campaign.shares.iter().filter(|(buyers, _)| sold.contains(buyers)).any(|(_, price)| {
        // An amount is one price whatever was bid, so that it is another than most bids.
        matches!(price, Amount::Money(_)) || price.of(whole) != Some(whole)
    })
}

fn report(tier: &Tier, member: &TierMember, why: &str, findings: &mut Findings) {
    let id = &member.campaign.id;
    let message =
        format!("tier `{}` sells to `{id}` at {why}, and no post says what that is", tier.name);
    let help = "it would book its bid: let the post say `{{ price }}` where the buyer reads it";
    findings.warning("price_not_told", member.place.clone(), message, help.to_owned());
}
