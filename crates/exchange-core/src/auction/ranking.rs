//! A usable bid: what its buyer offers, and where it stands in the order.

use exchange_model::outcome::{BidToken, Brand};
use exchange_model::{AttemptId, Money, Timestamp};

use super::selection::{At, Precedence};
use super::setup::Seat;
use crate::record::LegOffer;

/// A usable bid.
#[derive(Clone, Debug)]
pub struct Bid {
    /// Whose.
    pub seat: Seat,
    /// What the buyer bid for the lead alone; of several companies, for all of them.
    pub bid: Money,
    /// Whether that is the price of its contract, which the rules have changed already.
    pub contract: bool,
    /// What the buyer pays, as it is posted.
    pub price: Money,
    /// What the seller is paid for that.
    pub payout: Money,
    /// The buyer's handle.
    pub token: Option<BidToken>,
    /// When the buyer answered: its token's lifetime counts from here.
    pub answered_at: Timestamp,
    /// Whether it is the answer to a counter-offer: there is one for each bid.
    pub countered: bool,
    /// The attempt whose id is the key of its post, when that is not its own.
    pub key: Option<AttemptId>,
    /// The places that it asks for, each with its terms.
    pub places: Vec<Place>,
    /// Its place in the order.
    pub precedence: Precedence,
    /// What it is posted with.
    pub post: Posted,
}

/// One place that a bid asks for.
#[derive(Clone, Debug)]
pub struct Place {
    /// The company behind the buyer, where it names several.
    pub brand: Option<Brand>,
    /// Its terms, for each number of buyers that it puts up with.
    pub at: Vec<At>,
}

/// How a bid is posted.
#[derive(Clone, Debug)]
pub struct Posted {
    /// To how many buyers in all the lead may go.
    pub buyers: u8,
    /// The companies behind the buyer that are offered the lead.
    pub legs: Vec<LegOffer>,
    /// The least that it must pay the seller.
    pub least: Option<Money>,
    /// Whether its payout was paid with another sale.
    pub unpaid: bool,
}

impl Default for Posted {
    fn default() -> Self {
        Self { buyers: 1, legs: Vec::new(), least: None, unpaid: false }
    }
}

impl Posted {
    /// How many places it takes: one, or one for each company.
    #[must_use]
    pub fn places(&self) -> u8 {
        u8::try_from(self.legs.len()).unwrap_or(u8::MAX).max(1)
    }
}

impl Bid {
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

    /// Its first place at the least number of buyers that it takes.
    #[must_use]
    pub fn first_terms(&self) -> Option<&At> {
        self.places.first()?.at.first()
    }
}
