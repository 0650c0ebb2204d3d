//! One traffic stream of a seller.

use std::time::Duration;

use exchange_model::{BuyerId, Money, Place, Rate, SourceId, TreeId};

use crate::campaign::Status;

/// What the seller is owed for a sale.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PayoutRule {
    /// This share of what the buyer pays.
    Share(Rate),
    /// The same for every lead.
    Fixed(Money),
}

/// When a lead counts as one we have seen.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DuplicateRule {
    /// How far back it looks.
    pub window: Duration,
    /// Contact fields; one equal value is enough.
    pub on: Vec<String>,
}

/// One traffic stream of a seller.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its name.
    pub id: SourceId,
    /// The seller's name for people.
    pub seller_title: String,
    /// Paused when it or its seller is.
    pub status: Status,
    /// What buyers see instead of the seller's name.
    pub alias: String,
    /// The tree its leads go through.
    pub tree: TreeId,
    /// What the seller is owed.
    pub payout: PayoutRule,
    /// The least payout this seller takes.
    pub min_price: Option<Money>,
    /// When a lead counts as seen before; nothing: never.
    pub duplicates: Option<DuplicateRule>,
    /// Buyers that are never offered this source's leads, in order of their names.
    pub blocked: Vec<BuyerId>,
    /// Where the blocked buyers are written.
    pub blocked_place: Option<Place>,
    /// Where its name is written.
    pub place: Place,
}
