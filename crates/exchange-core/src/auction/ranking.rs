//! The order in which bids are tried.
//!
//! Highest price first; equal prices go to the campaign that won least recently (never is longest
//! ago), then to the smaller id. The order is total, so replaying an auction ranks alike.

use std::cmp::Reverse;

use exchange_model::outcome::BidToken;
use exchange_model::{AttemptId, Money, Timestamp};

use super::setup::{Member, Seat};

/// A usable bid.
#[derive(Clone, Debug)]
pub struct Bid {
    /// Whose.
    pub seat: Seat,
    /// What the buyer pays.
    pub price: Money,
    /// What the seller is paid.
    pub payout: Money,
    /// The buyer's handle.
    pub token: Option<BidToken>,
    /// When the buyer answered: its token's lifetime counts from here.
    pub answered_at: Timestamp,
    /// Whether it is the answer to a counter-offer: there is one for each bid.
    pub countered: bool,
    /// The attempt whose id is the key of its post, when that is not its own.
    pub key: Option<AttemptId>,
}

impl Bid {
    /// A bid as it came.
    #[must_use]
    pub const fn new(
        seat: Seat,
        price: Money,
        payout: Money,
        token: Option<BidToken>,
        answered_at: Timestamp,
    ) -> Self {
        Self { seat, price, payout, token, answered_at, countered: false, key: None }
    }

    /// Whether its buyer stands by it no longer.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at().is_some_and(|end| end <= now)
    }

    /// Until when its buyer stands by it, where it set an end.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        Some(self.answered_at.after(self.token.as_ref()?.lifetime?))
    }
}

/// Sorts bids best first. All are in one currency: the campaign check made sure.
pub fn rank(bids: &mut [Bid], members: &[Member]) {
    bids.sort_by(|a, b| {
        let key = |bid: &Bid| {
            let member = members.get(bid.seat.as_usize());
            (
                Reverse(bid.price.amount()),
                member.and_then(|m| m.last_won),
                member.map(|m| m.campaign.id.clone()),
            )
        };
        key(a).cmp(&key(b))
    });
}
