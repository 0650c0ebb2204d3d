//! Opening: lock, schema, soundness, recovery, and only then the threads.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Duration;

use exchange_model::Timestamp;
use rusqlite::{Connection, OpenFlags};

use super::books::read_head;
use super::columns::{one, run};
use super::lock::StoreLock;
use super::log::{self, Log};
use super::migrations::migrate;
use super::options::{StoreOptions, Synchronous};
use super::readers::Readers;
use super::recover::fill;
use super::scores;
use super::served;
use super::shared::Shared;
use super::sound::check_at_open;
use super::suppress;
use super::txn::{Head, Txn};
use super::writer::Writer;
use super::{QUEUE_MAX, SqliteStore};
use crate::error::StoreError;
use crate::recovery::Recovered;
use crate::vault::{DerivedKeys, RootKey, private, sync_directory};

/// How long the writer waits for a reader to let go of the log when it must be emptied.
const BUSY: Duration = Duration::from_secs(2);
/// Prepared statements the writer keeps.
const STATEMENTS: usize = 128;
/// Memory for the writer's pages, in KiB: the indexes of hashes are written all over.
const CACHE_KIB: i64 = 64 * 1_024;

impl SqliteStore {
    /// Opens a store, or makes a new one, and settles what the last process left open.
    ///
    /// `now` marks what is recovered. A store that contradicts itself is not opened.
    ///
    /// # Errors
    /// [`StoreError::Locked`], [`StoreError::Open`], [`StoreError::Foreign`],
    /// [`StoreError::FutureSchema`], [`StoreError::MigrationChanged`],
    /// [`StoreError::WrongRootKey`], [`StoreError::Unsound`].
    pub fn open(
        options: StoreOptions,
        root: RootKey,
        now: Timestamp,
    ) -> Result<(Self, Recovered), StoreError> {
        let lock = StoreLock::take(&options.path)?;
        let conn = connect(&options)?;
        migrate(&conn)?;
        let keys = root.derived();
        check_root(&conn, &keys)?;
        check_at_open(&conn)?;
        let shared = Arc::new(Shared::default());
        let (head, recovered) = recover(&conn, &shared, now)?;
        fill(&conn, &shared, now)?;
        suppress::fill(&conn, &shared)?;
        scores::fill(&conn, &shared, now)?;
        served::fill(&conn, &shared, now)?;
        let readers = Readers::start(&options.path, options.readers, &shared)?;
        let (queue, messages) = sync_channel(QUEUE_MAX);
        let writer = Writer {
            conn,
            queue: messages,
            shared: Arc::clone(&shared),
            head,
            log: Log::new(log_path(&options.path)),
            on_commit: options.on_commit.clone(),
            traces: Vec::new(),
        };
        let writer = thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || writer.work())
            .map_err(|error| StoreError::Open(error.to_string()))?;
        let store = Self {
            queue: Some(queue),
            writer: Some(writer),
            readers: Some(readers),
            shared,
            root: Arc::new(root),
            keys,
            options,
            lock,
        };
        Ok((store, recovered))
    }
}

fn connect(options: &StoreOptions) -> Result<Connection, StoreError> {
    create_private(&options.path)
        .map_err(|error| StoreError::Open(format!("{}: {error}", options.path.display())))?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(&options.path, flags)
        .map_err(|error| StoreError::Open(error.to_string()))?;
    let synchronous = match options.synchronous {
        Synchronous::Full => "FULL",
        Synchronous::Off => "OFF",
    };
    let mode: String =
        conn.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(not_ours)?;
    if mode != "wal" {
        return Err(StoreError::Open("the file system allows no write-ahead log".to_owned()));
    }
    conn.pragma_update(None, "synchronous", synchronous)?;
    conn.pragma_update(None, "foreign_keys", true)?;
    conn.pragma_update(None, "secure_delete", true)?;
    conn.pragma_update(None, "wal_autocheckpoint", 0)?;
    conn.pragma_update(None, "journal_size_limit", log::KEPT)?;
    conn.pragma_update(None, "cache_size", -CACHE_KIB)?;
    conn.busy_timeout(BUSY)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(conn)
}

/// A file that is no database at all fails at the first look into it.
fn not_ours(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => StoreError::Foreign,
        _ => StoreError::Open(error.to_string()),
    }
}

/// The database and its log are readable by their owner alone.
fn create_private(path: &Path) -> std::io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    private().create_new(true).open(path)?.sync_all()?;
    sync_directory(path)
}

/// Contact data sealed under one root key does not open under another: better to say so now.
fn check_root(conn: &Connection, keys: &DerivedKeys) -> Result<(), StoreError> {
    let kept = one(conn, "SELECT value FROM meta WHERE name = 'root_check'", [], |row| {
        Ok(row.get::<_, [u8; 32]>(0)?)
    })?;
    match kept {
        Some(kept) if kept == *keys.root_check() => Ok(()),
        Some(_) => Err(StoreError::WrongRootKey),
        None => {
            let sql = "INSERT INTO meta (name, value) VALUES ('root_check', ?1)";
            run(conn, sql, [keys.root_check()]).map(drop)
        }
    }
}

fn recover(
    conn: &Connection,
    shared: &Shared,
    now: Timestamp,
) -> Result<(Head, Recovered), StoreError> {
    let mut head = read_head(conn)?;
    let mut touched = BTreeSet::new();
    let mut recovered = Recovered::default();
    run(conn, "BEGIN IMMEDIATE", [])?;
    Txn::run(conn, shared, &mut head, &mut touched, |txn| {
        recovered = txn.recover(now)?;
        Ok(())
    })?;
    run(conn, "COMMIT", [])?;
    Ok((head, recovered))
}

fn log_path(database: &Path) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push("-wal");
    path.into()
}
