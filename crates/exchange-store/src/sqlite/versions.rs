//! The rows of configs that were applied: each content once, however often it is applied.

use std::collections::BTreeMap;

use rusqlite::{Connection, Row};
use sha2::{Digest as _, Sha256};

use super::columns::{all, coded, json, one, run, time, to_json};
use super::operators::is_there;
use super::txn::Txn;
use crate::error::StoreError;
use crate::operators::{
    ACTOR_MAX, Action, Cause, Change, ConfigFiles, ConfigVersion, NewVersion, SETS_BYTES_MAX, cut,
};

const COLUMNS: &str = "SELECT number, set_hash, applied_at, cause, actor, again_of, changes,
    EXISTS (SELECT 1 FROM config_file f WHERE f.set_hash = v.set_hash) AS kept
    FROM config_version v";

impl Txn<'_> {
    /// Keeps a config under the next number. A start with the set that was applied last is no new
    /// version.
    pub(super) fn apply_version(&self, new: &NewVersion) -> Result<ConfigVersion, StoreError> {
        let last = latest(self.conn)?;
        if let Some(last) = last.as_ref().filter(|last| last.set_hash == new.set_hash)
            && new.cause == Cause::Start
        {
            return Ok(last.clone());
        }
        let changes = self.changes(last.as_ref(), new)?;
        let number = last.as_ref().map_or(1, |last| last.number.saturating_add(1));
        let kept = self.keep_set(new)?;
        self.write_version(number, new, &changes)?;
        if kept {
            self.drop_old_sets(&new.set_hash, SETS_BYTES_MAX)?;
        }
        self.audit_version(number, new, &changes)?;
        one(self.conn, &format!("{COLUMNS} WHERE number = ?1"), [signed(number)], read)?
            .ok_or(StoreError::Unreadable("number"))
    }

    fn write_version(
        &self,
        number: u64,
        new: &NewVersion,
        changes: &[Change],
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO config_version
                     (number, set_hash, applied_at, cause, actor, again_of, changes)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let again_of = new.again_of.map(signed);
        let at = new.at.unix_micros();
        let named: Vec<&Change> = changes.iter().take(ConfigVersion::CHANGES_MAX).collect();
        let values = (
            signed(number),
            &new.set_hash,
            at,
            new.cause.code(),
            cut(&new.actor, ACTOR_MAX),
            again_of,
            to_json(&named),
        );
        run(self.conn, sql, values)?;
        Ok(())
    }

    fn audit_version(
        &self,
        number: u64,
        new: &NewVersion,
        changes: &[Change],
    ) -> Result<(), StoreError> {
        let named = changes.iter().map(|change| format!("{} {}", change.file, change.how));
        let files = named.take(ConfigVersion::CHANGES_MAX).collect::<Vec<_>>().join(", ");
        let again = new.again_of.map(|of| format!("version {of} again; ")).unwrap_or_default();
        self.audit(&Action {
            at: new.at,
            actor: new.actor.clone(),
            action: new.cause.code().to_owned(),
            subject: format!("version {number}"),
            detail: format!("{again}{files}"),
        })
    }

    /// How the files differ from those of the version before, as far as these are kept.
    fn changes(
        &self,
        last: Option<&ConfigVersion>,
        new: &NewVersion,
    ) -> Result<Vec<Change>, StoreError> {
        let Some(last) = last else { return Ok(Vec::new()) };
        if last.set_hash == new.set_hash {
            return Ok(Vec::new());
        }
        let sql = "SELECT name, content FROM config_file WHERE set_hash = ?1";
        let before = all(self.conn, sql, [&last.set_hash], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        })?;
        let before: BTreeMap<String, String> = before.into_iter().collect();
        let now: BTreeMap<&str, String> =
            new.files.iter().map(|(name, text)| (name.as_str(), hash(text))).collect();
        Ok(differences(&before, &now))
    }

    /// Whether anything was added. A set too large for the whole limit is not kept.
    fn keep_set(&self, new: &NewVersion) -> Result<bool, StoreError> {
        let known = "SELECT 1 FROM config_file WHERE set_hash = ?1 LIMIT 1";
        if one(self.conn, known, [&new.set_hash], |_row| Ok(()))?.is_some() {
            return Ok(false);
        }
        let bytes: u64 = new.files.iter().map(|(_, text)| length(text)).sum();
        if bytes > SETS_BYTES_MAX {
            tracing::warn!(
                bytes,
                most = SETS_BYTES_MAX,
                "this config is too large to be kept: it cannot be applied again from the store"
            );
            return Ok(false);
        }
        for (name, text) in &new.files {
            let content = hash(text);
            let sql =
                "INSERT OR IGNORE INTO config_content (hash, text, bytes) VALUES (?1, ?2, ?3)";
            run(self.conn, sql, (&content, text, signed(length(text))))?;
            let sql = "INSERT INTO config_file (set_hash, name, content) VALUES (?1, ?2, ?3)";
            run(self.conn, sql, (&new.set_hash, name, &content))?;
        }
        Ok(true)
    }

    /// Drops the sets that were applied longest ago until what is kept is within its limit.
    pub(super) fn drop_old_sets(&self, newest: &str, most: u64) -> Result<(), StoreError> {
        while total(self.conn)? > most {
            let sql = "SELECT f.set_hash FROM (SELECT DISTINCT set_hash FROM config_file) f
                       JOIN config_version v ON v.set_hash = f.set_hash
                       WHERE f.set_hash <> ?1
                       GROUP BY f.set_hash ORDER BY max(v.number) LIMIT 1";
            let oldest = one(self.conn, sql, [newest], |row| Ok(row.get::<_, String>(0)?))?;
            let Some(oldest) = oldest else { return Ok(()) };
            run(self.conn, "DELETE FROM config_file WHERE set_hash = ?1", [&oldest])?;
            let unused = "DELETE FROM config_content
                          WHERE hash NOT IN (SELECT content FROM config_file)";
            run(self.conn, unused, [])?;
        }
        Ok(())
    }
}

fn differences(before: &BTreeMap<String, String>, now: &BTreeMap<&str, String>) -> Vec<Change> {
    let change = |file: &str, how: &str| Change { file: file.to_owned(), how: how.to_owned() };
    let mut changes = Vec::new();
    for (name, content) in now {
        match before.get(*name) {
            None => changes.push(change(name, "added")),
            Some(was) if was != content => changes.push(change(name, "changed")),
            Some(_) => {}
        }
    }
    let gone = before.keys().filter(|name| !now.contains_key(name.as_str()));
    changes.extend(gone.map(|name| change(name, "removed")));
    changes
}

fn total(conn: &Connection) -> Result<u64, StoreError> {
    let sql = "SELECT ifnull(sum(bytes), 0) FROM config_content";
    let sum = one(conn, sql, [], |row| Ok(row.get::<_, i64>(0)?))?;
    Ok(sum.and_then(|sum| u64::try_from(sum).ok()).unwrap_or_default())
}

fn latest(conn: &Connection) -> Result<Option<ConfigVersion>, StoreError> {
    one(conn, &format!("{COLUMNS} ORDER BY number DESC LIMIT 1"), [], read)
}

/// The latest versions, newest first.
pub(super) fn versions(conn: &Connection, limit: u32) -> Result<Vec<ConfigVersion>, StoreError> {
    if !is_there(conn)? {
        return Ok(Vec::new());
    }
    all(conn, &format!("{COLUMNS} ORDER BY number DESC LIMIT ?1"), [limit], read)
}

fn version(conn: &Connection, number: u64) -> Result<Option<ConfigVersion>, StoreError> {
    if !is_there(conn)? {
        return Ok(None);
    }
    one(conn, &format!("{COLUMNS} WHERE number = ?1"), [signed(number)], read)
}

/// One version with its files.
pub(super) fn with_files(
    conn: &Connection,
    number: u64,
) -> Result<Option<(ConfigVersion, ConfigFiles)>, StoreError> {
    let Some(version) = version(conn, number)? else { return Ok(None) };
    let files = files(conn, &version.set_hash)?;
    Ok(Some((version, files)))
}

/// Names and texts of a set; none when it is not kept.
fn files(conn: &Connection, set: &str) -> Result<ConfigFiles, StoreError> {
    let sql = "SELECT f.name, c.text FROM config_file f JOIN config_content c ON c.hash = f.content
               WHERE f.set_hash = ?1 ORDER BY f.name";
    all(conn, sql, [set], |row| Ok((row.get(0)?, row.get(1)?)))
}

fn read(row: &Row<'_>) -> Result<ConfigVersion, StoreError> {
    let number: i64 = row.get("number")?;
    let again_of: Option<i64> = row.get("again_of")?;
    Ok(ConfigVersion {
        number: u64::try_from(number).unwrap_or_default(),
        set_hash: row.get("set_hash")?,
        applied_at: time(row, "applied_at")?,
        cause: coded(row, "cause", Cause::from_code)?,
        actor: row.get("actor")?,
        again_of: again_of.and_then(|of| u64::try_from(of).ok()),
        changes: json(row, "changes")?,
        kept: row.get("kept")?,
    })
}

fn hash(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

fn length(text: &str) -> u64 {
    u64::try_from(text.len()).unwrap_or(u64::MAX)
}

/// SQLite counts in `i64`.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
