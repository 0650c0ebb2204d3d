//! What a buyer answered, after the connector has read it.
//!
//! Connectors make these, the auction consumes them: neither knows the other.

use crate::money::Money;
use crate::reason::{NoBid, NotSent, Rejection, Unknown};

/// A buyer's handle for a bid, carried from the ping's reply into the post.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BidToken(pub String);

/// The answer to a ping.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PingAnswer {
    /// The buyer offers this price.
    Bid {
        /// What the buyer would pay. The connector has checked form and currency, not the limits
        /// of the campaign.
        price: Money,
        /// To be sent along with the post.
        token: Option<BidToken>,
    },
    /// A fixed-price buyer would take the lead.
    Available {
        /// To be sent along with the post.
        token: Option<BidToken>,
    },
    /// No usable bid.
    NoBid(NoBid),
}

/// What a buyer said when it accepted a post.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Acceptance {
    /// The price in the reply, where it named one. The bid is booked; a difference is flagged.
    pub price: Option<Money>,
    /// The buyer's own id of the lead, cut at 256 bytes.
    pub buyer_ref: Option<String>,
    /// Where the consumer may be sent: https only, never followed by us.
    pub redirect_url: Option<String>,
}

/// The answer to a post: one of exactly four outcomes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PostAnswer {
    /// The buyer provably does not have the lead.
    NotSent(NotSent),
    /// The buyer refused the lead.
    Rejected(Rejection),
    /// The buyer has the lead and owes its price.
    Accepted(Acceptance),
    /// The buyer may have the lead. It is held until this is resolved.
    Unknown(Unknown),
}

impl PostAnswer {
    /// The outcome's name in records and metrics.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotSent(_) => "not_sent",
            Self::Rejected(_) => "rejected",
            Self::Accepted(_) => "accepted",
            Self::Unknown(_) => "unknown",
        }
    }
}
