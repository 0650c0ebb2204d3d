//! A lead that is posted again: whom it was posted to before, and who declined its ping.
//!
//! Who refused it, or may have it, is not asked again. Who declined is asked again only where its
//! ping tells the floor and the floor is lower now; else it would say the same.

use std::collections::{BTreeMap, BTreeSet};

use buyer_connectors::Connectors;
use exchange_core::trace::{Trace, TraceEvent};
use exchange_model::reason::IneligibleKind;
use exchange_model::{CampaignId, Currency, Money};
use exchange_store::EarlierPosts;
use ping_tree::Campaign;

/// What became of a lead, each time it was posted.
#[derive(Clone, Debug, Default)]
pub struct Earlier {
    posted_to: BTreeSet<CampaignId>,
    /// Who declined last time it was asked, and the least floor that it was told; nothing where
    /// its ping tells none.
    declined: BTreeMap<CampaignId, Option<Money>>,
    /// What each would be told now.
    floors: Option<BTreeMap<CampaignId, Money>>,
}

impl Earlier {
    /// From the records of the earlier posts.
    #[must_use]
    pub fn of(earlier: &EarlierPosts, connectors: &Connectors) -> Self {
        let mut known = Self::default();
        for post in &earlier.posts {
            known.posted_to.extend(post.posted_to.iter().cloned());
            for trace in &post.traces {
                known.hear(trace, connectors);
            }
        }
        known
    }

    /// With what each campaign would be told now; before this nobody is out for having declined.
    #[must_use]
    pub fn with_floors(self, floors: Vec<(CampaignId, Money)>) -> Self {
        Self { floors: Some(floors.into_iter().collect()), ..self }
    }

    fn hear(&mut self, trace: &Trace, connectors: &Connectors) {
        let mut told: BTreeMap<&str, Option<Money>> = BTreeMap::new();
        for step in &trace.steps {
            match &step.event {
                TraceEvent::Pinged { campaign, least, .. } => {
                    told.insert(campaign, least.as_deref().and_then(amount));
                }
                TraceEvent::NoBid { campaign, reason, .. } if is_decline(reason) => {
                    let Ok(id) = campaign.parse::<CampaignId>() else { continue };
                    let tells = connectors.get(&id).is_some_and(|c| c.ping_tells_floor());
                    let floor = told.get(campaign.as_str()).copied().flatten();
                    self.declines(id, floor.filter(|_| tells));
                }
                TraceEvent::NoBid { campaign, reason, .. } if reason.starts_with("below_") => {
                    self.bids(campaign);
                }
                TraceEvent::Bid { campaign, .. } => self.bids(campaign),
                _ => {}
            }
        }
    }

    /// Who bids, however little, has not declined.
    fn bids(&mut self, campaign: &str) {
        if let Ok(id) = campaign.parse::<CampaignId>() {
            self.declined.remove(&id);
        }
    }

    fn declines(&mut self, campaign: CampaignId, floor: Option<Money>) {
        let before = self.declined.get(&campaign).copied().flatten();
        let least = match (before, floor) {
            (Some(before), Some(floor)) if floor.at_least(before).unwrap_or(false) => Some(before),
            (_, floor) => floor,
        };
        self.declined.insert(campaign, least);
    }

    /// What keeps this campaign from being asked again.
    #[must_use]
    pub fn hinders(&self, campaign: &Campaign) -> Option<IneligibleKind> {
        if self.posted_to.contains(&campaign.id) {
            return Some(IneligibleKind::PostedBefore);
        }
        let floors = self.floors.as_ref()?;
        let told = self.declined.get(&campaign.id)?;
        let is_lower = match (told, floors.get(&campaign.id)) {
            (Some(told), Some(now)) => told != now && told.at_least(*now).unwrap_or(false),
            (None, _) | (_, None) => false,
        };
        (!is_lower).then_some(IneligibleKind::DeclinedBefore)
    }
}

/// `declined(other)`.
fn is_decline(reason: &str) -> bool {
    reason.split('(').next() == Some("declined")
}

/// `24.80 USD`.
fn amount(text: &str) -> Option<Money> {
    let (digits, currency) = text.split_once(' ')?;
    Money::parse(digits, Currency::new(currency).ok()?).ok()
}
