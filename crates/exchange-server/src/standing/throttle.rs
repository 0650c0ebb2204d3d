//! Buyers that take pings and buy nothing.

use exchange_model::Lead;
use exchange_model::reason::IneligibleKind;
use ping_tree::Campaign;

use crate::scores::Scores;

/// What the scorecards say of buyers.
#[derive(Clone, Copy, Debug)]
pub struct Throttles<'a> {
    /// Whose verdicts count.
    pub scores: &'a Scores,
}

impl Throttles<'_> {
    /// Whether this is one of the leads that a throttled buyer does not see.
    #[must_use]
    pub fn hinders(&self, campaign: &Campaign, lead: &Lead) -> Option<IneligibleKind> {
        let (buyer, rule) = (&campaign.buyer.id, campaign.buyer.harvest?);
        self.scores.sign(buyer)?;
        (!rule.keeps(lead.id(), buyer)).then_some(IneligibleKind::Throttled)
    }
}
