//! What an auction asks to be made durable, and what it is told afterwards.
//!
//! Two commits frame every post. **A** (a [`Commit`] whose [`Next`] is `Prepare`) makes the intent
//! durable before contact data leaves: attempt, hold, caps, duplicate claim. **B** (its
//! [`Concluded`], usually together with an [`Answer`]) makes the outcome durable before the seller
//! hears it. B of a refused step and A of the next are one commit, so k cascade steps cost k + 1.

use std::time::Duration;

use exchange_model::outcome::{Acceptance, BidToken, Brand, Handles};
use exchange_model::reason::{LeadStatus, NotSent, Refused, Rejection, Unknown};
use exchange_model::{AttemptId, BillingTerms, CampaignId, LeadId, Money, PingId, Timestamp};
/// The words of the ping tree that records carry.
pub use ping_tree::{
    Amount, BEGINNING, Band, CapAmount, CapLimit, CapScope, END, Group, PayoutRule, PriceChange,
    Tally, UnknownPolicy, Window,
};

use crate::duplicates::Person;
pub use crate::price_terms::PriceTerms;

mod legs;

pub use legs::{means as leg_means, most as most_booked};

/// How long an unknown outcome is worked on before it becomes a person's case, where the connector
/// does not say.
pub const RESOLVE_WITHIN: Duration = Duration::from_hours(24);

/// The intent to post one lead to one campaign: everything commit A needs to decide and record.
#[derive(Clone, Debug)]
pub struct Intent {
    /// Which post of which lead.
    pub attempt: AttemptId,
    /// The attempt whose id is the idempotency key of the request: this one, or the refused one
    /// that a counter-offer answers under the same key. Every repetition uses it.
    pub request_key: AttemptId,
    /// To whom.
    pub campaign: CampaignId,
    /// By which tree.
    pub tree: String,
    /// In which tier of the tree.
    pub tier: String,
    /// What the buyer has bid: what it pays when its acceptance names no other price.
    pub price: Money,
    /// What the seller is paid at that price.
    pub payout: Money,
    /// What is held and counted by the caps: the most that the acceptance may be booked at
    /// ([`most_booked`]).
    pub hold: Money,
    /// What another price in the acceptance means.
    pub on_price: PriceTerms,
    /// The buyer's handle for its bid.
    pub token: Option<BidToken>,
    /// The caps that must have room, checked again inside the write.
    pub caps: Vec<CapLimit>,
    /// The credit gate, enforced inside the write.
    pub terms: BillingTerms,
    /// To how many buyers in all the lead may go: this one is promised so. One: it alone.
    pub buyers: u8,
    /// The companies behind the buyer that the lead is offered to, each a place of its own; none
    /// when the buyer itself is meant.
    pub legs: Vec<LegOffer>,
    /// What must be free of the person behind the lead, and what is kept of it. The auction knows
    /// none of it: whoever carries out its commands fills it in.
    pub person: Person,
    /// What a lost answer means for the lead.
    pub unknown: UnknownPolicy,
    /// Until when an unknown outcome is worked on.
    pub resolve_by: Timestamp,
}

/// One of several companies behind a buyer, in one post.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LegOffer {
    /// The company.
    pub brand: Brand,
    /// What the buyer owes for it.
    pub price: Money,
    /// What the seller is paid for it.
    pub payout: Money,
}

/// The outcome of an attempt, as it is booked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum AttemptOutcome {
    /// The buyer provably does not have the lead: the hold is released.
    NotSent(NotSent),
    /// The buyer refused: the hold is released.
    Rejected(Rejection),
    /// The buyer owes the price: it is captured from the hold and the sale booked.
    Accepted(Sale),
    /// The buyer accepted at a price that its contract does not take: no sale, the hold is
    /// released, and both prices are kept for a person.
    Mispriced(Acceptance),
    /// The buyer may have the lead: the hold stays. The handles are what it is asked again with.
    Unknown(Unknown, Handles),
}

/// An acceptance as it is booked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sale {
    /// What the buyer owes, at most the hold.
    pub price: Money,
    /// What the seller is paid.
    pub payout: Money,
    /// What the buyer said.
    pub acceptance: Acceptance,
    /// The legs that were accepted, where there were several; price and payout are their sums.
    pub legs: Vec<LegOffer>,
}

impl Intent {
    /// How many of the lead's places it takes: one, or one for each leg.
    #[must_use]
    pub fn places(&self) -> u8 {
        u8::try_from(self.legs.len()).unwrap_or(u8::MAX).max(1)
    }

    /// How an acceptance of this attempt is booked, by the price it names.
    #[must_use]
    pub fn accepted(&self, acceptance: Acceptance) -> AttemptOutcome {
        if !self.legs.is_empty() {
            return legs::accepted(self, acceptance);
        }
        match self.on_price.booked((self.price, self.payout), acceptance.price) {
            Some((price, payout)) => {
                AttemptOutcome::Accepted(Sale { price, payout, acceptance, legs: Vec::new() })
            }
            None => AttemptOutcome::Mispriced(acceptance),
        }
    }
}

impl AttemptOutcome {
    /// `not_sent`, `rejected`, `accepted` or `unknown`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotSent(_) => "not_sent",
            Self::Rejected(_) | Self::Mispriced(_) => "rejected",
            Self::Accepted(_) => "accepted",
            Self::Unknown(..) => "unknown",
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
    /// Each sale, where the lead may go to several buyers; the payout is their sum.
    pub sales: Vec<SoldTo>,
    /// Why it was not sold, as stable codes, most telling first.
    pub reasons: Vec<String>,
}

/// One sale of a lead that may go to several buyers, as the seller sees it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SoldTo {
    /// What the seller is paid.
    pub payout: Money,
    /// Where the consumer may be sent.
    pub redirect_url: Option<String>,
    /// The company, where the buyer named one.
    pub name: Option<String>,
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
    /// Who made a usable bid for the lead since the last step, in tiers that sell by share.
    pub qualified: Vec<Qualified>,
    /// What follows.
    pub next: Next,
}

/// A lead that a campaign qualified for: it made a usable bid.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Qualified {
    /// By which tree.
    pub tree: String,
    /// In which tier of the tree.
    pub tier: String,
    /// Who.
    pub campaign: CampaignId,
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
    /// What the buyer would pay: its bid as it came, for the lead alone.
    pub price: Money,
    /// Whether that is the price of its contract, and no bid.
    pub contract: bool,
    /// To how many buyers in all the lead would go with it; 0: only when another one fails.
    pub buyers: u8,
    /// The buyer's handle for it.
    pub token: Option<BidToken>,
    /// When the buyer answered: its token's lifetime counts from here.
    pub answered_at: Timestamp,
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
    /// Why it is unknown.
    pub why: Unknown,
    /// What the buyer is asked again with.
    pub handles: Handles,
    /// Whether the post was repeated. Then neither a `duplicate` nor a first post that never left
    /// says what became of the lead.
    pub posted_again: bool,
}
