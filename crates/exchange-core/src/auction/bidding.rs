//! Asking a tier for bids, and judging what comes.

use exchange_model::outcome::{BidToken, PingAnswer};
use exchange_model::reason::{IneligibleKind, NoBid};
use exchange_model::{Money, Timestamp};

use super::ranking::Bid;
use super::setup::{Goal, Seat};
use super::{Auction, Awaited, Command, Phase, pricing, ranking};
use crate::record::Promise;
use crate::trace::TraceEvent;

impl Auction {
    /// Pings the members of the current tier, and prices those that take no ping.
    pub(super) fn open_tier(&mut self, now: Timestamp) {
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
        self.record(now, TraceEvent::Pinged { tier, campaign });
        self.awaited.push(Awaited { seat, until });
        self.lateness.asked(Awaited { seat, until });
        self.outbox.push_back(Command::Ping { seat, until });
    }

    pub(super) fn take_bid(&mut self, now: Timestamp, seat: Seat, answer: PingAnswer) {
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

    pub(super) fn take_fixed(&mut self, now: Timestamp, seat: Seat, token: Option<BidToken>) {
        match self.member(seat).campaign.price {
            ping_tree::PriceMode::Fixed { base }
            | ping_tree::PriceMode::Bid { base: Some(base), .. } => {
                self.take_price(now, seat, base, token);
            }
            ping_tree::PriceMode::Bid { base: None, .. } => {
                self.no_bid(now, seat, &NoBid::BadReply("price".to_owned()));
            }
        }
    }

    pub(super) fn take_price(
        &mut self,
        now: Timestamp,
        seat: Seat,
        price: Money,
        token: Option<BidToken>,
    ) {
        let reserve = self.reserve_of(seat);
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
                self.bids.push_back(Bid::new(seat, price, payout, token, now));
            }
            Err(reason) => self.no_bid(now, seat, &reason),
        }
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
        let late: Vec<Seat> =
            self.awaited.iter().filter(|a| a.until <= now).map(|a| a.seat).collect();
        self.awaited.retain(|a| a.until > now);
        for seat in late {
            self.no_bid(now, seat, &NoBid::Timeout);
        }
        self.close_when_all_answered(now);
    }

    pub(super) fn close_when_all_answered(&mut self, now: Timestamp) {
        if !self.awaited.is_empty() {
            return;
        }
        ranking::rank(self.bids.make_contiguous(), &self.members);
        self.settle_lateness();
        if !self.bids.is_empty() {
            let order = self.bids.iter().map(|bid| self.name(bid.seat)).collect();
            self.record(now, TraceEvent::Ranked { tier: self.tier_name(), order });
        }
        match (&self.setup.goal, self.bids.front()) {
            (Goal::Quote { ping, lifetime }, Some(best)) => self.promise(Promise {
                ping: *ping,
                payout: best.payout,
                // No promise outlives the bid that it is made of.
                expires_at: best
                    .expires_at()
                    .map_or_else(|| now.after(*lifetime), |end| end.min(now.after(*lifetime))),
                bids: self.promised_bids(),
            }),
            (Goal::Quote { .. }, None) => self.next_tier(now),
            (Goal::Sell | Goal::Fulfil(_), _) => self.advance(now),
        }
    }
}
