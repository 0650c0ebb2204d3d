//! Whether one campaign may be pinged for one lead.
//!
//! Gates run in one order, cheap and certain ones first, and the first that fails is the reason:
//! paused, blocked by the seller, filters in the order written, hours, caps from the hour to the
//! month, credit, and what only the running exchange knows. Nothing is reserved here: commit A checks caps and credit again.

use exchange_model::reason::{Ineligible, IneligibleKind};
use exchange_model::{BuyerId, CampaignId, Lead, MinorUnits, Timestamp};

use crate::campaign::{Buyer, Campaign};
use crate::caps::{Tally, Window};
use crate::source::Source;

/// The state that a pure evaluator is given: who is paused by hand, what is used, what is left.
pub trait Standing {
    /// Whether the campaign or its buyer was paused while running, beside what config says.
    fn paused(&self, campaign: &CampaignId) -> bool;

    /// What the campaign bought and has reserved within a window.
    fn used(&self, campaign: &CampaignId, window: Window) -> Tally;

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

/// One lead at the door.
#[derive(Clone, Copy, Debug)]
pub struct LeadRequest<'a> {
    /// The lead.
    pub lead: &'a Lead,
    /// Whose it is.
    pub source: &'a Source,
    /// The recorded time of intake; hours and caps are judged by it.
    pub at: Timestamp,
}

/// Whether `campaign` may be pinged for this lead.
///
/// # Errors
/// The first gate that fails.
pub fn eligibility(
    campaign: &Campaign,
    request: &LeadRequest<'_>,
    standing: &dyn Standing,
) -> Result<(), Ineligible> {
    if campaign.is_paused() || standing.paused(&campaign.id) {
        return Err(Ineligible::Plain(IneligibleKind::Paused));
    }
    if is_blocked(request.source, &campaign.buyer) {
        return Err(Ineligible::Plain(IneligibleKind::BlockedBySeller));
    }
    if let Some(rule) = campaign.accepts.first_refusal(request.lead.attributes()) {
        let field = campaign.vertical.field(rule.rule.field).name.clone();
        return Err(Ineligible::Filtered { field });
    }
    if !campaign.hours.is_open(request.at, &campaign.buyer.zone) {
        return Err(Ineligible::Plain(IneligibleKind::Closed));
    }
    let least = campaign.price.least_charge();
    for cap in campaign.caps.at(request.at, &campaign.buyer.zone) {
        if !cap.limit.has_room(standing.used(&campaign.id, cap.window), least) {
            return Err(Ineligible::Cap(cap.kind));
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

/// The least price must be covered, and the balance that the operator asks for must be there.
pub(crate) fn has_credit(campaign: &Campaign, available: Option<MinorUnits>) -> bool {
    available.is_none_or(|left| left >= needed(campaign))
}

pub(crate) fn needed(campaign: &Campaign) -> MinorUnits {
    let wanted = campaign.buyer.min_balance.and_then(|money| money.to_minor().ok());
    campaign.price.least_charge().max(wanted.unwrap_or(MinorUnits::ZERO))
}
