//! What eligibility is told about the moment: usage and credit from the store's memory.
//!
//! An early look only. Caps and credit are decided inside commit A.

use exchange_model::{BillingTerms, BuyerId, CampaignId, Currency, MinorUnits};
use exchange_store::ExchangeStore;
use ping_tree::{Routing, Standing, Tally, Window};

/// The store's view, for one config snapshot.
#[derive(Clone, Copy, Debug)]
pub struct StoreStanding<'a> {
    /// Whose memory is asked.
    pub store: &'a dyn ExchangeStore,
    /// Whose terms apply.
    pub routing: &'a Routing,
}

impl Standing for StoreStanding<'_> {
    /// Nothing can be paused while running yet; the files say who is paused.
    fn paused(&self, _campaign: &CampaignId) -> bool {
        false
    }

    fn used(&self, campaign: &CampaignId, window: Window) -> Tally {
        self.store.used(campaign, window)
    }

    fn available(&self, buyer: &BuyerId) -> Option<MinorUnits> {
        let terms = self.routing.buyer(buyer)?.terms;
        self.store.available(buyer, &terms, currency_of(&terms))
    }
}

/// The currency that a buyer's terms are written in.
#[must_use]
pub fn currency_of(terms: &BillingTerms) -> Currency {
    match terms {
        BillingTerms::Prepaid { credit_line } => credit_line.currency(),
        BillingTerms::Net { credit_limit, .. } => credit_limit.currency(),
    }
}
