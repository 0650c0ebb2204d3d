//! Runs the operators' own tests: a real auction on a scripted clock, with scripted buyers.
//!
//! Nothing touches the network, a disk or a clock. A commit takes [`COMMIT_TAKES`], a post is
//! answered after [`POST_TAKES`], and a pinged campaign without an entry declines. Caps and credit
//! are empty: a test shows what the files say, not what happened today.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

use exchange_model::outcome::{Acceptance, PingAnswer, PostAnswer, Resolver};
use exchange_model::reason::{Ineligible, NoBid, RejectClass, Rejection, Unknown};
use exchange_model::{AttemptId, BuyerId, CampaignId, LeadId, MinorUnits, Money, Place, Timestamp};
use ping_tree::test_file::{IneligiblePattern, ScriptedBid, TestCase};
use ping_tree::{Campaign, LeadRequest, Plan, Standing};

use crate::auction::{Auction, Command, Delivery, Event, Goal, Seat, SellerTerms, Setup, tiers_of};
use crate::record::{Answer, AttemptOutcome, CapLimit, Commit, Durable, Next, Tally};
use crate::trace::{Trace, TraceEvent};

/// How long a commit takes in a test.
pub const COMMIT_TAKES: Duration = Duration::from_millis(1);
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
    let request = LeadRequest { lead: &lead, source: &case.source, at: case.at, wishes: ping_tree::Wishes::none() };
    let plan = ping_tree::plan(&case.tree, &request, &Nothing);
    let mut world = World::new(case, id, &plan, delivery);
    world.run();
    let mismatches = world.compare(&plan);
    result(mismatches, world.auction.trace().clone())
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

/// The scripted buyers, disk and clock around one auction.
struct World<'a> {
    case: &'a TestCase,
    auction: Auction,
    now: Timestamp,
    queue: BinaryHeap<Reverse<(Timestamp, usize)>>,
    events: Vec<Option<Event>>,
    posted: Vec<CampaignId>,
    intents: BTreeMap<AttemptId, CampaignId>,
    sale: Option<(CampaignId, Money)>,
    answer: Option<Answer>,
}

impl<'a> World<'a> {
    fn new(
        case: &'a TestCase,
        lead: LeadId,
        plan: &Plan,
        delivery: impl Fn(&Campaign) -> Delivery,
    ) -> Self {
        let tier_name =
            |tier: usize| plan.tiers.get(tier).map_or_else(String::new, |t| t.tier.clone());
        let setup = Setup {
            lead,
            tree: case.tree.id.to_string(),
            started_at: case.at,
            deadline: case.at.after(case.tree.deadline),
            post_reserve: case.tree.post_reserve,
            seller: SellerTerms {
                payout: case.source.payout.clone(),
                least: case.source.min_price,
            },
            tiers: tiers_of(plan, (&case.source.id, case.at), delivery, |_never| None),
            ineligible: plan
                .ineligible
                .iter()
                .map(|(campaign, tier, reason)| {
                    (tier_name(*tier), campaign.clone(), reason.clone())
                })
                .collect(),
            goal: Goal::Sell,
        };
        Self {
            case,
            auction: Auction::new(case.at, setup),
            now: case.at,
            queue: BinaryHeap::new(),
            events: Vec::new(),
            posted: Vec::new(),
            intents: BTreeMap::new(),
            sale: None,
            answer: None,
        }
    }

    fn run(&mut self) {
        while let Some(wake_at) = self.obey() {
            let event = match self.queue.peek() {
                Some(Reverse((at, number))) if *at <= wake_at => {
                    let (at, number) = (*at, *number);
                    self.queue.pop();
                    self.now = self.now.max(at);
                    self.events.get_mut(number).and_then(Option::take)
                }
                _ => {
                    self.now = self.now.max(wake_at);
                    Some(Event::Timer)
                }
            };
            if let Some(event) = event {
                self.auction.handle(self.now, event);
            }
        }
        self.record_what_came_late();
    }

    /// The auction is over; what buyers still bid is recorded as late, with its price.
    fn record_what_came_late(&mut self) {
        while let Some(Reverse((at, number))) = self.queue.pop() {
            self.now = self.now.max(at);
            if let Some(event) = self.events.get_mut(number).and_then(Option::take) {
                self.auction.handle(self.now, event);
            }
        }
    }

    /// Does what the auction wants; returns until when it waits, or nothing when it is over.
    fn obey(&mut self) -> Option<Timestamp> {
        loop {
            match self.auction.poll() {
                Command::Ping { seat, .. } => self.ping(seat),
                Command::Persist(commit) => self.persist(commit),
                Command::Post { attempt, seat, .. } => {
                    self.posted.push(self.campaign(seat));
                    self.post(attempt, seat);
                }
                Command::Ask { attempt, seat, how, .. } => self.ask(attempt, seat, how),
                Command::Reply(answer) => self.answer = Some(answer),
                Command::Wait(at) => return Some(at),
                Command::Done => return None,
                Command::PersistPromise(_)
                | Command::ReplyPromise(_)
                | Command::Record(_)
                | Command::GiveUp { .. }
                | Command::HandOver(_) => {}
            }
        }
    }

    fn later(&mut self, after: Duration, event: Event) {
        self.queue.push(Reverse((self.now.after(after), self.events.len())));
        self.events.push(Some(event));
    }

    fn ping(&mut self, seat: Seat) {
        let declined = || {
            let class = RejectClass::Other;
            PingAnswer::NoBid(NoBid::Declined(Rejection { class, text: None, counter: None }))
        };
        let (after, answer) = match self.case.bids.get(&self.campaign(seat)) {
            Some(ScriptedBid { after, answer }) => (*after, answer.clone()),
            None => (DECLINE_TAKES, declined()),
        };
        self.later(after, Event::PingAnswer(seat, answer));
    }

    fn post(&mut self, attempt: AttemptId, seat: Seat) {
        let scripted = self.case.posts.get(&self.campaign(seat)).cloned();
        let answer = scripted.unwrap_or_else(|| PostAnswer::Accepted(Acceptance::default()));
        if answer != PostAnswer::Unknown(Unknown::Timeout) {
            self.later(POST_TAKES, Event::PostAnswer(attempt, answer));
        }
    }

    /// A scripted buyer says to a question what it said to the post.
    fn ask(&mut self, attempt: AttemptId, seat: Seat, how: Resolver) {
        let scripted = self.case.posts.get(&self.campaign(seat)).cloned();
        let answer = scripted.unwrap_or_else(|| PostAnswer::Accepted(Acceptance::default()));
        self.later(POST_TAKES, Event::AskAnswer(attempt, how, answer));
    }

    fn persist(&mut self, commit: Commit) {
        if let Some(concluded) = commit.concluded
            && let AttemptOutcome::Accepted(sale) = concluded.outcome
        {
            let campaign = self.intents.get(&concluded.attempt).cloned();
            self.sale = campaign.map(|campaign| (campaign, sale.price));
        }
        if let Next::Prepare(intent) = commit.next {
            self.intents.insert(intent.attempt, intent.campaign);
        }
        self.later(COMMIT_TAKES, Event::Durable(Durable::Done));
    }

    fn campaign(&self, seat: Seat) -> CampaignId {
        self.auction.member(seat).campaign.id.clone()
    }

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
        let status = self.answer.as_ref().map(|answer| answer.status.to_string());
        let payout = self.answer.as_ref().and_then(|answer| answer.payout);
        if let Some(wanted) = &expect.status {
            differ(&wanted.place, "status", wanted.value.to_string(), status);
        }
        if let Some(wanted) = &expect.winner {
            let came = self.sale.as_ref().map(|(campaign, _)| campaign.to_string());
            differ(&wanted.place, "winner", wanted.value.to_string(), came);
        }
        if let Some(wanted) = &expect.price {
            let came = self.sale.as_ref().map(|(_, price)| price.to_string());
            differ(&wanted.place, "price", wanted.value.to_string(), came);
        }
        if let Some(wanted) = &expect.payout {
            let came = payout.map(|payout| payout.to_string());
            differ(&wanted.place, "payout", wanted.value.to_string(), came);
        }
        if let Some(wanted) = &expect.posted {
            differ(&wanted.place, "posts to", list(&wanted.value), Some(list(&self.posted)));
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
        let steps = self.auction.trace().steps.iter();
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
        self.auction.trace().steps.iter().find_map(|step| match &step.event {
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
