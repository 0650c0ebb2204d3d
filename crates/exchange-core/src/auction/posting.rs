//! From the best bid to the outcome of its post: commit A, the post, commit B, the cascade.

use std::collections::VecDeque;

use exchange_model::Timestamp;
use exchange_model::outcome::{Acceptance, PostAnswer};
use exchange_model::reason::{NotSent, Passed, Refused, RejectClass, Rejection};

use super::appraising::is_shared;
use super::asking::Lost;
use super::ranking::Bid;
use super::setup::Goal;
use super::{Auction, Command, Phase};
use crate::record::{
    AttemptOutcome, Durable, Intent, Next, OpenAttempt, UnknownPolicy, most_booked,
};
use crate::trace::TraceEvent;

impl Auction {
    /// Passes over the bids that their buyers do not stand by any longer.
    pub(super) fn pass_expired(&mut self, now: Timestamp) {
        let bids = std::mem::take(&mut self.bids);
        let (expired, standing): (VecDeque<Bid>, VecDeque<Bid>) =
            bids.into_iter().partition(|bid| bid.is_expired(now));
        self.bids = standing;
        for bid in expired {
            self.pass(now, &self.name(bid.seat), Passed::Expired);
        }
    }

    /// Nobody else of this tier is tried. It passes on a lead that it sold nothing of.
    pub(super) fn tier_over(&mut self, now: Timestamp) {
        if self.sales.is_empty() && !matches!(self.setup.goal, Goal::Fulfil(_)) {
            self.next_tier(now);
        } else {
            self.finish(now);
        }
    }

    pub(super) fn next_tier(&mut self, now: Timestamp) {
        self.pass_all(now, Passed::NotNeeded);
        self.awaited.clear();
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
        let on_price = self.post_terms(bid);
        Intent {
            attempt: self.attempt(),
            request_key: bid.key.unwrap_or_else(|| self.attempt()),
            campaign: member.campaign.id.clone(),
            tree: self.setup.tree.clone(),
            tier: self.tier_of(bid.seat),
            price: bid.price,
            payout: bid.payout,
            hold: most_booked(&on_price, bid.price, &bid.post.legs),
            on_price,
            token: bid.token.clone(),
            caps: member.caps.clone(),
            terms: member.campaign.buyer.terms,
            buyers: bid.post.buyers,
            legs: bid.post.legs.clone(),
            person: crate::duplicates::Person::default(),
            unknown: member.campaign.unknown_in(self.rules.sale),
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
                    return self.finish(now);
                }
                self.note_reason("ineligible", why.code());
                match why {
                    // A buyer that may have the lead may still buy it.
                    Refused::Duplicate if self.sales.is_empty() && !self.left_open => {
                        self.duplicate(now);
                    }
                    Refused::Duplicate => self.finish(now),
                    Refused::Cap
                    | Refused::NoCredit
                    | Refused::Sold
                    | Refused::Stopped
                    | Refused::BuyerDuplicate
                    | Refused::Suppressed
                    | Refused::NoSlot => self.advance(now),
                }
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
            return self.finish(now);
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
                self.sold(now, bid, sale);
            }
            AttemptOutcome::Rejected(rejection) => self.rejected(now, bid, rejection),
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
        if is_shared(self.rules.sale) {
            self.held.take(bid.post.buyers, bid.post.places());
        }
        self.conclude(now, AttemptOutcome::Unknown(why, handles));
        match self.member(bid.seat).campaign.unknown_in(self.rules.sale) {
            UnknownPolicy::Hold => self.finish(now),
            UnknownPolicy::Cascade => self.advance(now),
        }
    }
}
