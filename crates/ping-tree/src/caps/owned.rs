//! All caps that one campaign is under, with their clocks.

use std::collections::BTreeMap;
use std::sync::Arc;

use exchange_model::{Place, SourceId, Timestamp};
use jiff::tz::TimeZone;

use crate::campaign::Campaign;
use crate::caps::{CapLimit, CapScope, Caps, Clock, Group};
use crate::schedule::Schedule;
use crate::source::Source;

/// Caps that campaigns of several buyers share.
#[derive(Clone, Debug)]
pub struct CapGroup {
    /// Its name and its members.
    pub group: Arc<Group>,
    /// The zone its caps reset in.
    pub zone: TimeZone,
    /// How much its members take together.
    pub caps: Caps,
    /// Where its name is written.
    pub place: Place,
}

/// How much a campaign takes.
#[derive(Clone, Debug, Default)]
pub struct CampaignCaps {
    /// From everybody.
    pub own: Caps,
    /// From any one source.
    pub each_source: Caps,
    /// From these sources instead, in order of their names.
    pub by_source: BTreeMap<SourceId, Caps>,
    /// Together with others.
    pub groups: Vec<Arc<CapGroup>>,
}

impl CampaignCaps {
    fn of_source(&self, source: &SourceId) -> &Caps {
        self.by_source.get(source).unwrap_or(&self.each_source)
    }

    /// Where the cap is written that a limit came from.
    #[must_use]
    pub fn place(&self, limit: &CapLimit, buyer: &Caps) -> Option<Place> {
        let caps = match &limit.scope {
            CapScope::Inbound(_) => return None,
            CapScope::Campaign(_) => &self.own,
            CapScope::Source(_, source) => self.of_source(source),
            CapScope::Buyer(_) => buyer,
            CapScope::Group(group) => &self.groups.iter().find(|known| known.group == *group)?.caps,
        };
        caps.place(limit.kind).cloned()
    }
}

impl Source {
    /// The caps on what it sends in as they stand at this moment, by the clock of its tree.
    #[must_use]
    pub fn caps_at(&self, now: Timestamp, zone: &TimeZone) -> Vec<CapLimit> {
        let mut limits = Vec::new();
        let clock = Clock { now, zone, hours: &Schedule::default() };
        self.caps.extend(&mut limits, &CapScope::Inbound(self.id.clone()), clock);
        limits
    }
}

impl Campaign {
    /// All caps it is under as they stand at this moment for a lead of this source, in the order
    /// they are checked: what eligibility looks at, and what the store checks again inside its
    /// write.
    #[must_use]
    pub fn caps_at(&self, now: Timestamp, source: &SourceId) -> Vec<CapLimit> {
        let mut limits = Vec::new();
        let always = Schedule::default();
        let zone = &self.buyer.zone;
        let mut add = |caps: &Caps, scope: &dyn Fn() -> CapScope, zone, hours| {
            if !caps.is_empty() {
                caps.extend(&mut limits, &scope(), Clock { now, zone, hours });
            }
        };
        add(&self.caps.own, &|| CapScope::Campaign(self.id.clone()), zone, &self.hours);
        let from_it = || CapScope::Source(self.id.clone(), source.clone());
        add(self.caps.of_source(source), &from_it, zone, &self.hours);
        add(&self.buyer.caps, &|| CapScope::Buyer(self.buyer.id.clone()), zone, &always);
        for group in &self.caps.groups {
            let scope = || CapScope::Group(Arc::clone(&group.group));
            add(&group.caps, &scope, &group.zone, &always);
        }
        limits
    }
}
