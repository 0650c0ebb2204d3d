//! One traffic stream of a seller.

use std::collections::BTreeMap;
use std::time::Duration;

use exchange_model::{BuyerId, Money, Place, SourceId, TreeId};

use crate::campaign::{Campaign, Status};
use crate::payout::PayoutRule;

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
    /// What the seller is owed where nothing more specific says.
    pub payout: PayoutRule,
    /// What it is owed for sales to one buyer or one campaign, by that name.
    pub payout_for: BTreeMap<String, PayoutRule>,
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

impl Source {
    /// What the seller is owed for a sale to this campaign, the most specific rule first: the
    /// source's for the campaign, the source's for the buyer, the campaign's, the buyer's, the
    /// source's own.
    #[must_use]
    pub fn payout_rule<'a>(&'a self, campaign: &'a Campaign) -> &'a PayoutRule {
        let own = self.payout_for.get(campaign.id.as_str());
        own.or_else(|| self.payout_for.get(campaign.buyer.id.as_str()))
            .or(campaign.payout.as_ref())
            .or(campaign.buyer.payout.as_ref())
            .unwrap_or(&self.payout)
    }
}
