//! Whether one campaign may be pinged for one lead.
//!
//! Gates run in one order, cheap and certain ones first, and the first that fails is the reason:
//! paused, blocked by the seller, excluded by the request, conditions of the tier, filters in the
//! order written, consent, to how many the lead may go, hours, caps, credit, and what only the
//! running exchange knows. Nothing is reserved here: commit A checks caps and credit again.

use std::sync::LazyLock;

use exchange_model::reason::{Ineligible, IneligibleKind};
use exchange_model::{Attributes, BrandList, BuyerId, CampaignId, Lead, MinorUnits, Timestamp};

use crate::campaign::{Buyer, Campaign};
use crate::caps::{CapLimit, Tally};
use crate::source::Source;
use crate::tree::{Tier, TierMember};

/// The state that a pure evaluator is given: who is paused by hand, what is used, what is left.
pub trait Standing {
    /// Whether the campaign or its buyer was paused while running, beside what config says.
    fn paused(&self, campaign: &CampaignId) -> bool;

    /// What is bought and reserved of what a cap counts, within its window.
    fn used(&self, cap: &CapLimit) -> Tally;

    /// What the buyer may still be charged: balance and credit line, or credit limit, less all that
    /// is held. Nothing: not known here, so it stops nobody before commit A.
    fn available(&self, buyer: &BuyerId) -> Option<MinorUnits>;

    /// What else the running exchange knows that keeps this campaign from being pinged for this
    /// lead: suppression, its own duplicates, rates, a throttle, an open breaker, what became of an
    /// earlier post of the same lead. Asked last, once per campaign that passed everything else.
    fn hindered(&self, campaign: &Campaign, lead: &Lead) -> Option<IneligibleKind> {
        let _nothing_is_known = (campaign, lead);
        None
    }
}

/// What a request asks of whoever buys the lead.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Wishes {
    /// To how many buyers the lead may go at most, places of one buyer's brands counted each.
    pub max_buyers: Option<u8>,
    /// Buyers and brands that have the lead already, by name, title or hash of either.
    pub exclude: BrandList,
}

impl Wishes {
    /// No wish.
    #[must_use]
    pub fn none() -> &'static Self {
        static NONE: LazyLock<Wishes> = LazyLock::new(Wishes::default);
        &NONE
    }

    /// Whether a lead may go to so many buyers in all.
    #[must_use]
    pub fn allow(&self, buyers: u8) -> bool {
        self.max_buyers.is_none_or(|most| buyers <= most)
    }
}

/// One lead at the door.
#[derive(Clone, Copy, Debug)]
pub struct LeadRequest<'a> {
    /// The lead.
    pub lead: &'a Lead,
    /// Whose it is.
    pub source: &'a Source,
    /// The recorded time of intake; hours and caps are judged by it.
    pub at: Timestamp,
    /// What the request asks of whoever buys it.
    pub wishes: &'a Wishes,
}

/// A campaign's place in a tree, for one lead.
#[derive(Clone, Copy, Debug)]
pub struct Spot<'a> {
    /// The tier.
    pub tier: &'a Tier,
    /// The place in it.
    pub member: &'a TierMember,
    /// The tier before it in which the campaign has a place whose condition holds: it is asked
    /// there, and not here.
    pub earlier: Option<&'a Tier>,
}

impl Spot<'_> {
    /// Whether the campaign is asked here, of all its places in the tree.
    #[must_use]
    pub fn is_met(&self, attributes: &Attributes) -> bool {
        self.earlier.is_none() && self.holds(attributes)
    }

    /// Whether the conditions of the tier and of the place in it hold.
    #[must_use]
    pub fn holds(&self, attributes: &Attributes) -> bool {
        self.tier.when.matches(attributes) && self.member.when.matches(attributes)
    }

    /// Whether the campaign may share the lead with any number of buyers that the tier and the
    /// request allow.
    #[must_use]
    pub fn shares(&self, wishes: &Wishes) -> bool {
        let mut counts = self.tier.sale.buyers();
        counts.any(|buyers| wishes.allow(buyers) && self.member.campaign.shares.takes(buyers))
    }
}

/// Whether `campaign` may be pinged for this lead, wherever it stands.
///
/// # Errors
/// The first gate that fails.
pub fn eligibility(
    campaign: &Campaign,
    request: &LeadRequest<'_>,
    standing: &dyn Standing,
) -> Result<(), Ineligible> {
    gates(&Asking { campaign, spot: None, accepted: false }, request, standing)
}

/// Whether a campaign may be pinged for this lead in one place of a tree.
///
/// # Errors
/// The first gate that fails.
pub fn eligibility_at(
    spot: &Spot<'_>,
    request: &LeadRequest<'_>,
    standing: &dyn Standing,
) -> Result<(), Ineligible> {
    let campaign = &spot.member.campaign;
    gates(&Asking { campaign, spot: Some(spot), accepted: false }, request, standing)
}

/// The same for a campaign whose filter is known to accept the lead.
pub(crate) fn eligibility_of_accepting(
    spot: &Spot<'_>,
    request: &LeadRequest<'_>,
    standing: &dyn Standing,
) -> Result<(), Ineligible> {
    let campaign = &spot.member.campaign;
    gates(&Asking { campaign, spot: Some(spot), accepted: true }, request, standing)
}

/// Who is asked about.
struct Asking<'a> {
    campaign: &'a Campaign,
    spot: Option<&'a Spot<'a>>,
    /// Whether its filter is known to hold.
    accepted: bool,
}

fn gates(
    asking: &Asking<'_>,
    request: &LeadRequest<'_>,
    standing: &dyn Standing,
) -> Result<(), Ineligible> {
    let Asking { campaign, spot, accepted } = *asking;
    if campaign.is_paused() || standing.paused(&campaign.id) {
        return Err(Ineligible::Plain(IneligibleKind::Paused));
    }
    if is_blocked(request.source, &campaign.buyer) || !campaign.sources.takes(&request.source.id) {
        return Err(Ineligible::Plain(IneligibleKind::BlockedBySeller));
    }
    if is_excluded(request.wishes, &campaign.buyer) {
        return Err(Ineligible::Plain(IneligibleKind::Excluded));
    }
    if spot.is_some_and(|spot| !spot.is_met(request.lead.attributes())) {
        return Err(Ineligible::Plain(IneligibleKind::WhenNotMet));
    }
    if !accepted && let Some(telling) = campaign.accepts.first_refusal(request.lead.attributes()) {
        let field = campaign.vertical.field(telling.rule.field).name.clone();
        return Err(Ineligible::Filtered { field });
    }
    if !campaign.person.has_consent(request.lead) {
        return Err(Ineligible::Plain(IneligibleKind::NoConsent));
    }
    if spot.is_some_and(|spot| !spot.shares(request.wishes)) {
        return Err(Ineligible::Plain(IneligibleKind::ShareMode));
    }
    if !campaign.hours.is_open(request.at, &campaign.buyer.zone) {
        return Err(Ineligible::Plain(IneligibleKind::Closed));
    }
    let least = campaign.least_charge();
    for cap in campaign.caps_at(request.at, &request.source.id) {
        if !cap.limit.has_room(standing.used(&cap), least) {
            return Err(Ineligible::Cap(cap.name()));
        }
    }
    if !has_credit(campaign, standing.available(&campaign.buyer.id)) {
        return Err(Ineligible::Plain(IneligibleKind::NoCredit));
    }
    match standing.hindered(campaign, request.lead) {
        Some(kind) => Err(Ineligible::Plain(kind)),
        None => Ok(()),
    }
}

pub(crate) fn is_blocked(source: &Source, buyer: &Buyer) -> bool {
    source.blocked.binary_search(&buyer.id).is_ok()
}

pub(crate) fn is_excluded(wishes: &Wishes, buyer: &Buyer) -> bool {
    !wishes.exclude.as_slice().is_empty()
        && buyer.brands.iter().any(|brand| wishes.exclude.names(brand))
}

/// The least price must be covered, and the balance that the operator asks for must be there.
pub(crate) fn has_credit(campaign: &Campaign, available: Option<MinorUnits>) -> bool {
    available.is_none_or(|left| left >= needed(campaign))
}

pub(crate) fn needed(campaign: &Campaign) -> MinorUnits {
    let wanted = campaign.buyer.min_balance.and_then(|money| money.to_minor().ok());
    campaign.least_charge().max(wanted.unwrap_or(MinorUnits::ZERO))
}
