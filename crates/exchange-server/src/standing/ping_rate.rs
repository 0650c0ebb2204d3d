//! Campaigns to which as many pings have left as their buyer takes at a time.

use exchange_model::reason::IneligibleKind;
use exchange_model::{Lead, Timestamp};
use ping_tree::Campaign;

use crate::rates::Rates;

/// What pings left lately.
#[derive(Clone, Copy, Debug)]
pub struct PingRates<'a> {
    /// Whose buckets are looked at.
    pub rates: &'a Rates,
    /// The moment that is meant.
    pub at: Timestamp,
}

impl PingRates<'_> {
    /// An early look that takes nothing: the driver takes, when the ping really leaves.
    #[must_use]
    pub fn hinders(&self, campaign: &Campaign, _lead: &Lead) -> Option<IneligibleKind> {
        (!self.rates.may_ping(campaign, self.at)).then_some(IneligibleKind::PingRate)
    }
}
