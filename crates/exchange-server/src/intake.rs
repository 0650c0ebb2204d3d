//! From checked fields to an auction that can begin.
//!
//! Works out what the auction is given at its start: the lead, its claims, who may be asked, and
//! the deadline. Everything is judged by the time the request's first byte arrived.

use std::sync::Arc;
use std::time::Duration;

use exchange_core::auction::{
    Goal, History, REPLY_RESERVE, SellerTerms, Served, Setup, floors, tiers_of,
};
use exchange_core::record::Promise;
use exchange_model::{CampaignId, Lead, LeadId, Money, PingId, Timestamp, TreeId};
use exchange_store::{
    BuyerLimits, EarlierPosts, ExchangeStore, IdempotencyKey, Intake, IntakeKind, StoreError,
    TierMembership,
};
use jiff::tz::TimeZone;
use ping_tree::{LeadRequest, Plan, REASONS_MAX, Source, Tree, Wishes, sift};

use crate::auction_driver::Job;
use crate::exchange::Engine;
use crate::repeats::Repeat;
use crate::seller_api::reply::Frame;
use crate::snapshot::Snapshot;
use crate::standing::{Earlier, Known, StoreStanding};
use crate::waiting::{Chances, delivery};

/// What the request asks for.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// Sell the lead.
    Sale,
    /// A promise for a ping.
    Quote,
    /// A sale on an earlier promise.
    Fulfilment(Promise),
}

/// A request that has passed every check at the door.
#[derive(Debug)]
pub struct Request {
    /// What it asks for.
    pub wanted: Wanted,
    /// The lead, or the attributes of a ping under the ping's bits.
    pub lead: Lead,
    /// What it asks of whoever buys.
    pub wishes: Wishes,
    /// What became of the lead that it is posted again after.
    pub earlier: Option<EarlierPosts>,
    /// What it is recognised by when it comes again; only of a ping.
    pub repeat: Option<Repeat>,
    /// Whose.
    pub source: Arc<Source>,
    /// The tree of the source.
    pub tree: Arc<Tree>,
    /// The seller's name for the request.
    pub idempotency: Option<IdempotencyKey>,
    /// The keyed hash of method, path and body.
    pub fingerprint: [u8; 32],
    /// When its first byte arrived.
    pub received_at: Timestamp,
    /// The least payout it accepts.
    pub min_price: Option<Money>,
    /// A smaller budget than the tree's.
    pub max_time: Option<Duration>,
    /// Where to tell a late outcome.
    pub callback_url: Option<String>,
    /// What every answer says besides the outcome.
    pub frame: Frame,
    /// The config that it is routed by.
    pub config: Arc<Snapshot>,
}

/// A lead's id for a request that arrived at `at`.
#[must_use]
pub fn new_lead_id(at: Timestamp) -> LeadId {
    LeadId::new(at, crate::random::bytes())
}

/// Everything the driver needs to begin.
///
/// # Errors
/// [`StoreError`] when what is known about the person cannot be read.
pub async fn prepare(engine: &Engine, request: Request) -> Result<Job, StoreError> {
    let whose = (&request.lead, &*request.source);
    let known = Known::look(engine, &request.config.routing, whose, request.received_at).await?;
    let budget = budget(&request);
    let setup = match &request.earlier {
        None => begin(engine, &request, (&known, None), budget),
        Some(posts) => begin_again(engine, &request, (&known, posts), budget),
    };
    let lead = Arc::new(request.lead);
    let is_ping = matches!(request.wanted, Wanted::Quote);
    // A ping and the post on it are no two submissions.
    let resubmission = if is_ping { Vec::new() } else { known.resubmission(&request.source) };
    let intake = Intake {
        lead: Arc::clone(&lead),
        kind: if is_ping { IntakeKind::Ping } else { IntakeKind::Lead },
        source: request.source.id.clone(),
        idempotency: request.idempotency,
        fingerprint: request.fingerprint,
        received_at: request.received_at,
        config_version: request.config.label(),
        callback_url: request.callback_url,
        resubmission,
        caps: request.source.caps_at(request.received_at, &request.tree.zone),
        limits: BuyerLimits {
            max_buyers: request.wishes.max_buyers,
            exclude: request.wishes.exclude,
        },
        repost_of: request.earlier.map(|earlier| earlier.first),
    };
    Ok(Job {
        intake,
        setup,
        lead,
        source: request.source,
        frame: request.frame,
        config: request.config,
        known,
        repeat: request.repeat,
    })
}

/// How long the request may take, and what pings must leave for posting.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Budget {
    total: Duration,
    post_reserve: Duration,
}

/// A seller may ask for a smaller budget, never a larger one; the reserve shrinks with it.
fn budget(request: &Request) -> Budget {
    let tree = &request.tree;
    let whole = match request.wanted {
        Wanted::Sale => Budget { total: tree.deadline, post_reserve: tree.post_reserve },
        Wanted::Quote => Budget {
            total: tree.deadline.saturating_sub(tree.post_reserve),
            post_reserve: REPLY_RESERVE,
        },
        Wanted::Fulfilment(_) => {
            Budget { total: tree.post_reserve, post_reserve: tree.post_reserve }
        }
    };
    match request.max_time {
        Some(asked) if asked < whole.total => shrunk(whole, asked),
        Some(_) | None => whole,
    }
}

fn shrunk(whole: Budget, asked: Duration) -> Budget {
    let share = |part: Duration| {
        let scaled = part.as_micros().saturating_mul(asked.as_micros());
        let micros = scaled.checked_div(whole.total.as_micros()).unwrap_or(0);
        Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
    };
    Budget { total: asked, post_reserve: share(whole.post_reserve) }
}

/// The auction of whoever may be asked.
fn begin(
    engine: &Engine,
    request: &Request,
    (known, earlier): (&Known, Option<&Earlier>),
    budget: Budget,
) -> Setup {
    let config = &request.config;
    let standing = StoreStanding::new(engine, &config.routing, request.received_at)
        .about(known)
        .after(earlier);
    let plan = sift(&request.tree, &asked(request), &standing, REASONS_MAX);
    setup(engine, request, &plan, budget)
}

/// The same for a lead that is posted again: whether a buyer that declined is asked again follows
/// from the floor that it would be told now.
fn begin_again(
    engine: &Engine,
    request: &Request,
    (known, posts): (&Known, &EarlierPosts),
    budget: Budget,
) -> Setup {
    let earlier = Earlier::of(posts, &request.config.connectors);
    let first = begin(engine, request, (known, Some(&earlier)), budget);
    let earlier = earlier.with_floors(floors(&first));
    begin(engine, request, (known, Some(&earlier)), budget)
}

fn asked(request: &Request) -> LeadRequest<'_> {
    LeadRequest {
        lead: &request.lead,
        source: &request.source,
        at: request.received_at,
        wishes: &request.wishes,
    }
}

/// What the store remembers of earlier leads.
struct Past<'a> {
    store: &'a dyn ExchangeStore,
    chances: Chances<'a>,
}

impl History for Past<'_> {
    fn last_won(&self, campaign: &CampaignId) -> Option<Timestamp> {
        self.store.last_won(campaign)
    }

    fn chance(&self, campaign: &CampaignId) -> u32 {
        self.chances.chance(campaign)
    }

    fn served(&self, tree: &TreeId, tier: &str, campaign: &CampaignId, since: Timestamp) -> Served {
        let (tree, tier) = (tree.to_string(), tier.to_owned());
        let member = TierMembership { tree, tier, campaign: campaign.clone() };
        let record = self.store.served(&member, since, self.chances.now());
        Served {
            last: record.last,
            delivered: record.delivered,
            qualified: record.qualified,
            accept_rate: self.chances.of_answers(record.answers),
        }
    }
}

fn setup(engine: &Engine, request: &Request, plan: &Plan, budget: Budget) -> Setup {
    let store = engine.store();
    let tier_name =
        |index: usize| plan.tiers.get(index).map(|tier| tier.tier.clone()).unwrap_or_default();
    Setup {
        lead: request.lead.id(),
        tree: request.tree.id.to_string(),
        started_at: request.received_at,
        deadline: request.received_at.after(budget.total),
        post_reserve: budget.post_reserve,
        seller: SellerTerms { least: larger(request.source.min_price, request.min_price) },
        max_buyers: request.wishes.max_buyers,
        tiers: tiers_of(
            plan,
            &asked(request),
            |campaign| delivery(&request.config, engine.transport(), campaign, request.lead.id()),
            &Past {
                store: &**store,
                chances: Chances::of(&request.tree, &**store, request.received_at),
            },
        ),
        ineligible: plan
            .ineligible
            .iter()
            .map(|(campaign, tier, why)| (tier_name(*tier), campaign.clone(), why.clone()))
            .collect(),
        goal: match &request.wanted {
            Wanted::Sale => Goal::Sell,
            Wanted::Quote => Goal::Quote {
                ping: PingId::from_bytes(request.lead.id().to_bytes()),
                lifetime: request.tree.promise_lifetime,
            },
            Wanted::Fulfilment(promise) => Goal::Fulfil(promise.clone()),
        },
    }
}

/// The larger of two least payouts; of another currency than the source's, the source's.
fn larger(of_source: Option<Money>, asked: Option<Money>) -> Option<Money> {
    match (of_source, asked) {
        (Some(floor), Some(asked)) if asked.at_least(floor).unwrap_or(false) => Some(asked),
        (Some(floor), _) => Some(floor),
        (None, asked) => asked,
    }
}

/// The day of intake that derived fields and anonymisers count from.
#[must_use]
pub fn day_of(at: Timestamp) -> exchange_model::Date {
    at.date_in(&TimeZone::UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_smaller_budget_keeps_its_share_for_posting() {
        let whole =
            Budget { total: Duration::from_secs(15), post_reserve: Duration::from_secs(12) };
        let half = shrunk(whole, Duration::from_millis(7_500));
        assert_eq!(half.post_reserve, Duration::from_secs(6));
    }

    #[test]
    fn a_request_may_ask_for_more_than_the_source_and_never_for_less() {
        let usd = |text| Some(Money::parse(text, exchange_model::Currency::USD).unwrap());
        assert_eq!(larger(usd("6.00"), usd("9.00")), usd("9.00"));
        assert_eq!(larger(usd("6.00"), usd("3.00")), usd("6.00"));
        assert_eq!(larger(None, usd("3.00")), usd("3.00"));
    }
}
