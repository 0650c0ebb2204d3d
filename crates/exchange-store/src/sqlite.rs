//! The store in one SQLite file.
//!
//! One thread writes, a few read; callers only queue. `synchronous=FULL` with a write-ahead log
//! makes a commit durable by one sync of the log; `secure_delete` overwrites what is deleted;
//! tables are strict. The writer alone moves the log into the database.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::thread::{self, JoinHandle};

use exchange_core::record::{CapLimit, Commit, OpenAttempt, Promise, Tally};
use exchange_core::trace::Trace;
use exchange_model::lead::ListHash;
use exchange_model::{
    AttemptId, BillingTerms, BuyerId, CampaignId, Currency, LeadId, MinorUnits, PingId, PostPermit,
    SourceId, Timestamp,
};
use settlement_ledger::hold::Hold;
use settlement_ledger::top_up::{self, WireTopUp};
use settlement_ledger::verify::VerifyReport;

use crate::api_key::ApiKey;
use crate::error::StoreError;
use crate::intake::{Dealing, IdempotencyKey, Intake, IntakeReply, Print, Renderer, StoredReply};
use crate::operators::{
    Action, AuditEntry, ConfigFiles, ConfigVersion, NewVersion, Stop, Stops, Subject,
};
use crate::repost::EarlierPosts;
use crate::served::{TierMembership, TierRecord};
use crate::store::{Committed, ExchangeStore, Failure};
use crate::suppression::{
    SUPPRESSION_CHUNK_MAX, SuppressionAdded, SuppressionList, SuppressionTarget, SuppressionUpload,
};
use crate::ticket::Ticket;
use crate::track_record::{Chance, PingCount, PostTally};
use crate::vault::{DerivedKeys, RootKey};
use crate::view::{
    AttemptRecord, Balance, Erasure, ExceptionView, Finished, LateLead, LeadParts, LeadStanding,
    LeadView, PingRecord, Replay, TransactionPage,
};

mod attempt;
mod books;
mod caps;
mod columns;
mod commit;
mod erase;
mod free_space;
mod keys;
mod late;
mod legs;
mod lock;
mod log;
mod migrations;
mod open;
mod operators;
mod options;
mod people;
mod places;
mod price_terms;
mod readers;
mod reading;
mod recorded;
mod recover;
mod reposts;
mod request;
mod sales;
mod scores;
mod served;
mod shared;
mod sound;
mod suppress;
mod txn;
mod versions;
mod views;
mod writer;

#[cfg(test)]
mod tests;

pub use free_space::free_space;
pub use lock::read_note;
pub use options::{CommitObserver, StoreOptions, StoreStats, Synchronous};
pub use reading::StoreReader;
pub use recorded::Bought;

use lock::StoreLock;
use readers::Readers;
use shared::Shared;
use txn::Txn;
use writer::{Message, Task, Wish};

/// Most operations that may wait for the writer.
const QUEUE_MAX: usize = 16_384;
/// From here on new requests are refused, so that those under way can still be finished.
const INTAKES_WAITING_MAX: usize = 4_096;
/// Most journeys that may wait; more are dropped and counted.
const TRACES_WAITING_MAX: usize = 2_048;
/// Entries of lists that are gone, deleted in one step.
const SWEPT_MAX: u32 = 1_000;
/// Most transactions in one page.
const PAGE_MAX: u32 = 10_000;

/// The store in one SQLite file. Dropping it writes what waits and closes the file.
pub struct SqliteStore {
    queue: Option<SyncSender<Message>>,
    writer: Option<JoinHandle<()>>,
    readers: Option<Readers>,
    shared: Arc<Shared>,
    root: Arc<RootKey>,
    keys: DerivedKeys,
    options: StoreOptions,
    // Last: the lock outlives the threads.
    lock: StoreLock,
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("options", &self.options).finish_non_exhaustive()
    }
}

impl SqliteStore {
    /// Keys derived from the root key.
    #[must_use]
    pub fn keys(&self) -> &DerivedKeys {
        &self.keys
    }

    /// Writes where this process can be asked, for whoever finds the store locked: one line.
    ///
    /// # Errors
    /// [`StoreError::Open`] when the lock's file cannot be written.
    pub fn set_note(&self, note: &str) -> Result<(), StoreError> {
        self.lock.note(note).map_err(|error| StoreError::Open(error.to_string()))
    }

    /// What the writer has done so far.
    #[must_use]
    pub fn stats(&self) -> StoreStats {
        StoreStats {
            commits: self.shared.commits.load(Ordering::Relaxed),
            operations: self.shared.operations.load(Ordering::Relaxed),
            waiting: self.shared.waiting.load(Ordering::Acquire),
            traces_dropped: self.shared.traces_dropped.load(Ordering::Relaxed),
        }
    }

    /// Ends without writing what waits, as a killed process would.
    #[cfg(test)]
    pub(crate) fn kill(self) {
        self.shared.killed.store(true, Ordering::Release);
    }

    fn readers(&self) -> &Readers {
        self.readers.as_ref().expect("the readers live until the store is dropped")
    }

    fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Txn<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Ticket<T> {
        self.submit(Wish::Plain, work, |done| done)
    }

    /// Queues an operation; `finish` runs after its commit.
    fn submit<T: Send + 'static, U: Send + 'static>(
        &self,
        wish: Wish,
        work: impl FnOnce(&mut Txn<'_>) -> Result<T, StoreError> + Send + 'static,
        finish: impl FnOnce(T) -> U + Send + 'static,
    ) -> Ticket<U> {
        if let Err(failed) = self.shared.check() {
            return Ticket::ready(Err(failed));
        }
        let (reply, ticket) = Ticket::new();
        let task = Task { work: Some(work), finish, done: None, reply, wish };
        self.shared.waiting.fetch_add(1, Ordering::AcqRel);
        match self.send(Message::Operation(Box::new(task))) {
            Ok(()) => ticket,
            Err(error) => {
                self.shared.waiting.fetch_sub(1, Ordering::AcqRel);
                Ticket::ready(Err(error))
            }
        }
    }

    fn send(&self, message: Message) -> Result<(), StoreError> {
        let queue = self.queue.as_ref().expect("the queue is open until the store is dropped");
        queue.try_send(message).map_err(|error| match error {
            TrySendError::Full(_) => StoreError::Overloaded,
            TrySendError::Disconnected(_) => StoreError::Failed("the writer has ended".to_owned()),
        })
    }

    /// Seals and hashes on the caller's thread: the writer only writes.
    fn prepare(&self, intake: Intake) -> Result<request::Prepared, StoreError> {
        if self.shared.waiting.load(Ordering::Acquire) >= INTAKES_WAITING_MAX {
            return Err(StoreError::Overloaded);
        }
        let lead = &intake.lead;
        let pairs: Vec<(&str, String)> = lead.attributes().pairs(lead.vertical()).collect();
        let attributes = columns::to_json(&pairs);
        let vaulted = self.root.seal(lead)?;
        let hash = |key| self.keys.idempotency_hash(&intake.source, key);
        let idempotency = intake.idempotency.as_ref().map(hash);
        Ok(request::Prepared { intake, attributes, vaulted, idempotency })
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.queue = None;
        // Readers first: a log that nobody reads can be emptied.
        self.readers = None;
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has marked the store as failed.
            drop(writer.join());
        }
    }
}

/// The only place where the right to post comes into being: the attempt is on disk.
fn permit(attempt: AttemptId, campaign: CampaignId) -> PostPermit {
    PostPermit::issue(attempt, campaign)
}

impl ExchangeStore for SqliteStore {
    fn intake(&self, intake: Intake) -> Ticket<IntakeReply> {
        match self.prepare(intake) {
            Ok(prepared) => self.write(move |txn| txn.take_in(&prepared)),
            Err(error) => Ticket::ready(Err(error)),
        }
    }

    fn commit(&self, step: Commit, reply: Option<Renderer>) -> Ticket<Committed> {
        self.submit(
            Wish::Plain,
            move |txn| txn.step(&step, reply.as_ref()),
            |stepped| Committed {
                durable: stepped.durable,
                permit: stepped.prepared.map(|(attempt, campaign)| permit(attempt, campaign)),
                answered: stepped.answered,
                booked: stepped.booked,
            },
        )
    }

    fn promise(&self, promise: Promise, reply: StoredReply) -> Ticket<()> {
        self.write(move |txn| txn.answer_ping(promise.ping, Some(&promise), &reply))
    }

    fn no_bid(&self, ping: PingId, reply: StoredReply) -> Ticket<()> {
        self.write(move |txn| txn.answer_ping(ping, None, &reply))
    }

    fn trace(&self, lead: LeadId, trace: Trace) {
        let waiting = self.shared.traces_waiting.fetch_add(1, Ordering::AcqRel);
        let kept = waiting < TRACES_WAITING_MAX
            && self.send(Message::Trace(lead, columns::to_json(&trace))).is_ok();
        if !kept {
            self.shared.traces_waiting.fetch_sub(1, Ordering::AcqRel);
            self.shared.traces_dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn abandon(&self, lead: LeadId, at: Timestamp) -> Ticket<()> {
        self.write(move |txn| txn.abandon(lead, at))
    }

    fn flush(&self) -> Ticket<()> {
        self.submit(Wish::WithTraces, |_txn| Ok(()), |done| done)
    }

    fn replay(&self, source: &SourceId, key: &IdempotencyKey) -> Ticket<Option<Replay>> {
        let hash = self.keys.idempotency_hash(source, key);
        self.readers().ask(move |conn| views::replay(conn, &hash))
    }

    fn ping(&self, source: &SourceId, ping: PingId) -> Ticket<Option<PingRecord>> {
        let (root, source) = (Arc::clone(&self.root), source.clone());
        self.readers().ask(move |conn| {
            let found = views::ping(conn, &root, ping)?;
            Ok(found.filter(|record| record.source == source))
        })
    }

    fn earlier_posts(&self, source: &SourceId, lead: LeadId) -> Ticket<Option<EarlierPosts>> {
        let source = source.clone();
        self.readers().ask(move |conn| reposts::earlier_posts(conn, &source, lead))
    }

    fn status(&self, source: &SourceId, lead: LeadId) -> Ticket<Option<LeadStanding>> {
        let source = source.clone();
        self.readers().ask(move |conn| views::standing_for(conn, &source, lead))
    }

    fn dealings(&self, prints: &[Print]) -> Ticket<Vec<Dealing>> {
        let prints = prints.to_vec();
        self.readers().ask(move |conn| people::dealings(conn, &prints))
    }

    fn suppresses(&self, buyer: &BuyerId, lists: &[String], listed_as: &[ListHash]) -> bool {
        self.shared.suppression.names(buyer, lists, listed_as)
    }

    fn suppress(
        &self,
        target: SuppressionTarget,
        entries: Vec<ListHash>,
        at: Timestamp,
    ) -> Ticket<SuppressionAdded> {
        let shared = Arc::clone(&self.shared);
        self.submit(
            Wish::Plain,
            move |txn| {
                if entries.len() > SUPPRESSION_CHUNK_MAX {
                    return Err(StoreError::Conflict("too many entries in one step".to_owned()));
                }
                txn.suppress(&target, entries, at)
            },
            move |done| {
                if let Some(of) = done.live {
                    shared.suppression.go_live(done.list, of);
                }
                shared.suppression.add(done.list, &done.entries);
                done.counts
            },
        )
    }

    fn begin_suppression(
        &self,
        buyer: &BuyerId,
        name: &str,
        at: Timestamp,
    ) -> Ticket<SuppressionUpload> {
        let (shared, buyer, name) = (Arc::clone(&self.shared), buyer.clone(), name.to_owned());
        self.submit(
            Wish::Plain,
            move |txn| txn.begin_upload(&buyer, &name, at),
            move |(upload, given_up)| {
                given_up.into_iter().for_each(|id| shared.suppression.forget(id));
                upload
            },
        )
    }

    fn swap_suppression(&self, upload: SuppressionUpload, at: Timestamp) -> Ticket<()> {
        let shared = Arc::clone(&self.shared);
        self.submit(
            Wish::Plain,
            move |txn| txn.swap_upload(upload, at),
            move |swapped| shared.suppression.go_live(swapped.list, swapped.of),
        )
    }

    fn remove_suppression(&self, buyer: &BuyerId, name: &str) -> Ticket<bool> {
        let of = (buyer.clone(), name.to_owned());
        let shared = Arc::clone(&self.shared);
        let gone = of.clone();
        self.submit(
            Wish::Plain,
            move |txn| txn.end_list(&of.0, &of.1),
            move |there_was| {
                shared.suppression.remove(&gone);
                there_was
            },
        )
    }

    fn sweep_suppression(&self) -> Ticket<bool> {
        self.write(|txn| txn.sweep_lists(SWEPT_MAX))
    }

    fn suppression_lists(&self) -> Ticket<Vec<SuppressionList>> {
        self.readers().ask(suppress::lists)
    }

    fn open_attempts(&self) -> Ticket<Vec<OpenAttempt>> {
        self.readers().ask(attempt::open_attempts)
    }

    fn attempt(&self, attempt: AttemptId) -> Ticket<Option<AttemptRecord>> {
        self.readers().ask(move |conn| attempt::record(conn, attempt))
    }

    fn reopen(&self, attempt: AttemptId) -> Ticket<Option<(LeadParts, PostPermit)>> {
        let root = Arc::clone(&self.root);
        self.readers().ask(move |conn| {
            let row = attempt::attempt_row(conn, attempt)?;
            let parts = views::lead_parts(conn, &root, attempt.lead())?;
            let parts = parts.filter(|parts| parts.sealed.is_some());
            // An auction asks again before it writes that the answer was lost.
            let open = row.state.is_open();
            Ok(parts.filter(|_| open).map(|parts| (parts, permit(attempt, row.campaign))))
        })
    }

    fn used(&self, cap: &CapLimit) -> Tally {
        self.shared.usage.used(cap)
    }

    fn finished(&self, campaign: &CampaignId, lead: LeadId, at: Timestamp) -> Ticket<Finished> {
        let campaign = campaign.clone();
        self.write(move |txn| txn.finished(&campaign, lead, at))
    }

    fn last_won(&self, campaign: &CampaignId) -> Option<Timestamp> {
        self.shared.usage.look(campaign, |counters| counters.last_won).flatten()
    }

    fn served(&self, member: &TierMembership, since: Timestamp, now: Timestamp) -> TierRecord {
        self.shared.served.record(member, since, now)
    }

    fn accepted_share(&self, campaign: &CampaignId, now: Timestamp) -> Chance {
        self.shared.record.chance(campaign, now)
    }

    fn posts(&self, buyer: &BuyerId, since: Timestamp) -> PostTally {
        self.shared.record.posts(buyer, since)
    }

    fn add_pings(&self, counts: Vec<PingCount>, now: Timestamp) -> Ticket<()> {
        self.write(move |txn| txn.add_pings(&counts, now))
    }

    fn ping_counts(&self, since: Timestamp) -> Ticket<Vec<PingCount>> {
        self.readers().ask(move |conn| scores::ping_counts(conn, since))
    }

    fn late_leads(
        &self,
        since: Timestamp,
        after: Option<LeadId>,
        limit: u32,
    ) -> Ticket<Vec<LateLead>> {
        self.readers().ask(move |conn| late::late_leads(conn, since, after, limit))
    }

    fn available(
        &self,
        buyer: &BuyerId,
        terms: &BillingTerms,
        currency: Currency,
    ) -> Option<MinorUnits> {
        self.shared.funds.available(buyer, terms, currency)
    }

    fn add_key(&self, key: ApiKey) -> Ticket<()> {
        self.write(move |txn| txn.add_key(&key))
    }

    fn revoke_key(&self, id: &str, at: Timestamp) -> Ticket<bool> {
        let id = id.to_owned();
        self.write(move |txn| txn.revoke_key(&id, at))
    }

    fn key_by_id(&self, id: &str) -> Ticket<Option<ApiKey>> {
        let id = id.to_owned();
        self.readers().ask(move |conn| keys::key_by_id(conn, &id))
    }

    fn keys(&self) -> Ticket<Vec<ApiKey>> {
        self.readers().ask(keys::keys)
    }

    fn lead_view(&self, lead: LeadId) -> Ticket<Option<LeadView>> {
        let root = Arc::clone(&self.root);
        self.readers().ask(move |conn| views::lead_view(conn, &root, lead))
    }

    fn erase(&self, lead: LeadId, at: Timestamp) -> Ticket<Option<Erasure>> {
        self.submit(Wish::ClearLog, move |txn| txn.erase(lead, at), |done| done)
    }

    fn top_up(&self, top_up: WireTopUp) -> Ticket<bool> {
        self.write(move |txn| {
            let stamp = &top_up.stamp;
            let stamp = txn.stamp(stamp.effective_at, stamp.recorded_at, &stamp.actor);
            let transaction = top_up::wire(WireTopUp { stamp, ..top_up })?;
            txn.book(&transaction)
        })
    }

    fn transactions(&self, after: u64, limit: u32) -> Ticket<TransactionPage> {
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        let limit = limit.clamp(1, PAGE_MAX);
        self.readers().ask(move |conn| {
            let mut transactions = books::after(conn, after, limit.saturating_add(1))?;
            let most = usize::try_from(limit).unwrap_or(usize::MAX);
            let more = transactions.len() > most;
            transactions.truncate(most);
            Ok(TransactionPage { transactions, more })
        })
    }

    fn balances(&self) -> Ticket<Vec<Balance>> {
        self.readers().ask(books::balances)
    }

    fn open_holds(&self) -> Ticket<Vec<Hold>> {
        self.readers().ask(|conn| books::holds(conn, true))
    }

    fn exceptions(&self, limit: u32) -> Ticket<Vec<ExceptionView>> {
        self.readers().ask(move |conn| views::exceptions(conn, limit))
    }

    fn apply_version(&self, version: NewVersion) -> Ticket<ConfigVersion> {
        self.write(move |txn| txn.apply_version(&version))
    }

    fn versions(&self, limit: u32) -> Ticket<Vec<ConfigVersion>> {
        self.readers().ask(move |conn| versions::versions(conn, limit))
    }

    fn version(&self, number: u64) -> Ticket<Option<(ConfigVersion, ConfigFiles)>> {
        self.readers().ask(move |conn| versions::with_files(conn, number))
    }

    fn stop(&self, stop: Stop) -> Ticket<()> {
        let shared = Arc::clone(&self.shared);
        // Shown when it is durable: nobody is told of a stop that a crash would undo.
        let show = move |stops| shared.stops.show(stops);
        self.submit(Wish::Plain, move |txn| txn.stop(&stop), show)
    }

    fn resume(&self, subject: Subject, at: Timestamp, actor: String) -> Ticket<bool> {
        let shared = Arc::clone(&self.shared);
        let show = move |left: Option<Stops>| {
            let was = left.is_some();
            if let Some(left) = left {
                shared.stops.show(left);
            }
            was
        };
        self.submit(Wish::Plain, move |txn| txn.resume(&subject, at, &actor), show)
    }

    fn stops(&self) -> Arc<Stops> {
        self.shared.stops.now()
    }

    fn audit(&self, action: Action) -> Ticket<()> {
        self.write(move |txn| txn.audit(&action))
    }

    fn audit_log(&self, limit: u32) -> Ticket<Vec<AuditEntry>> {
        self.readers().ask(move |conn| operators::audit_log(conn, limit))
    }

    fn verify(&self) -> Ticket<VerifyReport> {
        let (reply, ticket) = Ticket::new();
        let path = self.options.path.clone();
        // A thread of its own: it may take minutes, and the readers must not be kept from others.
        let started = thread::Builder::new().name("store-verify".to_owned()).spawn(move || {
            let conn = readers::open(&path);
            let verdict = conn.and_then(|conn| readers::consistently(&conn, sound::verify));
            // Whoever asked may have gone.
            drop(reply.send(verdict));
        });
        match started {
            Ok(_detached) => ticket,
            Err(error) => Ticket::ready(Err(StoreError::Open(error.to_string()))),
        }
    }

    fn failure(&self) -> Failure {
        Failure::new(self.shared.watch())
    }
}
