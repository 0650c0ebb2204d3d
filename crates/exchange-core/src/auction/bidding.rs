//! Asking a tier for bids, and judging what comes.

use exchange_model::outcome::{BidToken, PingAnswer};
use exchange_model::reason::{IneligibleKind, NoBid};
use exchange_model::{Money, Timestamp};
use ping_tree::{Method, Rank};
use rust_decimal::Decimal;

use super::appraising::{Offered, handicap, value_rule};
use super::ranking::Bid;
use super::setup::Seat;
use super::{Auction, Awaited, Command, Phase};
use crate::trace::TraceEvent;

/// Decimal places of a rank as it is shown.
const RANK_PLACES: u32 = 4;

impl Auction {
    /// Pings the members of the current tier, and prices those that take no ping.
    pub(super) fn open_tier(&mut self, now: Timestamp) {
        let Some(tier) = self.setup.tiers.get(self.tier) else { return self.unsold(now) };
        self.closes =
            now.after(tier.ping_timeout).min(self.setup.deadline.before(self.setup.post_reserve));
        self.posts_left = u16::from(tier.cascade).saturating_add(1);
        self.rules = tier.rules.clone();
        self.closed = false;
        if !self.has_room() {
            // Whoever may have the lead was promised fewer others than this tier sells to.
            self.record_not_reached(now, self.tier);
            self.tier = self.tier.saturating_add(1);
            return self.open_tier(now);
        }
        self.phase = Phase::Pinging;
        self.unasked = self.seats(self.tier).collect();
        if self.rules.method != Method::InOrder {
            for seat in std::mem::take(&mut self.unasked) {
                self.turn_to(now, seat);
            }
        }
        self.advance(now);
    }

    /// Asks the next member in order; whether there was one.
    pub(super) fn ask_next(&mut self, now: Timestamp) -> bool {
        match self.unasked.pop_front() {
            Some(seat) => {
                self.turn_to(now, seat);
                true
            }
            None => false,
        }
    }

    fn turn_to(&mut self, now: Timestamp, seat: Seat) {
        match self.member(seat).delivery.ping {
            None => self.take_fixed(now, seat, None),
            Some(own) => self.ping(now, seat, self.closes.min(now.after(own))),
        }
    }

    pub(super) fn ping(&mut self, now: Timestamp, seat: Seat, until: Timestamp) {
        let tier = self.tier_name();
        let campaign = self.name(seat);
        let typical = self.member(seat).delivery.typical.unwrap_or_default();
        if until <= now || until.since(now) < typical {
            let reason = IneligibleKind::NoTimeLeft;
            self.note_reason("ineligible", reason.code());
            let reason = reason.to_string();
            return self.record(now, TraceEvent::Ineligible { tier, campaign, reason });
        }
        let least = Some(self.least_price(seat).to_string());
        self.record(now, TraceEvent::Pinged { tier, campaign, least });
        self.awaited.push(Awaited { seat, until });
        self.lateness.asked(Awaited { seat, until });
        self.outbox.push_back(Command::Ping { seat, until });
    }

    /// A member answered its ping while its tier waits.
    pub(super) fn take_bid(&mut self, now: Timestamp, seat: Seat, answer: PingAnswer) {
        self.take_in(now, seat, answer);
        self.advance(now);
    }

    /// A member answered its ping: in time it is one of the bids, whatever else is under way.
    pub(super) fn take_in(&mut self, now: Timestamp, seat: Seat, answer: PingAnswer) {
        let Some(at) = self.awaited.iter().position(|a| a.seat == seat) else {
            return self.record_late(now, seat, answer);
        };
        let awaited = self.awaited.remove(at);
        if awaited.until < now {
            return self.record_late(now, seat, answer);
        }
        match answer {
            PingAnswer::Bid { price, token } => {
                let contract = false;
                self.take_price(now, Offered { seat, price, contract, token, at: now });
            }
            PingAnswer::Available { token } => self.take_fixed(now, seat, token),
            PingAnswer::NoBid(reason) => self.no_bid(now, seat, &reason),
        }
    }

    pub(super) fn take_fixed(&mut self, now: Timestamp, seat: Seat, token: Option<BidToken>) {
        match self.member(seat).contract {
            Some(price) => {
                self.take_price(now, Offered { seat, price, contract: true, token, at: now });
            }
            None => self.no_bid(now, seat, &NoBid::BadReply("price".to_owned())),
        }
    }

    pub(super) fn take_price(&mut self, now: Timestamp, offered: Offered) {
        let seat = offered.seat;
        match self.appraise(offered) {
            Ok(bid) => {
                self.arrived = self.arrived.saturating_add(1);
                self.record_bid(now, &bid);
                self.qualify(seat);
                self.bids.push_back(bid);
            }
            Err(reason) => self.no_bid(now, seat, &reason),
        }
    }

    fn record_bid(&mut self, now: Timestamp, bid: &Bid) {
        let campaign = self.name(bid.seat);
        self.record(
            now,
            TraceEvent::Bid {
                campaign: campaign.clone(),
                price: bid.bid.to_string(),
                payout: bid.payout.to_string(),
            },
        );
        if let Some(valued) = self.valued(campaign, bid) {
            self.record(now, valued);
        }
    }

    /// What a bid is compared by, where that is not what it says.
    fn valued(&self, campaign: String, bid: &Bid) -> Option<TraceEvent> {
        let member = self.member(bid.seat);
        let at = bid.first_terms()?;
        let value = value_rule(member, bid.contract).value(at.price)?;
        let expected = self.rules_of(bid.seat).rank == Rank::Expected;
        if value == at.price && member.handicap.is_none() && !expected {
            return None;
        }
        let off = handicap(member, at.payout);
        let money = |amount: Decimal| Money::new(amount, at.price.currency()).to_string();
        Some(TraceEvent::Valued {
            campaign,
            value: value.to_string(),
            rank: money(at.worth.rank.round_dp(RANK_PLACES)),
            handicap: (!off.is_zero()).then(|| money(off)),
            chance: expected.then_some(member.chance),
        })
    }

    pub(super) fn no_bid(&mut self, now: Timestamp, seat: Seat, reason: &NoBid) {
        self.note_reason("no_bid", reason.code());
        let text = match reason {
            NoBid::Declined(rejection) => rejection.text.clone(),
            _ => None,
        };
        let event = TraceEvent::NoBid {
            campaign: self.name(seat),
            reason: reason.to_string(),
            text,
            late: None,
        };
        self.record(now, event);
    }

    pub(super) fn time_out_pings(&mut self, now: Timestamp) {
        self.drop_overdue(|until| until <= now, now);
        self.advance(now);
    }

    /// Whoever has not answered in its time gave no bid.
    pub(super) fn drop_overdue(&mut self, is_over: impl Fn(Timestamp) -> bool, now: Timestamp) {
        let late: Vec<Seat> =
            self.awaited.iter().filter(|a| is_over(a.until)).map(|a| a.seat).collect();
        self.awaited.retain(|a| !is_over(a.until));
        for seat in late {
            self.no_bid(now, seat, &NoBid::Timeout);
        }
    }
}
