//! Numbered steps from an empty file to the present schema.
//!
//! A step that has been released is never edited: the database remembers the checksum of each one
//! it has taken. A database that knows more steps than this version is left alone.

use rusqlite::Connection;
use sha2::{Digest as _, Sha256};

use super::columns::{all, run};
use crate::error::StoreError;

/// Marks the file as ours: `rial` in ASCII.
const APPLICATION_ID: i64 = 0x7269_616c;

/// The steps by their numbers, in ascending order. A number that is not taken leaves a gap.
const STEPS: &[(u32, &str)] = &[
    (1, include_str!("migrations/0001_first.sql")),
    (2, include_str!("migrations/0002_connectors.sql")),
    (3, include_str!("migrations/0003_shared.sql")),
    (4, include_str!("migrations/0004_caps.sql")),
    (5, include_str!("migrations/0005_people.sql")),
    (6, include_str!("migrations/0006_operators.sql")),
    (7, include_str!("migrations/0007_scores.sql")),
    (8, include_str!("migrations/0008_requests.sql")),
    (9, include_str!("migrations/0009_served.sql")),
];

/// The highest number of a step.
fn newest() -> u32 {
    STEPS.last().map_or(0, |(number, _step)| *number)
}

/// Brings the database to the present schema.
pub(super) fn migrate(conn: &Connection) -> Result<(), StoreError> {
    claim_file(conn)?;
    conn.execute_batch(
        "CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY, checksum TEXT NOT NULL) STRICT",
    )?;
    let taken = all(conn, "SELECT number, checksum FROM migration ORDER BY number", [], |row| {
        Ok((row.get::<_, u32>(0)?, row.get::<_, String>(1)?))
    })?;
    let known = newest();
    if let Some((found, _)) = taken.last().filter(|(number, _)| *number > known) {
        return Err(StoreError::FutureSchema { found: *found, known });
    }
    for (number, step) in STEPS {
        match taken.iter().find(|(taken, _)| taken == number) {
            Some((_, sum)) if *sum == checksum(step) => {}
            Some(_) => return Err(StoreError::MigrationChanged(*number)),
            None => take(conn, *number, step)?,
        }
    }
    Ok(())
}

/// For reading: the file is ours and knows no step that this version does not.
pub(super) fn check(conn: &Connection) -> Result<(), StoreError> {
    let application: i64 = conn
        .query_row("PRAGMA application_id", [], |row| row.get(0))
        .map_err(|_not_a_database| StoreError::Foreign)?;
    if application != APPLICATION_ID {
        return Err(StoreError::Foreign);
    }
    let known = newest();
    let sql = "SELECT ifnull(max(number), 0) FROM migration";
    let found: u32 = conn.query_row(sql, [], |row| row.get(0))?;
    if found > known { Err(StoreError::FutureSchema { found, known }) } else { Ok(()) }
}

/// Takes one step, whole or not at all.
fn take(conn: &Connection, number: u32, step: &str) -> Result<(), StoreError> {
    let transaction = conn.unchecked_transaction()?;
    transaction.execute_batch(step)?;
    run(
        &transaction,
        "INSERT INTO migration (number, checksum) VALUES (?1, ?2)",
        (number, checksum(step)),
    )?;
    Ok(transaction.commit()?)
}

fn claim_file(conn: &Connection) -> Result<(), StoreError> {
    let pragma = |name: &str| conn.query_row(name, [], |row| row.get::<_, i64>(0));
    let tables = pragma("SELECT count(*) FROM sqlite_schema")?;
    match (pragma("PRAGMA application_id")?, tables) {
        (APPLICATION_ID, _) => Ok(()),
        (0, 0) => Ok(conn.pragma_update(None, "application_id", APPLICATION_ID)?),
        _ => Err(StoreError::Foreign),
    }
}

fn checksum(step: &str) -> String {
    hex::encode(Sha256::digest(step.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrating_twice_changes_nothing() {
        let conn = Connection::open_in_memory().unwrap();
        migrate(&conn).unwrap();
        migrate(&conn).unwrap();
        let taken = all(&conn, "SELECT number FROM migration", [], |row| Ok(row.get::<_, u32>(0)?));
        assert_eq!(taken.unwrap().len(), STEPS.len());
    }

    #[test]
    fn steps_stand_in_ascending_order() {
        assert!(STEPS.is_sorted_by(|one, next| one.0 < next.0));
    }

    #[test]
    fn posts_from_before_leads_were_shared_are_exclusive() {
        let conn = Connection::open_in_memory().unwrap();
        let before = |(number, _step): &&(u32, &str)| *number < 3;
        for (_number, step) in STEPS.iter().take_while(before) {
            conn.execute_batch(step).unwrap();
        }
        let sold =
            "INSERT INTO lead (id, source, vertical, received_at, config_version, attributes)
            VALUES (zeroblob(16), 's/a', 'auto', 0, 'v1', '[]');
          INSERT INTO attempt (lead, step, campaign, tier, price, payout, currency, price_minor,
            terms, policy, resolve_by, counted_at, prepared_at, state)
            VALUES (zeroblob(16), 1, 'acme/auto', 't', '1', '1', 'USD', 100, 'net 30 1 USD',
            'hold', 0, 0, 0, 'accepted')";
        conn.execute_batch(sold).unwrap();
        for (_number, step) in STEPS.iter().skip_while(before) {
            conn.execute_batch(step).unwrap();
        }
        let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, u8>(0)?, row.get::<_, u8>(1)?));
        let found = all(&conn, "SELECT buyers, places FROM attempt", [], read).unwrap();
        assert_eq!(found, [(1, 1)]);
        let legs = "SELECT 1 FROM attempt WHERE legs IS NULL AND sold_legs IS NULL";
        assert_eq!(all(&conn, legs, [], |_row| Ok(())).unwrap().len(), 1);
    }

    #[test]
    fn a_schema_from_the_future_is_refused() {
        let conn = Connection::open_in_memory().unwrap();
        migrate(&conn).unwrap();
        run(&conn, "INSERT INTO migration VALUES (999, 'x')", []).unwrap();
        let error = migrate(&conn).unwrap_err();
        assert!(matches!(error, StoreError::FutureSchema { found: 999, .. }));
        assert!(error.to_string().contains("use the newer version"));
    }

    #[test]
    fn an_edited_migration_and_a_foreign_file_are_refused() {
        let conn = Connection::open_in_memory().unwrap();
        migrate(&conn).unwrap();
        run(&conn, "UPDATE migration SET checksum = 'x'", []).unwrap();
        assert!(matches!(migrate(&conn), Err(StoreError::MigrationChanged(1))));
        let other = Connection::open_in_memory().unwrap();
        other.execute_batch("CREATE TABLE theirs (x)").unwrap();
        assert!(matches!(migrate(&other), Err(StoreError::Foreign)));
    }
}
