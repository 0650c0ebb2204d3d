//! One traffic stream of a seller.

use std::collections::BTreeMap;

use exchange_model::{BuyerId, LeadId, Money, Place, RateLimit, SourceId, TreeId};

use crate::campaign::{Campaign, Status};
use crate::caps::Caps;
use crate::payout::{PayoutRule, PayoutWritten};
use crate::person::DuplicateRule;
use crate::split::Split;

/// What it means when a post says another value than its ping.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum OnMismatch {
    /// The post is refused.
    #[default]
    Refuse,
    /// The ping's value counts.
    Ignore,
}

impl OnMismatch {
    /// Every rule with its word in a seller's file.
    pub const WORDS: &'static [(&'static str, Self)] =
        &[("refuse", Self::Refuse), ("ignore", Self::Ignore)];
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
    /// The trees its leads go through.
    pub split: Split,
    /// What the seller is owed where nothing more specific says.
    pub payout: PayoutRule,
    /// What it is owed for sales to one buyer or one campaign, by that name.
    pub payout_for: BTreeMap<String, PayoutRule>,
    /// The least payout this seller takes.
    pub min_price: Option<Money>,
    /// When the same person counts as sent again, whatever became of the first; nothing: never.
    pub resubmissions: Option<DuplicateRule>,
    /// When a person counts as sold before; nothing: never.
    pub duplicates: Option<DuplicateRule>,
    /// What another value at the post than at the ping means.
    pub on_mismatch: OnMismatch,
    /// Buyers that are never offered this source's leads, in order of their names.
    pub blocked: Vec<BuyerId>,
    /// Where the blocked buyers are written.
    pub blocked_place: Option<Place>,
    /// How many leads it may send in.
    pub caps: Caps,
    /// How many requests it may send.
    pub rate_limit: Option<RateLimit>,
    /// Where its name is written.
    pub place: Place,
}

impl Source {
    /// The tree that this lead goes through.
    #[must_use]
    pub fn tree_for(&self, lead: LeadId) -> &TreeId {
        self.split.tree_for(&self.id, lead)
    }

    /// The tree that most of its rules are checked against: all its trees sell the same vertical.
    #[must_use]
    pub fn first_tree(&self) -> &TreeId {
        self.split.first()
    }

    /// Every tree that some of its leads go through.
    pub fn trees(&self) -> impl Iterator<Item = &TreeId> {
        self.split.arms().map(|arm| &arm.tree)
    }

    /// What the seller is owed for a sale to this campaign, the most specific rule first: the
    /// source's for the campaign, the source's for the buyer, the campaign's, the buyer's, the
    /// source's own.
    #[must_use]
    pub fn payout_rule<'a>(&'a self, campaign: &'a Campaign) -> &'a PayoutRule {
        self.payout_with_origin(campaign).0
    }

    /// The same, and whose rule it is.
    #[must_use]
    pub fn payout_with_origin<'a>(
        &'a self,
        campaign: &'a Campaign,
    ) -> (&'a PayoutRule, PayoutWritten) {
        precedence(&self.payout, &self.payout_for, campaign)
    }
}

/// The rule for a sale to this campaign, of a source with this rule and these exceptions.
pub(crate) fn precedence<'a>(
    own: &'a PayoutRule,
    exceptions: &'a BTreeMap<String, PayoutRule>,
    campaign: &'a Campaign,
) -> (&'a PayoutRule, PayoutWritten) {
    let for_campaign = exceptions.get(campaign.id.as_str());
    let for_buyer = || exceptions.get(campaign.buyer.id.as_str());
    for_campaign
        .map(|rule| (rule, PayoutWritten::SourceForCampaign))
        .or_else(|| for_buyer().map(|rule| (rule, PayoutWritten::SourceForBuyer)))
        .or_else(|| campaign.payout.as_ref().map(|rule| (rule, PayoutWritten::Campaign)))
        .or_else(|| campaign.buyer.payout.as_ref().map(|rule| (rule, PayoutWritten::Buyer)))
        .unwrap_or((own, PayoutWritten::Source))
}
