//! One process at a time.
//!
//! The lock is the operating system's own on an open file, so it ends with the process however
//! that ends. The file's text is a note to people and to our command line: where the process that
//! holds it can be asked.

use std::fs::{self, File};
use std::io::{self, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use crate::error::StoreError;
use crate::vault::private;

/// Longest note read back, in bytes.
const NOTE_MAX: usize = 512;

/// The lock, held while this lives.
#[derive(Debug)]
pub(super) struct StoreLock(File);

impl StoreLock {
    /// Takes the lock beside the database.
    pub(super) fn take(database: &Path) -> Result<Self, StoreError> {
        let path = lock_path(database);
        let open = |error: io::Error| StoreError::Open(format!("{}: {error}", path.display()));
        let file = private().create(true).truncate(false).open(&path).map_err(open)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => {
                let note = read_note(database).unwrap_or_else(|| "it left no note".to_owned());
                return Err(StoreError::Locked { note });
            }
            Err(fs::TryLockError::Error(error)) => return Err(open(error)),
        }
        let lock = Self(file);
        lock.note("").map_err(open)?;
        Ok(lock)
    }

    /// Replaces the note.
    pub(super) fn note(&self, text: &str) -> io::Result<()> {
        let mut file = &self.0;
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(text.as_bytes())
    }
}

/// What the process that has the store open wrote about itself; nothing when it wrote nothing, or
/// nobody ever opened the store. A note may be left over from a process that was killed.
#[must_use]
pub fn read_note(database: &Path) -> Option<String> {
    let text = fs::read_to_string(lock_path(database)).ok()?;
    let fits = !text.is_empty() && text.len() <= NOTE_MAX;
    fits.then_some(text)
}

fn lock_path(database: &Path) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(".lock");
    path.into()
}
