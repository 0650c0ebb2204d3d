//! What an auction is given at its start, and never changes.

use std::sync::Arc;
use std::time::Duration;

use exchange_model::outcome::Resolver;
use exchange_model::reason::Ineligible;
use exchange_model::{CampaignId, LeadId, Money, PingId, PollSchedule, Rate, Timestamp, TreeId};
use ping_tree::{
    Amount, Campaign, LeadRequest, Method, PayoutRule, Plan, PlannedTier, PriceMode, Rank,
    SaleKind, Tie, Tier, TierMember,
};

use super::pricing::{Change, ValueRule};
use crate::record::{CapLimit, Promise, RESOLVE_WITHIN};

mod history;

pub use history::{CHANCE_WHOLE, History, NoHistory, Served};

/// Kept back at the end of the budget for one commit and the reply.
pub const REPLY_RESERVE: Duration = Duration::from_millis(30);

/// A member's place in its auction.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Seat(pub(super) usize);

impl Seat {
    /// The place as an index, from 0 in the order of the tree.
    #[must_use]
    pub const fn as_usize(self) -> usize {
        self.0
    }
}

/// How a lost answer is found out.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Ways {
    /// In this order.
    pub resolve: Arc<[Resolver]>,
    /// The pauses between questions of `status`.
    pub poll: PollSchedule,
}

impl Ways {
    /// Whether the buyer may call us.
    #[must_use]
    pub fn listens(&self) -> bool {
        self.resolve.contains(&Resolver::Callback)
    }
}

/// What the connector of a campaign can do, and how long it may take.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Delivery {
    /// Its ping time-out; nothing when it takes no ping.
    pub ping: Option<Duration>,
    /// What half of its answers to pings take at most, where enough are known: with less time left
    /// than this it is not pinged.
    pub typical: Option<Duration>,
    /// Its post time-out, and that of every question about a post.
    pub post: Duration,
    /// How a lost answer is found out.
    pub ways: Ways,
    /// How long a lost answer is worked on.
    pub answer_within: Duration,
    /// Whether a counter-offer is answered under the key of the refused post.
    pub counter_key_same: bool,
}

impl Delivery {
    /// Of a campaign that cannot be reached: neither pinged nor asked.
    #[must_use]
    pub fn none() -> Self {
        Self {
            ping: None,
            typical: None,
            post: Duration::ZERO,
            ways: Ways::default(),
            answer_within: RESOLVE_WITHIN,
            counter_key_same: false,
        }
    }
}

/// One campaign of the tree that may be asked.
#[derive(Clone, Debug)]
pub struct Member {
    /// The standing order.
    pub campaign: Arc<Campaign>,
    /// How it is reached.
    pub delivery: Delivery,
    /// Its caps with the windows of this lead's intake time.
    pub caps: Vec<CapLimit>,
    /// When it last won; ties go to the one that waited longest.
    pub last_won: Option<Timestamp>,
    /// Its part of what the tier sells, beside the others' weights.
    pub weight: u32,
    /// Its part of the leads it qualifies for.
    pub share: Option<Rate>,
    /// Taken off for the order alone.
    pub handicap: Option<Amount>,
    /// What the seller is owed for a sale to it.
    pub payout: PayoutRule,
    /// From its bid to the value: the rules that hold for this lead, and the haircut.
    pub value: ValueRule,
    /// What it pays where the price is the contract's, with the rules that hold; perhaps nothing
    /// or less.
    pub contract: Option<Money>,
    /// The measured chance that it accepts a post, in parts per million; the whole where nothing
    /// of its tier looks at it.
    pub chance: u32,
    /// What the tier it stands in gave it so far.
    pub served: Served,
}

/// How the members of a tier compete, and to how many it sells.
#[derive(Clone, Debug, Default)]
pub struct TierRules {
    /// Who is asked, and who is tried first.
    pub method: Method,
    /// To how many.
    pub sale: SaleKind,
    /// What bids are compared by.
    pub rank: Rank,
    /// What decides between equal bids, in this order.
    pub ties: Vec<Tie>,
    /// What the winner at second price pays above the runner-up.
    pub increment: Option<Money>,
    /// Whether it closes as soon as nobody can win any more.
    pub early_close: bool,
    /// The least that a sale must leave the exchange of its value.
    pub least_margin: Option<Amount>,
}

/// Campaigns that are pinged together.
#[derive(Clone, Debug)]
pub struct TierSetup {
    /// Its name in the tree.
    pub name: String,
    /// The least it sells at.
    pub reserve: Option<Money>,
    /// The longest it waits for bids.
    pub ping_timeout: Duration,
    /// Posts it may try after its first was refused.
    pub cascade: u8,
    /// How its members compete.
    pub rules: TierRules,
    /// Its members that may be asked.
    pub members: Vec<Member>,
}

/// What the seller asks for. What it is owed for each sale stands beside each member.
#[derive(Clone, Debug, Default)]
pub struct SellerTerms {
    /// The least payout that this request accepts: of all its sales together, where the lead may go
    /// to several.
    pub least: Option<Money>,
}

/// What the auction is for.
#[derive(Clone, Debug)]
pub enum Goal {
    /// Ping, choose, post: the whole lead is here.
    Sell,
    /// Ping and promise: only attributes are here.
    Quote {
        /// Whose promise.
        ping: PingId,
        /// How long it lives.
        lifetime: Duration,
    },
    /// Post on an earlier promise, without new pings.
    Fulfil(Promise),
}

/// Everything an auction knows at its start.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The lead.
    pub lead: LeadId,
    /// The tree's name.
    pub tree: String,
    /// When the request's first byte arrived.
    pub started_at: Timestamp,
    /// When the seller must have its answer.
    pub deadline: Timestamp,
    /// Kept back from the deadline for posting, cascading and replying.
    pub post_reserve: Duration,
    /// How the seller is paid.
    pub seller: SellerTerms,
    /// To how many buyers the request lets the lead go, at most.
    pub max_buyers: Option<u8>,
    /// The tiers, in order.
    pub tiers: Vec<TierSetup>,
    /// Who may not be asked, by tier name, and why.
    pub ineligible: Vec<(String, CampaignId, Ineligible)>,
    /// What it is for.
    pub goal: Goal,
}

/// The tiers of a plan for one lead, with what the server knows of each campaign's connector and
/// history.
pub fn tiers_of(
    plan: &Plan,
    request: &LeadRequest<'_>,
    delivery: impl Fn(&Campaign) -> Delivery,
    history: &dyn History,
) -> Vec<TierSetup> {
    let tier = |(tier, planned): (&Tier, &PlannedTier)| {
        let since = history::since(tier.look_back, &plan.tree.zone, request.at);
        let served =
            |campaign: &Campaign| served(history, (&plan.tree.id, tier), &campaign.id, since);
        let member = |place: &Arc<TierMember>| Member {
            delivery: delivery(&place.campaign),
            served: served(&place.campaign),
            chance: chance(history, tier, &place.campaign.id),
            ..member(place, request, history)
        };
        TierSetup {
            name: tier.name.clone(),
            reserve: tier.reserve,
            ping_timeout: tier.ping_timeout,
            cascade: tier.cascade,
            rules: TierRules {
                method: tier.method,
                sale: tier.sale,
                rank: tier.rank,
                ties: tier.ties.clone(),
                increment: tier.increment,
                early_close: tier.early_close,
                least_margin: plan.tree.least_margin,
            },
            members: planned.members.iter().map(member).collect(),
        }
    };
    plan.tree.tiers.iter().zip(&plan.tiers).map(tier).collect()
}

/// What the tier gave a member; nothing where its method does not look at it.
fn served(
    history: &dyn History,
    (tree, tier): (&TreeId, &Tier),
    campaign: &CampaignId,
    since: Timestamp,
) -> Served {
    match tier.method {
        Method::RoundRobin | Method::Weighted | Method::Share | Method::TopPerformer => {
            history.served(tree, &tier.name, campaign, since)
        }
        Method::HighestBid
        | Method::SecondPrice
        | Method::FirstBid
        | Method::Waterfall
        | Method::InOrder => Served::default(),
    }
}

/// How likely a member is to accept; certain where nothing of the tier looks at it.
fn chance(history: &dyn History, tier: &Tier, campaign: &CampaignId) -> u32 {
    if tier.rank == Rank::Expected || tier.ties.contains(&Tie::AcceptRate) {
        history.chance(campaign)
    } else {
        CHANCE_WHOLE
    }
}

fn member(place: &TierMember, request: &LeadRequest<'_>, history: &dyn History) -> Member {
    let campaign = &place.campaign;
    let attributes = request.lead.attributes();
    let contract = match campaign.price {
        PriceMode::Fixed { base } => Some(base),
        PriceMode::Bid { base, .. } => base,
    };
    let holding = campaign.adjustments(attributes, request.at);
    let changes = holding.map(|rule| Change { amount: rule.amount, takes_off: rule.takes_off });
    Member {
        delivery: Delivery::none(),
        caps: campaign.caps_at(request.at, &request.source.id),
        last_won: history.last_won(&campaign.id),
        weight: place.weight,
        share: place.share,
        handicap: place.handicap.or(campaign.handicap),
        payout: request.source.payout_rule(campaign).clone(),
        value: ValueRule { changes: changes.collect(), haircut: campaign.haircut },
        contract: contract.and_then(|base| campaign.adjusted(base, attributes, request.at)),
        chance: CHANCE_WHOLE,
        served: Served::default(),
        campaign: Arc::clone(campaign),
    }
}
