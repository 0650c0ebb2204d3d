//! How the store is doing: how long writes wait, and what the disk can still take.
//!
//! Looked at by the door before each lead, so it is two numbers in memory, renewed by a task.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use exchange_model::Timestamp;
use exchange_store::{ExchangeStore as _, SqliteStore, free_space};

use crate::clock::Clock;
use crate::exchange::StoreHealth;

/// How often the queue is looked at.
const QUEUE_EVERY: Duration = Duration::from_millis(25);
/// After how many looks at the queue the disk is asked.
const DISK_EVERY: u32 = 40;

/// When the writer last finished something; told by the store after each commit.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<AtomicI64>);

impl Progress {
    /// The writer has finished a commit, or has nothing to do.
    pub fn made(&self, now: Timestamp) {
        self.0.fetch_max(now.unix_micros(), Ordering::Relaxed);
    }
}

/// The health of a SQLite store.
#[derive(Debug)]
pub struct SqliteHealth {
    clock: Clock,
    progress: Progress,
    /// Free bytes; `u64::MAX` when not known.
    free: AtomicU64,
}

impl SqliteHealth {
    /// Not looked at yet.
    #[must_use]
    pub fn new(clock: Clock, progress: Progress) -> Self {
        progress.made(clock.now());
        Self { clock, progress, free: AtomicU64::new(u64::MAX) }
    }

    /// Looks again and again until the store fails or the task is cut off.
    pub async fn watch(self: Arc<Self>, store: Arc<SqliteStore>, path: PathBuf) {
        let mut looks = 0_u32;
        while store.failure().now().is_none() {
            if store.stats().waiting == 0 {
                self.progress.made(self.clock.now());
            }
            if looks.is_multiple_of(DISK_EVERY) {
                let free = free_space(&path).unwrap_or(u64::MAX);
                self.free.store(free, Ordering::Relaxed);
                self.clock.follow_wall();
            }
            looks = looks.wrapping_add(1);
            self.clock.sleep_until(self.clock.now().after(QUEUE_EVERY)).await;
        }
    }
}

impl StoreHealth for SqliteHealth {
    /// At most: the last commit or the last empty queue is that long ago.
    fn queue_age(&self) -> Duration {
        let last = Timestamp::from_unix_micros(self.progress.0.load(Ordering::Relaxed));
        self.clock.now().since(last).saturating_sub(QUEUE_EVERY.saturating_mul(2))
    }

    fn free_space(&self) -> Option<u64> {
        Some(self.free.load(Ordering::Relaxed)).filter(|free| *free != u64::MAX)
    }
}
