//! Persons: who has them, who sent them lately, and who does not want them.
//!
//! > Whether a person may be posted is decided inside the write that records the post.

use exchange_core::duplicates::{Claim, Dealing, Print, Within};
use exchange_core::record::Intent;
use exchange_model::pii::Fingerprint;
use exchange_model::reason::Refused;
use exchange_model::{AttemptId, LeadId, SourceId, Timestamp};
use rusqlite::{Connection, Row};

use super::attempt::LeadRow;
use super::columns::{all, one, parsed, run, time};
use super::txn::Txn;
use crate::error::StoreError;

/// The step of a claim that is the lead's own.
const LEADS_OWN: i64 = -1;
/// Most earlier dealings read for one hash.
const DEALINGS_MAX: u32 = 1_000;

impl Txn<'_> {
    /// Why the person of this lead may not be posted to this campaign, if so.
    pub(super) fn refuse_person(&self, intent: &Intent) -> Result<Option<Refused>, StoreError> {
        let person = &intent.person;
        let buyer = intent.campaign.buyer();
        if self.shared.suppression.names(&buyer, &person.lists, &person.listed_as) {
            return Ok(Some(Refused::Suppressed));
        }
        for claim in &person.claims {
            if self.is_dealt(claim, intent.attempt)? {
                let buyers = claim.within.is_buyers();
                let why = if buyers { Refused::BuyerDuplicate } else { Refused::Duplicate };
                return Ok(Some(why));
            }
        }
        Ok(None)
    }

    /// Whether the claimed person was dealt with within the window: by another lead, or, to a
    /// buyer's own rule, by this lead as well.
    fn is_dealt(&self, claim: &Claim, attempt: AttemptId) -> Result<bool, StoreError> {
        const EXACT: &str = "= ?5";
        const OWNER: &str = "LIKE ?5 || '/%'";
        let (column, test, whom) = match &claim.within {
            Within::Source(source) => ("source", EXACT, source.as_str()),
            Within::Seller(seller) => ("source", OWNER, seller.as_str()),
            Within::Vertical(vertical) => ("vertical", EXACT, vertical.as_str()),
            Within::Campaign(campaign) => ("campaign", EXACT, campaign.as_str()),
            Within::Buyer(buyer) => ("campaign", OWNER, buyer.as_str()),
        };
        // Names have no `%`, and a `_` in one must stand for itself: hence the second look.
        let sql = format!(
            "SELECT source, campaign FROM person_claim WHERE field = ?1 AND fingerprint = ?2
             AND claimed_at >= ?3 AND ({column} {test}) AND (lead <> ?4 OR ?6)"
        );
        let params = (
            &claim.print.field,
            claim.print.fingerprint.as_bytes(),
            claim.since.unix_micros(),
            attempt.lead().to_bytes(),
            whom,
            claim.within.is_buyers(),
        );
        let owner = |text: &str| text.split('/').next() == Some(whom);
        let found = all(self.conn, &sql, params, |row| {
            let source: String = row.get(0)?;
            let campaign: Option<String> = row.get(1)?;
            Ok(match claim.within {
                Within::Seller(_) => owner(&source),
                Within::Buyer(_) => campaign.as_deref().is_some_and(owner),
                Within::Source(_) | Within::Vertical(_) | Within::Campaign(_) => true,
            })
        })?;
        Ok(found.contains(&true))
    }

    /// Claims the person for the lead and for the campaign that is about to get it.
    pub(super) fn claim_person(
        &self,
        intent: &Intent,
        row: &LeadRow,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let step = i64::from(intent.attempt.step());
        let sql = "INSERT INTO person_claim
                     (field, fingerprint, lead, step, source, vertical, campaign, claimed_at)
                   SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8
                   WHERE (SELECT erased_at FROM lead WHERE id = ?3) IS NULL
                   ON CONFLICT DO NOTHING";
        for print in &intent.person.prints {
            for (step, campaign) in [(LEADS_OWN, None), (step, Some(intent.campaign.as_str()))] {
                run(
                    self.conn,
                    sql,
                    (
                        &print.field,
                        print.fingerprint.as_bytes(),
                        intent.attempt.lead().to_bytes(),
                        step,
                        row.source.as_str(),
                        row.vertical.as_str(),
                        campaign,
                        at.unix_micros(),
                    ),
                )?;
            }
        }
        Ok(())
    }

    /// The campaign did not buy: it does not have the person.
    pub(super) fn give_back_person(&self, attempt: AttemptId) -> Result<(), StoreError> {
        let sql = "DELETE FROM person_claim WHERE lead = ?1 AND step = ?2";
        run(self.conn, sql, (attempt.lead().to_bytes(), i64::from(attempt.step())))?;
        Ok(())
    }

    /// The lead ended unsold: it holds its person no longer. Who may have it still does.
    pub(super) fn drop_claims(&self, lead: LeadId) -> Result<(), StoreError> {
        let sql = "DELETE FROM person_claim WHERE lead = ?1 AND step = ?2";
        run(self.conn, sql, (lead.to_bytes(), LEADS_OWN))?;
        Ok(())
    }

    /// The request was given up before anything left the house: sent again, it runs.
    pub(super) fn forget_submission(&self, lead: LeadId) -> Result<(), StoreError> {
        run(self.conn, "DELETE FROM resubmission WHERE lead = ?1", [lead.to_bytes()])?;
        Ok(())
    }

    /// The lead that sent this person lately, or none; then this one has. A lead that is itself a
    /// resubmission does not begin the window anew.
    pub(super) fn resubmitted(
        &self,
        lead: LeadId,
        claims: &[Claim],
        at: Timestamp,
    ) -> Result<Option<LeadId>, StoreError> {
        for claim in claims {
            let Within::Source(source) = &claim.within else { continue };
            if let Some(first) = self.sent_before(lead, source, claim)? {
                return Ok(Some(first));
            }
        }
        for claim in claims {
            let Within::Source(source) = &claim.within else { continue };
            let sql = "INSERT INTO resubmission (source, field, fingerprint, lead, received_at)
                       VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE
                       SET lead = excluded.lead, received_at = excluded.received_at";
            let (field, print) = (&claim.print.field, claim.print.fingerprint.as_bytes());
            let params = (source.as_str(), field, print, lead.to_bytes(), at.unix_micros());
            run(self.conn, sql, params)?;
        }
        Ok(None)
    }

    fn sent_before(
        &self,
        lead: LeadId,
        source: &SourceId,
        claim: &Claim,
    ) -> Result<Option<LeadId>, StoreError> {
        let sql = "SELECT lead FROM resubmission WHERE source = ?1 AND field = ?2
                   AND fingerprint = ?3 AND received_at >= ?4 AND lead <> ?5";
        let params = (
            source.as_str(),
            &claim.print.field,
            claim.print.fingerprint.as_bytes(),
            claim.since.unix_micros(),
            lead.to_bytes(),
        );
        one(self.conn, sql, params, |row| super::columns::lead_id(row, "lead"))
    }
}

/// The latest dealings with a person.
pub(super) fn dealings(conn: &Connection, prints: &[Print]) -> Result<Vec<Dealing>, StoreError> {
    let sql = "SELECT field, fingerprint, source, vertical, campaign, claimed_at FROM person_claim
               WHERE field = ?1 AND fingerprint = ?2 ORDER BY claimed_at DESC LIMIT ?3";
    let mut found = Vec::new();
    for print in prints {
        let params = (&print.field, print.fingerprint.as_bytes(), DEALINGS_MAX);
        found.extend(all(conn, sql, params, dealing)?);
    }
    Ok(found)
}

fn dealing(row: &Row<'_>) -> Result<Dealing, StoreError> {
    let campaign: Option<String> = row.get("campaign")?;
    let campaign = match campaign {
        Some(_) => Some(parsed(row, "campaign")?),
        None => None,
    };
    Ok(Dealing {
        print: Print {
            field: row.get("field")?,
            fingerprint: Fingerprint::from_bytes(row.get("fingerprint")?),
        },
        source: parsed(row, "source")?,
        vertical: parsed(row, "vertical")?,
        campaign,
        at: time(row, "claimed_at")?,
    })
}
