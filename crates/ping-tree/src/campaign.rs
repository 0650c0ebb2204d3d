//! A buyer and its campaigns: standing orders for leads.

use std::sync::Arc;

use exchange_model::Vertical;
use exchange_model::{BillingTerms, BuyerId, CampaignId, MinorUnits, Money, Place, Timestamp};
use jiff::tz::TimeZone;

use crate::amount::Amount;
use crate::caps::{CapLimit, Caps};
use crate::filter::Filter;
use crate::payout::PayoutRule;
use crate::schedule::Schedule;
use crate::shares::Shares;

/// Whether the operator lets something take part.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Status {
    /// Takes part.
    Live,
    /// Kept, but never pinged and never sold to.
    Paused,
}

/// Who bids and pays.
#[derive(Clone, Debug)]
pub struct Buyer {
    /// Its name.
    pub id: BuyerId,
    /// Its name for people.
    pub title: String,
    /// Pausing a buyer pauses all its campaigns.
    pub status: Status,
    /// The zone its hours are written in and its caps reset in.
    pub zone: TimeZone,
    /// How it pays.
    pub terms: BillingTerms,
    /// No ping while less than this is available.
    pub min_balance: Option<Money>,
    /// What sellers are owed for sales to it, where nothing more specific says.
    pub payout: Option<PayoutRule>,
    /// Where its status is written, or else its name.
    pub status_place: Place,
    /// Where its billing terms are written.
    pub billing_place: Place,
    /// Where its name is written.
    pub place: Place,
}

/// How a campaign's price comes about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PriceMode {
    /// The buyer names a price for each lead.
    Bid {
        /// A bid below this is no-bid.
        floor: Money,
        /// A bid above this is no-bid and alarmed, never clamped.
        ceiling: Money,
        /// The price in the contract, for an answer or a connector that names none.
        base: Option<Money>,
    },
    /// One price for every lead. Whether the buyer is pinged first is up to its connector.
    Fixed {
        /// The price.
        base: Money,
    },
}

impl PriceMode {
    /// The least a lead sold to this campaign costs its buyer.
    #[must_use]
    pub const fn least(&self) -> Money {
        match self {
            Self::Bid { floor, .. } => *floor,
            Self::Fixed { base } => *base,
        }
    }

    /// The most a lead sold to this campaign costs its buyer.
    #[must_use]
    pub const fn most(&self) -> Money {
        match self {
            Self::Bid { ceiling, .. } => *ceiling,
            Self::Fixed { base } => *base,
        }
    }

    /// The least price in minor units, and never nothing: a full cap or an empty balance must stop
    /// even a campaign that has no floor.
    pub(crate) fn least_charge(&self) -> MinorUnits {
        let least = self.least().to_minor().unwrap_or(MinorUnits::new(i64::MAX));
        least.max(MinorUnits::new(1))
    }
}

/// What it means when a buyer accepts a post at another price than its bid.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum PriceChange {
    /// The bid is booked.
    #[default]
    Bid,
    /// A lower price is booked while it still honours floor and promise, a higher one is not.
    Lower,
    /// So is a higher one, up to the ceiling; the ceiling is held.
    Any,
    /// The lead counts as not bought.
    Reject,
}

impl PriceChange {
    /// Every rule with its word in a buyer's file.
    pub const WORDS: &'static [(&'static str, Self)] =
        &[("bid", Self::Bid), ("lower", Self::Lower), ("any", Self::Any), ("reject", Self::Reject)];

    /// Its word in a buyer's file.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Bid => "bid",
            Self::Lower => "lower",
            Self::Any => "any",
            Self::Reject => "reject",
        }
    }

    /// The rule of this word.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(word, _)| *word == code).map(|(_, rule)| *rule)
    }
}

/// A rule that adds to a price.
#[derive(Clone, Debug)]
pub struct Adjust {
    /// For which leads.
    pub when: Filter,
    /// At which hours of the buyer's clock.
    pub hours: Schedule,
    /// How much; a share is one of the price without rules. Negative takes off.
    pub add: Amount,
    /// Where it is written.
    pub place: Place,
}

/// What happens to a lead when the answer to its post is lost.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum UnknownPolicy {
    /// Nobody else is offered the lead until the answer is known.
    Hold,
    /// The next buyer is tried, at the risk of selling twice.
    Cascade,
}

/// A buyer's standing order.
#[derive(Clone, Debug)]
pub struct Campaign {
    /// Its name.
    pub id: CampaignId,
    /// Who pays.
    pub buyer: Arc<Buyer>,
    /// The kind of lead it buys.
    pub vertical: Arc<Vertical>,
    /// The connector of the buyer's file that carries its pings and posts.
    pub connector: String,
    /// Where the connector is named.
    pub connector_place: Place,
    /// What it pays.
    pub price: PriceMode,
    /// What changes its price, or the value of its bid.
    pub adjust: Vec<Adjust>,
    /// Taken off the value of its bids before the payout.
    pub haircut: Option<Amount>,
    /// Taken off for the order alone.
    pub handicap: Option<Amount>,
    /// With how many others it shares a lead, and at what price.
    pub shares: Shares,
    /// What sellers are owed for sales to it, where the source does not say.
    pub payout: Option<PayoutRule>,
    /// How much it takes.
    pub caps: Caps,
    /// When it takes leads.
    pub hours: Schedule,
    /// Which leads it takes.
    pub accepts: Filter,
    /// What a lost answer to a post means.
    pub unknown: UnknownPolicy,
    /// What another price in the answer to a post means.
    pub price_change: PriceChange,
    /// Whether the operator lets it take part.
    pub status: Status,
    /// Where its status is written, or else its name.
    pub status_place: Place,
    /// Where its name is written.
    pub place: Place,
}

impl Campaign {
    /// Its caps as they stand at this moment, in the order they are checked: what eligibility looks
    /// at, and what the store checks again inside its write.
    #[must_use]
    pub fn caps_at(&self, now: Timestamp) -> Vec<CapLimit> {
        self.caps.at(now, &self.buyer.zone).collect()
    }

    /// Whether it or its buyer is paused in config.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.status == Status::Paused || self.buyer.status == Status::Paused
    }
}
