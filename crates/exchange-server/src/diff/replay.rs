//! Recorded leads, sold again by a set of files.
//!
//! The real auction runs, on a scripted clock. Buyers bid what they bid then; who was not asked then
//! is guessed by its habits, and the lead is marked. Posts that were not made then are accepted as
//! often as that buyer accepts. Caps are counted along, so that a
//! smaller cap leaves later leads to others; so is what each tier gave, from the first lead on, so
//! that tiers take turns. Balances, pauses by hand and duplicates are not.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use exchange_core::auction::{Delivery, Goal, SellerTerms, Setup, tiers_of};
use exchange_core::record::{Intent, Qualified};
use exchange_core::rehearsal::{Rehearsed, Script, rehearse};
use exchange_core::{Durable, caps};
use exchange_model::outcome::{Acceptance, PingAnswer, PostAnswer};
use exchange_model::reason::{NoBid, Refused, RejectClass, Rejection};
use exchange_model::{CampaignId, Lead, MinorUnits, Money};
use exchange_store::Bought;
use ping_tree::{LeadRequest, PriceMode, Source, Tree, Wishes, plan};

use crate::diff::habits::Habits;
use crate::diff::recorded::Recorded;
use crate::diff::world::{Turns, World};
use crate::exchange::delivery_by;
use crate::intake::day_of;
use crate::load::Exchange;

/// How long a buyer takes to answer a post, when the lead is sold again.
const POST_TAKES: Duration = Duration::from_millis(100);

/// What became of one lead.
#[derive(Clone, Debug, Default)]
pub struct Replayed {
    /// Who bought it, at which price and payout.
    pub sales: Vec<(CampaignId, Money, Money)>,
    /// The campaigns whose answer was guessed and bought it.
    pub guessed: bool,
    /// Why it could not be sold again: its source or vertical is gone, or it is erased.
    pub skipped: Option<&'static str>,
}

/// Sells every lead again, in their order. `seen` is told after each.
#[must_use]
pub fn replay(
    exchange: &Exchange,
    leads: &[Recorded],
    habits: &Habits,
    before: &[Bought],
    mut seen: impl FnMut(),
) -> Vec<Replayed> {
    let world = World::after(before);
    let one = |recorded: &Recorded| {
        let again = again(exchange, recorded, habits, &world);
        seen();
        again
    };
    leads.iter().map(one).collect()
}

fn again(exchange: &Exchange, recorded: &Recorded, habits: &Habits, world: &World) -> Replayed {
    let skipped = |why| Replayed { skipped: Some(why), ..Replayed::default() };
    let Some(source) = exchange.routing.source(&recorded.source) else {
        return skipped("its source is gone");
    };
    let Some(tree) = exchange.routing.tree(source.tree_for(recorded.parts.id)) else {
        return skipped("its tree is gone");
    };
    let vertical = exchange.verticals.get(&recorded.parts.vertical);
    let Some(vertical) = vertical.filter(|vertical| vertical.id() == tree.vertical.id()) else {
        return skipped("its vertical is gone");
    };
    let Ok(lead) = recorded.parts.restore(vertical, day_of(recorded.at)) else {
        return skipped("it is erased");
    };
    let mut script = Memory { recorded, habits, world, exchange, guesses: Vec::new() };
    let came = sell(exchange, (source, tree), recorded, &lead, &mut script);
    let guessed = came.sales.iter().any(|(campaign, ..)| script.guesses.contains(campaign));
    Replayed { sales: came.sales, guessed, skipped: None }
}

fn sell(
    exchange: &Exchange,
    (source, tree): (&Arc<Source>, &Arc<Tree>),
    recorded: &Recorded,
    lead: &Lead,
    script: &mut Memory<'_>,
) -> Rehearsed {
    let at = recorded.at;
    let request = LeadRequest { lead, source, at, wishes: Wishes::none() };
    let plan = plan(tree, &request, script.world);
    let setup = Setup {
        lead: lead.id(),
        tree: tree.id.to_string(),
        started_at: at,
        deadline: at.after(tree.deadline),
        post_reserve: tree.post_reserve,
        seller: SellerTerms { least: source.min_price },
        max_buyers: None,
        tiers: tiers_of(
            &plan,
            &request,
            |campaign| match exchange.connectors.get(&campaign.id) {
                Some(connector) => delivery_by(connector),
                None => Delivery::none(),
            },
            &Turns { world: script.world, now: at },
        ),
        ineligible: Vec::new(),
        goal: Goal::Sell,
    };
    rehearse(at, setup, script)
}

/// Buyers as they were.
struct Memory<'a> {
    recorded: &'a Recorded,
    habits: &'a Habits,
    world: &'a World,
    exchange: &'a Exchange,
    guesses: Vec<CampaignId>,
}

impl Memory<'_> {
    fn is_fixed(&self, campaign: &CampaignId) -> bool {
        let price = self.exchange.routing.campaign(campaign).map(|campaign| &campaign.price);
        matches!(price, Some(PriceMode::Fixed { .. }))
    }

    fn guess(&mut self, campaign: &CampaignId) {
        self.guesses.push(campaign.clone());
    }
}

impl Script for Memory<'_> {
    fn ping(&mut self, campaign: &CampaignId) -> (Duration, PingAnswer) {
        let known = self.recorded.heard.get(campaign).copied();
        let heard = known.or_else(|| {
            self.guess(campaign);
            self.habits.ping(campaign, self.recorded.parts.id)
        });
        let declined =
            || PingAnswer::NoBid(NoBid::Declined(Rejection::new(RejectClass::Other, None)));
        match heard {
            Some(heard) => {
                let answer = match heard.price {
                    Some(_) if self.is_fixed(campaign) => PingAnswer::Available { token: None },
                    Some(price) => PingAnswer::Bid { price, token: None },
                    None => declined(),
                };
                (heard.after, answer)
            }
            None => (Duration::ZERO, declined()),
        }
    }

    fn post(&mut self, campaign: &CampaignId) -> Option<(Duration, PostAnswer)> {
        let known = self.recorded.took.get(campaign).copied();
        let takes = known.unwrap_or_else(|| self.habits.takes(campaign, self.recorded.parts.id));
        let answer = if takes {
            PostAnswer::Accepted(Acceptance::default())
        } else {
            PostAnswer::Rejected(Rejection::new(RejectClass::Other, None))
        };
        Some((POST_TAKES, answer))
    }

    fn prepare(&mut self, intent: &Intent) -> Durable {
        let price = intent.hold.to_minor().unwrap_or(MinorUnits::ZERO);
        let used = |cap: &ping_tree::CapLimit| ping_tree::Standing::used(self.world, cap);
        match caps::first_full(&intent.caps, price, used) {
            Ok(()) => Durable::Done,
            Err(_full) => Durable::Refused(Refused::Cap),
        }
    }

    fn qualified(&mut self, members: &[Qualified]) {
        self.world.qualified(members, self.recorded.at);
    }

    fn concluded(&mut self, intent: &Intent, sold: Option<(Money, Money)>) {
        self.world.served(intent, self.recorded.at, sold.is_some());
        let Some(price) = sold.and_then(|(price, _)| price.to_minor().ok()) else { return };
        self.world.count(&intent.campaign, &self.recorded.source, self.recorded.at, price);
    }
}

/// What a set of files earned with all leads.
#[derive(Clone, Debug, Default)]
pub struct Total {
    /// Leads that somebody bought.
    pub sold: usize,
    /// Leads that nobody bought.
    pub unsold: usize,
    /// Leads and what they cost, by campaign.
    pub campaigns: BTreeMap<CampaignId, (usize, Option<Money>)>,
    /// What buyers paid.
    pub revenue: Option<Money>,
    /// What sellers were paid.
    pub payout: Option<Money>,
    /// Of the revenue, what rests on a guess.
    pub guessed: Option<Money>,
}

impl Total {
    /// Of these leads.
    #[must_use]
    pub fn of<'a>(leads: impl IntoIterator<Item = &'a Replayed>) -> Self {
        let mut total = Self::default();
        for lead in leads {
            if lead.sales.is_empty() {
                total.unsold = total.unsold.saturating_add(1);
            } else {
                total.sold = total.sold.saturating_add(1);
            }
            for (campaign, price, payout) in &lead.sales {
                let (count, paid) = total.campaigns.entry(campaign.clone()).or_default();
                *count = count.saturating_add(1);
                *paid = plus(*paid, *price);
                total.revenue = plus(total.revenue, *price);
                total.payout = plus(total.payout, *payout);
                if lead.guessed {
                    total.guessed = plus(total.guessed, *price);
                }
            }
        }
        total
    }
}

/// Amounts of several currencies are not added: the first one counts.
fn plus(sum: Option<Money>, more: Money) -> Option<Money> {
    match sum {
        None => Some(more),
        Some(sum) => Some(sum.checked_add(more).unwrap_or(sum)),
    }
}
