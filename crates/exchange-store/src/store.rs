//! The semantic trait: what the exchange asks of whatever keeps its records.

use std::fmt::Debug;
use std::sync::Arc;

use exchange_core::record::{Answer, CapLimit, Commit, Durable, OpenAttempt, Promise, Tally};
use exchange_core::trace::Trace;
use exchange_model::lead::ListHash;
use exchange_model::{
    AttemptId, BuyerId, CampaignId, Currency, LeadId, MinorUnits, Money, PingId, PostPermit,
    SourceId, Timestamp,
};
use settlement_ledger::hold::Hold;
use settlement_ledger::top_up::WireTopUp;
use settlement_ledger::verify::VerifyReport;
use tokio::sync::watch;

use crate::api_key::ApiKey;
use crate::error::StoreError;
use crate::intake::{Dealing, IdempotencyKey, Intake, IntakeReply, Print, Renderer, StoredReply};
use crate::operators::{
    Action, AuditEntry, ConfigFiles, ConfigVersion, NewVersion, Stop, Stops, Subject,
};
use crate::repost::EarlierPosts;
use crate::served::{TierMembership, TierRecord};
use crate::suppression::{SuppressionAdded, SuppressionList, SuppressionTarget, SuppressionUpload};
use crate::ticket::Ticket;
use crate::track_record::{Chance, PingCount, PostTally};
use crate::view::{
    AttemptRecord, Balance, Erasure, ExceptionView, Finished, LateLead, LeadParts, LeadStanding,
    LeadView, PingRecord, Replay, StoredTransaction, TransactionPage,
};
use exchange_model::BillingTerms;

/// Transactions read at a time by [`all_transactions`].
const PAGE: u32 = 1_000;

/// What a [`Commit`] came to, once it is on disk.
#[derive(Debug)]
pub struct Committed {
    /// Done, or only the intent refused.
    pub durable: Durable,
    /// The right to post, when the step prepared one and it was not refused.
    pub permit: Option<PostPermit>,
    /// What the seller is told, when the step answered and a reply was asked for.
    pub answered: Option<Answered>,
    /// The sale that the step booked, once: nothing for an acceptance that was not charged, and for
    /// one that was booked before.
    pub booked: Option<Booked>,
}

impl Committed {
    /// A step that is durable, and of which nothing follows.
    #[must_use]
    pub fn done() -> Self {
        Self { durable: Durable::Done, permit: None, answered: None, booked: None }
    }
}

/// How a lead stands at its answer, and the reply that says so.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answered {
    /// By the record: a late truth may have come in between.
    pub answer: Answer,
    /// As it is stored for every repetition of the request.
    pub reply: StoredReply,
}

/// A sale as it was booked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Booked {
    /// Who bought.
    pub campaign: CampaignId,
    /// Whose lead.
    pub source: SourceId,
    /// What the buyer owes.
    pub price: Money,
    /// What the seller earns.
    pub payout: Money,
}

/// Everything durable, in the exchange's own words.
///
/// A trait because one SQLite file on one machine is not the last word: a PostgreSQL store that
/// several nodes share is to stand behind the same operations. Hence no row, statement or
/// transaction is visible here, and what must be atomic is one operation.
///
/// Operations are queued in the order in which they are called, and what is queued earlier is
/// durable no later: an [`ExchangeStore::intake`] is on disk before the commit that follows it.
/// Nothing here blocks the caller.
pub trait ExchangeStore: Send + Sync + Debug {
    /// Records a request before anybody is pinged, unless its idempotency key is taken (an
    /// abandoned request gives its key free). It may be awaited late: while pings are out.
    fn intake(&self, intake: Intake) -> Ticket<IntakeReply>;

    /// Commits A and B of one lead. The permit exists only once A is on disk. `reply` writes what
    /// the seller will be told; it is called inside the commit of an answer, with how the lead
    /// stands by then, and its reply is stored.
    fn commit(&self, step: Commit, reply: Option<Renderer>) -> Ticket<Committed>;

    /// A ping's answer with bids behind it.
    fn promise(&self, promise: Promise, reply: StoredReply) -> Ticket<()>;

    /// A ping's answer when nobody bid.
    fn no_bid(&self, ping: PingId, reply: StoredReply) -> Ticket<()>;

    /// Writes the journey of a lead or ping (the ping's bits) behind; drops it, counted, when too
    /// much waits.
    fn trace(&self, lead: LeadId, trace: Trace);

    /// Nothing left the house and nobody waits: the request's idempotency key is free again.
    fn abandon(&self, lead: LeadId, at: Timestamp) -> Ticket<()>;

    /// Answers once everything queued before, traces included, is on disk.
    fn flush(&self) -> Ticket<()>;

    /// The earlier request of this source that the key names.
    fn replay(&self, source: &SourceId, key: &IdempotencyKey) -> Ticket<Option<Replay>>;

    /// A ping of this source.
    fn ping(&self, source: &SourceId, ping: PingId) -> Ticket<Option<PingRecord>>;

    /// How a lead of this source stands.
    fn status(&self, source: &SourceId, lead: LeadId) -> Ticket<Option<LeadStanding>>;

    /// What became of a lead of this source each time it was posted; nothing when it has none.
    fn earlier_posts(&self, source: &SourceId, lead: LeadId) -> Ticket<Option<EarlierPosts>>;

    /// The latest dealings with a person: an early look, decided again inside commit A.
    fn dealings(&self, prints: &[Print]) -> Ticket<Vec<Dealing>>;

    /// Whether one of these lists of a buyer names the person. In memory: no waiting.
    fn suppresses(&self, buyer: &BuyerId, lists: &[String], listed_as: &[ListHash]) -> bool;

    /// Adds at most [`SUPPRESSION_CHUNK_MAX`](crate::SUPPRESSION_CHUNK_MAX) entries to a list. Once
    /// it is durable, nobody they name is posted to a campaign that uses the list.
    fn suppress(
        &self,
        target: SuppressionTarget,
        entries: Vec<ListHash>,
        at: Timestamp,
    ) -> Ticket<SuppressionAdded>;

    /// Begins an upload that will take the place of a list.
    fn begin_suppression(
        &self,
        buyer: &BuyerId,
        name: &str,
        at: Timestamp,
    ) -> Ticket<SuppressionUpload>;

    /// The upload takes the place of its list, whole.
    fn swap_suppression(&self, upload: SuppressionUpload, at: Timestamp) -> Ticket<()>;

    /// Takes a list away; `false` when there is none of that name.
    fn remove_suppression(&self, buyer: &BuyerId, name: &str) -> Ticket<bool>;

    /// Deletes a little of the lists that are gone; whether there may be more to delete.
    fn sweep_suppression(&self) -> Ticket<bool>;

    /// Every suppression list, by buyer and name.
    fn suppression_lists(&self) -> Ticket<Vec<SuppressionList>>;

    /// Attempts whose outcome is unknown, oldest first. Their caps are reserved already and are
    /// not listed again.
    fn open_attempts(&self) -> Ticket<Vec<OpenAttempt>>;

    /// One attempt, decided or not; nothing when there is none by that id.
    fn attempt(&self, attempt: AttemptId) -> Ticket<Option<AttemptRecord>>;

    /// The lead of an attempt without a definite outcome and the right to post it once more under
    /// the same key; nothing when the outcome is known or the contact data is erased.
    fn reopen(&self, attempt: AttemptId) -> Ticket<Option<(LeadParts, PostPermit)>>;

    /// What is bought and reserved of what a cap counts. In memory: no waiting.
    fn used(&self, cap: &CapLimit) -> Tally;

    /// The buyer is done with a lead: it does not count as open any more.
    fn finished(&self, campaign: &CampaignId, lead: LeadId, at: Timestamp) -> Ticket<Finished>;

    /// When a campaign last bought a lead. In memory.
    fn last_won(&self, campaign: &CampaignId) -> Option<Timestamp>;

    /// What a tier of a tree gave a campaign since a moment, at most 92 days before `now`. In memory.
    fn served(&self, member: &TierMembership, since: Timestamp, now: Timestamp) -> TierRecord;

    /// How many posts to a campaign were accepted and refused, old ones counting less. In memory.
    fn accepted_share(&self, campaign: &CampaignId, now: Timestamp) -> Chance;

    /// What became of the posts to a buyer since the hour of `since`, a week at most. In memory.
    fn posts(&self, buyer: &BuyerId, since: Timestamp) -> PostTally;

    /// Adds to the counts of pings, and forgets those that are older than a week.
    fn add_pings(&self, counts: Vec<PingCount>, now: Timestamp) -> Ticket<()>;

    /// The counts of pings since the hour of `since`.
    fn ping_counts(&self, since: Timestamp) -> Ticket<Vec<PingCount>>;

    /// At most `limit` leads that arrived since and have a bid that came late, after this one in
    /// the order of their names.
    fn late_leads(
        &self,
        since: Timestamp,
        after: Option<LeadId>,
        limit: u32,
    ) -> Ticket<Vec<LateLead>>;

    /// What a buyer's terms still allow, less all that is held. In memory; nothing when it cannot
    /// be told (another currency).
    fn available(
        &self,
        buyer: &BuyerId,
        terms: &BillingTerms,
        currency: Currency,
    ) -> Option<MinorUnits>;

    /// Keeps a new API key.
    fn add_key(&self, key: ApiKey) -> Ticket<()>;

    /// Ends an API key; `false` when there is none by that id.
    fn revoke_key(&self, id: &str, at: Timestamp) -> Ticket<bool>;

    /// The API key with this public part.
    fn key_by_id(&self, id: &str) -> Ticket<Option<ApiKey>>;

    /// Every API key, by source and age.
    fn keys(&self) -> Ticket<Vec<ApiKey>>;

    /// Everything about one lead or, by its bits, about a ping that was not posted on.
    fn lead_view(&self, lead: LeadId) -> Ticket<Option<LeadView>>;

    /// Destroys a lead's key, its sealed contact data and its duplicate claims, and clears the log
    /// of old copies. What is left cannot be decrypted by anybody. `None`: no such lead.
    fn erase(&self, lead: LeadId, at: Timestamp) -> Ticket<Option<Erasure>>;

    /// Books money that a buyer paid in advance; `false` when this transfer was booked before.
    fn top_up(&self, top_up: WireTopUp) -> Ticket<bool>;

    /// At most `limit` transactions after this sequence number, in the order of the chain.
    fn transactions(&self, after: u64, limit: u32) -> Ticket<TransactionPage>;

    /// Every balance.
    fn balances(&self) -> Ticket<Vec<Balance>>;

    /// Every open hold.
    fn open_holds(&self) -> Ticket<Vec<Hold>>;

    /// What people must look at, latest first.
    fn exceptions(&self, limit: u32) -> Ticket<Vec<ExceptionView>>;

    /// Keeps a config that is about to be routed by, and says so in the record of operators. A
    /// start with the files that were applied last is no new version.
    fn apply_version(&self, version: NewVersion) -> Ticket<ConfigVersion>;

    /// The latest versions of the config, newest first.
    fn versions(&self, limit: u32) -> Ticket<Vec<ConfigVersion>>;

    /// One version with the names and texts of its files; without files when these are not kept
    /// any more.
    fn version(&self, number: u64) -> Ticket<Option<(ConfigVersion, ConfigFiles)>>;

    /// Stops a subject from the next lead on, with [`crate::operators::Force::Kill`] also what
    /// runs. An earlier stop of the same subject is replaced.
    fn stop(&self, stop: Stop) -> Ticket<()>;

    /// Ends the stop of a subject; `false` when there is none.
    fn resume(&self, subject: Subject, at: Timestamp, actor: String) -> Ticket<bool>;

    /// Every stop that was not resumed, over or not. In memory: no waiting.
    fn stops(&self) -> Arc<Stops>;

    /// Writes down what an operator did.
    fn audit(&self, action: Action) -> Ticket<()>;

    /// The latest entries of the record of operators, newest first.
    fn audit_log(&self, limit: u32) -> Ticket<Vec<AuditEntry>>;

    /// Checks the whole database and all the books; slow, and blocks nobody.
    fn verify(&self) -> Ticket<VerifyReport>;

    /// Resolves when the store has stopped for good.
    fn failure(&self) -> Failure;
}

/// Waits for the store to stop for good.
#[derive(Clone, Debug)]
pub struct Failure(watch::Receiver<Option<String>>);

impl Failure {
    pub(crate) fn new(watched: watch::Receiver<Option<String>>) -> Self {
        Self(watched)
    }

    /// Why the store stopped, if it has.
    #[must_use]
    pub fn now(&self) -> Option<String> {
        self.0.borrow().clone()
    }

    /// Resolves with the reason when the store stops by a failure; never otherwise.
    pub async fn wait(mut self) -> String {
        let reason = match self.0.wait_for(Option::is_some).await {
            Ok(reason) => reason.clone(),
            Err(_closed_in_good_order) => None,
        };
        match reason {
            Some(reason) => reason,
            None => std::future::pending().await,
        }
    }
}

/// Every transaction in the order of the chain, read page by page; blocks this thread.
///
/// # Errors
/// Each item may be the error that ended the reading.
pub fn all_transactions(
    store: &dyn ExchangeStore,
) -> impl Iterator<Item = Result<StoredTransaction, StoreError>> + '_ {
    let mut after = Some(0);
    let mut page = Vec::new().into_iter();
    std::iter::from_fn(move || {
        loop {
            if let Some(next) = page.next() {
                return Some(Ok(next));
            }
            let read = store.transactions(after?, PAGE).blocking_wait();
            match read {
                Ok(TransactionPage { transactions, more }) => {
                    let last = transactions.last().map(|last: &StoredTransaction| last.sequence);
                    after = last.filter(|_| more);
                    page = transactions.into_iter();
                    last?;
                }
                Err(error) => {
                    after = None;
                    return Some(Err(error));
                }
            }
        }
    })
}
