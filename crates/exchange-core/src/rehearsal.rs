//! One auction on a scripted clock, with scripted buyers and a scripted disk.
//!
//! Operators' tests and the replay of recorded leads run the real [`Auction`] here. Nothing touches
//! the network, a disk or a clock: a commit takes [`COMMIT_TAKES`], everything else takes what the
//! script says.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

use exchange_model::outcome::{PingAnswer, PostAnswer, Resolver};
use exchange_model::{AttemptId, CampaignId, Money, Timestamp};

use crate::auction::{Auction, Command, Event, Seat, Setup};
use crate::record::{Answer, AttemptOutcome, Commit, Durable, Intent, Next, Qualified};
use crate::trace::Trace;

/// How long a commit takes.
pub const COMMIT_TAKES: Duration = Duration::from_millis(1);

/// What the world does to an auction.
pub trait Script {
    /// What a campaign answers to a ping, and after how long.
    fn ping(&mut self, campaign: &CampaignId) -> (Duration, PingAnswer);

    /// What it answers to a post or a question about it, and after how long; nothing: it never
    /// answers.
    fn post(&mut self, campaign: &CampaignId) -> Option<(Duration, PostAnswer)>;

    /// Whether commit A allows this post.
    fn prepare(&mut self, intent: &Intent) -> Durable {
        let _every_post_is_allowed = intent;
        Durable::Done
    }

    /// These members made a usable bid, in tiers that count it.
    fn qualified(&mut self, members: &[Qualified]) {
        let _nobody_counts = members;
    }

    /// A post ended: bought at this price and payout, or not at all.
    fn concluded(&mut self, intent: &Intent, sold: Option<(Money, Money)>) {
        let _nobody_counts = (intent, sold);
    }
}

/// What came of an auction.
#[derive(Clone, Debug, Default)]
pub struct Rehearsed {
    /// What the seller was told.
    pub answer: Option<Answer>,
    /// Who bought it, at which price and payout, in that order.
    pub sales: Vec<(CampaignId, Money, Money)>,
    /// The companies behind each buyer of several that took it, by the names they bid under.
    pub legs: BTreeMap<CampaignId, Vec<String>>,
    /// To whom it was posted, in that order.
    pub posted: Vec<CampaignId>,
    /// The whole journey.
    pub trace: Trace,
}

/// Runs one auction to its end. What buyers say after that is recorded as late.
pub fn rehearse(at: Timestamp, setup: Setup, script: &mut dyn Script) -> Rehearsed {
    let mut stage = Stage {
        auction: Auction::new(at, setup),
        now: at,
        queue: BinaryHeap::new(),
        events: Vec::new(),
        intents: BTreeMap::new(),
        script,
        came: Rehearsed::default(),
    };
    stage.run();
    Rehearsed { trace: stage.auction.trace().clone(), ..stage.came }
}

struct Stage<'a> {
    auction: Auction,
    now: Timestamp,
    queue: BinaryHeap<Reverse<(Timestamp, usize)>>,
    events: Vec<Option<Event>>,
    intents: BTreeMap<AttemptId, Intent>,
    script: &'a mut dyn Script,
    came: Rehearsed,
}

impl Stage<'_> {
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
                Command::Ping { seat, .. } => {
                    let (after, answer) = self.script.ping(&self.campaign(seat));
                    self.later(after, Event::PingAnswer(seat, answer));
                }
                Command::Persist(commit) => self.persist(commit),
                Command::Post { attempt, seat, .. } => self.post(attempt, seat),
                Command::Ask { attempt, seat, how, .. } => self.ask(attempt, seat, how),
                Command::PersistPromise(_) => {
                    self.later(COMMIT_TAKES, Event::Durable(Durable::Done));
                }
                Command::Reply(answer) => self.came.answer = Some(answer),
                Command::Wait(at) => return Some(at),
                Command::Done => return None,
                Command::ReplyPromise(_)
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

    fn post(&mut self, attempt: AttemptId, seat: Seat) {
        let campaign = self.campaign(seat);
        if let Some((after, answer)) = self.script.post(&campaign) {
            self.later(after, Event::PostAnswer(attempt, answer));
        }
        self.came.posted.push(campaign);
    }

    fn ask(&mut self, attempt: AttemptId, seat: Seat, how: Resolver) {
        if let Some((after, answer)) = self.script.post(&self.campaign(seat)) {
            self.later(after, Event::AskAnswer(attempt, how, answer));
        }
    }

    fn persist(&mut self, commit: Commit) {
        self.script.qualified(&commit.qualified);
        if let Some(concluded) = commit.concluded
            && let Some(intent) = self.intents.get(&concluded.attempt)
        {
            let sold = match &concluded.outcome {
                AttemptOutcome::Accepted(sale) => Some((sale.price, sale.payout)),
                // The buyer may have it: what was reserved stays.
                AttemptOutcome::Unknown(..) => Some((intent.hold, intent.payout)),
                AttemptOutcome::NotSent(_)
                | AttemptOutcome::Rejected(_)
                | AttemptOutcome::Mispriced(_) => None,
            };
            self.script.concluded(intent, sold);
            if let AttemptOutcome::Accepted(sale) = concluded.outcome {
                self.came.sales.push((intent.campaign.clone(), sale.price, sale.payout));
                let names = sale.legs.into_iter().filter_map(|leg| leg.brand.name.or(leg.brand.id));
                self.came.legs.entry(intent.campaign.clone()).or_default().extend(names);
            }
        }
        let durable = match commit.next {
            Next::Prepare(intent) => {
                let durable = self.script.prepare(&intent);
                self.intents.insert(intent.attempt, *intent);
                durable
            }
            Next::Answer(_) | Next::Nothing => Durable::Done,
        };
        self.later(COMMIT_TAKES, Event::Durable(durable));
    }

    fn campaign(&self, seat: Seat) -> CampaignId {
        self.auction.member(seat).campaign.id.clone()
    }
}
