//! How a lead stands: the answer of its auction, and what a late truth makes of it.

use exchange_core::record::{Answer, Commit, Concluded};
use exchange_model::reason::LeadStatus;
use exchange_model::{AttemptId, LeadId, Money, Timestamp};

use super::super::attempt::{LeadRow, lead_row};
use super::super::columns::{digits, run, to_json};
use super::super::places::{Post, is_awaited, is_sold, posts};
use super::super::sales::{ended, sold};
use super::super::txn::Txn;
use super::super::views::{reply, standing};
use crate::error::StoreError;
use crate::intake::{IntakeKind, Renderer, StoredReply};
use crate::store::Answered;

/// The outbox row that tells a seller about an outcome found out after the answer.
const RESOLVED: &str = "lead.resolved";

impl Txn<'_> {
    /// Writes the end of an auction, with the reply the seller gets: both say how the lead stands
    /// by now.
    pub(super) fn answer(
        &self,
        step: &Commit,
        answer: &Answer,
        reply: Option<&Renderer>,
    ) -> Result<Option<Answered>, StoreError> {
        let (lead, at) = (step.lead, step.at);
        let LeadRow { status: before, callback_url, .. } = lead_row(self.conn, lead)?;
        if is_final(before) {
            self.answered_before(lead, before, answer.status, at)?;
            if let Some(concluded) = &step.concluded {
                self.resolve(concluded, at)?;
            }
            let stands = self.stands(lead)?;
            return reply.map(|reply| self.keep_reply_to(lead, stands, reply)).transpose();
        }
        let posts = posts(self.conn, lead)?;
        if answer.status == LeadStatus::Sold && !is_sold(&posts) {
            return Err(StoreError::Conflict(format!("`{lead}` is called sold and is not")));
        }
        let truth = self.truth(lead, &posts, answer)?;
        self.write_answer(lead, &truth, at)?;
        // A seller that was called `pending` meanwhile, since the disk was slow, hears of it.
        if let Some(url) = callback_url.filter(|_| truth.status != answer.status) {
            self.tell(lead, &url, at)?;
        }
        reply.map(|reply| self.keep_reply_to(lead, truth, reply)).transpose()
    }

    /// What the record makes of the auction's answer: a late truth may have come in between, and
    /// nobody will say it again.
    fn truth(&self, lead: LeadId, posts: &[Post], answer: &Answer) -> Result<Answer, StoreError> {
        if is_sold(posts) {
            return sold(self.conn, lead);
        }
        let over = answer.status == LeadStatus::Pending && !is_awaited(posts);
        let status = if over { LeadStatus::Unsold } else { answer.status };
        Ok(Answer { status, ..answer.clone() })
    }

    /// What the outcome of an attempt means for a lead that was answered: one more sale, or that
    /// nobody bought it. While the auction runs, the answer is its business.
    pub(super) fn resolve(&self, concluded: &Concluded, at: Timestamp) -> Result<(), StoreError> {
        let lead = concluded.attempt.lead();
        let row = lead_row(self.conn, lead)?;
        let Some(answered) = row.status else { return Ok(()) };
        let posts = posts(self.conn, lead)?;
        let answer = if is_sold(&posts) {
            let sold = sold(self.conn, lead)?;
            if answered == LeadStatus::Sold && row.payout.map(Money::rounded) == sold.payout {
                return Ok(());
            }
            sold
        } else if is_final(row.status) || is_awaited(&posts) {
            return Ok(());
        } else {
            ended(LeadStatus::Unsold, concluded.outcome.code())
        };
        self.write_answer(lead, &answer, at)?;
        match row.callback_url {
            Some(url) => self.tell(lead, &url, at),
            None => Ok(()),
        }
    }

    /// How a lead stands, as an answer.
    fn stands(&self, lead: LeadId) -> Result<Answer, StoreError> {
        let stands = standing(self.conn, lead)?.ok_or(StoreError::NoLead(lead))?;
        Ok(Answer {
            status: stands.status.unwrap_or(LeadStatus::Pending),
            payout: stands.payout,
            redirect_url: stands.redirect_url,
            sales: stands.sales,
            reasons: stands.reasons,
        })
    }

    fn keep_reply_to(
        &self,
        lead: LeadId,
        answer: Answer,
        renderer: &Renderer,
    ) -> Result<Answered, StoreError> {
        let reply = renderer.render(&answer);
        let reply = self.keep_reply(IntakeKind::Lead, lead, reply)?;
        Ok(Answered { answer, reply })
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

    /// Keeps what the seller was told; what is kept. The first reply stands: it is what retries get.
    pub(in super::super) fn keep_reply(
        &self,
        kind: IntakeKind,
        lead: LeadId,
        said: StoredReply,
    ) -> Result<StoredReply, StoreError> {
        let written = run(
            self.conn,
            "INSERT INTO reply (kind, lead, http_status, body) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO NOTHING",
            (kind.code(), lead.to_bytes(), said.http_status, &said.body),
        )?;
        let first = if written == 0 { reply(self.conn, kind, lead)? } else { None };
        Ok(first.unwrap_or(said))
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
