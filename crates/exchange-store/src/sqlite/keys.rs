//! The rows of API keys.

use exchange_model::Timestamp;
use rusqlite::{Connection, Row};

use super::columns::{all, coded, one, parsed, run, time, time_if};
use super::txn::Txn;
use crate::api_key::{ApiKey, KeyMode};
use crate::error::StoreError;

impl Txn<'_> {
    pub(super) fn add_key(&self, key: &ApiKey) -> Result<(), StoreError> {
        run(
            self.conn,
            "INSERT INTO api_key (id, source, mode, hash, created_at, revoked_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            (
                &key.id,
                key.source.as_str(),
                key.mode.code(),
                key.hash,
                key.created_at.unix_micros(),
                key.revoked_at.map(Timestamp::unix_micros),
            ),
        )?;
        Ok(())
    }

    /// The first revocation stands.
    pub(super) fn revoke_key(&self, id: &str, at: Timestamp) -> Result<bool, StoreError> {
        let sql = "UPDATE api_key SET revoked_at = coalesce(revoked_at, ?2) WHERE id = ?1";
        Ok(run(self.conn, sql, (id, at.unix_micros()))? == 1)
    }
}

pub(super) fn key_by_id(conn: &Connection, id: &str) -> Result<Option<ApiKey>, StoreError> {
    let sql = "SELECT id, source, mode, hash, created_at, revoked_at FROM api_key WHERE id = ?1";
    one(conn, sql, [id], read_key)
}

pub(super) fn keys(conn: &Connection) -> Result<Vec<ApiKey>, StoreError> {
    let sql = "SELECT id, source, mode, hash, created_at, revoked_at FROM api_key
               ORDER BY source, created_at, id";
    all(conn, sql, [], read_key)
}

fn read_key(row: &Row<'_>) -> Result<ApiKey, StoreError> {
    Ok(ApiKey {
        id: row.get("id")?,
        source: parsed(row, "source")?,
        mode: coded(row, "mode", KeyMode::from_code)?,
        hash: row.get("hash")?,
        created_at: time(row, "created_at")?,
        revoked_at: time_if(row, "revoked_at")?,
    })
}
