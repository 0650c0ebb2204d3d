//! What caps count, from the posts on record.
//!
//! Counters live in memory and come from here alone: whole at the start, and for a `total` since
//! some day long past, when it is first asked for. Nothing is stored that could be forgotten.

use exchange_core::caps::{self, Counted, Usage};
use exchange_core::record::{BEGINNING, END};
use exchange_core::record::{CapLimit, CapScope, Tally};
use exchange_model::reason::CapKind;
use exchange_model::{AttemptId, BuyerId, CampaignId, LeadId, MinorUnits, SourceId, Timestamp};
use rusqlite::{Connection, Row};

use super::columns::{all, each, lead_id, one, parsed, run, time, time_if};
use super::txn::Txn;
use crate::error::StoreError;
use crate::usage::UsageBook;
use crate::view::Finished;

/// The states that caps count, as the index has them.
const COUNTS: &str = "state IN ('prepared', 'unknown', 'accepted')";
const STEP_MICROS: i64 = 15 * 60 * 1_000_000;

/// Counts again what is bought, reserved, open and taken in.
pub(super) fn count_used(
    conn: &Connection,
    book: &UsageBook,
    now: Timestamp,
) -> Result<(), StoreError> {
    let kept_from = now.before(caps::KEPT);
    count_older(conn, book, kept_from)?;
    let sql = format!(
        "SELECT lead, step, campaign, source, counted_at, price_minor, finished_at FROM attempt
         WHERE {COUNTS} AND counted_at >= ?1"
    );
    each(conn, &sql, [step_of(kept_from).unix_micros()], |row| {
        let open = time_if(row, "finished_at")?.is_none();
        book.reserve(&counted(row)?, open);
        Ok(())
    })?;
    count_taken_in(conn, book, kept_from)
}

fn step_of(at: Timestamp) -> Timestamp {
    let micros = at.unix_micros();
    Timestamp::from_unix_micros(micros.saturating_sub(micros.rem_euclid(STEP_MICROS)))
}

/// What came before the steps that are kept: only its sums.
fn count_older(
    conn: &Connection,
    book: &UsageBook,
    kept_from: Timestamp,
) -> Result<(), StoreError> {
    let sql = format!(
        "SELECT campaign, source, count(*) AS leads, sum(price_minor) AS spend,
           min(counted_at) AS first
         FROM attempt WHERE {COUNTS} AND counted_at < ?1 GROUP BY campaign, source"
    );
    let mut sums: Vec<(CampaignId, SourceId, Timestamp, Tally)> = Vec::new();
    each(conn, &sql, [step_of(kept_from).unix_micros()], |row| {
        let campaign = parsed(row, "campaign")?;
        sums.push((campaign, parsed(row, "source")?, time(row, "first")?, tally(row)?));
        Ok(())
    })?;
    for (campaign, source, first, tally) in &sums {
        book.with(campaign, |found| {
            found.usage.begin_with(kept_from, *first, *tally);
            let by_source = found.by_source.entry(source.clone()).or_default();
            by_source.begin_with(kept_from, *first, *tally);
        });
        let buyer = campaign.buyer();
        book.with_buyer(buyer, |usage| usage.begin_with(kept_from, *first, *tally));
    }
    Ok(())
}

fn count_taken_in(
    conn: &Connection,
    book: &UsageBook,
    kept_from: Timestamp,
) -> Result<(), StoreError> {
    let kept_from = step_of(kept_from);
    let sql = "SELECT source, count(*) AS leads, 0 AS spend, min(received_at) AS first
               FROM lead WHERE received_at < ?1 GROUP BY source";
    each(conn, sql, [kept_from.unix_micros()], |row| {
        let (first, tally) = (time(row, "first")?, tally(row)?);
        let source = parsed(row, "source")?;
        book.with_source(&source, |usage| usage.begin_with(kept_from, first, tally));
        Ok(())
    })?;
    let sql = "SELECT source, max(received_at) AS last, count(*) AS leads, 0 AS spend FROM lead
               WHERE received_at >= ?1 GROUP BY source, received_at / ?2";
    // By the step: of a source's leads, the second in which the latest of a step came is enough.
    each(conn, sql, (kept_from.unix_micros(), STEP_MICROS), |row| {
        let (last, tally) = (time(row, "last")?, tally(row)?);
        book.with_source(&parsed(row, "source")?, |usage| usage.add(last, tally));
        Ok(())
    })
}

fn counted(row: &Row<'_>) -> Result<Counted, StoreError> {
    Ok(Counted {
        attempt: AttemptId::new(lead_id(row, "lead")?, row.get("step")?),
        campaign: parsed(row, "campaign")?,
        source: parsed(row, "source")?,
        at: time(row, "counted_at")?,
        price: MinorUnits::new(row.get("price_minor")?),
    })
}

fn tally(row: &Row<'_>) -> Result<Tally, StoreError> {
    let leads = u32::try_from(row.get::<_, i64>("leads")?).unwrap_or(u32::MAX);
    Ok(Tally { leads, spend: MinorUnits::new(row.get("spend")?) })
}

impl Txn<'_> {
    /// Adds up what a `total` counts since a day from which on memory does not know it.
    pub(super) fn know_caps(&self, caps: &[CapLimit]) -> Result<(), StoreError> {
        for cap in caps {
            let since = cap.window.start;
            if since == BEGINNING || cap.window.end != END || cap.kind == CapKind::Open {
                continue;
            }
            match &cap.scope {
                CapScope::Campaign(campaign) => self.know_campaign(campaign, since)?,
                CapScope::Source(campaign, source) => self.know_pair(campaign, source, since)?,
                CapScope::Buyer(buyer) => self.know_buyer(buyer, since)?,
                CapScope::Inbound(source) => self.know_source(source, since)?,
                CapScope::Group(group) => {
                    for campaign in &group.members {
                        self.know_campaign(campaign, since)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn know_campaign(&self, campaign: &CampaignId, since: Timestamp) -> Result<(), StoreError> {
        let sql = format!("{SUM} FROM attempt WHERE {COUNTS} AND {WHEN} AND campaign = ?3");
        let book = &self.shared.usage;
        let Some(until) = book.look(campaign, |found| missing(&mut found.usage, since)).flatten()
        else {
            return Ok(());
        };
        let tally =
            self.sum(&sql, (since.unix_micros(), until.unix_micros(), campaign.as_str()))?;
        book.with(campaign, |found| found.usage.count_since(since, tally));
        Ok(())
    }

    fn know_pair(
        &self,
        campaign: &CampaignId,
        source: &SourceId,
        since: Timestamp,
    ) -> Result<(), StoreError> {
        let sql = format!(
            "{SUM} FROM attempt WHERE {COUNTS} AND {WHEN} AND campaign = ?3 AND source = ?4"
        );
        let book = &self.shared.usage;
        let until = book.look(campaign, |found| missing(found.by_source.get_mut(source)?, since));
        let Some(until) = until.flatten() else { return Ok(()) };
        let names = (campaign.as_str(), source.as_str());
        let params = (since.unix_micros(), until.unix_micros(), names.0, names.1);
        let tally = self.sum(&sql, params)?;
        book.with(campaign, |found| {
            let usage = found.by_source.entry(source.clone()).or_default();
            usage.count_since(since, tally);
        });
        Ok(())
    }

    /// A buyer's campaigns are those whose names begin with its own.
    fn know_buyer(&self, buyer: &BuyerId, since: Timestamp) -> Result<(), StoreError> {
        let sql = format!(
            "{SUM} FROM attempt WHERE {COUNTS} AND {WHEN} AND campaign >= ?3 || '/'
               AND campaign < ?3 || '0'"
        );
        let book = &self.shared.usage;
        let Some(until) = book.with_buyer(buyer.clone(), |usage| missing(usage, since)) else {
            return Ok(());
        };
        let tally = self.sum(&sql, (since.unix_micros(), until.unix_micros(), buyer.as_str()))?;
        book.with_buyer(buyer.clone(), |usage| usage.count_since(since, tally));
        Ok(())
    }

    fn know_source(&self, source: &SourceId, since: Timestamp) -> Result<(), StoreError> {
        let sql = "SELECT count(*) AS leads, 0 AS spend FROM lead
                   WHERE received_at >= ?1 AND received_at < ?2 AND source = ?3";
        let book = &self.shared.usage;
        let Some(until) = book.with_source(source, |usage| missing(usage, since)) else {
            return Ok(());
        };
        let tally = self.sum(sql, (since.unix_micros(), until.unix_micros(), source.as_str()))?;
        book.with_source(source, |usage| usage.count_since(since, tally));
        Ok(())
    }

    fn sum(&self, sql: &str, params: impl rusqlite::Params) -> Result<Tally, StoreError> {
        Ok(one(self.conn, sql, params, tally)?.unwrap_or_default())
    }

    /// The buyer is done with this lead: it does not count as open any more.
    pub(super) fn finished(
        &mut self,
        campaign: &CampaignId,
        lead: LeadId,
        at: Timestamp,
    ) -> Result<Finished, StoreError> {
        let sql = format!(
            "SELECT lead, step, campaign, source, counted_at, price_minor, finished_at FROM attempt
             WHERE lead = ?1 AND campaign = ?2 AND {COUNTS}"
        );
        let posts = all(self.conn, &sql, (lead.to_bytes(), campaign.as_str()), |row| {
            Ok((counted(row)?, time_if(row, "finished_at")?))
        })?;
        if posts.is_empty() {
            return Ok(Finished::NoPost);
        }
        let open: Vec<Counted> =
            posts.into_iter().filter(|(_, done)| done.is_none()).map(|(post, _)| post).collect();
        if open.is_empty() {
            return Ok(Finished::Before);
        }
        let sql = "UPDATE attempt SET finished_at = ?3 WHERE lead = ?1 AND step = ?2";
        for post in open {
            let step = post.attempt.step();
            run(self.conn, sql, (lead.to_bytes(), step, at.unix_micros()))?;
            self.finish(post);
        }
        Ok(Finished::Done)
    }
}

const SUM: &str = "SELECT count(*) AS leads, ifnull(sum(price_minor), 0) AS spend";
const WHEN: &str = "counted_at >= ?1 AND counted_at < ?2";

/// Until when the table must be asked for what is counted since a moment; nothing when it is known.
fn missing(usage: &mut Usage, since: Timestamp) -> Option<Timestamp> {
    (!usage.knows(since)).then(|| usage.kept_from())
}
