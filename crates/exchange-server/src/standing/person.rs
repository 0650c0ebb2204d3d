//! The person behind one lead, as the exchange remembers it: seen before, suppressed.
//!
//! Made once per request from what the store keeps: keyed hashes alone. What it says is an early
//! look, so that nobody is asked in vain; the same is decided again inside commit A, from what
//! [`Known::for_post`] hands over.

use std::sync::OnceLock;

use exchange_core::duplicates::{self, Claim, Dealing, Person, Print};
use exchange_model::lead::ListHash;
use exchange_model::reason::IneligibleKind;
use exchange_model::{Lead, Timestamp};
use exchange_store::{ExchangeStore, StoreError};
use ping_tree::{Campaign, Routing, Source};

use crate::exchange::Engine;

/// What is known about the person of a lead.
#[derive(Debug, Default)]
pub struct Known {
    at: Timestamp,
    prints: Vec<Print>,
    /// What the source's rule asks to be free.
    of_source: Vec<Claim>,
    dealings: Vec<Dealing>,
    /// Worked out when the first campaign with a list asks.
    listed_as: OnceLock<Vec<ListHash>>,
}

impl Known {
    /// Looks a person up: what was dealt with it, where a rule of this routing asks for that.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn look(
        engine: &Engine,
        routing: &Routing,
        (lead, source): (&Lead, &Source),
        at: Timestamp,
    ) -> Result<Self, StoreError> {
        let asked = routing.person_fields(lead.vertical().id());
        let prints = duplicates::prints(lead, asked, engine.keys().fingerprints());
        let looked_at = prints.iter().filter(|print| asked.contains(&print.field));
        let looked_at: Vec<Print> = looked_at.cloned().collect();
        let dealings = if looked_at.is_empty() {
            Vec::new()
        } else {
            engine.store().dealings(&looked_at).await?
        };
        let of_source = duplicates::of_source(&prints, lead, source, at);
        Ok(Self { at, prints, of_source, dealings, listed_as: OnceLock::new() })
    }

    /// Whether the person was sold within the source's window: nobody need be asked.
    #[must_use]
    pub fn is_sold(&self) -> bool {
        self.meets(&self.of_source)
    }

    /// What must not have come from the source lately.
    #[must_use]
    pub fn resubmission(&self, source: &Source) -> Vec<Claim> {
        duplicates::resubmitted(&self.prints, source, self.at)
    }

    /// What keeps this campaign from being asked.
    #[must_use]
    pub fn hinders(
        &self,
        engine: &Engine,
        campaign: &Campaign,
        lead: &Lead,
    ) -> Option<IneligibleKind> {
        let lists = &campaign.person.suppress;
        let store: &dyn ExchangeStore = &**engine.store();
        if !lists.is_empty()
            && store.suppresses(&campaign.buyer.id, lists, self.listed_as(engine, lead))
        {
            return Some(IneligibleKind::Suppressed);
        }
        let claims = duplicates::of_campaign(&self.prints, campaign, self.at);
        self.meets(&claims).then_some(IneligibleKind::Duplicate)
    }

    /// What commit A decides about the person of a post to this campaign.
    #[must_use]
    pub fn for_post(&self, engine: &Engine, campaign: &Campaign, lead: &Lead) -> Person {
        let mut claims = self.of_source.clone();
        claims.extend(duplicates::of_campaign(&self.prints, campaign, self.at));
        let lists = campaign.person.suppress.clone();
        let listed_as =
            if lists.is_empty() { Vec::new() } else { self.listed_as(engine, lead).to_vec() };
        Person { prints: self.prints.clone(), claims, lists, listed_as }
    }

    fn meets(&self, claims: &[Claim]) -> bool {
        claims.iter().any(|claim| self.dealings.iter().any(|dealing| claim.meets(dealing)))
    }

    fn listed_as(&self, engine: &Engine, lead: &Lead) -> &[ListHash] {
        self.listed_as
            .get_or_init(|| lead.contact().listed_as(lead.vertical(), engine.keys().fingerprints()))
    }
}

/// What eligibility asks about the person of a lead; nothing is known without one.
#[derive(Clone, Copy, Debug)]
pub struct People<'a> {
    /// Whose store and keys.
    pub engine: &'a Engine,
    /// The person, where it was looked up.
    pub known: Option<&'a Known>,
}

impl People<'_> {
    /// Suppressed, or a duplicate of the buyer's.
    #[must_use]
    pub fn hinders(&self, campaign: &Campaign, lead: &Lead) -> Option<IneligibleKind> {
        self.known?.hinders(self.engine, campaign, lead)
    }
}
