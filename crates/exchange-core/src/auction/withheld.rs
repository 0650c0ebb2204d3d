//! Pings that did not leave after all: the driver found the last gate closed.

use exchange_model::Timestamp;
use exchange_model::reason::IneligibleKind;

use super::Auction;
use super::setup::Seat;
use crate::trace::TraceEvent;

impl Auction {
    /// The member was not pinged, and is not waited for.
    pub(super) fn withheld(&mut self, now: Timestamp, seat: Seat, why: IneligibleKind) {
        let (tier, campaign) = (self.tier_name(), self.name(seat));
        self.awaited.retain(|awaited| awaited.seat != seat);
        self.lateness.withheld(seat);
        self.trace.take_back_ping(&campaign);
        self.note_reason("ineligible", why.code());
        self.record(now, TraceEvent::Ineligible { tier, campaign, reason: why.to_string() });
    }
}
