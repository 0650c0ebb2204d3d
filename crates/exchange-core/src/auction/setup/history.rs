//! What came before this lead, as far as the order of bids looks at it.
//!
//! Everything here is counted from the posts on record, so it is the same on every node and after
//! every restart.

use exchange_model::{CampaignId, Timestamp, TreeId};
use jiff::tz::TimeZone;
use ping_tree::LookBack;

/// Every post is accepted, in parts per million.
pub const CHANCE_WHOLE: u32 = 1_000_000;

/// What one tier of one tree gave one campaign.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Served {
    /// When it last got a lead from the tier, or was posted one; nothing: never.
    pub last: Option<Timestamp>,
    /// Leads that it bought in the window, posts under way included.
    pub delivered: u32,
    /// Leads of the window that it made a usable bid for.
    pub qualified: u32,
    /// How many of its posts in the window it accepted, in parts per million.
    pub accept_rate: u32,
}

/// What the running exchange knows of earlier leads.
pub trait History {
    /// When the campaign last bought a lead, in any tier.
    fn last_won(&self, campaign: &CampaignId) -> Option<Timestamp>;

    /// The measured chance that it accepts a post, in parts per million; [`CHANCE_WHOLE`] where
    /// nothing is known.
    fn chance(&self, campaign: &CampaignId) -> u32 {
        let _nothing_is_known = campaign;
        CHANCE_WHOLE
    }

    /// What a tier gave it since this moment. Asked only where the tier's method looks at it.
    fn served(&self, tree: &TreeId, tier: &str, campaign: &CampaignId, since: Timestamp) -> Served {
        let _nothing_is_known = (tree, tier, campaign, since);
        Served::default()
    }
}

/// Of an exchange that has sold nothing yet.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoHistory;

impl History for NoHistory {
    fn last_won(&self, _campaign: &CampaignId) -> Option<Timestamp> {
        None
    }
}

/// The beginning of what a tier looks back on.
pub(super) fn since(look_back: LookBack, zone: &TimeZone, at: Timestamp) -> Timestamp {
    let today = at.date_in(zone);
    match look_back {
        LookBack::Day => ping_tree::date_start(today, zone),
        LookBack::Month => ping_tree::date_start(today.first_of_month(), zone),
        LookBack::Span(span) => at.before(span),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_day_and_a_month_begin_by_the_clock_of_the_tree() {
        let zone = TimeZone::get("America/Chicago").unwrap();
        let at: jiff::Timestamp = "2026-11-02T05:30:00Z".parse().unwrap();
        let at = Timestamp::from_jiff(at);
        let shown = |look_back| since(look_back, &zone, at).to_string();
        assert_eq!(shown(LookBack::Day), "2026-11-01T05:00:00.000Z");
        assert_eq!(shown(LookBack::Month), "2026-11-01T05:00:00.000Z");
        let hour = LookBack::Span(Duration::from_hours(1));
        assert_eq!(shown(hour), "2026-11-02T04:30:00.000Z");
    }
}
