//! Runs the operators' own tests: a real auction on a scripted clock, with scripted buyers.
//!
//! Nothing touches the network, a disk or a clock. A post is answered after [`POST_TAKES`], and a pinged campaign without an entry declines. Caps and credit
//! are empty: a test shows what the files say, not what happened today.

use std::time::Duration;

use exchange_model::outcome::{Acceptance, PingAnswer, PostAnswer};
use exchange_model::reason::{Ineligible, NoBid, RejectClass, Rejection, Unknown};
use exchange_model::{BuyerId, CampaignId, LeadId, MinorUnits, Place};
use ping_tree::test_file::{IneligiblePattern, ScriptedBid, TestCase};
use ping_tree::{Campaign, LeadRequest, Plan, Standing};

use crate::auction::{Delivery, Goal, SellerTerms, Setup, tiers_of};
use crate::record::{CapLimit, Tally};
use crate::rehearsal::{Rehearsed, Script, rehearse};
use crate::trace::{Trace, TraceEvent};

/// How long a buyer takes to answer a post in a test.
pub const POST_TAKES: Duration = Duration::from_millis(20);
/// How long a campaign without an entry takes to decline.
const DECLINE_TAKES: Duration = Duration::from_millis(10);

/// What came of one test.
#[derive(Clone, Debug)]
pub struct CaseResult {
    /// The test's name.
    pub name: String,
    /// Where it is written.
    pub place: Place,
    /// Everything that is not as expected, each with its place; none when it passed.
    pub mismatches: Vec<Mismatch>,
    /// The whole journey, to see why.
    pub journey: Trace,
}

impl CaseResult {
    /// Whether everything was as expected.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.mismatches.is_empty()
    }
}

/// One thing that is not as expected.
#[derive(Clone, Debug)]
pub struct Mismatch {
    /// Where the expectation is written.
    pub place: Place,
    /// What was expected and what came.
    pub message: String,
}

/// Runs one test.
#[must_use]
pub fn run(case: &TestCase, delivery: impl Fn(&Campaign) -> Delivery) -> CaseResult {
    let result = |mismatches, journey| CaseResult {
        name: case.name.clone(),
        place: case.place.clone(),
        mismatches,
        journey,
    };
    let id = LeadId::new(case.at, [0; 10]);
    let Ok(lead) = case.lead(id) else {
        let message = "the fixture is no valid lead of the vertical".to_owned();
        let mismatch = Mismatch { place: case.place.clone(), message };
        return result(vec![mismatch], Trace::default());
    };
    let request = LeadRequest {
        lead: &lead,
        source: &case.source,
        at: case.at,
        wishes: ping_tree::Wishes::none(),
    };
    let plan = ping_tree::plan(&case.tree, &request, &Nothing);
    let came = rehearse(case.at, setup(case, id, &plan, delivery), &mut Scripted(case));
    let outcome = Outcome { case, came };
    let mismatches = outcome.compare(&plan);
    result(mismatches, outcome.came.trace)
}

/// An exchange where nothing was sold yet and nobody is paused.
struct Nothing;

impl Standing for Nothing {
    fn paused(&self, _: &CampaignId) -> bool {
        false
    }

    fn used(&self, _: &CapLimit) -> Tally {
        Tally::default()
    }

    fn available(&self, _: &BuyerId) -> Option<MinorUnits> {
        None
    }
}

/// What a test says of its buyers.
struct Scripted<'a>(&'a TestCase);

impl Script for Scripted<'_> {
    fn ping(&mut self, campaign: &CampaignId) -> (Duration, PingAnswer) {
        match self.0.bids.get(campaign) {
            Some(ScriptedBid { after, answer }) => (*after, answer.clone()),
            None => {
                let declined = Rejection::new(RejectClass::Other, None);
                (DECLINE_TAKES, PingAnswer::NoBid(NoBid::Declined(declined)))
            }
        }
    }

    /// A scripted buyer says to a question what it said to the post.
    fn post(&mut self, campaign: &CampaignId) -> Option<(Duration, PostAnswer)> {
        let scripted = self.0.posts.get(campaign).cloned();
        let answer = scripted.unwrap_or_else(|| PostAnswer::Accepted(Acceptance::default()));
        (answer != PostAnswer::Unknown(Unknown::Timeout)).then_some((POST_TAKES, answer))
    }
}

fn setup(
    case: &TestCase,
    lead: LeadId,
    plan: &Plan,
    delivery: impl Fn(&Campaign) -> Delivery,
) -> Setup {
    let tier_name = |tier: usize| plan.tiers.get(tier).map_or_else(String::new, |t| t.tier.clone());
    Setup {
        lead,
        tree: case.tree.id.to_string(),
        started_at: case.at,
        deadline: case.at.after(case.tree.deadline),
        post_reserve: case.tree.post_reserve,
        seller: SellerTerms { payout: case.source.payout.clone(), least: case.source.min_price },
        tiers: tiers_of(plan, (&case.source.id, case.at), delivery, |_never| None),
        ineligible: plan
            .ineligible
            .iter()
            .map(|(campaign, tier, reason)| (tier_name(*tier), campaign.clone(), reason.clone()))
            .collect(),
        goal: Goal::Sell,
    }
}

/// One test beside what came of it.
struct Outcome<'a> {
    case: &'a TestCase,
    came: Rehearsed,
}

impl Outcome<'_> {
    fn compare(&self, plan: &Plan) -> Vec<Mismatch> {
        let expect = &self.case.expect;
        let mut found = Vec::new();
        let mut differ = |place: &Place, what: &str, wanted: String, came: Option<String>| {
            let came = came.unwrap_or_else(|| "none".to_owned());
            if wanted != came {
                let message = format!("expected {what} `{wanted}`, got `{came}`");
                found.push(Mismatch { place: place.clone(), message });
            }
        };
        let status = self.came.answer.as_ref().map(|answer| answer.status.to_string());
        let payout = self.came.answer.as_ref().and_then(|answer| answer.payout);
        if let Some(wanted) = &expect.status {
            differ(&wanted.place, "status", wanted.value.to_string(), status);
        }
        if let Some(wanted) = &expect.winner {
            let came = self.came.sales.first().map(|(campaign, ..)| campaign.to_string());
            differ(&wanted.place, "winner", wanted.value.to_string(), came);
        }
        if let Some(wanted) = &expect.price {
            let came = self.came.sales.first().map(|(_, price, _)| price.to_string());
            differ(&wanted.place, "price", wanted.value.to_string(), came);
        }
        if let Some(wanted) = &expect.payout {
            let came = payout.map(|payout| payout.to_string());
            differ(&wanted.place, "payout", wanted.value.to_string(), came);
        }
        if let Some(wanted) = &expect.posted {
            differ(&wanted.place, "posts to", list(&wanted.value), Some(list(&self.came.posted)));
        }
        for (campaign, wanted) in &expect.no_bid {
            let came = self.no_bids(campaign);
            let hit = came.iter().find(|reason| code(reason) == wanted.value);
            let came = hit.map(|_| wanted.value.to_owned()).or_else(|| came.first().cloned());
            differ(
                &wanted.place,
                &format!("no-bid of `{campaign}`"),
                wanted.value.to_owned(),
                came,
            );
        }
        for (campaign, wanted) in &expect.ineligible {
            if !self.is_ineligible(plan, campaign, &wanted.value) {
                let came = self.ineligible_reason(campaign);
                let what = format!("`{campaign}` to be ineligible as");
                differ(&wanted.place, &what, show(&wanted.value), came);
            }
        }
        found
    }

    fn no_bids(&self, campaign: &CampaignId) -> Vec<String> {
        let steps = self.came.trace.steps.iter();
        steps
            .filter_map(|step| match &step.event {
                TraceEvent::NoBid { campaign: whose, reason, .. }
                    if *whose == campaign.to_string() =>
                {
                    Some(reason.clone())
                }
                _ => None,
            })
            .collect()
    }

    fn ineligible_reason(&self, campaign: &CampaignId) -> Option<String> {
        self.came.trace.steps.iter().find_map(|step| match &step.event {
            TraceEvent::Ineligible { campaign: whose, reason, .. }
                if *whose == campaign.to_string() =>
            {
                Some(reason.clone())
            }
            _ => None,
        })
    }

    /// The plan knows the reason in full; what the auction itself decided is in its journey.
    fn is_ineligible(
        &self,
        plan: &Plan,
        campaign: &CampaignId,
        wanted: &IneligiblePattern,
    ) -> bool {
        let planned = |reason: &Ineligible| wanted.matches(reason);
        match plan.ineligible.iter().find(|(whose, ..)| whose == campaign) {
            Some((.., reason)) => planned(reason),
            None => self.ineligible_reason(campaign) == Some(show(wanted)),
        }
    }
}

fn list(campaigns: &[CampaignId]) -> String {
    campaigns.iter().map(CampaignId::as_str).collect::<Vec<_>>().join(", ")
}

fn code(reason: &str) -> &str {
    reason.split('(').next().unwrap_or(reason)
}

fn show(pattern: &IneligiblePattern) -> String {
    match pattern {
        IneligiblePattern::Kind(kind) => kind.to_string(),
        IneligiblePattern::Filtered(field) => format!("filtered({field})"),
        IneligiblePattern::Cap(cap) => format!("cap({cap})"),
    }
}
