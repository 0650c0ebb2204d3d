//! From the best bid to the outcome of its post: commit A, the post, commit B, the cascade.

use exchange_model::Timestamp;
use exchange_model::outcome::PostAnswer;
use exchange_model::reason::{IneligibleKind, LeadStatus, NotSent, Passed, Refused, Unknown};

use super::ranking::Bid;
use super::{Auction, Command, POST_LEAST, Phase, is_definite};
use crate::record::{
    AttemptOutcome, Durable, Intent, Next, OpenAttempt, RESOLVE_WITHIN, UnknownPolicy,
};
use crate::trace::TraceEvent;

impl Auction {
    /// Prepares the best bid left, then asks the next tier, then gives up.
    pub(super) fn advance(&mut self, now: Timestamp) {
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

    pub(super) fn next_tier(&mut self, now: Timestamp) {
        self.pass_all(now, Passed::NotNeeded);
        self.tier = self.tier.saturating_add(1);
        self.open_tier(now);
    }

    pub(super) fn prepare(&mut self, now: Timestamp, bid: Bid) {
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

    pub(super) fn intent(&self, now: Timestamp, bid: &Bid) -> Intent {
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
        let event =
            TraceEvent::Posted { attempt: attempt.to_string(), campaign: self.name(bid.seat) };
        self.record(now, event);
        self.at_buyer = true;
        let (seat, price, token) = (bid.seat, bid.price, bid.token.clone());
        self.outbox.push_back(Command::Post { attempt, seat, token, price, until });
        self.phase = Phase::Posting { bid, until };
    }

    pub(super) fn take_outcome(&mut self, now: Timestamp, bid: Bid, answer: PostAnswer) {
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
            PostAnswer::Pending(_) => self.lost(now, bid, Unknown::Pending, 0),
        }
    }

    /// A post's answer was lost. `outstanding` answers may still come.
    pub(super) fn lost(&mut self, now: Timestamp, bid: Bid, why: Unknown, outstanding: u8) {
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
    pub(super) fn take_resolution(
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
    pub(super) fn hold(&mut self, now: Timestamp, bid: &Bid, why: Unknown) {
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
}
