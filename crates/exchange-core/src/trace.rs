//! The journey of one lead, in the order it happened.
//!
//! Written behind: money facts never depend on it. It holds codes, names, amounts and times, and
//! no contact data: nothing in the auction has any.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Everything that happened to one lead.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Trace {
    /// The tree that routed it.
    pub tree: String,
    /// Microseconds since 1970 when the request's first byte arrived.
    pub started_at: i64,
    /// What happened, in order.
    pub steps: Vec<Step>,
}

/// One thing that happened.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Step {
    /// Microseconds after the start.
    pub at: u64,
    /// What.
    pub event: TraceEvent,
}

/// What happened. Amounts are texts with their currency (`24.80 USD`), reasons are stable codes.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum TraceEvent {
    /// A campaign of the tree could not be pinged.
    Ineligible {
        /// Its tier.
        tier: String,
        /// Which.
        campaign: String,
        /// Why.
        reason: String,
    },
    /// A ping left.
    Pinged {
        /// Its tier.
        tier: String,
        /// To whom.
        campaign: String,
        /// The least that its bid may be, as it was told where its ping says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        least: Option<String>,
    },
    /// A usable bid, or a fixed price.
    Bid {
        /// Whose.
        campaign: String,
        /// What the buyer would pay.
        price: String,
        /// What the seller would be paid.
        payout: String,
    },
    /// What a bid is compared by, where that is not its payout alone.
    Valued {
        /// Whose.
        campaign: String,
        /// What a sale at its price is worth.
        value: String,
        /// What it is ranked by.
        rank: String,
        /// What was taken off for the order alone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        handicap: Option<String>,
        /// The chance of acceptance that counted, in parts per million.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        chance: Option<u32>,
    },
    /// A tier closed while these had not answered: nothing they may bid could change the choice.
    ClosedEarly {
        /// The tier.
        tier: String,
        /// Who had not answered.
        waiting: Vec<String>,
    },
    /// To whom a lead that may go to several is sold, best first.
    Chosen {
        /// The tier.
        tier: String,
        /// Each is one of at most so many.
        buyers: u8,
        /// Campaigns, one for each place.
        members: Vec<String>,
        /// What the seller would be paid for them.
        total: String,
    },
    /// A winner pays less than it bid: the least that would still have won.
    SecondPrice {
        /// Whose.
        campaign: String,
        /// What it bid.
        bid: String,
        /// What it pays.
        pays: String,
    },
    /// No usable bid.
    NoBid {
        /// Whose.
        campaign: String,
        /// Why.
        reason: String,
        /// The buyer's own words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        /// What waiting longer would have brought, of a bid that came late.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        late: Option<LateBid>,
    },
    /// The order in which bids will be tried.
    Ranked {
        /// The tier.
        tier: String,
        /// Campaigns, best first.
        order: Vec<String>,
    },
    /// Commit A is asked for.
    Preparing {
        /// Which attempt.
        attempt: String,
        /// To whom.
        campaign: String,
        /// What is held.
        price: String,
    },
    /// Commit A is durable.
    Prepared {
        /// Which attempt.
        attempt: String,
    },
    /// Commit A was refused; nothing left.
    Refused {
        /// Which attempt.
        attempt: String,
        /// Why.
        reason: String,
    },
    /// The whole lead left for the buyer.
    Posted {
        /// Which attempt.
        attempt: String,
        /// To whom.
        campaign: String,
    },
    /// The outcome of a post.
    PostAnswer {
        /// Which attempt.
        attempt: String,
        /// `accepted`, `rejected`, `not_sent` or `unknown`.
        outcome: String,
        /// Class or cause.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// The buyer's own words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
    },
    /// A lost answer is asked for again, under the same key.
    Reposted {
        /// Which attempt.
        attempt: String,
    },
    /// The buyer of a lost answer is asked what became of the post, or to forget it.
    Asked {
        /// Which attempt.
        attempt: String,
        /// `status` or `void`.
        how: String,
    },
    /// A refusal that names what the buyer would have paid.
    Countered {
        /// Whose.
        campaign: String,
        /// What was bid.
        bid: String,
        /// What it would pay instead.
        offered: String,
        /// Why the lead is not posted at that price; nothing when it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        declined: Option<String>,
    },
    /// A bid that did not buy.
    Passed {
        /// Whose.
        campaign: String,
        /// Why.
        reason: String,
    },
    /// The outcome is durable.
    Committed,
    /// The seller was answered.
    Answered {
        /// The status.
        status: String,
        /// The payout, when sold.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        payout: Option<String>,
    },
}

/// A bid that came when it no longer counted.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct LateBid {
    /// Microseconds after the moment until which it would have counted.
    pub late_by: u64,
    /// What the buyer would have paid.
    pub price: String,
    /// What the seller would have been paid; nothing when the bid was unusable as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payout: Option<String>,
    /// Whether it would have been tried first.
    #[serde(default)]
    pub would_have_won: bool,
}

impl Trace {
    /// An empty journey.
    #[must_use]
    pub fn new(tree: &str, started_at: exchange_model::Timestamp) -> Self {
        Self { tree: tree.to_owned(), started_at: started_at.unix_micros(), steps: Vec::new() }
    }

    /// The latest ping of this campaign did not leave after all.
    pub fn take_back_ping(&mut self, campaign: &str) {
        let pinged = |step: &Step| matches!(&step.event, TraceEvent::Pinged { campaign: whose, .. } if whose == campaign);
        if let Some(at) = self.steps.iter().rposition(pinged) {
            self.steps.remove(at);
        }
    }

    /// Adds what happened `after` the start.
    pub fn push(&mut self, after: Duration, event: TraceEvent) {
        self.steps.push(Step { at: u64::try_from(after.as_micros()).unwrap_or(u64::MAX), event });
    }
}
