//! A permit for a rehearsal: an operator tests a buyer with a lead of their own.

use exchange_model::{AttemptId, CampaignId, PostPermit};

/// The right to post a lead that is not for sale.
///
/// The lead is made up, or the operator's own, and is in no store: nothing is held, nothing is
/// booked and no seller is paid whatever the buyer answers. Only the command that tests a buyer
/// may ask for one; a lead of a seller is posted by the permit of its commit and by no other.
#[must_use]
pub fn rehearsal_permit(attempt: AttemptId, campaign: CampaignId) -> PostPermit {
    PostPermit::issue(attempt, campaign)
}
