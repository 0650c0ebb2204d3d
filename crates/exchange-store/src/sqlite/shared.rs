//! What the callers, the writer and the readers share.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use tokio::sync::watch;

use crate::error::StoreError;
use crate::funds::FundsBook;
use crate::operators::StopBook;
use crate::served::ServedBook;
use crate::suppression::SuppressionBook;
use crate::track_record::TrackRecord;
use crate::usage::UsageBook;

/// Counters, the in-memory books, and whether the store has stopped.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) usage: UsageBook,
    pub(super) funds: FundsBook,
    pub(super) suppression: SuppressionBook,
    pub(super) stops: StopBook,
    pub(super) record: TrackRecord,
    pub(super) served: ServedBook,
    pub(super) waiting: AtomicUsize,
    pub(super) traces_waiting: AtomicUsize,
    pub(super) traces_dropped: AtomicU64,
    pub(super) commits: AtomicU64,
    pub(super) operations: AtomicU64,
    /// Ends the writer without another commit, as if the process had been killed.
    pub(super) killed: AtomicBool,
    failed: watch::Sender<Option<String>>,
}

impl Shared {
    /// Stops the store for good. The first reason stands.
    pub(super) fn fail(&self, reason: &str) {
        self.failed.send_if_modified(|failed| {
            let first = failed.is_none();
            if first {
                tracing::error!(reason, "the store has stopped");
                *failed = Some(reason.to_owned());
            }
            first
        });
    }

    /// Stops the store for good, whatever kind of error it was.
    pub(super) fn stop(&self, error: &StoreError) {
        match error {
            StoreError::Failed(reason) => self.fail(reason),
            other => self.fail(&other.to_string()),
        }
    }

    /// An error once the store has stopped.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        match &*self.failed.borrow() {
            Some(reason) => Err(StoreError::Failed(reason.clone())),
            None => Ok(()),
        }
    }

    /// An operation's error stops the store if it says that the disk or the file is at fault.
    pub(super) fn note(&self, error: &StoreError) {
        if let StoreError::Failed(reason) = error {
            self.fail(reason);
        }
    }

    pub(super) fn watch(&self) -> watch::Receiver<Option<String>> {
        self.failed.subscribe()
    }

    pub(super) fn is_killed(&self) -> bool {
        self.killed.load(Ordering::Acquire)
    }
}
