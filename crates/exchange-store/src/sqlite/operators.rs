//! The rows of what operators did: stops and the record.

use exchange_core::record::Intent;
use exchange_model::{SourceId, Timestamp};
use rusqlite::{Connection, Row};

use super::columns::{all, coded, one, run, time, time_if};
use super::txn::Txn;
use crate::error::StoreError;
use crate::operators::{
    ACTOR_MAX, Action, AuditEntry, DETAIL_MAX, Force, Stop, Stops, Subject, WHY_MAX, cut,
};

impl Txn<'_> {
    /// Stops a subject; an earlier stop of it ends. The answer is every stop.
    pub(super) fn stop(&self, stop: &Stop) -> Result<Stops, StoreError> {
        let sql = "INSERT OR REPLACE INTO stop (kind, name, force, since, until, why, actor)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let (subject, why) = (&stop.subject, cut(&stop.why, WHY_MAX));
        let until = stop.until.map(Timestamp::unix_micros);
        let since = stop.since.unix_micros();
        let actor = cut(&stop.actor, ACTOR_MAX);
        let values = (subject.kind(), subject.name(), stop.force.code(), since, until, why, actor);
        run(self.conn, sql, values)?;
        self.audit(&Action {
            at: stop.since,
            actor: stop.actor.clone(),
            action: stop.force.code().to_owned(),
            subject: subject.to_string(),
            detail: format!("{}: {why}", stop.until_text()),
        })?;
        stops(self.conn)
    }

    /// Ends the stop of a subject; nothing when there is none. Otherwise every stop that is left.
    pub(super) fn resume(
        &self,
        subject: &Subject,
        at: Timestamp,
        actor: &str,
    ) -> Result<Option<Stops>, StoreError> {
        let sql = "DELETE FROM stop WHERE kind = ?1 AND name = ?2";
        if run(self.conn, sql, (subject.kind(), subject.name()))? == 0 {
            return Ok(None);
        }
        self.audit(&Action {
            at,
            actor: actor.to_owned(),
            action: "resume".to_owned(),
            subject: subject.to_string(),
            detail: String::new(),
        })?;
        stops(self.conn).map(Some)
    }

    /// Whether an operator has killed what this intent is about: the last look before contact data
    /// leaves.
    pub(super) fn is_killed(
        &self,
        intent: &Intent,
        source: &SourceId,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM stop WHERE force = 'kill' AND (until IS NULL OR until > ?1)
                   AND (kind = 'all' OR (kind = 'source' AND name = ?2)
                     OR (kind = 'campaign' AND name = ?3) OR (kind = 'buyer' AND name = ?4))";
        let (campaign, buyer) = (&intent.campaign, intent.campaign.buyer());
        let about = (at.unix_micros(), source.as_str(), campaign.as_str(), buyer.as_str());
        Ok(one(self.conn, sql, about, |_row| Ok(()))?.is_some())
    }

    /// Writes down what an operator did.
    pub(super) fn audit(&self, action: &Action) -> Result<(), StoreError> {
        let sql = "INSERT INTO audit (at, actor, action, subject, detail)
                   VALUES (?1, ?2, ?3, ?4, ?5)";
        let (actor, detail) = (cut(&action.actor, ACTOR_MAX), cut(&action.detail, DETAIL_MAX));
        let at = action.at.unix_micros();
        run(self.conn, sql, (at, actor, &action.action, &action.subject, detail))?;
        Ok(())
    }
}

/// Every stop that was not resumed, over or not.
pub(super) fn stops(conn: &Connection) -> Result<Stops, StoreError> {
    if !is_there(conn)? {
        return Ok(Stops::default());
    }
    let sql = "SELECT kind, name, force, since, until, why, actor FROM stop ORDER BY since, name";
    Ok(Stops::new(all(conn, sql, [], read_stop)?))
}

fn read_stop(row: &Row<'_>) -> Result<Stop, StoreError> {
    let (kind, name): (String, String) = (row.get("kind")?, row.get("name")?);
    Ok(Stop {
        subject: Subject::parse(&kind, &name).ok_or(StoreError::Unreadable("kind"))?,
        force: coded(row, "force", Force::from_code)?,
        since: time(row, "since")?,
        until: time_if(row, "until")?,
        why: row.get("why")?,
        actor: row.get("actor")?,
    })
}

/// The latest entries of the record, newest first.
pub(super) fn audit_log(conn: &Connection, limit: u32) -> Result<Vec<AuditEntry>, StoreError> {
    if !is_there(conn)? {
        return Ok(Vec::new());
    }
    let sql = "SELECT number, at, actor, action, subject, detail FROM audit
               ORDER BY number DESC LIMIT ?1";
    all(conn, sql, [limit], |row| {
        let number: i64 = row.get("number")?;
        let action = Action {
            at: time(row, "at")?,
            actor: row.get("actor")?,
            action: row.get("action")?,
            subject: row.get("subject")?,
            detail: row.get("detail")?,
        };
        Ok(AuditEntry { number: u64::try_from(number).unwrap_or_default(), action })
    })
}

/// Whether the database has these tables: one that is only read may be older than they are.
pub(super) fn is_there(conn: &Connection) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'audit'";
    Ok(one(conn, sql, [], |_row| Ok(()))?.is_some())
}
