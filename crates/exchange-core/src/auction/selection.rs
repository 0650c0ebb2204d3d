//! Which places of a lead are sold to whom, in which order and at what price: pure functions.
//!
//! A [`Candidate`] is a place that could be sold: a bid, or one of several companies behind a
//! bidder. It has its terms for each number of buyers that it puts up with ([`At`]) and its place
//! in the order ([`Precedence`]). [`choose`] finds the best set, [`closing`] says whether bids that
//! are outstanding could change it, [`second`] what its members pay at second price. The one rule:
//!
//! > Every order here is total, so the same bids give the same set, however they arrive.

use std::cmp::Ordering;

use exchange_model::{CampaignId, Money, Timestamp};
use rust_decimal::Decimal;

pub mod closing;
pub mod second;
mod winners;

pub use winners::{Choice, Floor, Held, Scene, choose, passed_over};

/// The terms of one place, as one of at most so many.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct At {
    /// To how many buyers in all the lead may go.
    pub buyers: u8,
    /// What the buyer pays.
    pub price: Money,
    /// What the seller is paid for it.
    pub payout: Money,
    /// Whether that is paid once for the lead, with the first sale.
    pub once: bool,
    /// What bids are compared by.
    pub worth: Worth,
    /// The same when the payout has been paid with another sale; as before where it is not paid
    /// once.
    pub unpaid: Worth,
}

/// What a bid is compared by: the first figure that differs decides, the larger wins.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Worth {
    /// The payout, less the handicap, times the chance of acceptance where that counts.
    pub rank: Decimal,
    /// The price, less the handicap.
    pub price: Decimal,
    /// What the tier names for equal bids, in its order; larger is better.
    pub ties: Vec<Decimal>,
}

/// What orders bids beside what they are worth.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Precedence {
    /// The method's own order, before any worth; less comes first. Zero for all where bids are
    /// ranked.
    pub turn: Decimal,
    /// Ties go to whoever waited longest; never is longest ago.
    pub last_won: Option<Timestamp>,
    /// Then to the smaller name.
    pub name: CampaignId,
}

/// A place that could be sold.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// Which bid.
    pub bid: usize,
    /// Which of several companies behind the bidder.
    pub leg: usize,
    /// Its place in the order.
    pub precedence: &'a Precedence,
    /// Its terms, for each number of buyers that it puts up with.
    pub at: &'a [At],
}

impl<'a> Candidate<'a> {
    /// Its terms as one of at most so many.
    #[must_use]
    pub fn terms(&self, buyers: u8) -> Option<&'a At> {
        self.at.iter().find(|at| at.buyers == buyers)
    }
}

/// A candidate with its terms at one number of buyers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Placed<'a> {
    /// Its index among the candidates.
    pub(crate) index: usize,
    pub(crate) candidate: Candidate<'a>,
    pub(crate) at: &'a At,
    /// What it counts for here.
    pub(crate) worth: &'a Worth,
}

/// The order in which two places are tried: turn, worth, least recently won, name, leg.
pub(crate) fn order(one: &Placed<'_>, other: &Placed<'_>) -> Ordering {
    compare((&one.candidate, one.worth), (&other.candidate, other.worth))
}

/// The same for any terms.
pub(crate) fn compare(
    (one, worth): (&Candidate<'_>, &Worth),
    (other, others): (&Candidate<'_>, &Worth),
) -> Ordering {
    let (a, b) = (one.precedence, other.precedence);
    let turns = a.turn.cmp(&b.turn).then_with(|| others.cmp(worth));
    turns
        .then_with(|| a.last_won.cmp(&b.last_won))
        .then_with(|| a.name.cmp(&b.name))
        .then_with(|| one.leg.cmp(&other.leg))
}
