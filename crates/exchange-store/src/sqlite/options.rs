//! How a SQLite store is opened.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Told after each commit: how long it took to make durable, and how many operations it held.
pub type CommitObserver = Arc<dyn Fn(Duration, usize) + Send + Sync>;

/// When a commit counts as written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Synchronous {
    /// When the disk has it. The only mode for real leads.
    #[default]
    Full,
    /// When the operating system has it: for benchmarks and throw-away databases alone.
    Off,
}

/// How a store is opened.
#[derive(Clone)]
pub struct StoreOptions {
    /// The database; `<path>.lock`, `<path>-wal` and `<path>-shm` stand beside it.
    pub path: PathBuf,
    /// When a commit counts as written.
    pub synchronous: Synchronous,
    /// Threads that read.
    pub readers: usize,
    /// Told after each commit, on the writer's thread: it must be quick.
    pub on_commit: Option<CommitObserver>,
}

impl StoreOptions {
    /// Durable, two readers.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), synchronous: Synchronous::Full, readers: 2, on_commit: None }
    }
}

impl fmt::Debug for StoreOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreOptions")
            .field("path", &self.path)
            .field("synchronous", &self.synchronous)
            .field("readers", &self.readers)
            .finish_non_exhaustive()
    }
}

/// What the writer has done since the store was opened.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct StoreStats {
    /// Commits, each of a batch of operations.
    pub commits: u64,
    /// Operations in them.
    pub operations: u64,
    /// Operations that wait for the writer now.
    pub waiting: usize,
    /// Journeys that were dropped because too many waited.
    pub traces_dropped: u64,
}
