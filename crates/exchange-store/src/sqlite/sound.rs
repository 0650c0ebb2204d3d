//! Is what is stored sound?
//!
//! Opening looks at the newest part, so that a start stays quick; the command looks at everything.

use exchange_model::AttemptId;
use rusqlite::Connection;
use settlement_ledger::chain::{self, GENESIS};
use settlement_ledger::verify::{Verifier, VerifyReport};

use super::books::{self, balances, holds, read_head};
use super::columns::{all, each, lead_id, one};
use crate::error::StoreError;
use crate::view::StoredTransaction;

/// Newest transactions checked when the store opens.
const TAIL: u32 = 10_000;
/// Larger databases are checked page by page only by the command.
const QUICK_CHECK_PAGES: i64 = 16_384;
/// Transactions read at a time.
const PAGE: u32 = 1_000;

/// Refuses a store that contradicts itself, before anything is acknowledged from it.
pub(super) fn check_at_open(conn: &Connection) -> Result<(), StoreError> {
    let pages: i64 = conn.query_row("PRAGMA page_count", [], |row| row.get(0))?;
    if pages <= QUICK_CHECK_PAGES {
        check_pages(conn, "PRAGMA quick_check(1)")?;
    }
    check_newest(conn, TAIL)
}

/// Small books as a whole, large ones from the newest `tail` transactions on.
pub(super) fn check_newest(conn: &Connection, tail: u32) -> Result<(), StoreError> {
    let head = read_head(conn)?;
    if head.sequence > i64::from(tail) {
        check_tail(conn, head.sequence - i64::from(tail))?;
        return check_sums(conn);
    }
    let report = verify_books(conn)?;
    if report.sound() { Ok(()) } else { Err(StoreError::Unsound(report.to_string())) }
}

/// Checks every page and all the books.
pub(super) fn verify(conn: &Connection) -> Result<VerifyReport, StoreError> {
    check_pages(conn, "PRAGMA integrity_check(10)")?;
    let broken = one(conn, "PRAGMA foreign_key_check", [], |row| Ok(row.get::<_, String>(0)?))?;
    if let Some(table) = broken {
        return Err(StoreError::Unsound(format!("a row of `{table}` refers to nothing")));
    }
    verify_books(conn)
}

fn check_pages(conn: &Connection, pragma: &str) -> Result<(), StoreError> {
    let complaints = all(conn, pragma, [], |row| Ok(row.get::<_, String>(0)?))?;
    if complaints == ["ok"] {
        return Ok(());
    }
    Err(StoreError::Unsound(complaints.join("; ")))
}

/// Feeds everything that is stored to the ledger's own verifier.
fn verify_books(conn: &Connection) -> Result<VerifyReport, StoreError> {
    let mut verifier = Verifier::new();
    for_each_after(conn, 0, |stored| {
        verifier.transaction(stored.sequence, &stored.transaction, &stored.hash);
        Ok(())
    })?;
    let head = read_head(conn)?;
    verifier.head(u64::try_from(head.sequence).unwrap_or(0), &head.hash);
    for balance in balances(conn)? {
        verifier.balance(balance.key, balance.minor);
    }
    for hold in holds(conn, false)? {
        verifier.hold(&hold);
    }
    let sql = "SELECT lead, step FROM attempt
               WHERE state IN ('prepared', 'unknown') AND price_minor > 0";
    each(conn, sql, [], |row| {
        verifier.open_attempt(AttemptId::new(lead_id(row, "lead")?, row.get("step")?));
        Ok(())
    })?;
    Ok(verifier.finish())
}

/// The chain from `after` to its end.
fn check_tail(conn: &Connection, after: i64) -> Result<(), StoreError> {
    let before = books::after(conn, after - 1, 1)?;
    let mut hash = before.first().map_or(GENESIS, |stored| stored.hash);
    let mut last = after;
    for_each_after(conn, after, |stored| {
        let sequence = i64::try_from(stored.sequence).unwrap_or(i64::MAX);
        let intact = sequence == last + 1 && chain::link(&hash, &stored.transaction) == stored.hash;
        if !intact || stored.transaction.check().is_err() {
            let what = format!("the chain of record hashes breaks at transaction {sequence}");
            return Err(StoreError::Unsound(what));
        }
        (hash, last) = (stored.hash, sequence);
        Ok(())
    })?;
    let head = read_head(conn)?;
    if (head.sequence, head.hash) == (last, hash) {
        return Ok(());
    }
    let what = format!("the last transaction is {last}, the head says {}", head.sequence);
    Err(StoreError::Unsound(what))
}

/// Balances sum to zero, and what is pending is what is held.
fn check_sums(conn: &Connection) -> Result<(), StoreError> {
    let sql =
        "SELECT currency, layer, sum(minor) FROM balance GROUP BY 1, 2 HAVING sum(minor) <> 0";
    let unbalanced = one(conn, sql, [], |row| {
        Ok(format!(
            "{} {} balances do not sum to zero",
            row.get::<_, String>(0)?,
            row.get::<_, String>(1)?
        ))
    })?;
    let sql = "SELECT account FROM balance AS b WHERE layer = 'pending' AND account <> 'L:InFlight'
               AND minor <> (SELECT coalesce(sum(minor), 0) FROM hold AS h WHERE h.state = 'open'
                 AND h.account = b.account AND h.currency = b.currency)";
    let unheld = one(conn, sql, [], |row| {
        Ok(format!("`{}` has another sum pending than is held", row.get::<_, String>(0)?))
    })?;
    match unbalanced.or(unheld) {
        Some(what) => Err(StoreError::Unsound(what)),
        None => Ok(()),
    }
}

fn for_each_after(
    conn: &Connection,
    mut after: i64,
    mut act: impl FnMut(&StoredTransaction) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    loop {
        let page = books::after(conn, after, PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = i64::try_from(last.sequence).unwrap_or(i64::MAX);
        page.iter().try_for_each(&mut act)?;
    }
}
