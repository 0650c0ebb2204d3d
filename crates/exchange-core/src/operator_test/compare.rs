//! What a test expects beside what came of it. Only what is written is compared.

use std::collections::BTreeSet;

use exchange_model::{CampaignId, Money, Place};
use ping_tree::Plan;
use ping_tree::test_file::{Expect, IneligiblePattern, TestCase};

use crate::operator_test::Mismatch;
use crate::rehearsal::Rehearsed;
use crate::trace::TraceEvent;

/// One test beside what came of it.
pub(super) struct Outcome<'a> {
    pub(super) case: &'a TestCase,
    pub(super) came: &'a Rehearsed,
    pub(super) plan: &'a Plan,
}

/// Everything that differs.
#[derive(Default)]
struct Found(Vec<Mismatch>);

impl Found {
    fn differ(&mut self, place: &Place, what: &str, wanted: &str, came: Option<&str>) {
        let came = came.filter(|came| !came.is_empty()).unwrap_or("none");
        let wanted = if wanted.is_empty() { "none" } else { wanted };
        if wanted != came {
            let message = format!("expected {what} `{wanted}`, got `{came}`");
            self.0.push(Mismatch { place: place.clone(), message });
        }
    }
}

impl Outcome<'_> {
    /// Everything that is not as expected.
    pub(super) fn compare(&self) -> Vec<Mismatch> {
        let mut found = Found::default();
        let expect = &self.case.expect;
        self.answer(expect, &mut found);
        self.buyers(expect, &mut found);
        self.asked(expect, &mut found);
        self.reasons(expect, &mut found);
        found.0
    }

    fn answer(&self, expect: &Expect, found: &mut Found) {
        let answer = self.came.answer.as_ref();
        if let Some(wanted) = &expect.status {
            let came = answer.map(|answer| answer.status.code());
            found.differ(&wanted.place, "status", wanted.value.code(), came);
        }
        if let Some(wanted) = &expect.payout {
            let came = answer.and_then(|answer| answer.payout).map(|payout| payout.to_string());
            found.differ(&wanted.place, "payout", &wanted.value.to_string(), came.as_deref());
        }
    }

    fn buyers(&self, expect: &Expect, found: &mut Found) {
        let first = self.came.sales.first();
        if let Some(wanted) = &expect.winner {
            let came = first.map(|(campaign, ..)| campaign.as_str());
            found.differ(&wanted.place, "winner", wanted.value.as_str(), came);
        }
        if let Some(wanted) = &expect.price {
            let came = first.map(|(_, price, _)| price.to_string());
            found.differ(&wanted.place, "price", &wanted.value.to_string(), came.as_deref());
        }
        if let Some(wanted) = &expect.value {
            let came = self.value();
            found.differ(&wanted.place, "value", &wanted.value.to_string(), came.as_deref());
        }
        if let Some(wanted) = &expect.winners {
            let came = prices(self.came.sales.iter().map(|(who, price, _)| (who, price)));
            found.differ(&wanted.place, "winners", &prices(&wanted.value), Some(&came));
        }
        for (campaign, wanted) in &expect.legs {
            let came = self.came.legs.get(campaign).map(|names| names_of(names));
            let what = format!("legs of `{campaign}`");
            found.differ(&wanted.place, &what, &names_of(&wanted.value), came.as_deref());
        }
    }

    fn asked(&self, expect: &Expect, found: &mut Found) {
        let pinged = self.pinged();
        if let Some(wanted) = &expect.posted {
            let came = list(&self.came.posted);
            found.differ(&wanted.place, "posts to", &list(&wanted.value), Some(&came));
        }
        if let Some(wanted) = &expect.pinged {
            let all: BTreeSet<&str> = wanted.value.iter().map(CampaignId::as_str).collect();
            found.differ(&wanted.place, "pings to", &joined(&all), Some(&joined(&pinged)));
        }
        if let Some(wanted) = &expect.unasked {
            for campaign in wanted.value.iter().filter(|who| pinged.contains(who.as_str())) {
                let what = format!("pings to `{campaign}`");
                found.differ(&wanted.place, &what, "none", Some("one"));
            }
        }
        if let Some(wanted) = &expect.closed_early {
            let came = self.closed_early();
            let what = "a tier that closed early:";
            found.differ(&wanted.place, what, yes_no(wanted.value), Some(yes_no(came)));
        }
    }

    fn reasons(&self, expect: &Expect, found: &mut Found) {
        for (campaign, wanted) in &expect.no_bid {
            let came = self.events(|event| no_bid(event, campaign));
            let came = one_of(&came, wanted.value);
            let what = format!("no-bid of `{campaign}`");
            found.differ(&wanted.place, &what, wanted.value, came.as_deref());
        }
        for (campaign, wanted) in &expect.passed {
            let came = self.events(|event| passed(event, campaign));
            let came = one_of(&came, wanted.value.code());
            let what = format!("the bid of `{campaign}` to pass as");
            found.differ(&wanted.place, &what, wanted.value.code(), came.as_deref());
        }
        for (campaign, wanted) in &expect.ineligible {
            if !self.is_ineligible(campaign, &wanted.value) {
                let came = self.events(|event| ineligible(event, campaign));
                let what = format!("`{campaign}` to be ineligible as");
                let came = came.first().map(String::as_str);
                found.differ(&wanted.place, &what, &show(&wanted.value), came);
            }
        }
    }

    fn events(&self, read: impl Fn(&TraceEvent) -> Option<&String>) -> Vec<String> {
        self.came.trace.steps.iter().filter_map(|step| read(&step.event)).cloned().collect()
    }

    /// To whom a ping left.
    fn pinged(&self) -> BTreeSet<&str> {
        let steps = self.came.trace.steps.iter();
        steps
            .filter_map(|step| match &step.event {
                TraceEvent::Pinged { campaign, .. } => Some(campaign.as_str()),
                _ => None,
            })
            .collect()
    }

    /// The plan knows the reason in full; what the auction itself decided is in its journey. A
    /// campaign with several places in the tree has a reason for each.
    fn is_ineligible(&self, campaign: &CampaignId, wanted: &IneligiblePattern) -> bool {
        let planned = self.plan.ineligible.iter().filter(|(whose, ..)| whose == campaign);
        let mut planned = planned.map(|(.., reason)| wanted.matches(reason)).peekable();
        if planned.peek().is_some() {
            return planned.any(|matches| matches);
        }
        let came = self.events(|event| ineligible(event, campaign));
        came.contains(&show(wanted))
    }

    /// Whether any tier closed while a bidder had not answered, because nobody left could win.
    fn closed_early(&self) -> bool {
        let mut steps = self.came.trace.steps.iter();
        steps.any(|step| matches!(step.event, TraceEvent::ClosedEarly { .. }))
    }

    /// What the first sale is worth; its price, where the journey names no other value.
    fn value(&self) -> Option<String> {
        let (campaign, price, _) = self.came.sales.first()?;
        let valued = self.events(|event| match event {
            TraceEvent::Valued { campaign: of, value, .. } => {
                (*of == campaign.as_str()).then_some(value)
            }
            _ => None,
        });
        Some(valued.last().cloned().unwrap_or_else(|| price.to_string()))
    }
}

fn no_bid<'a>(event: &'a TraceEvent, who: &CampaignId) -> Option<&'a String> {
    match event {
        TraceEvent::NoBid { campaign, reason, .. } => (*campaign == who.as_str()).then_some(reason),
        _ => None,
    }
}

fn passed<'a>(event: &'a TraceEvent, who: &CampaignId) -> Option<&'a String> {
    match event {
        TraceEvent::Passed { campaign, reason } => (*campaign == who.as_str()).then_some(reason),
        _ => None,
    }
}

fn ineligible<'a>(event: &'a TraceEvent, who: &CampaignId) -> Option<&'a String> {
    match event {
        TraceEvent::Ineligible { campaign, reason, .. } => {
            (*campaign == who.as_str()).then_some(reason)
        }
        _ => None,
    }
}

/// The wanted code where it is among those that came, else the first that came.
fn one_of(came: &[String], wanted: &str) -> Option<String> {
    let code = |reason: &str| reason.split('(').next().unwrap_or(reason).to_owned();
    let hit = came.iter().find(|reason| code(reason) == wanted).map(|_| wanted.to_owned());
    hit.or_else(|| came.first().cloned())
}

fn list(campaigns: &[CampaignId]) -> String {
    campaigns.iter().map(CampaignId::as_str).collect::<Vec<_>>().join(", ")
}

fn joined(names: &BTreeSet<&str>) -> String {
    names.iter().copied().collect::<Vec<_>>().join(", ")
}

/// Names in order, whatever order they came in.
fn names_of(names: &[String]) -> String {
    joined(&names.iter().map(String::as_str).collect())
}

/// `acme/auto 9.50 USD, metro/auto 8.00 USD`, in order of the names.
fn prices<'a>(sales: impl IntoIterator<Item = (&'a CampaignId, &'a Money)>) -> String {
    let each: BTreeSet<String> =
        sales.into_iter().map(|(campaign, price)| format!("{campaign} {price}")).collect();
    each.into_iter().collect::<Vec<_>>().join(", ")
}

const fn yes_no(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

fn show(pattern: &IneligiblePattern) -> String {
    match pattern {
        IneligiblePattern::Kind(kind) => kind.to_string(),
        IneligiblePattern::Filtered(field) => format!("filtered({field})"),
        IneligiblePattern::Cap(cap) => format!("cap({cap})"),
    }
}
