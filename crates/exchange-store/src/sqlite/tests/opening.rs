//! Who may open a store, and which stores may be opened.

use std::os::unix::fs::PermissionsExt as _;

use rusqlite::Connection;

use super::*;
use crate::{free_space, read_note};

fn tampered(sql: &str) -> StoreError {
    let mut desk = Desk::new();
    desk.top_up("acme", "100", "REF-1").unwrap();
    desk.sell(1, "acme", "12.00");
    desk.store = None;
    let conn = Connection::open(desk.path()).unwrap();
    conn.execute_batch(sql).unwrap();
    drop(conn);
    desk.try_open().unwrap_err()
}

#[test]
fn a_second_process_is_refused_and_told_where_to_ask() {
    let mut desk = Desk::new();
    desk.store().set_note("http://127.0.0.1:8081").unwrap();
    let error = desk.try_open().unwrap_err();
    assert!(matches!(&error, StoreError::Locked { note } if note == "http://127.0.0.1:8081"));
    assert_eq!(read_note(&desk.path()).as_deref(), Some("http://127.0.0.1:8081"));
    desk.store = None;
    desk.open();
    assert_eq!(read_note(&desk.path()), None, "the note ends with its writer's successor");
}

#[test]
fn another_root_key_is_refused() {
    let mut desk = Desk::new();
    desk.store = None;
    let options = StoreOptions::new(desk.path());
    let error = SqliteStore::open(options, RootKey::from_bytes([8; 32]), at(0)).unwrap_err();
    assert!(matches!(error, StoreError::WrongRootKey));
}

#[test]
fn a_future_schema_is_refused() {
    let error = tampered("INSERT INTO migration VALUES (999, 'x')");
    assert!(matches!(error, StoreError::FutureSchema { found: 999, .. }));
}

#[test]
fn something_else_is_no_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rialto.db");
    std::fs::write(
        &path,
        "this is a letter, not a database, and quite a long one at that".repeat(99),
    )
    .unwrap();
    let opened = SqliteStore::open(StoreOptions::new(&path), RootKey::from_bytes(ROOT), at(0));
    assert!(matches!(opened, Err(StoreError::Foreign)));
}

#[test]
fn edited_books_are_refused_and_the_record_is_named() {
    for (sql, named) in [
        ("UPDATE ledger_entry SET minor = minor + 1 WHERE sequence = 3 AND line = 0", "3"),
        ("UPDATE ledger_transaction SET memo = 'edited' WHERE sequence = 2", "number 2"),
        (
            "DELETE FROM ledger_entry WHERE sequence = 3; DELETE FROM ledger_transaction WHERE sequence = 3",
            "last record is number 2",
        ),
        ("UPDATE balance SET minor = minor + 5 WHERE account = 'A:Bank:main'", "A:Bank:main"),
        ("UPDATE hold SET state = 'open', captured = NULL", "hold"),
        ("UPDATE ledger_entry SET account = 'nonsense' WHERE sequence = 2", "transaction 2"),
    ] {
        let error = tampered(sql);
        let text = error.to_string();
        assert!(matches!(error, StoreError::Unsound(_)), "{sql}: {text}");
        assert!(text.contains("rialto ledger verify") && text.contains(named), "{sql}: {text}");
    }
}

#[test]
fn large_books_are_checked_at_their_end() {
    for (sql, named) in [
        ("SELECT 1", None),
        ("UPDATE ledger_transaction SET memo = 'edited' WHERE sequence = 6", Some("transaction 6")),
        ("UPDATE ledger_head SET sequence = 7", Some("the head says 7")),
        (
            "UPDATE balance SET minor = minor + 5 WHERE account = 'A:Unbilled:acme' AND layer = 'settled'",
            Some("do not sum to zero"),
        ),
        (
            "UPDATE hold SET state = 'open', captured = NULL",
            Some("`A:Unbilled:acme` has another sum pending"),
        ),
        // Before the end: found by the command alone.
        ("UPDATE ledger_transaction SET memo = 'edited' WHERE sequence = 1", None),
    ] {
        let mut desk = Desk::new();
        for number in 1..=3 {
            desk.sell(number, "acme", "12.00");
        }
        desk.store = None;
        let conn = Connection::open(desk.path()).unwrap();
        conn.execute_batch(sql).unwrap();
        let checked = super::super::sound::check_newest(&conn, 3);
        match named {
            None => checked.unwrap(),
            Some(named) => assert!(checked.unwrap_err().to_string().contains(named), "{sql}"),
        }
    }
}

#[test]
fn a_broken_page_is_found_at_open_or_by_the_command() {
    let mut desk = Desk::new();
    for number in 1..=20 {
        desk.sell(number, "acme", "12.00");
    }
    desk.store = None;
    let mut bytes = std::fs::read(desk.path()).unwrap();
    let at = bytes.len() / 2 / 4_096 * 4_096;
    bytes[at..at + 64].fill(0xff);
    std::fs::write(desk.path(), bytes).unwrap();
    let error = desk.try_open().unwrap_err();
    assert!(matches!(error, StoreError::Unsound(_) | StoreError::Failed(_)), "{error}");
}

#[test]
fn the_files_are_readable_by_their_owner_alone() {
    let desk = Desk::new();
    desk.take_in(1);
    for entry in std::fs::read_dir(desk.folder.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", entry.path().display());
    }
}

#[test]
fn free_space_is_known() {
    let desk = Desk::new();
    assert!(free_space(desk.folder.path()).unwrap() > 0);
    assert!(free_space(&desk.folder.path().join("absent")).is_err());
}

#[test]
fn the_writer_syncs_every_commit_and_overwrites_what_it_deletes() {
    let desk = Desk::new();
    let asked = desk.store().write(|txn| {
        let ask = |name: &str| {
            let value: i64 = txn.conn.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))?;
            Ok::<_, StoreError>(value)
        };
        Ok([
            ask("synchronous")?,
            ask("foreign_keys")?,
            ask("secure_delete")?,
            ask("wal_autocheckpoint")?,
        ])
    });
    assert_eq!(asked.blocking_wait().unwrap(), [2, 1, 1, 0]);
}
