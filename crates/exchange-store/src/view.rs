//! What the store tells when it is asked.

use exchange_core::record::{LegOffer, OpenAttempt, Promise, SoldTo};
use exchange_core::trace::Trace;
use exchange_model::reason::LeadStatus;
use exchange_model::{
    AttemptId, BrandList, CampaignId, Date, Lead, LeadId, MinorUnits, Money, PingId, SourceId,
    Timestamp, Vertical, VerticalId,
};
use settlement_ledger::Transaction;
use settlement_ledger::balance::BalanceKey;
use settlement_ledger::chain::RecordHash;
use std::sync::Arc;

use crate::error::StoreError;
use crate::intake::{BuyerLimits, IntakeKind, StoredReply};
use crate::recovery::AttemptState;
use crate::vault::SealedContact;

/// How a lead stands towards its seller.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LeadStanding {
    /// Which.
    pub lead: LeadId,
    /// How it ended; nothing while its auction runs.
    pub status: Option<LeadStatus>,
    /// What the seller is paid; only when sold.
    pub payout: Option<Money>,
    /// Where the consumer may be sent; only when sold.
    pub redirect_url: Option<String>,
    /// Each sale, where the lead may go to several buyers; the payout is their sum.
    pub sales: Vec<SoldTo>,
    /// Why it was not sold, as stable codes.
    pub reasons: Vec<String>,
    /// When the request arrived.
    pub received_at: Timestamp,
    /// When the status was last written.
    pub answered_at: Option<Timestamp>,
}

/// The earlier request that an idempotency key names.
///
/// Its reply is absent while its auction runs, and after a crash between a post and its outcome:
/// then the standing says `pending`, and so does every retry.
#[derive(Clone, Debug)]
pub struct Replay {
    /// Lead or ping.
    pub kind: IntakeKind,
    /// Its id; for a ping, its bits.
    pub lead: LeadId,
    /// The keyed hash of its body: another body under the same key is refused.
    pub fingerprint: [u8; 32],
    /// What the seller was told.
    pub reply: Option<StoredReply>,
    /// How the lead stands; nothing for a ping.
    pub standing: Option<LeadStanding>,
}

/// The stored parts of a lead, enough to make it again.
#[derive(Clone, Debug)]
pub struct LeadParts {
    /// Its id; for a ping, its bits.
    pub id: LeadId,
    /// Its dictionary.
    pub vertical: VerticalId,
    /// Names and canonical texts of its open fields.
    pub open: Vec<(String, String)>,
    /// Its contact data; nothing once erased.
    pub sealed: Option<SealedContact>,
    /// Whom the consumer agreed to hear from, as the seller said.
    pub consented_to: Option<BrandList>,
    /// When the request arrived.
    pub received_at: Timestamp,
}

impl LeadParts {
    /// The lead, by the dictionary it was checked against. `today` is the day its derived fields
    /// are computed for.
    ///
    /// # Errors
    /// [`StoreError::Vault`] when the contact data is erased or does not open.
    pub fn restore(&self, vertical: &Arc<Vertical>, today: Date) -> Result<Lead, StoreError> {
        let sealed = self.sealed.as_ref().ok_or(exchange_model::lead::VaultError::Sealed)?;
        let contact = sealed.open(vertical)?;
        let open = self.open.iter().map(|(name, text)| (name.as_str(), text.as_str()));
        let lead = Lead::restore(self.id, vertical, open, contact, today);
        Ok(lead.with_consent(self.consented_to.clone()))
    }
}

/// A ping as it was answered.
#[derive(Clone, Debug)]
pub struct PingRecord {
    /// Which.
    pub ping: PingId,
    /// Whose.
    pub source: SourceId,
    /// What was pinged, sealed contact included.
    pub parts: LeadParts,
    /// What was promised; nothing when nobody bid, or the auction was broken off.
    pub promise: Option<Promise>,
    /// What it asked of whoever buys the lead.
    pub limits: BuyerLimits,
    /// Whether a lead was posted on it.
    pub used: bool,
}

/// One post of a lead, for people.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AttemptView {
    /// Which.
    pub attempt: AttemptId,
    /// To whom.
    pub campaign: CampaignId,
    /// In which tier.
    pub tier: String,
    /// What was bid.
    pub price: Money,
    /// What the seller would be paid at that price.
    pub payout: Money,
    /// The price that the buyer named when it accepted.
    pub reply_price: Option<Money>,
    /// Price and payout as they were booked; only of an attempt that bought.
    pub sold: Option<(Money, Money)>,
    /// `prepared`, `not_sent`, `rejected`, `accepted`, `unknown` or `late_accept_conflict`.
    pub state: String,
    /// The class or cause.
    pub reason: Option<String>,
    /// The buyer's own words.
    pub text: Option<String>,
    /// The buyer's own id of the lead.
    pub buyer_ref: Option<String>,
    /// When commit A was decided.
    pub prepared_at: Timestamp,
    /// When its outcome was decided.
    pub concluded_at: Option<Timestamp>,
    /// To how many buyers in all the lead may go, as this one was promised; one: to it alone.
    pub buyers: u8,
    /// The companies behind the buyer that were offered the lead, where it was offered to several.
    pub legs: Vec<LegOffer>,
    /// Those of them that bought, as they were booked.
    pub sold_legs: Vec<LegOffer>,
}

/// One post of a lead, with all that a late word of its buyer is judged by.
#[derive(Clone, Debug)]
pub struct AttemptRecord {
    /// The intent, and what the buyer gave us to ask with.
    pub attempt: OpenAttempt,
    /// How it stands.
    pub state: AttemptState,
}

/// Something a person must look at.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ExceptionView {
    /// About which attempt.
    pub attempt: AttemptId,
    /// `late_accept_conflict`, `contradiction`, `price_differs`, `price_refused`, `price_unusable` or
    /// `second_price`.
    pub kind: String,
    /// In a sentence.
    pub detail: String,
    /// When.
    pub at: Timestamp,
}

/// Everything about one lead.
#[derive(Clone, Debug)]
pub struct LeadView {
    /// Whose.
    pub source: SourceId,
    /// The version of the config that routed it.
    pub config_version: String,
    /// What was sent.
    pub parts: LeadParts,
    /// How it stands.
    pub standing: LeadStanding,
    /// Where the seller wants to hear of a late outcome.
    pub callback_url: Option<String>,
    /// When its contact data was erased.
    pub erased_at: Option<Timestamp>,
    /// The ping it was posted on.
    pub ping: Option<PingRecord>,
    /// Its posts, in order.
    pub attempts: Vec<AttemptView>,
    /// What a person must look at.
    pub exceptions: Vec<ExceptionView>,
    /// Its journeys, in order: the ping's, then the post's.
    pub traces: Vec<Trace>,
    /// What was booked for it.
    pub transactions: Vec<StoredTransaction>,
}

/// A transaction with its place in the chain.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredTransaction {
    /// Counted from 1 without a gap.
    pub sequence: u64,
    /// What was booked.
    pub transaction: Transaction,
    /// The hash of it and of everything before it.
    pub hash: RecordHash,
}

/// Some transactions, in order.
#[derive(Clone, Debug, Default)]
pub struct TransactionPage {
    /// The page.
    pub transactions: Vec<StoredTransaction>,
    /// Whether there are more after the last one.
    pub more: bool,
}

/// One stored balance, debit-positive.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Balance {
    /// Which.
    pub key: BalanceKey,
    /// How much.
    pub minor: MinorUnits,
}

/// What an erasure did.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Erasure {
    /// When the contact data was erased first; a repetition changes nothing.
    pub erased_at: Timestamp,
}

/// A lead with a bid that came late.
#[derive(Clone, Debug)]
pub struct LateLead {
    /// Which; a ping that no lead was posted on, by its bits.
    pub lead: LeadId,
    /// Its journeys, in order.
    pub journeys: Vec<Trace>,
    /// Whether a lead was posted, and not a ping alone.
    pub posted: bool,
    /// How the lead ended; nothing while its auction runs.
    pub status: Option<LeadStatus>,
    /// Price and payout of each sale, as booked.
    pub sold: Vec<(Money, Money)>,
}

/// What came of saying that a buyer is done with a lead.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Finished {
    /// It does not count as open any more.
    Done,
    /// That was said before.
    Before,
    /// The campaign does not have this lead.
    NoPost,
}

impl Finished {
    /// `finished`, `before` or `no_post`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Done => "finished",
            Self::Before => "before",
            Self::NoPost => "no_post",
        }
    }
}
