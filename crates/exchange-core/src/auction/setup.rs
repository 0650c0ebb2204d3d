//! What an auction is given at its start, and never changes.

use std::sync::Arc;
use std::time::Duration;

use exchange_model::outcome::Resolver;
use exchange_model::reason::Ineligible;
use exchange_model::{CampaignId, LeadId, Money, PingId, PollSchedule, SourceId, Timestamp};
use ping_tree::{Campaign, PayoutRule, Plan, PlannedTier, Tier, TierMember};

use crate::record::{CapLimit, Promise, RESOLVE_WITHIN};

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
    /// Its members that may be asked.
    pub members: Vec<Member>,
}

/// How the seller is paid.
#[derive(Clone, Debug)]
pub struct SellerTerms {
    /// From the buyer's price to the payout.
    pub payout: PayoutRule,
    /// The least payout this request accepts.
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
    /// The tiers, in order.
    pub tiers: Vec<TierSetup>,
    /// Who may not be asked, by tier name, and why.
    pub ineligible: Vec<(String, CampaignId, Ineligible)>,
    /// What it is for.
    pub goal: Goal,
}

/// The tiers of a plan, with what the server knows of each campaign's connector and history.
pub fn tiers_of(
    plan: &Plan,
    (source, at): (&SourceId, Timestamp),
    delivery: impl Fn(&Campaign) -> Delivery,
    last_won: impl Fn(&CampaignId) -> Option<Timestamp>,
) -> Vec<TierSetup> {
    let member = |member: &Arc<TierMember>| Member {
        delivery: delivery(&member.campaign),
        caps: member.campaign.caps_at(at, source),
        last_won: last_won(&member.campaign.id),
        campaign: Arc::clone(&member.campaign),
    };
    let tier = |(tier, planned): (&Tier, &PlannedTier)| TierSetup {
        name: tier.name.clone(),
        reserve: tier.reserve,
        ping_timeout: tier.ping_timeout,
        cascade: tier.cascade,
        members: planned.members.iter().map(member).collect(),
    };
    plan.tree.tiers.iter().zip(&plan.tiers).map(tier).collect()
}
