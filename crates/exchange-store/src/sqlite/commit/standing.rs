//! How a lead stands: the answer of its auction, and what a late truth makes of it.

use exchange_core::record::{Answer, AttemptOutcome, Concluded};
use exchange_model::reason::LeadStatus;
use exchange_model::{AttemptId, LeadId, Timestamp};

use super::super::attempt::{LeadRow, attempt_row, lead_row, states};
use super::super::columns::{digits, run, to_json};
use super::super::txn::Txn;
use crate::error::StoreError;
use crate::intake::{IntakeKind, StoredReply};
use crate::recovery::AttemptState;

/// The outbox row that tells a seller about an outcome found out after the answer.
const RESOLVED: &str = "lead.resolved";

impl Txn<'_> {
    /// Writes the end of an auction with the reply the seller gets.
    pub(super) fn answer(
        &self,
        lead: LeadId,
        answer: &Answer,
        at: Timestamp,
        reply: Option<&StoredReply>,
    ) -> Result<(), StoreError> {
        let LeadRow { status: before, callback_url, .. } = lead_row(self.conn, lead)?;
        if is_final(before) {
            return self.answered_before(lead, before, answer.status, at);
        }
        if answer.status == LeadStatus::Sold && !self.is_sold(lead)? {
            return Err(StoreError::Conflict(format!("`{lead}` is called sold and is not")));
        }
        let truth = self.truth(lead, answer)?;
        self.write_answer(lead, &truth, at)?;
        if let Some(url) = callback_url.filter(|_| truth.status != answer.status) {
            self.tell(lead, &url, at)?;
        }
        match reply {
            Some(reply) => self.keep_reply(IntakeKind::Lead, lead, reply),
            None => Ok(()),
        }
    }

    /// What the record makes of the auction's answer: a late truth may have come in between, and
    /// nobody will say it again.
    fn truth(&self, lead: LeadId, answer: &Answer) -> Result<Answer, StoreError> {
        if self.is_sold(lead)? {
            return self.sale(lead);
        }
        let over = answer.status == LeadStatus::Pending && !self.is_awaited(lead)?;
        let status = if over { LeadStatus::Unsold } else { answer.status };
        Ok(Answer { status, ..answer.clone() })
    }

    /// What the outcome of an attempt means for a lead that was answered `pending`. While the
    /// auction runs, the answer is its business.
    pub(super) fn resolve(&self, concluded: &Concluded, at: Timestamp) -> Result<(), StoreError> {
        let attempt = concluded.attempt;
        let lead = lead_row(self.conn, attempt.lead())?;
        let answered = match lead.status {
            None | Some(LeadStatus::Sold) => return Ok(()),
            Some(_) => lead.status,
        };
        let answer = match attempt_row(self.conn, attempt)?.state {
            AttemptState::Accepted => self.sale_of(concluded)?,
            AttemptState::NotSent | AttemptState::Rejected if is_final(answered) => return Ok(()),
            AttemptState::NotSent | AttemptState::Rejected
                if !self.is_awaited(attempt.lead())? =>
            {
                Answer {
                    sales: Vec::new(),
                    status: LeadStatus::Unsold,
                    payout: None,
                    redirect_url: None,
                    reasons: vec![concluded.outcome.code().to_owned()],
                }
            }
            AttemptState::NotSent
            | AttemptState::Rejected
            | AttemptState::Prepared
            | AttemptState::Unknown
            | AttemptState::LateAcceptConflict => return Ok(()),
        };
        self.write_answer(attempt.lead(), &answer, at)?;
        match lead.callback_url {
            Some(url) => self.tell(attempt.lead(), &url, at),
            None => Ok(()),
        }
    }

    fn sale_of(&self, concluded: &Concluded) -> Result<Answer, StoreError> {
        let redirect_url = match &concluded.outcome {
            AttemptOutcome::Accepted(sale) => sale.acceptance.redirect_url.clone(),
            AttemptOutcome::NotSent(_)
            | AttemptOutcome::Rejected(_)
            | AttemptOutcome::Mispriced(_)
            | AttemptOutcome::Unknown(..) => None,
        };
        let payout = attempt_row(self.conn, concluded.attempt)?.sold.map(|(_price, payout)| payout);
        Ok(Answer {
            sales: Vec::new(),
            status: LeadStatus::Sold,
            payout,
            redirect_url,
            reasons: Vec::new(),
        })
    }

    /// Whether a buyer has bought the lead.
    pub(super) fn is_sold(&self, lead: LeadId) -> Result<bool, StoreError> {
        let sold = |(state, _): &(AttemptState, _)| *state == AttemptState::Accepted;
        Ok(states(self.conn, lead)?.iter().any(sold))
    }

    fn is_awaited(&self, lead: LeadId) -> Result<bool, StoreError> {
        Ok(states(self.conn, lead)?.iter().any(|(state, _)| state.is_open()))
    }

    /// Repeating an answer changes nothing; another one is kept for a person.
    fn answered_before(
        &self,
        lead: LeadId,
        before: Option<LeadStatus>,
        now: LeadStatus,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        if before == Some(now) {
            return Ok(());
        }
        let before = before.map_or("running", LeadStatus::code);
        let detail = format!("answered `{before}`, then `{now}`; the first answer stands");
        self.exception(AttemptId::new(lead, 0), "contradiction", &detail, at)
    }

    /// Writes how a lead ended; a lead that nobody bought gives its duplicate claims free.
    pub(in super::super) fn write_answer(
        &self,
        lead: LeadId,
        answer: &Answer,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        run(
            self.conn,
            "UPDATE lead SET status = ?2, payout = ?3, currency = ?4, redirect_url = ?5,
               reasons = ?6, answered_at = ?7 WHERE id = ?1",
            (
                lead.to_bytes(),
                answer.status.code(),
                answer.payout.map(digits),
                answer.payout.map(|payout| payout.currency().to_string()),
                &answer.redirect_url,
                to_json(&answer.reasons),
                at.unix_micros(),
            ),
        )?;
        match answer.status {
            LeadStatus::Unsold | LeadStatus::Duplicate => self.drop_claims(lead),
            LeadStatus::Abandoned => {
                self.forget_submission(lead)?;
                self.drop_claims(lead)
            }
            LeadStatus::Sold | LeadStatus::Pending | LeadStatus::Unresolved => Ok(()),
        }
    }

    /// Keeps what the seller was told. The first reply stands: it is what retries get.
    pub(in super::super) fn keep_reply(
        &self,
        kind: IntakeKind,
        lead: LeadId,
        reply: &StoredReply,
    ) -> Result<(), StoreError> {
        run(
            self.conn,
            "INSERT INTO reply (kind, lead, http_status, body) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO NOTHING",
            (kind.code(), lead.to_bytes(), reply.http_status, &reply.body),
        )?;
        Ok(())
    }

    fn tell(&self, lead: LeadId, url: &str, at: Timestamp) -> Result<(), StoreError> {
        run(
            self.conn,
            "INSERT INTO outbox (kind, lead, url, created_at) VALUES (?1, ?2, ?3, ?4)",
            (RESOLVED, lead.to_bytes(), url, at.unix_micros()),
        )?;
        Ok(())
    }
}

/// Whether the seller's answer cannot change any more by an auction.
fn is_final(status: Option<LeadStatus>) -> bool {
    match status {
        None | Some(LeadStatus::Pending | LeadStatus::Unresolved) => false,
        Some(
            LeadStatus::Sold | LeadStatus::Unsold | LeadStatus::Duplicate | LeadStatus::Abandoned,
        ) => true,
    }
}
