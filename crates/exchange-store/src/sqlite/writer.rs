//! The one thread that writes.
//!
//! It takes what waits, runs each operation in a savepoint, and makes them durable together: one
//! disk sync for all who wait. Nobody is answered before the commit. The first failure of a commit
//! stops the store for good: a sync that failed once must not be asked again, because the kernel
//! may have dropped what it could not write.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use exchange_model::LeadId;
use rusqlite::Connection;
use settlement_ledger::balance::BalanceKey;
use tokio::sync::oneshot;

use super::books::{balance_at, write_head};
use super::columns::run;
use super::log::Log;
use super::options::CommitObserver;
use super::shared::Shared;
use super::txn::{Head, Txn};
use crate::error::StoreError;

/// Most operations in one commit.
const BATCH_MAX: usize = 256;
/// Most journeys written along with a few operations that people wait for; a larger batch takes as
/// many as it has operations, or they would be dropped under load.
const TRACES_ALONG: usize = 32;
/// How long journeys wait for company before they are written by themselves.
const IDLE: Duration = Duration::from_millis(50);

/// One operation, with its own way back.
pub(super) trait Operation: Send {
    /// Does it, inside the savepoint.
    fn run(&mut self, txn: &mut Txn<'_>) -> Result<(), StoreError>;
    /// Tells whoever asked: after the commit, or that there was none.
    fn answer(self: Box<Self>, verdict: Result<(), StoreError>);
    /// What else the writer does for it.
    fn wish(&self) -> Wish;
}

/// What an operation needs beside its commit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Wish {
    /// Nothing.
    Plain,
    /// All journeys that came before it are written too.
    WithTraces,
    /// No old copy is left in the log.
    ClearLog,
}

/// What the writer is sent.
pub(super) enum Message {
    /// Somebody waits for it.
    Operation(Box<dyn Operation>),
    /// Nobody waits for it.
    Trace(LeadId, String),
}

/// An operation made of closures: `work` inside the savepoint, `finish` after the commit.
pub(super) struct Task<T, U, W, F> {
    pub(super) work: Option<W>,
    pub(super) finish: F,
    pub(super) done: Option<T>,
    pub(super) reply: oneshot::Sender<Result<U, StoreError>>,
    pub(super) wish: Wish,
}

impl<T, U, W, F> Operation for Task<T, U, W, F>
where
    T: Send,
    U: Send,
    W: FnOnce(&mut Txn<'_>) -> Result<T, StoreError> + Send,
    F: FnOnce(T) -> U + Send,
{
    fn run(&mut self, txn: &mut Txn<'_>) -> Result<(), StoreError> {
        let work = self.work.take().expect("an operation runs once");
        self.done = Some(work(txn)?);
        Ok(())
    }

    fn answer(self: Box<Self>, verdict: Result<(), StoreError>) {
        let Self { finish, done, reply, .. } = *self;
        let answer =
            verdict.map(|()| finish(done.expect("an operation that succeeded has a result")));
        // Whoever asked may have gone; what was done stays done.
        drop(reply.send(answer));
    }

    fn wish(&self) -> Wish {
        self.wish
    }
}

type Batch = Vec<(Box<dyn Operation>, Result<(), StoreError>)>;

/// The writer's own state.
pub(super) struct Writer {
    pub(super) conn: Connection,
    pub(super) queue: Receiver<Message>,
    pub(super) shared: Arc<Shared>,
    pub(super) head: Head,
    pub(super) log: Log,
    pub(super) on_commit: Option<CommitObserver>,
    pub(super) traces: Vec<(LeadId, String)>,
}

impl Writer {
    /// Works until every sender is gone and everything they sent is written.
    pub(super) fn work(mut self) {
        let _stop = StopOnPanic(Arc::clone(&self.shared));
        while let Some(first) = self.next() {
            if self.shared.is_killed() {
                return;
            }
            match first {
                Some(message) => self.batch(message),
                None => self.idle(),
            }
        }
        if !self.shared.is_killed() {
            self.idle();
            self.log.close(&self.conn);
        }
    }

    /// The next message; an inner `None` when nothing came for a while; `None` at the end.
    fn next(&self) -> Option<Option<Message>> {
        if self.traces.is_empty() && !self.log.is_long() {
            return self.queue.recv().ok().map(Some);
        }
        match self.queue.recv_timeout(IDLE) {
            Ok(message) => Some(Some(message)),
            Err(RecvTimeoutError::Timeout) => Some(None),
            Err(RecvTimeoutError::Disconnected) => None,
        }
    }

    /// Nobody waits: writes the journeys, and moves the log into the database.
    fn idle(&mut self) {
        if self.shared.check().is_ok() && !self.traces.is_empty() {
            self.commit(Vec::new(), usize::MAX);
        }
        self.log.tidy(&self.conn, &self.shared);
    }

    /// Runs what waits and commits it.
    fn batch(&mut self, first: Message) {
        let mut operations = Vec::new();
        self.sort(first, &mut operations);
        while operations.len() < BATCH_MAX {
            match self.queue.try_recv() {
                Ok(message) => self.sort(message, &mut operations),
                Err(_empty_or_closed) => break,
            }
        }
        if operations.is_empty() {
            return;
        }
        let all = operations.iter().any(|operation| operation.wish() == Wish::WithTraces);
        let along = if all { usize::MAX } else { operations.len().max(TRACES_ALONG) };
        self.commit(operations, along);
        self.log.tidy_if_long(&self.conn, &self.shared);
    }

    fn sort(&mut self, message: Message, operations: &mut Vec<Box<dyn Operation>>) {
        match message {
            Message::Operation(operation) => {
                self.shared.waiting.fetch_sub(1, Ordering::AcqRel);
                operations.push(operation);
            }
            Message::Trace(lead, body) => self.traces.push((lead, body)),
        }
    }

    /// One commit for all of them; then everybody hears how it went.
    fn commit(&mut self, operations: Vec<Box<dyn Operation>>, traces: usize) {
        let mut batch: Batch = Vec::with_capacity(operations.len());
        let mut touched = BTreeSet::new();
        let done = match self.shared.check() {
            Ok(()) => self.write(operations, traces, &mut batch, &mut touched),
            Err(failed) => {
                let refuse = |operation| (operation, Err(failed.clone()));
                batch.extend(operations.into_iter().map(refuse));
                Err(failed)
            }
        };
        if self.shared.is_killed() {
            return;
        }
        if let Err(error) = &done {
            self.shared.stop(error);
        }
        self.log.written();
        let clear = batch.iter().any(|(op, ok)| ok.is_ok() && op.wish() == Wish::ClearLog);
        let cleared = if clear && done.is_ok() { self.log.clear(&self.conn) } else { Ok(()) };
        for (operation, own) in batch {
            let wish = operation.wish();
            let verdict = done.clone().and(own);
            operation.answer(match wish {
                Wish::ClearLog => verdict.and_then(|()| cleared.clone()),
                Wish::Plain | Wish::WithTraces => verdict,
            });
        }
    }

    fn write(
        &mut self,
        operations: Vec<Box<dyn Operation>>,
        traces: usize,
        batch: &mut Batch,
        touched: &mut BTreeSet<BalanceKey>,
    ) -> Result<(), StoreError> {
        let before = self.head.sequence;
        let mut operations = operations.into_iter();
        let mut begun = run(&self.conn, "BEGIN IMMEDIATE", []).map(drop);
        for mut operation in operations.by_ref() {
            let own = match &begun {
                Ok(()) => self.one(operation.as_mut(), touched),
                Err(error) => Err(error.clone()),
            };
            if let Err(error @ StoreError::Failed(_)) = &own {
                begun = Err(error.clone());
            }
            batch.push((operation, own));
        }
        begun?;
        self.write_traces(traces)?;
        if self.head.sequence != before {
            write_head(&self.conn, &self.head)?;
        }
        if self.shared.is_killed() {
            return Ok(());
        }
        self.sync(batch.len())?;
        self.publish(touched)
    }

    fn one(
        &mut self,
        operation: &mut dyn Operation,
        touched: &mut BTreeSet<BalanceKey>,
    ) -> Result<(), StoreError> {
        Txn::run(&self.conn, &self.shared, &mut self.head, touched, |txn| operation.run(txn))
    }

    #[expect(clippy::disallowed_methods, reason = "measures the disk; nothing is decided by it")]
    fn sync(&self, operations: usize) -> Result<(), StoreError> {
        let begin = Instant::now();
        run(&self.conn, "COMMIT", [])?;
        let took = begin.elapsed();
        self.shared.commits.fetch_add(1, Ordering::Relaxed);
        let count = u64::try_from(operations).unwrap_or(u64::MAX);
        self.shared.operations.fetch_add(count, Ordering::Relaxed);
        if let Some(observe) = &self.on_commit {
            observe(took, operations);
        }
        Ok(())
    }

    fn write_traces(&mut self, most: usize) -> Result<(), StoreError> {
        let count = self.traces.len().min(most);
        for (lead, body) in self.traces.drain(..count) {
            let sql = "INSERT INTO trace (lead, body) VALUES (?1, ?2)";
            run(&self.conn, sql, (lead.to_bytes(), body))?;
        }
        self.shared.traces_waiting.fetch_sub(count, Ordering::AcqRel);
        Ok(())
    }

    /// Shows eligibility the balances that are durable now.
    fn publish(&self, touched: &BTreeSet<BalanceKey>) -> Result<(), StoreError> {
        for key in touched.iter().filter(|key| key.account.buyer().is_some()) {
            self.shared.funds.publish(key.clone(), balance_at(&self.conn, key)?);
        }
        Ok(())
    }
}

/// A panic in the writer leaves nobody waiting and nothing half believed.
struct StopOnPanic(Arc<Shared>);

impl Drop for StopOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.fail("the writer panicked");
        }
    }
}
