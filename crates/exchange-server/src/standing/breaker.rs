//! Buyers that fail and are left alone.

use buyer_connectors::Transport;
use exchange_model::Lead;
use exchange_model::reason::IneligibleKind;
use ping_tree::Campaign;

/// What the transport knows of buyers that fail.
#[derive(Clone, Copy, Debug)]
pub struct Breakers<'a> {
    /// Whose breakers are asked.
    pub transport: &'a Transport,
}

impl Breakers<'_> {
    /// Whether a ping of this lead would not be sent. The ping that finds out whether the buyer is
    /// back, and the share that a buyer gets on its way back, are let through.
    #[must_use]
    pub fn hinders(&self, campaign: &Campaign, lead: &Lead) -> Option<IneligibleKind> {
        let spared = self.transport.spares(&campaign.buyer.id, lead.id());
        spared.then_some(IneligibleKind::BreakerOpen)
    }
}
