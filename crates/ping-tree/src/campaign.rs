//! A buyer and its campaigns: standing orders for leads.

use std::sync::Arc;

use exchange_model::Vertical;
use exchange_model::{
    Attributes, BillingTerms, Brand, BuyerId, CampaignId, MinorUnits, Money, Place, RateLimit,
    SourceId, Timestamp,
};
use jiff::tz::TimeZone;

use crate::amount::Amount;
use crate::caps::{CampaignCaps, Caps};
use crate::filter::Filter;
use crate::harvest::Harvest;
use crate::payout::PayoutRule;
use crate::person::PersonRules;
use crate::schedule::Schedule;
use crate::shares::Shares;
use crate::tree::SaleKind;

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
    /// Its name and its title, as sellers may name it in a request.
    pub brands: Vec<Brand>,
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
    /// How much all its campaigns take together.
    pub caps: Caps,
    /// How many pings to all its campaigns may leave.
    pub ping_rate: Option<RateLimit>,
    /// When it is pinged less because it buys nothing; nothing: never.
    pub harvest: Option<Harvest>,
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

    /// The least price in minor units, and never nothing.
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
    /// How much; a share is one of the price without rules.
    pub amount: Amount,
    /// Whether it is taken off, not added.
    pub takes_off: bool,
    /// Where it is written.
    pub place: Place,
}

impl Adjust {
    /// Whether it holds for these attributes at this moment, by this clock.
    #[must_use]
    pub fn holds(&self, attributes: &Attributes, at: Timestamp, zone: &TimeZone) -> bool {
        self.when.matches(attributes) && self.hours.is_open(at, zone)
    }

    /// What it adds to a price that is `base` without rules; negative where it takes off. Nothing
    /// when that cannot be counted.
    #[must_use]
    pub fn of(&self, base: Money) -> Option<Money> {
        let amount = self.amount.of(base)?;
        if self.takes_off {
            Money::zero(base.currency()).checked_sub(amount).ok()
        } else {
            Some(amount)
        }
    }
}

/// Whose leads a campaign takes.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum FromSources {
    /// Everybody's.
    #[default]
    All,
    /// Only these, in order of their names.
    Only(Vec<SourceId>),
    /// Everybody's but these, in order of their names.
    AllBut(Vec<SourceId>),
}

impl FromSources {
    /// Whether leads of this source are taken.
    #[must_use]
    pub fn takes(&self, source: &SourceId) -> bool {
        match self {
            Self::All => true,
            Self::Only(these) => these.binary_search(source).is_ok(),
            Self::AllBut(these) => these.binary_search(source).is_err(),
        }
    }
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
    pub caps: CampaignCaps,
    /// How many of its pings may leave.
    pub ping_rate: Option<RateLimit>,
    /// When it takes leads.
    pub hours: Schedule,
    /// Which leads it takes.
    pub accepts: Filter,
    /// Whose leads it takes.
    pub sources: FromSources,
    /// Where that is written.
    pub sources_place: Option<Place>,
    /// What it asks about the person behind a lead.
    pub person: PersonRules,
    /// What a lost answer to a post means, where it says so itself: see [`Self::unknown_in`].
    pub unknown: Option<UnknownPolicy>,
    /// Where that is written.
    pub unknown_place: Option<Place>,
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
    /// What a lost answer means in a tier that sells so: what it says itself, or else `hold` where
    /// one buyer gets the lead, and `cascade` where several may.
    #[must_use]
    pub fn unknown_in(&self, sale: SaleKind) -> UnknownPolicy {
        let several = *sale.buyers().end() > 1;
        self.unknown.unwrap_or(if several { UnknownPolicy::Cascade } else { UnknownPolicy::Hold })
    }

    /// The rules that change its price, or the value of its bid, for these attributes at this
    /// moment; in the order written.
    pub fn adjustments<'a>(
        &'a self,
        attributes: &'a Attributes,
        at: Timestamp,
    ) -> impl Iterator<Item = &'a Adjust> {
        self.adjust.iter().filter(move |rule| rule.holds(attributes, at, &self.buyer.zone))
    }

    /// `base` with every rule that holds: each is counted of `base` itself. Perhaps nothing or
    /// less. Nothing when it cannot be counted.
    #[must_use]
    pub fn adjusted(&self, base: Money, attributes: &Attributes, at: Timestamp) -> Option<Money> {
        self.adjustments(attributes, at)
            .try_fold(base, |sum, rule| sum.checked_add(rule.of(base)?).ok())
    }

    /// The least that one lead may cost its buyer, whatever rules hold and however many share it.
    #[must_use]
    pub fn least_price(&self) -> Money {
        let least = self.with_rules(self.price.least(), true);
        self.shares.least(least)
    }

    /// The most that one lead may cost its buyer.
    #[must_use]
    pub fn most_price(&self) -> Money {
        self.with_rules(self.price.most(), false)
    }

    /// The most that one lead sold to it may be worth, with every rule that adds; nothing when it
    /// cannot be counted.
    #[must_use]
    pub fn most_value(&self) -> Option<Money> {
        let most = self.price.most();
        let adding = self.adjust.iter().filter(|rule| !rule.takes_off);
        adding.filter_map(|rule| rule.of(most)).try_fold(most, Money::checked_add).ok()
    }

    /// A fixed price with every rule that takes off, or with every one that adds; a limit of bids
    /// as it is, because no rule changes those.
    fn with_rules(&self, price: Money, taking_off: bool) -> Money {
        let PriceMode::Fixed { base } = self.price else { return price };
        let rules = self.adjust.iter().filter(|rule| rule.takes_off == taking_off);
        let sum = rules.filter_map(|rule| rule.of(base)).try_fold(price, Money::checked_add);
        let sum = sum.unwrap_or(price);
        if sum.is_positive() { sum } else { Money::zero(price.currency()) }
    }

    /// [`Self::least_price`] in minor units, and never nothing: a full cap or an empty balance must
    /// stop even a campaign that has no floor.
    pub(crate) fn least_charge(&self) -> MinorUnits {
        let least = self.least_price().to_minor().unwrap_or(MinorUnits::new(i64::MAX));
        least.max(MinorUnits::new(1))
    }

    /// Whether it or its buyer is paused in config.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.status == Status::Paused || self.buyer.status == Status::Paused
    }
}
