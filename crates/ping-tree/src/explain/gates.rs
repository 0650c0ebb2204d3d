//! Every gate of one campaign.

use exchange_model::reason::{Ineligible, IneligibleKind};
use exchange_model::{MinorUnits, Money, Place};
use jiff::tz::TimeZone;

use crate::campaign::{Campaign, Status};
use crate::caps::{CapAmount, CapLimit};
use crate::eligibility::{LeadRequest, Standing, has_credit, is_blocked, needed};
use crate::explain::{CapUse, Hours, Refusal, Verdict};

pub(super) fn verdict(
    campaign: &Campaign,
    request: &LeadRequest<'_>,
    standing: &dyn Standing,
) -> Verdict {
    let caps: Vec<CapUse> = campaign
        .caps_at(request.at)
        .into_iter()
        .map(|cap| cap_use(campaign, cap, standing))
        .collect();
    let hours = hours(campaign, request);
    let refusals = paused(campaign, standing)
        .into_iter()
        .chain(blocked(campaign, request))
        .chain(filtered(campaign, request))
        .chain(closed(campaign, request, &hours))
        .chain(caps.iter().filter_map(|cap| capped(campaign, cap, request)))
        .chain(no_credit(campaign, standing))
        .collect();
    Verdict {
        campaign: campaign.id.clone(),
        refusals,
        price: campaign.price,
        caps,
        hours,
        place: campaign.place.clone(),
    }
}

fn paused(campaign: &Campaign, standing: &dyn Standing) -> Option<Refusal> {
    let (detail, place, remedy) = if campaign.buyer.status == Status::Paused {
        let place = campaign.buyer.status_place.clone();
        ("its buyer is paused".to_owned(), Some(place), "set the buyer's status to \"live\"")
    } else if campaign.status == Status::Paused {
        let place = campaign.status_place.clone();
        ("its status is paused".to_owned(), Some(place), "set its status to \"live\"")
    } else if standing.paused(&campaign.id) {
        ("paused while running".to_owned(), None, "resume it")
    } else {
        return None;
    };
    let reason = Ineligible::Plain(IneligibleKind::Paused);
    Some(Refusal { reason, detail, place, remedy: remedy.to_owned() })
}

fn blocked(campaign: &Campaign, request: &LeadRequest<'_>) -> Option<Refusal> {
    let source = request.source;
    is_blocked(source, &campaign.buyer).then(|| Refusal {
        reason: Ineligible::Plain(IneligibleKind::BlockedBySeller),
        detail: format!("{} is never offered to {}", source.id, campaign.buyer.id),
        place: Some(source.blocked_place.clone().unwrap_or_else(|| source.place.clone())),
        remedy: format!("take `{}` out of `block`", campaign.buyer.id),
    })
}

fn filtered<'a>(
    campaign: &'a Campaign,
    request: &LeadRequest<'a>,
) -> impl Iterator<Item = Refusal> + 'a {
    let attributes = request.lead.attributes();
    campaign.accepts.refusals(attributes).map(move |telling| {
        let rule = telling.rule;
        let field = campaign.vertical.field(rule.field).name.clone();
        let seen = match attributes.get(rule.field) {
            None => "absent".to_owned(),
            Some(value) if value.as_text().is_some() => format!("\"{value}\""),
            Some(value) => value.to_string(),
        };
        Refusal {
            detail: format!("{field} is {seen}, accepts {telling}"),
            remedy: format!("a lead whose {field} it accepts, or another filter"),
            reason: Ineligible::Filtered { field },
            place: Some(rule.place.clone()),
        }
    })
}

fn hours(campaign: &Campaign, request: &LeadRequest<'_>) -> Hours {
    let zone = &campaign.buyer.zone;
    let open = campaign.hours.is_open(request.at, zone);
    let changes = campaign.hours.next_change(request.at, zone);
    let text = match changes {
        None if open => "always open".to_owned(),
        None => "not open again".to_owned(),
        Some(change) => {
            let now = zone.to_datetime(request.at.to_jiff());
            let then = zone.to_datetime(change.to_jiff());
            let shown = if then.date() == now.date() {
                then.strftime("%H:%M").to_string()
            } else if change.since(request.at) < std::time::Duration::from_secs(6 * 86_400) {
                then.strftime("%a %H:%M").to_string()
            } else {
                then.strftime("%Y-%m-%d %H:%M").to_string()
            };
            let word = if open { "open until" } else { "opens" };
            format!("{word} {shown} {}", city(zone))
        }
    };
    Hours { open, changes, text }
}

/// `New York` of `America/New_York`.
fn city(zone: &TimeZone) -> String {
    let name = zone.iana_name().unwrap_or("UTC");
    name.rsplit('/').next().unwrap_or(name).replace('_', " ")
}

fn closed(campaign: &Campaign, request: &LeadRequest<'_>, hours: &Hours) -> Option<Refusal> {
    let zone = &campaign.buyer.zone;
    let closed = campaign.hours.closed_at(request.at, zone)?;
    let clock = zone.to_datetime(request.at.to_jiff()).strftime("%a %H:%M").to_string();
    let detail = if closed.whole_day {
        format!("closed on {}, {}", closed.date, hours.text)
    } else {
        format!("it is {clock} in {}, {}", city(zone), hours.text)
    };
    Some(Refusal {
        reason: Ineligible::Plain(IneligibleKind::Closed),
        detail,
        place: closed.place,
        remedy: format!("wait ({}), or widen its hours", hours.text),
    })
}

fn cap_use(campaign: &Campaign, cap: CapLimit, standing: &dyn Standing) -> CapUse {
    let used = standing.used(&campaign.id, cap.window);
    let money = match cap.limit {
        CapAmount::Leads(_) => None,
        CapAmount::Spend(most) => {
            let currency = campaign.vertical.currency();
            let show = |minor: MinorUnits| Money::from_minor(minor, currency);
            Some((show(used.spend), show(most)))
        }
    };
    CapUse { cap, used, money }
}

fn capped(campaign: &Campaign, cap: &CapUse, request: &LeadRequest<'_>) -> Option<Refusal> {
    if cap.cap.limit.has_room(cap.used, campaign.price.least_charge()) {
        return None;
    }
    let kind = cap.cap.kind;
    let place = campaign.caps.iter().find(|written| written.kind == kind);
    let zone = &campaign.buyer.zone;
    let reset = zone.to_datetime(cap.cap.window.end.to_jiff());
    let same_day = reset.date() == request.at.date_in(zone);
    let shown = reset.strftime(if same_day { "%H:%M" } else { "%Y-%m-%d %H:%M" }).to_string();
    Some(Refusal {
        reason: Ineligible::Cap(kind),
        detail: format!("{cap}, room again {shown} {}", city(zone)),
        place: place.map(|written: &crate::caps::Cap| -> Place { written.place.clone() }),
        remedy: format!("raise caps.{kind}, or wait until {shown} {}", city(zone)),
    })
}

fn no_credit(campaign: &Campaign, standing: &dyn Standing) -> Option<Refusal> {
    let available = standing.available(&campaign.buyer.id);
    if has_credit(campaign, available) {
        return None;
    }
    let currency = campaign.vertical.currency();
    let show = |minor: MinorUnits| Money::from_minor(minor, currency).amount_text();
    let left = show(available.unwrap_or(MinorUnits::ZERO));
    Some(Refusal {
        reason: Ineligible::Plain(IneligibleKind::NoCredit),
        detail: format!("{left} available, needs {}", show(needed(campaign))),
        place: Some(campaign.buyer.billing_place.clone()),
        remedy: "a top-up or payment, or a higher credit line".to_owned(),
    })
}

impl CapUse {
    /// How full it is, in thousandths.
    pub(super) fn per_mille(&self) -> i64 {
        let (used, most) = match self.cap.limit {
            CapAmount::Leads(most) => (i64::from(self.used.leads), i64::from(most)),
            CapAmount::Spend(most) => (self.used.spend.get(), most.get()),
        };
        used.saturating_mul(1_000).checked_div(most).unwrap_or(1_000)
    }
}
