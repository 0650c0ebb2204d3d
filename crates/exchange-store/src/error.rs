//! Why the store did not do what it was asked.

use exchange_model::{AttemptId, LeadId};
use settlement_ledger::LedgerError;

use crate::vault::RootKeyError;

/// Why the store did not do what it was asked.
///
/// An operation that fails changed nothing. After [`StoreError::Failed`] nothing will succeed any
/// more: the process must end and recover from what is on disk.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// A disk error, a full disk or a bug stopped the store.
    #[error("the store has stopped: {0}")]
    Failed(String),
    /// Too much is waiting for the disk; nothing was written.
    #[error("the store has too much waiting")]
    Overloaded,
    /// Another process has the store open.
    #[error("another process has the store open: {note}")]
    Locked {
        /// What that process wrote about itself, usually its operator address.
        note: String,
    },
    /// The files could not be opened or created.
    #[error("cannot open the store: {0}")]
    Open(String),
    /// The database belongs to another program.
    #[error("the file is no database of this exchange")]
    Foreign,
    /// A newer version of the exchange has migrated the database.
    #[error(
        "the database has schema {found}, this version knows schemas up to {known}: use the newer version"
    )]
    FutureSchema {
        /// What the database has.
        found: u32,
        /// The newest this version knows.
        known: u32,
    },
    /// A migration that was applied is not the one this version would apply.
    #[error("migration {0} of the database is not the one of this version")]
    MigrationChanged(u32),
    /// The root key is not the one the database was made with.
    #[error("the root key is not the one this database was made with")]
    WrongRootKey,
    /// The root key's file cannot be used.
    #[error(transparent)]
    RootKey(#[from] RootKeyError),
    /// The database or the books contradict themselves; the first records are named.
    #[error("the store is not sound, run `rialto ledger verify`: {0}")]
    Unsound(String),
    /// The lead is not known.
    #[error("`{0}` is not known")]
    NoLead(LeadId),
    /// The attempt is not known.
    #[error("`{0}` is not known")]
    NoAttempt(AttemptId),
    /// The step contradicts what is durable already.
    #[error("the step contradicts the record: {0}")]
    Conflict(String),
    /// The books refused the event, for another reason than credit.
    #[error("the books refuse the event")]
    Ledger(#[from] LedgerError),
    /// Sealed contact data does not open.
    #[error("sealed contact data does not open")]
    Vault(#[from] exchange_model::lead::VaultError),
    /// A stored value cannot be read back.
    #[error("a stored {0} cannot be read back")]
    Unreadable(&'static str),
    /// The database refused a statement.
    #[error("the database refused: {0}")]
    Database(String),
}

impl StoreError {
    /// The name that output and metrics use; it never changes.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Failed(_) => "store_failed",
            Self::Overloaded => "store_overloaded",
            Self::Locked { .. } => "store_locked",
            Self::Open(_) => "store_open",
            Self::Foreign => "store_foreign",
            Self::FutureSchema { .. } => "future_schema",
            Self::MigrationChanged(_) => "migration_changed",
            Self::WrongRootKey => "wrong_root_key",
            Self::RootKey(_) => "root_key",
            Self::Unsound(_) => "store_unsound",
            Self::NoLead(_) => "no_lead",
            Self::NoAttempt(_) => "no_attempt",
            Self::Conflict(_) => "store_conflict",
            Self::Ledger(error) => error.code(),
            Self::Vault(_) => "sealed",
            Self::Unreadable(_) => "unreadable",
            Self::Database(_) => "database",
        }
    }
}

/// SQLite's words about a statement; they hold no bound values. A fault of the disk or the file is
/// [`StoreError::Failed`], which stops the store.
impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        if is_fatal(&error) {
            Self::Failed(error.to_string())
        } else {
            Self::Database(error.to_string())
        }
    }
}

fn is_fatal(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode;
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                | ErrorCode::CannotOpen
                | ErrorCode::ReadOnly
                | ErrorCode::OutOfMemory
        )
    )
}
