//! How an auction ends, and what the seller is told.

use exchange_model::reason::{IneligibleKind, LeadStatus, NotSent, Passed};
use exchange_model::{Money, Timestamp};

use super::ranking::Bid;
use super::{Auction, Command, Phase};
use crate::record::{Answer, AttemptOutcome, Durable, Next};
use crate::trace::TraceEvent;

impl Auction {
    pub(super) fn sold(&mut self, now: Timestamp, bid: &Bid, payout: Money) {
        for other in std::mem::take(&mut self.bids) {
            let tie = other.price == bid.price;
            let why = if tie { Passed::TieLost } else { Passed::Outbid };
            self.pass(now, &self.name(other.seat), why);
        }
        self.end(now, LeadStatus::Sold, Some(payout));
    }

    pub(super) fn unsold(&mut self, now: Timestamp) {
        self.pass_all(now, Passed::NotNeeded);
        // A lost answer under a cascading policy still binds the lead when nobody else bought it.
        let status = if self.left_open { LeadStatus::Pending } else { LeadStatus::Unsold };
        self.end(now, status, None);
    }

    pub(super) fn duplicate(&mut self, now: Timestamp) {
        self.pass_all(now, Passed::NotNeeded);
        self.end(now, LeadStatus::Duplicate, None);
    }

    pub(super) fn abandon(&mut self, now: Timestamp) {
        self.awaited.clear();
        self.pass_all(now, Passed::NotNeeded);
        self.end(now, LeadStatus::Abandoned, None);
    }

    pub(super) fn end(&mut self, now: Timestamp, status: LeadStatus, payout: Option<Money>) {
        for tier in self.tier.saturating_add(1)..self.setup.tiers.len() {
            self.record_not_reached(now, tier);
        }
        let sold = status == LeadStatus::Sold;
        self.reasons.sort_by_key(|reason| how_telling(reason));
        let answer = Answer {
            status,
            payout,
            redirect_url: self.redirect_url.clone().filter(|_| sold),
            sales: Vec::new(),
            reasons: if sold { Vec::new() } else { std::mem::take(&mut self.reasons) },
        };
        self.persist(now, Next::Answer(answer.clone()));
        self.phase = Phase::Ending { answer };
    }

    pub(super) fn record_not_reached(&mut self, now: Timestamp, tier: usize) {
        for seat in self.seats(tier) {
            let event = TraceEvent::Ineligible {
                tier: self.tier_of(seat),
                campaign: self.name(seat),
                reason: IneligibleKind::TierNotReached.to_string(),
            };
            self.record(now, event);
        }
    }

    pub(super) fn answered(&mut self, now: Timestamp, answer: Answer) {
        let event = TraceEvent::Answered {
            status: answer.status.to_string(),
            payout: answer.payout.map(|payout| payout.to_string()),
        };
        self.record(now, TraceEvent::Committed);
        self.record(now, event);
        self.outbox.push_back(Command::Reply(answer));
        self.phase = Phase::Ended;
    }

    pub(super) fn end_now(&mut self, now: Timestamp) {
        self.record(now, TraceEvent::Committed);
        self.phase = Phase::Ended;
    }

    /// The budget ended before the disk did. What became durable since is closed without a post.
    pub(super) fn undo(&mut self, now: Timestamp, bid: Option<Bid>, durable: Durable) {
        if bid.is_some() && durable == Durable::Done {
            self.conclude(now, AttemptOutcome::NotSent(NotSent::NoTimeLeft));
        }
        if bid.is_some() {
            let reasons = vec![format!("not_sent:{}", NotSent::NoTimeLeft)];
            let status = if self.left_open { LeadStatus::Pending } else { LeadStatus::Unsold };
            let answer =
                Answer { status, payout: None, redirect_url: None, sales: Vec::new(), reasons };
            self.persist(now, Next::Answer(answer));
            self.phase = Phase::Overdue { bid: None };
        } else {
            self.end_now(now);
        }
    }
}

/// Families of reasons, the most telling first: what a buyer said of the whole lead comes before
/// what it said of a ping, and that before those who were never asked.
fn how_telling(reason: &str) -> usize {
    let families = ["unknown", "rejected", "not_sent", "no_bid", "ineligible"];
    families.iter().position(|family| reason.starts_with(family)).unwrap_or(families.len())
}
