//! A ping's promise: made from the bids of a tier, honoured by a later post.

use exchange_model::Timestamp;
use exchange_model::reason::Passed;

use super::ranking::Bid;
use super::setup::Seat;
use super::{Auction, Command, Phase, pricing};
use crate::record::{Promise, PromisedBid};

impl Auction {
    pub(super) fn promise(&mut self, promise: Promise) {
        self.outbox.push_back(Command::PersistPromise(promise.clone()));
        self.phase = Phase::Promising { promise };
    }

    pub(super) fn promised_bids(&self) -> Vec<PromisedBid> {
        self.bids
            .iter()
            .map(|bid| PromisedBid {
                campaign: self.member(bid.seat).campaign.id.clone(),
                tier: self.tier_name(),
                price: bid.price,
                token: bid.token.clone(),
                answered_at: bid.answered_at,
            })
            .collect()
    }

    /// Puts the bids of a promise in their order; members that left the plan are passed over.
    pub(super) fn stand_by(&mut self, now: Timestamp, promise: &Promise) {
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
                    self.bids.push_back(Bid::new(seat, bid.price, payout, token, bid.answered_at));
                }
                None => self.pass(now, &bid.campaign.to_string(), Passed::BelowPromise),
            }
        }
        self.tier = self.setup.tiers.len();
        self.posts_left = self.cascade_of_promise();
        self.advance(now);
    }

    pub(super) fn cascade_of_promise(&self) -> u16 {
        let most = self.setup.tiers.iter().map(|tier| tier.cascade).max().unwrap_or(0);
        u16::from(most).saturating_add(1)
    }
}
