//! An ordered set of tiers of campaigns.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use exchange_model::{Money, Place, Rate, TreeId, Vertical};
use jiff::tz::TimeZone;

use crate::amount::Amount;
use crate::campaign::Campaign;
use crate::filter::Filter;
use crate::index::Places;

/// How the members of a tier compete.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Method {
    /// All are asked at once; the best rank is tried first.
    #[default]
    HighestBid,
    /// So, and the winner pays the least that would still have won.
    SecondPrice,
    /// The first usable bid that arrives.
    FirstBid,
    /// All are asked at once; tried in the order written.
    Waterfall,
    /// Asked one after the other, in the order written.
    InOrder,
    /// Who was served longest ago.
    RoundRobin,
    /// Who is furthest below its weight of what the tier sold.
    Weighted,
    /// Who is furthest below its share of the leads it qualified for.
    Share,
    /// Who accepts most of its posts.
    TopPerformer,
}

impl Method {
    /// Every method with its word in a tree's file.
    pub const WORDS: &'static [(&'static str, Self)] = &[
        ("highest_bid", Self::HighestBid),
        ("second_price", Self::SecondPrice),
        ("first_bid", Self::FirstBid),
        ("waterfall", Self::Waterfall),
        ("in_order", Self::InOrder),
        ("round_robin", Self::RoundRobin),
        ("weighted", Self::Weighted),
        ("share", Self::Share),
        ("top_performer", Self::TopPerformer),
    ];

    /// Its word in a tree's file.
    #[must_use]
    pub fn code(self) -> &'static str {
        Self::WORDS.iter().find(|(_, method)| *method == self).map_or("", |(word, _)| *word)
    }
}

/// To how many buyers a tier sells one lead.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum SaleKind {
    /// To one.
    #[default]
    Exclusive,
    /// To two or more.
    Shared {
        /// Most buyers.
        max_sold: u8,
    },
    /// To one or more, whichever pays best.
    Hybrid {
        /// Most buyers.
        max_sold: u8,
    },
}

impl SaleKind {
    /// The numbers of buyers that it may promise: a buyer is sold one of at most so many.
    #[must_use]
    pub const fn buyers(self) -> RangeInclusive<u8> {
        match self {
            Self::Exclusive => 1..=1,
            Self::Shared { max_sold } => 2..=max_sold,
            Self::Hybrid { max_sold } => 1..=max_sold,
        }
    }
}

/// What bids are compared by.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Rank {
    /// What they are worth.
    #[default]
    Value,
    /// That, times the measured chance that the post is accepted.
    Expected,
}

/// What decides between equal bids, before least recently won and the name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Tie {
    /// The higher measured chance of acceptance.
    AcceptRate,
    /// What leaves the exchange more.
    Margin,
    /// The lower handicap.
    Handicap,
}

/// How far back the methods look that share leads out.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum LookBack {
    /// Since midnight by the tree's clock.
    #[default]
    Day,
    /// Since the first of the month by the tree's clock.
    Month,
    /// This long.
    Span(Duration),
}

/// A campaign's place in a tier.
#[derive(Clone, Debug)]
pub struct TierMember {
    /// Who.
    pub campaign: Arc<Campaign>,
    /// For which leads.
    pub when: Filter,
    /// Its part of what the tier sells, beside the others' weights; at least 1.
    pub weight: u32,
    /// Its part of the leads it qualifies for.
    pub share: Option<Rate>,
    /// Taken off for the order alone; here or at the campaign.
    pub handicap: Option<Amount>,
    /// Where it is written.
    pub place: Place,
}

/// Campaigns that are pinged together.
#[derive(Clone, Debug)]
pub struct Tier {
    /// Its name in reports.
    pub name: String,
    /// For which leads.
    pub when: Filter,
    /// How its members compete.
    pub method: Method,
    /// To how many it sells.
    pub sale: SaleKind,
    /// What bids are compared by.
    pub rank: Rank,
    /// What decides between equal bids, in this order.
    pub ties: Vec<Tie>,
    /// How far back `weighted`, `share` and `top_performer` look.
    pub look_back: LookBack,
    /// What the winner at second price pays above the runner-up.
    pub increment: Option<Money>,
    /// Whether it closes as soon as nobody can win any more.
    pub early_close: bool,
    /// How long its members may take to bid.
    pub ping_timeout: Duration,
    /// The least price this tier sells at.
    pub reserve: Option<Money>,
    /// After a rejected post, how many further bidders of this tier are tried.
    pub cascade: u8,
    /// Its members, in the order written.
    pub members: Vec<Arc<TierMember>>,
    /// Where its name is written.
    pub place: Place,
}

/// An ordered set of tiers.
#[derive(Clone, Debug)]
pub struct Tree {
    /// Its name.
    pub id: TreeId,
    /// The kind of lead it sells.
    pub vertical: Arc<Vertical>,
    /// Its name for people.
    pub title: String,
    /// The clock that its days and months follow.
    pub zone: TimeZone,
    /// From the first byte of the request to the answer.
    pub deadline: Duration,
    /// What is kept back from the deadline for posting and replying.
    pub post_reserve: Duration,
    /// How long the answer to a seller's ping may be posted on.
    pub promise_lifetime: Duration,
    /// The least that a sale must leave the exchange of its value.
    pub least_margin: Option<Amount>,
    /// The tiers, in order.
    pub tiers: Vec<Tier>,
    /// Whether any campaign stands in more than one tier.
    pub repeats: bool,
    /// Every place in it, with the index over what campaigns accept.
    pub places: Arc<Places>,
    /// Where its name is written.
    pub place: Place,
}

impl Tree {
    /// Every campaign with the index of its tier, in order.
    pub fn members(&self) -> impl Iterator<Item = (usize, &Arc<Campaign>)> {
        self.tiers
            .iter()
            .enumerate()
            .flat_map(|(tier, t)| t.members.iter().map(move |member| (tier, &member.campaign)))
    }
}
