//! One lead's auction, as a state machine.
//!
//! An [`Auction`] decides what to send and when; it sends nothing and reads no clock. Its driver
//! owns the sockets and the timer, and keeps one rule:
//!
//! > After each [`Auction::handle`], call [`Auction::poll`] until it returns [`Command::Wait`] or
//! > [`Command::Done`].
//!
//! No command carries contact data. The driver adds it to a post, so a ping cannot leak it. A post
//! needs a permit that only a durable commit A gives. A lost answer is an outcome of its own: the
//! lead is held, the buyer is asked in the ways of its connector, and what is still open when the
//! budget ends is handed over for resolution.

use std::collections::VecDeque;
use std::time::Duration;

use exchange_model::outcome::{BidToken, Handles, PingAnswer, PostAnswer, Resolver};
use exchange_model::reason::{IneligibleKind, Passed, Unknown};
use exchange_model::{AttemptId, LeadId, Money, Timestamp};

use crate::record::{
    Answer, Commit, Concluded, Durable, Intent, OpenAttempt, Promise, Qualified, SoldTo,
};
use crate::trace::{Trace, TraceEvent};

mod appraising;
mod asking;
mod bidding;
mod contradicting;
mod countering;
mod deciding;
mod ending;
mod floor;
mod journal;
mod late;
mod outstanding;
mod posting;
pub mod pricing;
mod promising;
pub mod ranking;
pub mod selection;
pub mod setup;
mod withheld;

use asking::Lost;
use contradicting::Decided;
pub use floor::floors;
use late::Lateness;
use ranking::Bid;
use selection::Held;
pub use setup::{
    CHANCE_WHOLE, Delivery, Goal, History, Member, NoHistory, REPLY_RESERVE, Seat, SellerTerms,
    Served, Setup, TierRules, TierSetup, Ways, tiers_of,
};

/// A post is not begun with less time than this before the reply must be prepared.
pub const POST_LEAST: Duration = Duration::from_millis(50);

/// A post ends at its `until`, and whoever carried it then says what is known: perhaps that nothing
/// left. That word is waited for a little longer before the answer counts as lost.
const LAST_WORD: Duration = Duration::from_millis(5);

/// Most reasons named in an answer.
const REASONS_MAX: usize = 8;

/// What happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// A buyer answered a ping, or the ping failed.
    PingAnswer(Seat, PingAnswer),
    /// The ping did not leave: a gate that only shows at the last moment was closed.
    NotPinged(Seat, IneligibleKind),
    /// A buyer answered a post, or the post failed; or the buyer called us about it.
    PostAnswer(AttemptId, PostAnswer),
    /// What came of [`Command::Ask`]; a question that could not be asked is `NotSent`.
    AskAnswer(AttemptId, Resolver, PostAnswer),
    /// What the auction asked to persist is on disk.
    Durable(Durable),
    /// The seller closed its connection.
    SellerGone,
    /// The moment of [`Command::Wait`] has come.
    Timer,
}

/// What the driver must do.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "one is alive at a time, and most persist or post")]
pub enum Command {
    /// Ping this member; an answer after `until` is late.
    Ping {
        /// Whom.
        seat: Seat,
        /// Until when its answer counts.
        until: Timestamp,
    },
    /// Make this durable, then say [`Event::Durable`].
    Persist(Commit),
    /// Make this durable; nobody waits for it, and no event tells of it.
    Record(Commit),
    /// Make this promise durable, then say [`Event::Durable`].
    PersistPromise(Promise),
    /// Post the lead with the permit of its durable commit A.
    Post {
        /// Which attempt.
        attempt: AttemptId,
        /// To whom.
        seat: Seat,
        /// The buyer's handle for its bid.
        token: Option<BidToken>,
        /// The price the buyer owes when it accepts.
        price: Money,
        /// The attempt whose id is the idempotency key of the request.
        key: AttemptId,
        /// Until when its answer counts for this auction. Reading on is the driver's duty.
        until: Timestamp,
    },
    /// Ask the buyer what became of a post, or to forget it; then say [`Event::AskAnswer`], at
    /// `until` at the latest.
    Ask {
        /// Which attempt.
        attempt: AttemptId,
        /// Whom.
        seat: Seat,
        /// In which way; never by `Callback`.
        how: Resolver,
        /// The buyer's handle for its bid.
        token: Option<BidToken>,
        /// What the buyer gave us to ask with.
        handles: Handles,
        /// The price of the first post.
        price: Money,
        /// The attempt whose id was the idempotency key of the first post.
        key: AttemptId,
        /// Until when its answer counts for this auction.
        until: Timestamp,
    },
    /// Answer the seller's post.
    Reply(Answer),
    /// Answer the seller's ping with this promise.
    ReplyPromise(Promise),
    /// The disk is too slow for the budget. With an attempt out, the seller is told `pending`;
    /// otherwise that we could not take the lead. The stored answer follows when it is durable.
    GiveUp {
        /// Whether a buyer may have the lead.
        pending: bool,
    },
    /// Go on resolving this attempt in the background.
    HandOver(OpenAttempt),
    /// Nothing to do before this moment or the next event.
    Wait(Timestamp),
    /// The auction is over.
    Done,
}

/// Where the auction stands.
#[derive(Debug)]
enum Phase {
    /// Nothing was done yet.
    Start,
    /// Pings of one tier are out.
    Pinging,
    /// Commit A was asked for.
    Preparing { bid: Bid },
    /// The lead is at a buyer.
    Posting { bid: Bid, until: Timestamp },
    /// The answer was lost; the buyer is asked, or listened to.
    Resolving(Box<Lost>),
    /// The end was asked to be persisted.
    Ending { answer: Answer },
    /// A promise was asked to be persisted.
    Promising { promise: Promise },
    /// The seller was told that we could not; what was begun is being undone.
    Overdue { bid: Option<Bid> },
    /// Over.
    Ended,
}

/// Whether a member's answer is awaited, and until when.
#[derive(Clone, Copy, Debug)]
struct Awaited {
    seat: Seat,
    until: Timestamp,
}

/// One lead's auction.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, told apart by name")]
pub struct Auction {
    setup: Setup,
    members: Vec<Member>,
    first_seats: Vec<usize>,
    phase: Phase,
    tier: usize,
    awaited: Vec<Awaited>,
    lateness: Lateness,
    /// Members of a tier that asks one after the other, whose turn has not come.
    unasked: VecDeque<Seat>,
    /// Until when the current tier waits for bids.
    closes: Timestamp,
    /// Whether the current tier has chosen once.
    closed: bool,
    /// How the current tier sells.
    rules: TierRules,
    bids: VecDeque<Bid>,
    /// Usable bids so far.
    arrived: u32,
    posts_left: u16,
    /// What is sold, or may be.
    held: Held,
    sales: Vec<SoldTo>,
    was_shared: bool,
    steps: u8,
    concluded: Option<Concluded>,
    /// Usable bids since the last commit, where their tier counts them.
    qualified: Vec<Qualified>,
    intent: Option<Box<Intent>>,
    decided: Vec<Decided>,
    contradictions: u8,
    posted_again: bool,
    at_buyer: bool,
    left_open: bool,
    redirect_url: Option<String>,
    reasons: Vec<String>,
    outbox: VecDeque<Command>,
    /// What must not be durable before the next commit.
    after_b: VecDeque<Command>,
    trace: Trace,
}

impl Auction {
    /// Opens the auction: the first commands are ready to be polled.
    #[must_use]
    pub fn new(now: Timestamp, mut setup: Setup) -> Self {
        let mut members = Vec::new();
        let mut first_seats = Vec::new();
        for tier in &mut setup.tiers {
            first_seats.push(members.len());
            members.append(&mut tier.members);
        }
        first_seats.push(members.len());
        let mut auction = Self {
            trace: Trace::new(&setup.tree, setup.started_at),
            setup,
            members,
            first_seats,
            phase: Phase::Start,
            tier: 0,
            awaited: Vec::new(),
            lateness: Lateness::default(),
            unasked: VecDeque::new(),
            closes: now,
            closed: false,
            rules: TierRules::default(),
            bids: VecDeque::new(),
            arrived: 0,
            posts_left: 0,
            held: Held::default(),
            sales: Vec::new(),
            was_shared: false,
            steps: 0,
            concluded: None,
            qualified: Vec::new(),
            intent: None,
            decided: Vec::new(),
            contradictions: 0,
            posted_again: false,
            at_buyer: false,
            left_open: false,
            redirect_url: None,
            reasons: Vec::new(),
            outbox: VecDeque::new(),
            after_b: VecDeque::new(),
        };
        auction.open(now);
        auction
    }

    /// The member in a seat.
    #[must_use]
    pub fn member(&self, seat: Seat) -> &Member {
        self.members.get(seat.0).expect("a seat is made by the auction it is used with")
    }

    /// The lead.
    #[must_use]
    pub fn lead(&self) -> LeadId {
        self.setup.lead
    }

    /// The journey so far.
    #[must_use]
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// The next command; [`Command::Wait`] or [`Command::Done`] when there is none.
    pub fn poll(&mut self) -> Command {
        if let Some(command) = self.outbox.pop_front() {
            return command;
        }
        match &self.phase {
            Phase::Ended => Command::Done,
            Phase::Pinging => {
                let next = self.awaited.iter().map(|a| a.until).min();
                Command::Wait(next.unwrap_or(self.setup.deadline))
            }
            Phase::Posting { until, .. } => Command::Wait(until.after(LAST_WORD)),
            Phase::Resolving(lost) => Command::Wait(lost.next(self.reply_by())),
            Phase::Start
            | Phase::Preparing { .. }
            | Phase::Ending { .. }
            | Phase::Promising { .. } => Command::Wait(self.setup.deadline),
            // The seller was told; only the disk is awaited, for as long as it takes.
            Phase::Overdue { .. } => Command::Wait(Timestamp::from_unix_micros(i64::MAX)),
        }
    }

    /// Takes in what happened.
    pub fn handle(&mut self, now: Timestamp, event: Event) {
        match (std::mem::replace(&mut self.phase, Phase::Start), event) {
            (Phase::Pinging, Event::PingAnswer(seat, answer)) => {
                self.phase = Phase::Pinging;
                self.take_bid(now, seat, answer);
            }
            (Phase::Pinging, Event::Timer) => {
                self.phase = Phase::Pinging;
                self.time_out_pings(now);
            }
            // Once a buyer has had the lead it goes on to its end: it cannot be taken back.
            (Phase::Pinging, Event::SellerGone) if self.steps == 0 => self.abandon(now),
            (Phase::Preparing { bid }, Event::Durable(durable)) => {
                self.prepared(now, bid, durable);
            }
            (Phase::Preparing { bid }, Event::Timer) if self.overdue(now) => {
                self.outbox.push_back(Command::GiveUp {
                    pending: self.left_open || !self.sales.is_empty(),
                });
                self.phase = Phase::Overdue { bid: Some(bid) };
            }
            (Phase::Posting { bid, .. }, Event::PostAnswer(attempt, answer))
                if attempt == self.attempt() =>
            {
                self.take_outcome(now, bid, answer);
            }
            (Phase::Posting { bid, until }, Event::Timer) if until.after(LAST_WORD) <= now => {
                self.lost(now, Lost::new(bid, Unknown::Timeout));
            }
            (Phase::Resolving(lost), Event::PostAnswer(attempt, answer))
                if attempt == self.attempt() =>
            {
                self.take_word(now, *lost, None, answer);
            }
            (Phase::Resolving(lost), Event::AskAnswer(attempt, how, answer))
                if attempt == self.attempt() =>
            {
                self.take_word(now, *lost, Some(how), answer);
            }
            (Phase::Resolving(lost), Event::Timer) => self.go_on_asking(now, *lost),
            (Phase::Ending { answer }, Event::Durable(_)) => self.answered(now, answer),
            (Phase::Promising { promise }, Event::Durable(_)) => {
                self.outbox.push_back(Command::ReplyPromise(promise));
                self.end_now(now);
            }
            (Phase::Ending { .. } | Phase::Promising { .. }, Event::Timer) if self.overdue(now) => {
                let pending = self.at_buyer || self.left_open || !self.sales.is_empty();
                self.outbox.push_back(Command::GiveUp { pending });
                self.phase = Phase::Overdue { bid: None };
            }
            (Phase::Overdue { bid }, Event::Durable(durable)) => self.undo(now, bid, durable),
            // A bid in its time counts after its tier has closed early as well: it may be tried
            // when a post is refused. Any other is recorded with its price and changes nothing.
            (Phase::Pinging, Event::NotPinged(seat, why)) => {
                self.phase = Phase::Pinging;
                self.withheld(now, seat, why);
                self.advance(now);
            }
            (phase, Event::NotPinged(seat, why)) => {
                self.phase = phase;
                self.withheld(now, seat, why);
            }
            (phase, Event::PingAnswer(seat, answer)) => {
                let over = matches!(
                    phase,
                    Phase::Ending { .. }
                        | Phase::Promising { .. }
                        | Phase::Overdue { .. }
                        | Phase::Ended
                );
                self.phase = phase;
                self.take_in(now, seat, answer);
                if over {
                    self.pass_all(now, Passed::NotNeeded);
                }
            }
            // What a buyer says of a post that is decided changes nothing, and is not forgotten.
            (phase, Event::PostAnswer(attempt, answer)) => {
                self.phase = phase;
                self.contradicted(now, attempt, None, answer);
            }
            (phase, Event::AskAnswer(attempt, how, answer)) => {
                self.phase = phase;
                self.contradicted(now, attempt, Some(how), answer);
            }
            // Everything else changes nothing: a timer that came early, a seller that left after
            // its lead did.
            (phase, Event::Timer | Event::SellerGone | Event::Durable(_)) => self.phase = phase,
        }
    }

    fn open(&mut self, now: Timestamp) {
        for (tier, campaign, reason) in std::mem::take(&mut self.setup.ineligible) {
            self.note_reason("ineligible", reason.kind().code());
            let event = TraceEvent::Ineligible {
                tier,
                campaign: campaign.to_string(),
                reason: reason.to_string(),
            };
            self.record(now, event);
        }
        if let Goal::Fulfil(promise) = &self.setup.goal {
            let promise = promise.clone();
            self.stand_by(now, &promise);
        } else {
            self.open_tier(now);
        }
    }

    fn attempt(&self) -> AttemptId {
        AttemptId::new(self.setup.lead, self.steps)
    }

    fn name(&self, seat: Seat) -> String {
        self.member(seat).campaign.id.to_string()
    }

    fn tier_name(&self) -> String {
        self.setup.tiers.get(self.tier).map_or_else(String::new, |tier| tier.name.clone())
    }

    fn tier_of(&self, seat: Seat) -> String {
        let tier = self.setup.tiers.get(self.tier_index(seat));
        tier.map_or_else(String::new, |tier| tier.name.clone())
    }

    fn tier_index(&self, seat: Seat) -> usize {
        self.first_seats.iter().rposition(|first| *first <= seat.0).unwrap_or(0)
    }

    fn reserve_of(&self, seat: Seat) -> Option<Money> {
        self.setup.tiers.get(self.tier_index(seat))?.reserve
    }

    fn seats(&self, tier: usize) -> impl Iterator<Item = Seat> + use<> {
        let edge = |at: usize| self.first_seats.get(at).copied().unwrap_or(self.members.len());
        (edge(tier)..edge(tier.saturating_add(1))).map(Seat)
    }

    fn reply_by(&self) -> Timestamp {
        self.setup.deadline.before(REPLY_RESERVE)
    }

    fn post_until(&self, now: Timestamp, seat: Seat) -> Timestamp {
        now.after(self.member(seat).delivery.post).min(self.reply_by())
    }

    fn overdue(&self, now: Timestamp) -> bool {
        self.setup.deadline <= now
    }
}

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
