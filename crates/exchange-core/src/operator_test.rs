//! Runs the operators' own tests: a real auction on a scripted clock, with scripted buyers.
//!
//! Nothing touches the network, a disk or a clock. A post is answered after [`POST_TAKES`], and a
//! pinged campaign without an entry declines. What was sold before, and who is paused, is what the
//! test's own history says: a test shows what the files say, not what happened today.

use std::collections::BTreeMap;
use std::time::Duration;

use exchange_model::outcome::{Acceptance, PingAnswer, PostAnswer};
use exchange_model::reason::{NoBid, RejectClass, Rejection, Unknown};
use exchange_model::{CampaignId, LeadId, Money, Place, Rate, Timestamp, TreeId};
use ping_tree::test_file::{ScriptedBid, TestCase};
use ping_tree::{Campaign, LeadRequest, Plan};
use rust_decimal::Decimal;

use crate::auction::{CHANCE_WHOLE, Delivery, Goal, History, SellerTerms, Served, Setup, tiers_of};
use crate::operator_test::compare::Outcome;
use crate::rehearsal::{Script, rehearse};
use crate::trace::Trace;

mod compare;

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
    let request =
        LeadRequest { lead: &lead, source: &case.source, at: case.at, wishes: &case.wishes };
    let plan = ping_tree::plan(&case.tree, &request, &case.history);
    let came = rehearse(case.at, setup(case, &request, &plan, delivery), &mut Scripted(case));
    let mismatches = Outcome { case, came: &came, plan: &plan }.compare();
    result(mismatches, came.trace)
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

/// What a test says of the time before.
struct Past<'a>(&'a TestCase);

impl History for Past<'_> {
    fn last_won(&self, campaign: &CampaignId) -> Option<Timestamp> {
        self.0.history.last_won.get(campaign).copied()
    }

    fn chance(&self, campaign: &CampaignId) -> u32 {
        let chance = self.0.history.chance.get(campaign);
        chance.map_or(CHANCE_WHOLE, |chance| per_million(*chance))
    }

    fn served(&self, _: &TreeId, _: &str, campaign: &CampaignId, _: Timestamp) -> Served {
        let past = &self.0.history;
        let count = |counts: &BTreeMap<CampaignId, u32>| counts.get(campaign).copied();
        Served {
            last: past.last_won.get(campaign).copied(),
            delivered: count(&past.served).unwrap_or_default(),
            qualified: count(&past.qualified).unwrap_or_default(),
            accept_rate: self.chance(campaign),
        }
    }
}

fn per_million(chance: Rate) -> u32 {
    let parts = chance.as_decimal() * Decimal::from(CHANCE_WHOLE);
    u32::try_from(parts.round()).unwrap_or(CHANCE_WHOLE)
}

fn setup(
    case: &TestCase,
    request: &LeadRequest<'_>,
    plan: &Plan,
    delivery: impl Fn(&Campaign) -> Delivery,
) -> Setup {
    let tier_name = |tier: usize| plan.tiers.get(tier).map_or_else(String::new, |t| t.tier.clone());
    Setup {
        lead: request.lead.id(),
        tree: case.tree.id.to_string(),
        started_at: case.at,
        deadline: case.at.after(case.tree.deadline),
        post_reserve: case.tree.post_reserve,
        seller: SellerTerms { least: least(case) },
        max_buyers: case.wishes.max_buyers,
        tiers: tiers_of(plan, request, delivery, &Past(case)),
        ineligible: plan
            .ineligible
            .iter()
            .map(|(campaign, tier, reason)| (tier_name(*tier), campaign.clone(), reason.clone()))
            .collect(),
        goal: Goal::Sell,
    }
}

/// The larger of what the source and the request take at least.
fn least(case: &TestCase) -> Option<Money> {
    let both = [case.source.min_price, case.min_price];
    both.into_iter().flatten().max_by_key(Money::amount)
}
