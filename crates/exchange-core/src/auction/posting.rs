//! From the best bid to the outcome of its post: commit A, the post, commit B, the cascade.

use exchange_model::Timestamp;
use exchange_model::outcome::{Acceptance, PostAnswer};
use exchange_model::reason::{
    IneligibleKind, LeadStatus, NotSent, Passed, Refused, RejectClass, Rejection,
};

use super::asking::Lost;
use super::ranking::Bid;
use super::{Auction, Command, POST_LEAST, Phase};
use ping_tree::SaleKind;

use crate::record::{AttemptOutcome, Durable, Intent, Next, OpenAttempt, UnknownPolicy};
use crate::trace::TraceEvent;

impl Auction {
    /// Prepares the best bid left, then asks the next tier, then gives up.
    pub(super) fn advance(&mut self, now: Timestamp) {
        self.pass_expired(now);
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
        self.posts_left = self.posts_left.saturating_sub(1);
        self.prepare(now, bid);
    }

    /// Passes over the bids that their buyers do not stand by any longer.
    fn pass_expired(&mut self, now: Timestamp) {
        while self.bids.front().is_some_and(|bid| bid.is_expired(now)) {
            if let Some(bid) = self.bids.pop_front() {
                self.pass(now, &self.name(bid.seat), Passed::Expired);
            }
        }
    }

    pub(super) fn next_tier(&mut self, now: Timestamp) {
        self.pass_all(now, Passed::NotNeeded);
        self.tier = self.tier.saturating_add(1);
        self.open_tier(now);
    }

    pub(super) fn prepare(&mut self, now: Timestamp, bid: Bid) {
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

    pub(super) fn intent(&self, now: Timestamp, bid: &Bid) -> Intent {
        let member = self.member(bid.seat);
        let on_price = self.price_terms(bid.seat);
        Intent {
            attempt: self.attempt(),
            request_key: bid.key.unwrap_or_else(|| self.attempt()),
            campaign: member.campaign.id.clone(),
            tier: self.tier_of(bid.seat),
            price: bid.price,
            payout: bid.payout,
            hold: on_price.most(bid.price),
            on_price,
            token: bid.token.clone(),
            caps: member.caps.clone(),
            terms: member.campaign.buyer.terms,
            buyers: 1,
            legs: Vec::new(),
            person: crate::duplicates::Person::default(),
            unknown: member.campaign.unknown_in(SaleKind::Exclusive),
            resolve_by: now.after(member.delivery.answer_within),
        }
    }

    pub(super) fn prepared(&mut self, now: Timestamp, bid: Bid, durable: Durable) {
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

    pub(super) fn post(&mut self, now: Timestamp, bid: Bid) {
        let (attempt, until) = (self.attempt(), self.post_until(now, bid.seat));
        if until <= now {
            self.conclude(now, AttemptOutcome::NotSent(NotSent::NoTimeLeft));
            return self.unsold(now);
        }
        if bid.is_expired(now) {
            self.conclude(now, AttemptOutcome::NotSent(NotSent::NoTimeLeft));
            self.pass(now, &self.name(bid.seat), Passed::Expired);
            return self.advance(now);
        }
        let event =
            TraceEvent::Posted { attempt: attempt.to_string(), campaign: self.name(bid.seat) };
        self.record(now, event);
        self.at_buyer = true;
        let (seat, price, token) = (bid.seat, bid.price, bid.token.clone());
        let key = bid.key.unwrap_or(attempt);
        self.outbox.push_back(Command::Post { attempt, seat, token, price, key, until });
        self.phase = Phase::Posting { bid, until };
    }

    pub(super) fn take_outcome(&mut self, now: Timestamp, bid: Bid, answer: PostAnswer) {
        match answer {
            PostAnswer::Accepted(acceptance) => self.accepted(now, &bid, acceptance),
            PostAnswer::Rejected(rejection) => self.rejected(now, &bid, rejection),
            PostAnswer::NotSent(why) => {
                self.at_buyer = false;
                self.note_reason("not_sent", why.code());
                self.conclude(now, AttemptOutcome::NotSent(why));
                self.advance(now);
            }
            PostAnswer::Unknown(why) => {
                self.record_outcome(now, &answer);
                let mut lost = Lost::new(bid, why);
                lost.post_out = false;
                self.lost(now, lost);
            }
            PostAnswer::Pending(ref handles) => {
                self.record_outcome(now, &answer);
                self.lost(now, Lost::pending(bid, handles.clone()));
            }
        }
    }

    /// The buyer has the lead; whether that is a sale is up to the price that it names.
    fn accepted(&mut self, now: Timestamp, bid: &Bid, acceptance: Acceptance) {
        let intent = self.intent.as_ref().expect("an attempt that is posted has its intent");
        match intent.accepted(acceptance) {
            AttemptOutcome::Accepted(sale) => {
                self.record_outcome(now, &PostAnswer::Accepted(sale.acceptance.clone()));
                self.redirect_url.clone_from(&sale.acceptance.redirect_url);
                let payout = sale.payout;
                self.conclude(now, AttemptOutcome::Accepted(sale));
                self.sold(now, bid, payout);
            }
            mispriced => {
                self.at_buyer = false;
                let rejection = Rejection::new(RejectClass::Price, None);
                self.record_outcome(now, &PostAnswer::Rejected(rejection));
                self.note_reason("rejected", RejectClass::Price.code());
                self.conclude(now, mispriced);
                self.advance(now);
            }
        }
    }

    fn rejected(&mut self, now: Timestamp, bid: &Bid, rejection: Rejection) {
        self.at_buyer = false;
        let offered = rejection.counter;
        self.record_outcome(now, &PostAnswer::Rejected(rejection.clone()));
        self.note_reason("rejected", rejection.class.code());
        self.conclude(now, AttemptOutcome::Rejected(rejection));
        match offered.and_then(|offered| self.counter(now, bid, offered)) {
            Some(again) => self.prepare(now, again),
            None => self.advance(now),
        }
    }

    /// Keeps the reservations of an unknown outcome; goes on only where the campaign says so.
    pub(super) fn hold(&mut self, now: Timestamp, lost: Lost) {
        let Lost { bid, why, handles, posted_again, .. } = lost;
        self.note_reason("unknown", why.code());
        if let Some(intent) = self.intent.take() {
            let (intent, handles) = (*intent, handles.clone());
            let open = OpenAttempt { intent, since: now, why, handles, posted_again };
            self.outbox.push_back(Command::HandOver(open));
        }
        self.left_open = true;
        self.at_buyer = false;
        self.conclude(now, AttemptOutcome::Unknown(why, handles));
        match self.member(bid.seat).campaign.unknown_in(SaleKind::Exclusive) {
            UnknownPolicy::Hold => self.end(now, LeadStatus::Pending, None),
            UnknownPolicy::Cascade => self.advance(now),
        }
    }
}
