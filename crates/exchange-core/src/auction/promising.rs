//! A ping's promise: made from the bids of a tier, honoured by a later post.

use exchange_model::reason::Passed;
use exchange_model::{Money, Timestamp};
use rust_decimal::Decimal;

use super::appraising::{Offered, is_shared};
use super::deciding::Paid;
use super::ranking::Bid;
use super::selection::Choice;
use super::setup::{Goal, Seat};
use super::{Auction, Command, Phase};
use crate::record::{Promise, PromisedBid};

impl Auction {
    pub(super) fn promise(&mut self, promise: Promise) {
        self.outbox.push_back(Command::PersistPromise(promise.clone()));
        self.phase = Phase::Promising { promise };
    }

    /// Promises what the chosen set pays. No promise outlives the bids that it is made of.
    pub(super) fn promise_choice(&mut self, now: Timestamp, choice: &Choice, paid: &[Paid]) {
        let Goal::Quote { ping, lifetime } = &self.setup.goal else { return };
        let total: Decimal = paid.iter().map(|paid| paid.payout.amount()).sum();
        let chosen = |index: usize| paid.iter().any(|paid| paid.bid == index);
        let made_of = self.bids.iter().enumerate().filter(|(index, _)| chosen(*index));
        let ends = made_of.filter_map(|(_, bid)| bid.expires_at()).min();
        let expires_at = now.after(*lifetime);
        let promise = Promise {
            ping: *ping,
            payout: Money::new(total, choice.payout.currency()),
            expires_at: ends.map_or(expires_at, |end| end.min(expires_at)),
            bids: self.promised_bids(choice, paid),
        };
        self.awaited.clear();
        self.promise(promise);
    }

    /// The set first, then everybody else in the order of the tier.
    fn promised_bids(&self, choice: &Choice, paid: &[Paid]) -> Vec<PromisedBid> {
        let mut order: Vec<usize> = paid.iter().map(|paid| paid.bid).collect();
        let names = self.ranked(choice.buyers);
        let place = |bid: &Bid| names.iter().position(|name| *name == self.name(bid.seat));
        let mut rest: Vec<usize> = (0..self.bids.len()).collect();
        rest.sort_by_key(|index| self.bids.get(*index).and_then(place));
        order.extend(rest);
        let mut promised: Vec<PromisedBid> = Vec::new();
        for (index, bid) in order.iter().filter_map(|at| Some((*at, self.bids.get(*at)?))) {
            let campaign = &self.member(bid.seat).campaign.id;
            if promised.iter().all(|known| known.campaign != *campaign) {
                let is_chosen = paid.iter().any(|paid| paid.bid == index);
                promised.push(PromisedBid {
                    campaign: campaign.clone(),
                    tier: self.tier_name(),
                    price: bid.bid,
                    contract: bid.contract,
                    buyers: if is_chosen { choice.buyers } else { 0 },
                    token: bid.token.clone(),
                    answered_at: bid.answered_at,
                });
            }
        }
        promised
    }

    /// Puts the bids of a promise in their order; members that left the plan are passed over.
    pub(super) fn stand_by(&mut self, now: Timestamp, promise: &Promise) {
        let tier = promise.bids.first().map(|bid| bid.tier.as_str());
        let tier = self.setup.tiers.iter().find(|known| Some(known.name.as_str()) == tier);
        self.rules = tier.map(|tier| tier.rules.clone()).unwrap_or_default();
        self.closed = true;
        for bid in &promise.bids {
            let seat = self.members.iter().position(|m| m.campaign.id == bid.campaign).map(Seat);
            let Some(seat) = seat else {
                self.pass(now, &bid.campaign.to_string(), Passed::Refused);
                continue;
            };
            let (price, token) = (bid.price, bid.token.clone());
            let (contract, at) = (bid.contract, bid.answered_at);
            match self.appraise(Offered { seat, price, contract, token, at }) {
                Ok(stands) if self.may_honour(&stands, promise) => {
                    self.qualify(seat);
                    self.bids.push_back(stands);
                }
                Ok(_) | Err(_) => self.pass(now, &bid.campaign.to_string(), Passed::BelowPromise),
            }
        }
        self.tier = self.setup.tiers.len();
        self.posts_left = self.cascade_of_promise();
        self.advance(now);
    }

    /// Whether a bid pays what was promised, where it alone must.
    fn may_honour(&self, bid: &Bid, promise: &Promise) -> bool {
        is_shared(self.rules.sale) || bid.bid.at_least(promise.payout).unwrap_or(false)
    }

    pub(super) fn cascade_of_promise(&self) -> u16 {
        let most = self.setup.tiers.iter().map(|tier| tier.cascade).max().unwrap_or(0);
        u16::from(most).saturating_add(1)
    }
}
