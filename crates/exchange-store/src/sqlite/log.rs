//! The write-ahead log: moved into the database by the writer alone, in its own time.

use std::path::PathBuf;

use rusqlite::Connection;

use super::shared::Shared;
use crate::error::StoreError;

/// A log longer than this is moved as soon as nobody waits.
const LONG: u64 = 16 * 1_024 * 1_024;
/// What is kept of the log's file when it starts again from its beginning.
pub(super) const KEPT: i64 = 4 * 1_024 * 1_024;
/// A log longer than this is moved even while somebody waits.
const TOO_LONG: u64 = 128 * 1_024 * 1_024;
/// Commits between two looks at the length.
const LOOK_EVERY: u32 = 64;

/// The log's file, and how long it was when it was looked at last.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    length: u64,
    commits: u32,
}

impl Log {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, length: 0, commits: 0 }
    }

    /// Counts a commit.
    pub(super) fn written(&mut self) {
        self.commits += 1;
        if self.commits >= LOOK_EVERY {
            self.look();
        }
    }

    fn look(&mut self) {
        self.commits = 0;
        self.length = std::fs::metadata(&self.path).map_or(0, |file| file.len());
    }

    pub(super) fn is_long(&self) -> bool {
        self.length > LONG
    }

    /// Moves a long log while nobody waits. Readers are not disturbed.
    pub(super) fn tidy(&mut self, conn: &Connection, shared: &Shared) {
        if self.is_long() {
            self.checkpoint(conn, shared);
        }
    }

    /// Moves a log that must not grow any further.
    pub(super) fn tidy_if_long(&mut self, conn: &Connection, shared: &Shared) {
        if self.length > TOO_LONG {
            self.checkpoint(conn, shared);
        }
    }

    /// Moves what nobody reads any more. Waits for no reader; the next look tries again.
    fn checkpoint(&mut self, conn: &Connection, shared: &Shared) {
        let moved = conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_row| Ok(()));
        if let Err(error) = moved.map_err(StoreError::from) {
            shared.note(&error);
        }
        self.length = 0;
        self.commits = 0;
    }

    /// Empties the log, so that no old copy of what was deleted is left in it.
    pub(super) fn clear(&mut self, conn: &Connection) -> Result<(), StoreError> {
        self.length = 0;
        if truncate(conn)? {
            return Err(StoreError::Database(
                "the log is still being read and holds old copies; erase again".to_owned(),
            ));
        }
        Ok(())
    }

    /// Leaves a database without a log behind, if nobody reads it.
    pub(super) fn close(&self, conn: &Connection) {
        if let Err(error) = truncate(conn) {
            tracing::warn!(%error, "the log stays beside the database");
        }
    }
}

/// Whether somebody was in the way.
fn truncate(conn: &Connection) -> Result<bool, StoreError> {
    let busy: i64 = conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    Ok(busy != 0)
}
