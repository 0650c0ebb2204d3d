//! What an auction asks to be made durable, and what it is told afterwards.
//!
//! Two commits frame every post. **A** (a [`Commit`] whose [`Next`] is `Prepare`) makes the intent
//! durable before contact data leaves: attempt, hold, caps, duplicate claim. **B** (its
//! [`Concluded`], usually together with an [`Answer`]) makes the outcome durable before the seller
//! hears it. B of a refused step and A of the next are one commit, so k cascade steps cost k + 1.

use std::time::Duration;

use exchange_model::outcome::{Acceptance, BidToken};
use exchange_model::reason::{LeadStatus, NotSent, Refused, Rejection, Unknown};
use exchange_model::{AttemptId, BillingTerms, CampaignId, LeadId, Money, PingId, Timestamp};
/// The words of the ping tree that records carry.
pub use ping_tree::{CapAmount, CapLimit, Tally, UnknownPolicy, Window};

/// How long an unknown outcome is worked on before it becomes a person's case.
pub const RESOLVE_WITHIN: Duration = Duration::from_hours(24);

/// The intent to post one lead to one campaign: everything commit A needs to decide and record.
#[derive(Clone, Debug)]
pub struct Intent {
    /// Which post of which lead.
    pub attempt: AttemptId,
    /// To whom.
    pub campaign: CampaignId,
    /// In which tier of the tree.
    pub tier: String,
    /// What the buyer pays when it accepts; also the amount held.
    pub price: Money,
    /// What the seller is paid then.
    pub payout: Money,
    /// The buyer's handle for its bid.
    pub token: Option<BidToken>,
    /// The caps that must have room, checked again inside the write.
    pub caps: Vec<CapLimit>,
    /// The credit gate, enforced inside the write.
    pub terms: BillingTerms,
    /// What a lost answer means for the lead.
    pub unknown: UnknownPolicy,
    /// Until when an unknown outcome is worked on.
    pub resolve_by: Timestamp,
}

/// The outcome of an attempt, as it is booked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum AttemptOutcome {
    /// The buyer provably does not have the lead: the hold is released.
    NotSent(NotSent),
    /// The buyer refused: the hold is released.
    Rejected(Rejection),
    /// The buyer owes the price of the intent: the hold is captured and the sale booked.
    Accepted(Acceptance),
    /// The buyer may have the lead: the hold stays.
    Unknown(Unknown),
}

impl AttemptOutcome {
    /// `not_sent`, `rejected`, `accepted` or `unknown`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotSent(_) => "not_sent",
            Self::Rejected(_) => "rejected",
            Self::Accepted(_) => "accepted",
            Self::Unknown(_) => "unknown",
        }
    }
}

/// Commit B of one attempt.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Concluded {
    /// Which.
    pub attempt: AttemptId,
    /// How it ended.
    pub outcome: AttemptOutcome,
}

/// What the seller is told about a lead.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// How the lead stands.
    pub status: LeadStatus,
    /// What the seller is paid; only when sold.
    pub payout: Option<Money>,
    /// Where the consumer may be sent; only when sold.
    pub redirect_url: Option<String>,
    /// Why it was not sold, as stable codes, most telling first.
    pub reasons: Vec<String>,
}

/// What follows a conclusion in the same commit.
#[derive(Clone, Debug)]
pub enum Next {
    /// Commit A of the next post.
    Prepare(Box<Intent>),
    /// The end of the auction. The rendered reply is stored with it.
    Answer(Answer),
    /// Nothing: a late truth about an attempt whose lead was answered already.
    Nothing,
}

/// One durable step of a lead. All of it happens, or none.
#[derive(Clone, Debug)]
pub struct Commit {
    /// Whose.
    pub lead: LeadId,
    /// When the auction decided it.
    pub at: Timestamp,
    /// The attempt that ended, if any.
    pub concluded: Option<Concluded>,
    /// What follows.
    pub next: Next,
}

/// What the store says about a [`Commit`] that is durable.
///
/// A refused intent refuses only the intent: the conclusion in the same commit is durable.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Durable {
    /// Everything was done.
    Done,
    /// Commit A was refused; nothing may leave.
    Refused(Refused),
}

/// One bid that backs a promise.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PromisedBid {
    /// Whose.
    pub campaign: CampaignId,
    /// In which tier.
    pub tier: String,
    /// What the buyer would pay.
    pub price: Money,
    /// The buyer's handle for it.
    pub token: Option<BidToken>,
}

/// The answer to a ping: what the lead would earn, until when, and who stands behind it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Promise {
    /// The ping; the lead posted on it shares its bits.
    pub ping: PingId,
    /// The payout promised.
    pub payout: Money,
    /// Until when.
    pub expires_at: Timestamp,
    /// The bids of the winning tier, best first.
    pub bids: Vec<PromisedBid>,
}

/// An attempt whose outcome is unknown, to be resolved after the auction has left it.
#[derive(Clone, Debug)]
pub struct OpenAttempt {
    /// The intent it was made with.
    pub intent: Intent,
    /// When its outcome became unknown.
    pub since: Timestamp,
}
