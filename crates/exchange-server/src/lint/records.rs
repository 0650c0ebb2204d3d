//! What the records say about the files: caps that are never reached, and caps that will stop a
//! campaign today.
//!
//! Unlike the other lints these change from day to day, so they need the records of the exchange
//! that the files belong to.

use std::time::Duration;

use exchange_model::reason::CapKind;
use exchange_model::{Findings, Timestamp};
use ping_tree::{Campaign, CapAmount, CapLimit, CapScope, Tally, Window};

use crate::load::Exchange;

/// How far back a cap must have been out of reach.
const DAYS: u32 = 30;
const DAY: Duration = Duration::from_hours(24);

/// Looks at every day cap of every campaign.
pub(crate) fn lint(
    exchange: &Exchange,
    used: &dyn Fn(&CapLimit) -> Tally,
    now: Timestamp,
    findings: &mut Findings,
) {
    for campaign in exchange.routing.campaigns().filter(|campaign| !campaign.is_paused()) {
        let Some(cap) = campaign.caps.own.iter().find(|cap| cap.kind == CapKind::Day) else {
            continue;
        };
        let CapAmount::Leads(most) = cap.limit else { continue };
        let leads = |days: u32| leads_of_day(campaign, used, now.before(DAY.saturating_mul(days)));
        let yesterday = leads(1);
        if yesterday > most {
            let message = format!(
                "`{}` bought {yesterday} leads yesterday, and today at most {most}",
                campaign.id
            );
            let help = "the rest of today's leads go to others: raise `day` if that is not meant";
            findings.warning("cap_below_yesterday", cap.place.clone(), message, help.to_owned());
        }
        let highest = (1..=DAYS).map(leads).max().unwrap_or(0);
        // A campaign that was there all that time, and never took half of it.
        if leads(DAYS) > 0 && highest < most / 2 {
            let message = format!(
                "`caps.day = {most}` of `{}` was never above {highest} in {DAYS} days",
                campaign.id
            );
            let help = "a cap that is never reached protects nobody: lower it, or leave it out";
            findings.warning("cap_never_reached", cap.place.clone(), message, help.to_owned());
        }
    }
}

fn leads_of_day(campaign: &Campaign, used: &dyn Fn(&CapLimit) -> Tally, at: Timestamp) -> u32 {
    let day = CapLimit {
        scope: CapScope::Campaign(campaign.id.clone()),
        kind: CapKind::Day,
        window: Window::of(CapKind::Day, at, &campaign.buyer.zone),
        limit: CapAmount::Leads(u32::MAX),
    };
    used(&day).leads
}
