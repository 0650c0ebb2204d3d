//! Bids that come when they no longer count: recorded with what waiting would have brought.
//!
//! A bid is late against the moment until which it would have counted. Whether it would have won
//! is judged against the best bid that its tier closed with; one that comes while its tier still
//! waits for others is judged again when the tier closes.

use exchange_model::outcome::{BidToken, PingAnswer};
use exchange_model::reason::NoBid;
use exchange_model::{Money, Timestamp};

use super::appraising::Offered;
use super::ranking::Bid;
use super::selection::{Candidate, compare};
use super::setup::Seat;
use super::{Auction, Awaited};
use crate::trace::{LateBid, TraceEvent};

/// What late bids are judged by.
#[derive(Debug, Default)]
pub(super) struct Lateness {
    /// Every ping that left, and until when its answer counted.
    asked: Vec<Awaited>,
    /// The tiers that have closed, each with its best bid.
    closed: Vec<(usize, Option<Bid>)>,
    /// Late bids of the tier that is open, with their places in the journey.
    waiting: Vec<(usize, Bid)>,
}

impl Lateness {
    pub(super) fn asked(&mut self, awaited: Awaited) {
        self.asked.push(awaited);
    }

    /// It was not asked after all.
    pub(super) fn withheld(&mut self, seat: Seat) {
        self.asked.retain(|asked| asked.seat != seat);
    }

    fn until(&self, seat: Seat) -> Option<Timestamp> {
        self.asked.iter().rev().find(|asked| asked.seat == seat).map(|asked| asked.until)
    }
}

impl Auction {
    /// Records an answer that nobody waited for any more.
    pub(super) fn record_late(&mut self, now: Timestamp, seat: Seat, answer: PingAnswer) {
        let reason = match &answer {
            PingAnswer::Bid { price, .. } => NoBid::Late(*price),
            PingAnswer::Available { .. } => NoBid::Timeout,
            PingAnswer::NoBid(reason) => reason.clone(),
        };
        let late = match answer {
            PingAnswer::Bid { price, token } => self.late_bid(now, seat, price, token),
            PingAnswer::Available { .. } | PingAnswer::NoBid(_) => None,
        };
        let event = TraceEvent::NoBid {
            campaign: self.name(seat),
            reason: reason.to_string(),
            text: None,
            late,
        };
        self.record(now, event);
    }

    fn late_bid(
        &mut self,
        now: Timestamp,
        seat: Seat,
        price: Money,
        token: Option<BidToken>,
    ) -> Option<LateBid> {
        let late_by = now.since(self.lateness.until(seat)?);
        let mut late = LateBid {
            late_by: u64::try_from(late_by.as_micros()).unwrap_or(u64::MAX),
            price: price.to_string(),
            payout: None,
            would_have_won: false,
        };
        let judged = self.appraise(Offered { seat, price, contract: false, token, at: now });
        if let Ok(bid) = judged {
            late.payout = Some(bid.payout.to_string());
            late.would_have_won = self.would_have_won(bid);
        }
        Some(late)
    }

    /// While its tier is open, only that it is usable is known.
    fn would_have_won(&mut self, bid: Bid) -> bool {
        let tier = self.tier_index(bid.seat);
        let closed = self.lateness.closed.iter().find(|(closed, _)| *closed == tier);
        match closed {
            Some((_, best)) => self.beats(&bid, best.as_ref()),
            None => {
                self.lateness.waiting.push((self.trace.steps.len(), bid));
                true
            }
        }
    }

    fn beats(&self, bid: &Bid, best: Option<&Bid>) -> bool {
        let Some(best) = best else { return true };
        let (Some(at), Some(other)) = (bid.first_terms(), best.first_terms()) else { return true };
        let candidate = |bid| Candidate { bid: 0, leg: 0, precedence: bid, at: &[] };
        let (one, first) = (candidate(&bid.precedence), candidate(&best.precedence));
        compare((&one, &at.worth), (&first, &other.worth)).is_lt()
    }

    /// The current tier waits no longer: its bids are in their order.
    pub(super) fn settle_lateness(&mut self) {
        let choice = self.choose();
        let best = choice.and_then(|choice| {
            let first = self.candidates().get(*choice.picked.first()?)?.bid;
            self.bids.get(first).cloned()
        });
        for (step, bid) in std::mem::take(&mut self.lateness.waiting) {
            let beats = self.beats(&bid, best.as_ref());
            if let Some(TraceEvent::NoBid { late: Some(late), .. }) =
                self.trace.steps.get_mut(step).map(|step| &mut step.event)
            {
                late.would_have_won = beats;
            }
        }
        self.lateness.closed.push((self.tier, best));
    }
}
