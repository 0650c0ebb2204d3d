//! Every gate of one campaign.

use exchange_model::reason::{CapKind, CapOwner, Ineligible, IneligibleKind};
use exchange_model::{MinorUnits, Money, Value};
use jiff::tz::TimeZone;

use crate::campaign::{Campaign, Status};
use crate::caps::{CapAmount, CapLimit, END};
use crate::eligibility::{LeadRequest, Spot, Standing, has_credit, needed};
use crate::explain::pricing::pricing;
use crate::explain::{CapUse, Hours, Refusal, Verdict, places};

pub(super) fn verdict(
    spot: &Spot<'_>,
    request: &LeadRequest<'_>,
    standing: &dyn Standing,
) -> Verdict {
    let campaign: &Campaign = &spot.member.campaign;
    let caps: Vec<CapUse> = campaign
        .caps_at(request.at, &request.source.id)
        .into_iter()
        .map(|cap| cap_use(campaign, cap, standing))
        .collect();
    let hours = hours(campaign, request);
    let refusals = paused(campaign, standing)
        .into_iter()
        .chain(places::blocked(campaign, request))
        .chain(places::excluded(campaign, request))
        .chain(places::when_not_met(spot, request))
        .chain(filtered(campaign, request))
        .chain(no_consent(campaign, request))
        .chain(places::share_mode(spot, request))
        .chain(closed(campaign, request, &hours))
        .chain(caps.iter().filter_map(|cap| capped(campaign, cap, request)))
        .chain(no_credit(campaign, standing))
        .chain(hindered(campaign, request, standing))
        .collect();
    Verdict {
        campaign: campaign.id.clone(),
        refusals,
        price: campaign.price,
        pricing: pricing(spot, request),
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

fn filtered<'a>(
    campaign: &'a Campaign,
    request: &LeadRequest<'a>,
) -> impl Iterator<Item = Refusal> + 'a {
    let attributes = request.lead.attributes();
    campaign.accepts.refusals(attributes).map(move |telling| {
        let rule = telling.rule;
        let field = campaign.vertical.field(rule.field).name.clone();
        let seen = seen(attributes.get(rule.field));
        Refusal {
            detail: format!("{field} is {seen}, accepts {telling}"),
            remedy: format!("a lead whose {field} it accepts ({telling}), or another filter"),
            reason: Ineligible::Filtered { field },
            place: Some(rule.place.clone()),
        }
    })
}

/// A value as it is shown; texts in quotes.
pub(super) fn seen(value: Option<&Value>) -> String {
    match value {
        None => "absent".to_owned(),
        Some(value) if value.as_text().is_some() => format!("\"{value}\""),
        Some(value) => value.to_string(),
    }
}

fn no_consent(campaign: &Campaign, request: &LeadRequest<'_>) -> Option<Refusal> {
    if campaign.person.has_consent(request.lead) {
        return None;
    }
    let detail = match request.lead.consented_to() {
        Some(_) => "the consumer has not agreed to hear from this buyer",
        None => "the lead does not say whom the consumer agreed to hear from",
    };
    Some(Refusal {
        reason: Ineligible::Plain(IneligibleKind::NoConsent),
        detail: detail.to_owned(),
        place: campaign.person.consent_place.clone(),
        remedy: "a `consented_to` that names it, as `consent_names` or its buyer's title"
            .to_owned(),
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
    let used = standing.used(&cap);
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
    if cap.cap.limit.has_room(cap.used, campaign.least_charge()) {
        return None;
    }
    let limit = &cap.cap;
    let (again, wait) = room_again(campaign, limit, request);
    Some(Refusal {
        reason: Ineligible::Cap(limit.name()),
        detail: format!("{cap}{again}"),
        place: campaign.caps.place(limit, &campaign.buyer.caps),
        remedy: format!("raise {}, or wait{wait}", key_of(limit)),
    })
}

/// The key that would have to be changed: `caps.day`, `groups.texas.caps.day`.
fn key_of(limit: &CapLimit) -> String {
    let kind = match limit.kind {
        CapKind::Pace => CapKind::Day,
        kind => kind,
    };
    match limit.scope.owner() {
        CapOwner::Campaign => format!("caps.{kind}"),
        CapOwner::Source => format!("each_source.{kind}"),
        CapOwner::Buyer => format!("caps.{kind} of the buyer"),
        CapOwner::Group(name) => format!("group.{name}.caps.{kind}"),
    }
}

/// When there will be room, where the clock alone decides that.
fn room_again(
    campaign: &Campaign,
    limit: &CapLimit,
    request: &LeadRequest<'_>,
) -> (String, String) {
    match limit.kind {
        CapKind::Open => {
            return (String::new(), " until one of them is finished".to_owned());
        }
        CapKind::Pace => return (", more by the hour".to_owned(), " a little".to_owned()),
        _ if limit.window.end == END => return (String::new(), " for no end".to_owned()),
        _ => {}
    }
    let zone = &campaign.buyer.zone;
    let reset = zone.to_datetime(limit.window.end.to_jiff());
    let same_day = reset.date() == request.at.date_in(zone);
    let shown = reset.strftime(if same_day { "%H:%M" } else { "%Y-%m-%d %H:%M" }).to_string();
    let until = format!("{shown} {}", city(zone));
    (format!(", room again {until}"), format!(" until {until}"))
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

/// What the running exchange knows beside; contact data decided some of it and is never shown.
fn hindered(
    campaign: &Campaign,
    request: &LeadRequest<'_>,
    standing: &dyn Standing,
) -> Option<Refusal> {
    let kind = standing.hindered(campaign, request.lead)?;
    let rules = &campaign.person;
    let (detail, place, remedy) = match kind {
        IneligibleKind::Suppressed => (
            "a list of the buyer names this person",
            rules.suppress_place.clone(),
            "take the person off the list, or the list out of `suppress`",
        ),
        IneligibleKind::Duplicate => (
            "the buyer has this person, within its window",
            rules.duplicates_place.clone(),
            "a shorter `duplicates` window",
        ),
        _ => ("as the exchange stands now", None, "ask again later"),
    };
    let reason = Ineligible::Plain(kind);
    Some(Refusal { reason, detail: detail.to_owned(), place, remedy: remedy.to_owned() })
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
