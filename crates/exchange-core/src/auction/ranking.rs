//! The order in which bids are tried.
//!
//! Highest price first; equal prices go to the campaign that won least recently (never is longest
//! ago), then to the smaller id. The order is total, so replaying an auction ranks alike.

use std::cmp::Reverse;

use exchange_model::Money;
use exchange_model::outcome::BidToken;

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
