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
//! lead is held, asked for again under the same key where the buyer supports it, and handed over
//! for resolution when the budget ends.

use std::collections::VecDeque;
use std::time::Duration;

use exchange_model::outcome::{BidToken, PingAnswer, PostAnswer};
use exchange_model::reason::{
    IneligibleKind, LeadStatus, NoBid, NotSent, Passed, Refused, RejectClass, Unknown,
};
use exchange_model::{AttemptId, LeadId, Money, Timestamp};

use crate::record::{
    Answer, AttemptOutcome, Commit, Concluded, Durable, Intent, Next, OpenAttempt, Promise,
    PromisedBid, RESOLVE_WITHIN, UnknownPolicy,
};
use crate::trace::{Trace, TraceEvent};

pub mod pricing;
pub mod ranking;
pub mod setup;

use ranking::Bid;
pub use setup::{
    Delivery, Goal, Member, REPLY_RESERVE, Seat, SellerTerms, Setup, TierSetup, tiers_of,
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
    /// A buyer answered a post, or the post failed.
    PostAnswer(AttemptId, PostAnswer),
    /// What the auction asked to persist is on disk.
    Durable(Durable),
    /// The seller closed its connection.
    SellerGone,
    /// The moment of [`Command::Wait`] has come.
    Timer,
}

/// What the driver must do.
#[derive(Clone, Debug)]
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
        /// Until when its answer counts for this auction. Reading on is the driver's duty.
        until: Timestamp,
    },
    /// Send the same post again under the same idempotency key, to learn a lost answer.
    Repost {
        /// Which attempt.
        attempt: AttemptId,
        /// To whom.
        seat: Seat,
        /// The buyer's handle for its bid.
        token: Option<BidToken>,
        /// The price of the first post.
        price: Money,
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
    /// The answer was lost; the lead was sent again under the same key.
    Resolving { bid: Bid, why: Unknown, waiting: u8 },
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
pub struct Auction {
    setup: Setup,
    members: Vec<Member>,
    first_seats: Vec<usize>,
    phase: Phase,
    tier: usize,
    awaited: Vec<Awaited>,
    bids: VecDeque<Bid>,
    posts_left: u16,
    steps: u8,
    concluded: Option<Concluded>,
    intent: Option<Box<Intent>>,
    at_buyer: bool,
    left_open: bool,
    redirect_url: Option<String>,
    reasons: Vec<String>,
    outbox: VecDeque<Command>,
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
            bids: VecDeque::new(),
            posts_left: 0,
            steps: 0,
            concluded: None,
            intent: None,
            at_buyer: false,
            left_open: false,
            redirect_url: None,
            reasons: Vec::new(),
            outbox: VecDeque::new(),
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
            Phase::Resolving { .. } => Command::Wait(self.reply_by()),
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
                self.outbox.push_back(Command::GiveUp { pending: self.left_open });
                self.phase = Phase::Overdue { bid: Some(bid) };
            }
            (Phase::Posting { bid, .. }, Event::PostAnswer(attempt, answer))
                if attempt == self.attempt() =>
            {
                self.take_outcome(now, bid, answer);
            }
            (Phase::Posting { bid, until }, Event::Timer) if until.after(LAST_WORD) <= now => {
                self.lost(now, bid, Unknown::Timeout, 1);
            }
            (Phase::Resolving { bid, why, waiting }, Event::PostAnswer(attempt, answer))
                if attempt == self.attempt() =>
            {
                self.take_resolution(now, bid, answer, (why, waiting));
            }
            (Phase::Resolving { bid, why, .. }, Event::Timer) if self.reply_by() <= now => {
                self.hold(now, &bid, why);
            }
            (Phase::Ending { answer }, Event::Durable(_)) => self.answered(now, answer),
            (Phase::Promising { promise }, Event::Durable(_)) => {
                self.outbox.push_back(Command::ReplyPromise(promise));
                self.end_now(now);
            }
            (Phase::Ending { .. } | Phase::Promising { .. }, Event::Timer) if self.overdue(now) => {
                let pending = self.at_buyer || self.left_open;
                self.outbox.push_back(Command::GiveUp { pending });
                self.phase = Phase::Overdue { bid: None };
            }
            (Phase::Overdue { bid }, Event::Durable(durable)) => self.undo(now, bid, durable),
            // A bid after its tier closed is recorded with its price and changes nothing.
            (phase, Event::PingAnswer(seat, answer)) => {
                self.phase = phase;
                self.record_late(now, seat, answer);
            }
            // Everything else changes nothing: a timer that came early, an answer to a post that
            // was resolved meanwhile, a seller that left after its lead did.
            (
                phase,
                Event::Timer | Event::SellerGone | Event::PostAnswer(..) | Event::Durable(_),
            ) => self.phase = phase,
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

    /// Puts the bids of a promise in their order; members that left the plan are passed over.
    fn stand_by(&mut self, now: Timestamp, promise: &Promise) {
        for bid in &promise.bids {
            let seat = self.members.iter().position(|m| m.campaign.id == bid.campaign).map(Seat);
            let Some(seat) = seat else {
                self.pass(now, &bid.campaign.to_string(), Passed::Refused);
                continue;
            };
            let payout =
                pricing::promised_payout(&self.setup.seller.payout, bid.price, promise.payout);
            match payout {
                Some(payout) => {
                    let token = bid.token.clone();
                    self.bids.push_back(Bid { seat, price: bid.price, payout, token });
                }
                None => self.pass(now, &bid.campaign.to_string(), Passed::BelowPromise),
            }
        }
        self.tier = self.setup.tiers.len();
        self.posts_left = self.cascade_of_promise();
        self.advance(now);
    }

    fn cascade_of_promise(&self) -> u16 {
        let most = self.setup.tiers.iter().map(|tier| tier.cascade).max().unwrap_or(0);
        u16::from(most).saturating_add(1)
    }

    /// Pings the members of the current tier, and prices those that take no ping.
    fn open_tier(&mut self, now: Timestamp) {
        let Some(tier) = self.setup.tiers.get(self.tier) else { return self.unsold(now) };
        let closes =
            now.after(tier.ping_timeout).min(self.setup.deadline.before(self.setup.post_reserve));
        self.posts_left = u16::from(tier.cascade).saturating_add(1);
        self.phase = Phase::Pinging;
        for seat in self.seats(self.tier) {
            match self.member(seat).delivery.ping {
                None => self.take_fixed(now, seat, None),
                Some(own) => self.ping(now, seat, closes.min(now.after(own))),
            }
        }
        self.close_when_all_answered(now);
    }

    fn ping(&mut self, now: Timestamp, seat: Seat, until: Timestamp) {
        let tier = self.tier_name();
        let campaign = self.name(seat);
        if until <= now {
            let reason = IneligibleKind::NoTimeLeft;
            self.note_reason("ineligible", reason.code());
            let reason = reason.to_string();
            return self.record(now, TraceEvent::Ineligible { tier, campaign, reason });
        }
        self.record(now, TraceEvent::Pinged { tier, campaign });
        self.awaited.push(Awaited { seat, until });
        self.outbox.push_back(Command::Ping { seat, until });
    }

    fn take_bid(&mut self, now: Timestamp, seat: Seat, answer: PingAnswer) {
        let Some(at) = self.awaited.iter().position(|a| a.seat == seat) else {
            return self.record_late(now, seat, answer);
        };
        let awaited = self.awaited.swap_remove(at);
        if awaited.until < now {
            self.record_late(now, seat, answer);
        } else {
            match answer {
                PingAnswer::Bid { price, token } => self.take_price(now, seat, price, token),
                PingAnswer::Available { token } => self.take_fixed(now, seat, token),
                PingAnswer::NoBid(reason) => self.no_bid(now, seat, &reason),
            }
        }
        self.close_when_all_answered(now);
    }

    fn take_fixed(&mut self, now: Timestamp, seat: Seat, token: Option<BidToken>) {
        match self.member(seat).campaign.price {
            ping_tree::PriceMode::Fixed { base } => self.take_price(now, seat, base, token),
            ping_tree::PriceMode::Bid { .. } => {
                self.no_bid(now, seat, &NoBid::BadReply("price".to_owned()));
            }
        }
    }

    fn take_price(&mut self, now: Timestamp, seat: Seat, price: Money, token: Option<BidToken>) {
        let reserve = self.setup.tiers.get(self.tier).and_then(|tier| tier.reserve);
        let mode = &self.member(seat).campaign.price;
        match pricing::judge(price, mode, reserve, &self.setup.seller) {
            Ok(payout) => {
                let campaign = self.name(seat);
                let event = TraceEvent::Bid {
                    campaign,
                    price: price.to_string(),
                    payout: payout.to_string(),
                };
                self.record(now, event);
                self.bids.push_back(Bid { seat, price, payout, token });
            }
            Err(reason) => self.no_bid(now, seat, &reason),
        }
    }

    fn no_bid(&mut self, now: Timestamp, seat: Seat, reason: &NoBid) {
        self.note_reason("no_bid", reason.code());
        let text = match reason {
            NoBid::Declined(rejection) => rejection.text.clone(),
            _ => None,
        };
        let event =
            TraceEvent::NoBid { campaign: self.name(seat), reason: reason.to_string(), text };
        self.record(now, event);
    }

    fn record_late(&mut self, now: Timestamp, seat: Seat, answer: PingAnswer) {
        let reason = match answer {
            PingAnswer::Bid { price, .. } => NoBid::Late(price),
            PingAnswer::Available { .. } => NoBid::Timeout,
            PingAnswer::NoBid(reason) => reason,
        };
        let event =
            TraceEvent::NoBid { campaign: self.name(seat), reason: reason.to_string(), text: None };
        self.record(now, event);
    }

    fn time_out_pings(&mut self, now: Timestamp) {
        let late: Vec<Seat> =
            self.awaited.iter().filter(|a| a.until <= now).map(|a| a.seat).collect();
        self.awaited.retain(|a| a.until > now);
        for seat in late {
            self.no_bid(now, seat, &NoBid::Timeout);
        }
        self.close_when_all_answered(now);
    }

    fn close_when_all_answered(&mut self, now: Timestamp) {
        if !self.awaited.is_empty() {
            return;
        }
        ranking::rank(self.bids.make_contiguous(), &self.members);
        if !self.bids.is_empty() {
            let order = self.bids.iter().map(|bid| self.name(bid.seat)).collect();
            self.record(now, TraceEvent::Ranked { tier: self.tier_name(), order });
        }
        match (&self.setup.goal, self.bids.front()) {
            (Goal::Quote { ping, lifetime }, Some(best)) => self.promise(Promise {
                ping: *ping,
                payout: best.payout,
                expires_at: now.after(*lifetime),
                bids: self.promised_bids(),
            }),
            (Goal::Quote { .. }, None) => self.next_tier(now),
            (Goal::Sell | Goal::Fulfil(_), _) => self.advance(now),
        }
    }

    fn promised_bids(&self) -> Vec<PromisedBid> {
        self.bids
            .iter()
            .map(|bid| PromisedBid {
                campaign: self.member(bid.seat).campaign.id.clone(),
                tier: self.tier_name(),
                price: bid.price,
                token: bid.token.clone(),
            })
            .collect()
    }

    fn promise(&mut self, promise: Promise) {
        self.outbox.push_back(Command::PersistPromise(promise.clone()));
        self.phase = Phase::Promising { promise };
    }

    /// Prepares the best bid left, then asks the next tier, then gives up.
    fn advance(&mut self, now: Timestamp) {
        let Some(bid) = self.bids.pop_front() else { return self.next_tier(now) };
        if self.posts_left == 0 {
            self.bids.push_front(bid);
            return self.next_tier(now);
        }
        if self.post_until(now, bid.seat) < now.after(POST_LEAST) {
            self.bids.push_front(bid);
            self.note_reason("ineligible", IneligibleKind::NoTimeLeft.code());
            return self.unsold(now);
        }
        self.prepare(now, bid);
    }

    fn next_tier(&mut self, now: Timestamp) {
        self.pass_all(now, Passed::NotNeeded);
        self.tier = self.tier.saturating_add(1);
        self.open_tier(now);
    }

    fn prepare(&mut self, now: Timestamp, bid: Bid) {
        self.posts_left = self.posts_left.saturating_sub(1);
        self.steps = self.steps.saturating_add(1);
        let intent = self.intent(now, &bid);
        self.record(
            now,
            TraceEvent::Preparing {
                attempt: intent.attempt.to_string(),
                campaign: intent.campaign.to_string(),
                price: intent.price.to_string(),
            },
        );
        let intent = Box::new(intent);
        self.intent = Some(intent.clone());
        self.persist(now, Next::Prepare(intent));
        self.phase = Phase::Preparing { bid };
    }

    fn intent(&self, now: Timestamp, bid: &Bid) -> Intent {
        let member = self.member(bid.seat);
        Intent {
            attempt: self.attempt(),
            campaign: member.campaign.id.clone(),
            tier: self.tier_of(bid.seat),
            price: bid.price,
            payout: bid.payout,
            token: bid.token.clone(),
            caps: member.caps.clone(),
            terms: member.campaign.buyer.terms,
            unknown: member.campaign.unknown,
            resolve_by: now.after(RESOLVE_WITHIN),
        }
    }

    fn prepared(&mut self, now: Timestamp, bid: Bid, durable: Durable) {
        let attempt = self.attempt();
        match durable {
            Durable::Refused(why) => {
                let event =
                    TraceEvent::Refused { attempt: attempt.to_string(), reason: why.to_string() };
                self.record(now, event);
                if why == Refused::Sold {
                    // By an answer that came late: the store knows to whom and for how much.
                    return self.unsold(now);
                }
                self.note_reason("ineligible", why.code());
                if why == Refused::Duplicate { self.duplicate(now) } else { self.advance(now) }
            }
            Durable::Done => {
                self.record(now, TraceEvent::Prepared { attempt: attempt.to_string() });
                self.post(now, bid);
            }
        }
    }

    fn post(&mut self, now: Timestamp, bid: Bid) {
        let (attempt, until) = (self.attempt(), self.post_until(now, bid.seat));
        if until <= now {
            self.conclude(now, AttemptOutcome::NotSent(NotSent::NoTimeLeft));
            return self.unsold(now);
        }
        let event =
            TraceEvent::Posted { attempt: attempt.to_string(), campaign: self.name(bid.seat) };
        self.record(now, event);
        self.at_buyer = true;
        let (seat, price, token) = (bid.seat, bid.price, bid.token.clone());
        self.outbox.push_back(Command::Post { attempt, seat, token, price, until });
        self.phase = Phase::Posting { bid, until };
    }

    fn take_outcome(&mut self, now: Timestamp, bid: Bid, answer: PostAnswer) {
        self.record_outcome(now, &answer);
        match answer {
            PostAnswer::Accepted(acceptance) => {
                self.redirect_url.clone_from(&acceptance.redirect_url);
                self.conclude(now, AttemptOutcome::Accepted(acceptance));
                self.sold(now, &bid);
            }
            PostAnswer::Rejected(rejection) => {
                self.at_buyer = false;
                self.note_reason("rejected", rejection.class.code());
                self.conclude(now, AttemptOutcome::Rejected(rejection));
                self.advance(now);
            }
            PostAnswer::NotSent(why) => {
                self.at_buyer = false;
                self.note_reason("not_sent", why.code());
                self.conclude(now, AttemptOutcome::NotSent(why));
                self.advance(now);
            }
            PostAnswer::Unknown(why) => self.lost(now, bid, why, 0),
        }
    }

    /// A post's answer was lost. `outstanding` answers may still come.
    fn lost(&mut self, now: Timestamp, bid: Bid, why: Unknown, outstanding: u8) {
        let reply_by = self.reply_by();
        if self.member(bid.seat).delivery.repost && now.after(POST_LEAST) < reply_by {
            let attempt = self.attempt();
            self.record(now, TraceEvent::Reposted { attempt: attempt.to_string() });
            self.outbox.push_back(Command::Repost {
                attempt,
                seat: bid.seat,
                token: bid.token.clone(),
                price: bid.price,
                until: reply_by,
            });
            self.phase = Phase::Resolving { bid, why, waiting: outstanding.saturating_add(1) };
        } else {
            self.hold(now, &bid, why);
        }
    }

    /// An answer while a lost one is being asked for again: the first that is definite counts.
    fn take_resolution(
        &mut self,
        now: Timestamp,
        bid: Bid,
        answer: PostAnswer,
        (why, waiting): (Unknown, u8),
    ) {
        if !is_definite(&answer) {
            let waiting = waiting.saturating_sub(1);
            if waiting == 0 {
                return self.hold(now, &bid, why);
            }
            self.phase = Phase::Resolving { bid, why, waiting };
        } else {
            self.take_outcome(now, bid, answer);
        }
    }

    /// Keeps the reservations of an unknown outcome; goes on only where the campaign says so.
    fn hold(&mut self, now: Timestamp, bid: &Bid, why: Unknown) {
        self.note_reason("unknown", why.code());
        if let Some(intent) = self.intent.take() {
            self.outbox.push_back(Command::HandOver(OpenAttempt { intent: *intent, since: now }));
        }
        self.left_open = true;
        self.at_buyer = false;
        self.conclude(now, AttemptOutcome::Unknown(why));
        match self.member(bid.seat).campaign.unknown {
            UnknownPolicy::Hold => self.end(now, LeadStatus::Pending, None),
            UnknownPolicy::Cascade => self.advance(now),
        }
    }

    fn sold(&mut self, now: Timestamp, bid: &Bid) {
        for other in std::mem::take(&mut self.bids) {
            let tie = other.price == bid.price;
            let why = if tie { Passed::TieLost } else { Passed::Outbid };
            self.pass(now, &self.name(other.seat), why);
        }
        self.end(now, LeadStatus::Sold, Some(bid.payout));
    }

    fn unsold(&mut self, now: Timestamp) {
        self.pass_all(now, Passed::NotNeeded);
        // A lost answer under a cascading policy still binds the lead when nobody else bought it.
        let status = if self.left_open { LeadStatus::Pending } else { LeadStatus::Unsold };
        self.end(now, status, None);
    }

    fn duplicate(&mut self, now: Timestamp) {
        self.pass_all(now, Passed::NotNeeded);
        self.end(now, LeadStatus::Duplicate, None);
    }

    fn abandon(&mut self, now: Timestamp) {
        self.awaited.clear();
        self.pass_all(now, Passed::NotNeeded);
        self.end(now, LeadStatus::Abandoned, None);
    }

    fn end(&mut self, now: Timestamp, status: LeadStatus, payout: Option<Money>) {
        for tier in self.tier.saturating_add(1)..self.setup.tiers.len() {
            self.record_not_reached(now, tier);
        }
        let sold = status == LeadStatus::Sold;
        self.reasons.sort_by_key(|reason| how_telling(reason));
        let answer = Answer {
            status,
            payout,
            redirect_url: self.redirect_url.clone().filter(|_| sold),
            reasons: if sold { Vec::new() } else { std::mem::take(&mut self.reasons) },
        };
        self.persist(now, Next::Answer(answer.clone()));
        self.phase = Phase::Ending { answer };
    }

    fn record_not_reached(&mut self, now: Timestamp, tier: usize) {
        for seat in self.seats(tier) {
            let event = TraceEvent::Ineligible {
                tier: self.tier_of(seat),
                campaign: self.name(seat),
                reason: IneligibleKind::TierNotReached.to_string(),
            };
            self.record(now, event);
        }
    }

    fn answered(&mut self, now: Timestamp, answer: Answer) {
        let event = TraceEvent::Answered {
            status: answer.status.to_string(),
            payout: answer.payout.map(|payout| payout.to_string()),
        };
        self.record(now, TraceEvent::Committed);
        self.record(now, event);
        self.outbox.push_back(Command::Reply(answer));
        self.phase = Phase::Ended;
    }

    fn end_now(&mut self, now: Timestamp) {
        self.record(now, TraceEvent::Committed);
        self.phase = Phase::Ended;
    }

    /// The budget ended before the disk did. What became durable since is closed without a post.
    fn undo(&mut self, now: Timestamp, bid: Option<Bid>, durable: Durable) {
        if bid.is_some() && durable == Durable::Done {
            self.conclude(now, AttemptOutcome::NotSent(NotSent::NoTimeLeft));
        }
        if bid.is_some() {
            let reasons = vec![format!("not_sent:{}", NotSent::NoTimeLeft)];
            let status = if self.left_open { LeadStatus::Pending } else { LeadStatus::Unsold };
            let answer = Answer { status, payout: None, redirect_url: None, reasons };
            self.persist(now, Next::Answer(answer));
            self.phase = Phase::Overdue { bid: None };
        } else {
            self.end_now(now);
        }
    }

    fn conclude(&mut self, now: Timestamp, outcome: AttemptOutcome) {
        debug_assert!(self.concluded.is_none(), "one attempt is open at a time");
        if let AttemptOutcome::NotSent(why) = &outcome {
            self.record_outcome(now, &PostAnswer::NotSent(*why));
        }
        self.concluded = Some(Concluded { attempt: self.attempt(), outcome });
    }

    fn persist(&mut self, now: Timestamp, next: Next) {
        let concluded = self.concluded.take();
        self.outbox.push_back(Command::Persist(Commit {
            lead: self.setup.lead,
            at: now,
            concluded,
            next,
        }));
    }

    fn pass_all(&mut self, now: Timestamp, why: Passed) {
        for bid in std::mem::take(&mut self.bids) {
            self.pass(now, &self.name(bid.seat), why);
        }
    }

    fn pass(&mut self, now: Timestamp, campaign: &str, why: Passed) {
        let event = TraceEvent::Passed { campaign: campaign.to_owned(), reason: why.to_string() };
        self.record(now, event);
    }

    fn record_outcome(&mut self, now: Timestamp, answer: &PostAnswer) {
        let (reason, text) = match answer {
            PostAnswer::Accepted(acceptance) => (None, acceptance.buyer_ref.clone()),
            PostAnswer::Rejected(no) => (Some(no.class.to_string()), no.text.clone()),
            PostAnswer::NotSent(why) => (Some(why.to_string()), None),
            PostAnswer::Unknown(why) => (Some(why.to_string()), None),
        };
        let event = TraceEvent::PostAnswer {
            attempt: self.attempt().to_string(),
            outcome: answer.code().to_owned(),
            reason,
            text,
        };
        self.record(now, event);
    }

    fn record(&mut self, now: Timestamp, event: TraceEvent) {
        self.trace.push(now.since(self.setup.started_at), event);
    }

    fn note_reason(&mut self, family: &str, code: &str) {
        let reason = format!("{family}:{code}");
        if self.reasons.len() < REASONS_MAX && !self.reasons.contains(&reason) {
            self.reasons.push(reason);
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
        let tier = self.first_seats.iter().rposition(|first| *first <= seat.0).unwrap_or(0);
        self.setup.tiers.get(tier).map_or_else(String::new, |tier| tier.name.clone())
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

/// Families of reasons, the most telling first: what a buyer said of the whole lead comes before
/// what it said of a ping, and that before those who were never asked.
fn how_telling(reason: &str) -> usize {
    let families = ["unknown", "rejected", "not_sent", "no_bid", "ineligible"];
    families.iter().position(|family| reason.starts_with(family)).unwrap_or(families.len())
}

/// Whether an answer to a repeated post settles the outcome. That the repetition was not sent, or
/// that the buyer calls it a duplicate, says nothing about the first.
pub(crate) fn is_definite(answer: &PostAnswer) -> bool {
    match answer {
        PostAnswer::Accepted(_) => true,
        PostAnswer::Rejected(rejection) => rejection.class != RejectClass::Duplicate,
        PostAnswer::NotSent(_) | PostAnswer::Unknown(_) => false,
    }
}

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
