//! The gates of a campaign's place in a tree, and of what seller and request say about buyers.

use exchange_model::reason::{Ineligible, IneligibleKind};

use crate::campaign::{Campaign, FromSources};
use crate::eligibility::{LeadRequest, Spot, is_blocked, is_excluded};
use crate::explain::Refusal;
use crate::explain::gates::seen;
use crate::filter::Filter;

/// Buyers that the source leaves out, sources that the campaign leaves out.
pub(super) fn blocked(campaign: &Campaign, request: &LeadRequest<'_>) -> Option<Refusal> {
    let source = request.source;
    let reason = Ineligible::Plain(IneligibleKind::BlockedBySeller);
    if is_blocked(source, &campaign.buyer) {
        return Some(Refusal {
            reason,
            detail: format!("{} is never offered to {}", source.id, campaign.buyer.id),
            place: Some(source.blocked_place.clone().unwrap_or_else(|| source.place.clone())),
            remedy: format!("take `{}` out of `block`", campaign.buyer.id),
        });
    }
    if campaign.sources.takes(&source.id) {
        return None;
    }
    let remedy = match campaign.sources {
        FromSources::AllBut(_) => format!("take `{}` out of `sources`", source.id),
        FromSources::All | FromSources::Only(_) => format!("add `{}` to `sources`", source.id),
    };
    Some(Refusal {
        reason,
        detail: format!("it takes no leads of {}", source.id),
        place: campaign.sources_place.clone(),
        remedy,
    })
}

/// Buyers that the request leaves out.
pub(super) fn excluded(campaign: &Campaign, request: &LeadRequest<'_>) -> Option<Refusal> {
    is_excluded(request.wishes, &campaign.buyer).then(|| Refusal {
        reason: Ineligible::Plain(IneligibleKind::Excluded),
        detail: "the request excludes its buyer".to_owned(),
        place: None,
        remedy: "leave the buyer out of `exclude`".to_owned(),
    })
}

/// Every line of the tier's and of the place's condition that does not hold.
pub(super) fn when_not_met(spot: &Spot<'_>, request: &LeadRequest<'_>) -> Vec<Refusal> {
    if let Some(earlier) = spot.earlier {
        return vec![Refusal {
            reason: Ineligible::Plain(IneligibleKind::WhenNotMet),
            detail: format!("it is asked in tier {}", earlier.name),
            place: Some(spot.member.place.clone()),
            remedy: format!("a lead that its `when` in tier {} does not hold for", earlier.name),
        }];
    }
    let of_tier = unmet(&spot.tier.when, "tier", spot, request);
    of_tier.chain(unmet(&spot.member.when, "member", spot, request)).collect()
}

fn unmet<'a>(
    when: &'a Filter,
    whose: &'static str,
    spot: &Spot<'a>,
    request: &LeadRequest<'a>,
) -> impl Iterator<Item = Refusal> + use<'a> {
    let (attributes, vertical) = (request.lead.attributes(), &spot.member.campaign.vertical);
    when.refusals(attributes).map(move |telling| {
        let field = &vertical.field(telling.rule.field).name;
        let seen = seen(attributes.get(telling.rule.field));
        Refusal {
            reason: Ineligible::Plain(IneligibleKind::WhenNotMet),
            detail: format!("{field} is {seen}, the {whose}'s `when` asks {telling}"),
            place: Some(telling.rule.place.clone()),
            remedy: format!("a lead whose {field} the {whose} asks for ({telling})"),
        }
    })
}

/// No number of buyers that campaign, tier and request agree on.
pub(super) fn share_mode(spot: &Spot<'_>, request: &LeadRequest<'_>) -> Option<Refusal> {
    if spot.shares(request.wishes) {
        return None;
    }
    let sells: Vec<u8> = spot.tier.sale.buyers().collect();
    let takes: Vec<u8> = spot.member.campaign.shares.iter().map(|(buyers, _)| buyers).collect();
    let lowers = |most: &u8| sells.iter().any(|buyers| buyers > most);
    let asked = request.wishes.max_buyers.filter(lowers);
    let mut parts = vec![format!("the tier sells to {}", listed(&sells))];
    parts.extend(asked.map(|most| format!("the request allows {most}")));
    if !takes.is_empty() {
        parts.push(format!("it takes part in {}", listed(&takes)));
    }
    let detail = parts.join(", ");
    let remedy = match asked {
        Some(_) => "a request with a larger `max_buyers`".to_owned(),
        None => format!("add a price for {} to its `shares`", listed(&sells)),
    };
    let place = Some(spot.member.campaign.place.clone());
    Some(Refusal { reason: Ineligible::Plain(IneligibleKind::ShareMode), detail, place, remedy })
}

/// `1`, `2 or 3`, `2, 3 or 4`.
fn listed(numbers: &[u8]) -> String {
    match numbers {
        [] => "none".to_owned(),
        [only] => only.to_string(),
        [first @ .., last] => {
            let first: Vec<String> = first.iter().map(ToString::to_string).collect();
            format!("{} or {last}", first.join(", "))
        }
    }
}
