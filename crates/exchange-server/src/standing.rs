//! What eligibility is told about the moment: usage and credit from the store's memory.
//!
//! An early look only. Caps and credit are decided inside commit A.

use exchange_model::reason::IneligibleKind;
use exchange_model::{BillingTerms, BuyerId, CampaignId, Currency, Lead, MinorUnits, Timestamp};
use exchange_store::ExchangeStore;
use ping_tree::{Campaign, CapLimit, Routing, Standing, Tally};

use crate::exchange::Engine;

mod breaker;
mod earlier;
mod person;
mod ping_rate;
mod throttle;

pub use breaker::Breakers;
pub use earlier::Earlier;
pub use person::{Known, People};
pub use ping_rate::PingRates;
pub use throttle::Throttles;

/// The store's view, for one config snapshot.
#[derive(Clone, Copy, Debug)]
pub struct StoreStanding<'a> {
    /// Whose memory is asked.
    pub store: &'a dyn ExchangeStore,
    /// Whose terms apply.
    pub routing: &'a Routing,
    /// The moment that is meant: a stop ends by itself.
    pub at: Timestamp,
    /// The person behind the lead.
    pub people: People<'a>,
    /// What became of the lead when it was posted before.
    pub earlier: Option<&'a Earlier>,
    /// Which buyers are left alone.
    pub breakers: Breakers<'a>,
    /// Which buyers are throttled.
    pub throttles: Throttles<'a>,
    /// Which buyers take no more pings at the moment.
    pub ping_rates: PingRates<'a>,
}

impl<'a> StoreStanding<'a> {
    /// What the running exchange knows, for this config and this moment.
    #[must_use]
    pub fn new(engine: &'a Engine, routing: &'a Routing, at: Timestamp) -> Self {
        Self {
            store: &**engine.store(),
            routing,
            at,
            people: People { engine, known: None },
            earlier: None,
            breakers: Breakers { transport: engine.transport() },
            throttles: Throttles { scores: engine.scores() },
            ping_rates: PingRates { rates: engine.rates(), at },
        }
    }
}

impl<'a> StoreStanding<'a> {
    /// The same, about the person of one lead.
    #[must_use]
    pub fn about(self, known: &'a Known) -> Self {
        Self { people: People { known: Some(known), ..self.people }, ..self }
    }

    /// The same, of a lead that was posted before.
    #[must_use]
    pub fn after(self, earlier: Option<&'a Earlier>) -> Self {
        Self { earlier, ..self }
    }
}

impl Standing for StoreStanding<'_> {
    fn paused(&self, campaign: &CampaignId) -> bool {
        self.store.stops().of_campaign(campaign, self.at).is_some()
    }

    fn used(&self, cap: &CapLimit) -> Tally {
        self.store.used(cap)
    }

    fn available(&self, buyer: &BuyerId) -> Option<MinorUnits> {
        let terms = self.routing.buyer(buyer)?.terms;
        self.store.available(buyer, &terms, currency_of(&terms))
    }

    /// In the order of the reasons.
    fn hindered(&self, campaign: &Campaign, lead: &Lead) -> Option<IneligibleKind> {
        self.people
            .hinders(campaign, lead)
            .or_else(|| self.earlier.and_then(|earlier| earlier.hinders(campaign)))
            .or_else(|| self.breakers.hinders(campaign, lead))
            .or_else(|| self.throttles.hinders(campaign, lead))
            .or_else(|| self.ping_rates.hinders(campaign, lead))
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
