//! How an auction ends, and what the seller is told.

use exchange_model::reason::{IneligibleKind, LeadStatus, NotSent, Passed};
use exchange_model::{Money, Timestamp};

use super::appraising::is_shared;
use super::ranking::Bid;
use super::{Auction, Command, Phase};
use crate::record::{Answer, AttemptOutcome, Durable, Next, Sale, SoldTo};
use crate::trace::TraceEvent;

impl Auction {
    /// A buyer has bought. A lead that may go to several is sold on while a place is free.
    pub(super) fn sold(&mut self, now: Timestamp, bid: &Bid, sale: Sale) {
        let first = self.redirect_url.take();
        self.redirect_url = first.or_else(|| sale.acceptance.redirect_url.clone());
        self.sales.extend(sold_to(&sale));
        let places = u8::try_from(sale.legs.len()).unwrap_or(u8::MAX).max(1);
        self.was_shared |= is_shared(self.rules.sale);
        self.held.take(bid.post.buyers, places);
        self.held.payout += sale.payout.amount();
        self.held.once_paid |= self.intent.as_ref().is_some_and(|intent| intent.pays_once(&sale));
        self.conclude(now, AttemptOutcome::Accepted(sale));
        self.at_buyer = false;
        if is_shared(self.rules.sale) {
            // A post that was taken does not count against those that may be refused.
            self.posts_left = self.posts_left.saturating_add(1);
            return self.advance(now);
        }
        for other in std::mem::take(&mut self.bids) {
            let why = if other.bid == bid.bid { Passed::TieLost } else { Passed::Outbid };
            self.pass(now, &self.name(other.seat), why);
        }
        self.finish(now);
    }

    /// Ends as things stand: sold, open with a buyer, or neither.
    pub(super) fn finish(&mut self, now: Timestamp) {
        let why = if self.sales.is_empty() { Passed::NotNeeded } else { Passed::Outbid };
        self.pass_all(now, why);
        self.end(now, self.standing());
    }

    /// How the lead stands.
    fn standing(&self) -> LeadStatus {
        if !self.sales.is_empty() {
            LeadStatus::Sold
        } else if self.left_open {
            // A lost answer still binds the lead when nobody else bought it.
            LeadStatus::Pending
        } else {
            LeadStatus::Unsold
        }
    }

    pub(super) fn unsold(&mut self, now: Timestamp) {
        self.finish(now);
    }

    pub(super) fn duplicate(&mut self, now: Timestamp) {
        self.pass_all(now, Passed::NotNeeded);
        self.end(now, LeadStatus::Duplicate);
    }

    pub(super) fn abandon(&mut self, now: Timestamp) {
        self.awaited.clear();
        // Nobody could have bought it.
        self.qualified.clear();
        self.pass_all(now, Passed::NotNeeded);
        self.end(now, LeadStatus::Abandoned);
    }

    pub(super) fn end(&mut self, now: Timestamp, status: LeadStatus) {
        for tier in self.tier.saturating_add(1)..self.setup.tiers.len() {
            self.record_not_reached(now, tier);
        }
        self.reasons.sort_by_key(|reason| how_telling(reason));
        let reasons = std::mem::take(&mut self.reasons);
        let answer = self.answer(status, reasons);
        self.persist(now, Next::Answer(answer.clone()));
        self.phase = Phase::Ending { answer };
    }

    fn answer(&self, status: LeadStatus, reasons: Vec<String>) -> Answer {
        if status != LeadStatus::Sold {
            return Answer { status, payout: None, redirect_url: None, sales: Vec::new(), reasons };
        }
        let currency = self.sales.first().map(|sale| sale.payout.currency());
        Answer {
            status,
            payout: currency.map(|currency| Money::new(self.held.payout, currency)),
            redirect_url: self.redirect_url.clone(),
            // Of a lead that goes to one buyer the payout says it all.
            sales: if self.was_shared { self.sales.clone() } else { Vec::new() },
            reasons: Vec::new(),
        }
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
            let answer = self.answer(self.standing(), reasons);
            self.persist(now, Next::Answer(answer));
            self.phase = Phase::Overdue { bid: None };
        } else {
            self.end_now(now);
        }
    }
}

/// A sale as the seller sees it, one for each company behind the buyer.
fn sold_to(sale: &Sale) -> Vec<SoldTo> {
    let redirect_url = &sale.acceptance.redirect_url;
    let to = |payout: Money, name: Option<String>| SoldTo {
        payout,
        redirect_url: redirect_url.clone(),
        name,
    };
    if sale.legs.is_empty() {
        return vec![to(sale.payout, None)];
    }
    sale.legs.iter().map(|leg| to(leg.payout, leg.brand.name.clone())).collect()
}

/// Families of reasons, the most telling first: what a buyer said of the whole lead comes before
/// what it said of a ping, and that before those who were never asked.
fn how_telling(reason: &str) -> usize {
    let families = ["unknown", "rejected", "not_sent", "no_bid", "ineligible"];
    families.iter().position(|family| reason.starts_with(family)).unwrap_or(families.len())
}
