//! Commit B: the outcome is durable before the seller hears of it.
//!
//! > The first decision about an attempt stands. A repetition changes nothing, a contradiction is
//! > kept for a person to look at.

use exchange_core::record::{AttemptOutcome, Concluded};
use exchange_model::outcome::Acceptance;
use exchange_model::{AttemptId, Timestamp};
use settlement_ledger::hold;
use settlement_ledger::sale::{self, LossPolicy, SaleRequest};

use super::super::attempt::{AttemptRow, attempt_row, lead_row, states};
use super::super::books::hold_of;
use super::super::columns::{digits, run};
use super::super::txn::Txn;
use crate::error::StoreError;
use crate::recovery::AttemptState;

impl Txn<'_> {
    /// Books the outcome of an attempt, once.
    pub(super) fn conclude(
        &mut self,
        concluded: &Concluded,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let row = attempt_row(self.conn, concluded.attempt)?;
        if !row.state.is_open() {
            return self.already_decided(concluded, row.state, at);
        }
        match &concluded.outcome {
            AttemptOutcome::Accepted(acceptance) => self.accepted(concluded, acceptance, &row, at),
            AttemptOutcome::NotSent(_) | AttemptOutcome::Rejected(_) => {
                let state = state_of(&concluded.outcome);
                self.write_outcome(concluded, state, at)?;
                self.give_back(concluded.attempt, &row, at)
            }
            AttemptOutcome::Unknown(_) if row.state == AttemptState::Unknown => Ok(()),
            AttemptOutcome::Unknown(_) => self.write_outcome(concluded, AttemptState::Unknown, at),
        }
    }

    fn already_decided(
        &self,
        concluded: &Concluded,
        state: AttemptState,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let accepted = matches!(concluded.outcome, AttemptOutcome::Accepted(_));
        let repeated = state == state_of(&concluded.outcome)
            || accepted && state == AttemptState::LateAcceptConflict;
        // That an answer was lost says nothing against the answer that is known.
        if repeated || matches!(concluded.outcome, AttemptOutcome::Unknown(_)) {
            return Ok(());
        }
        let detail = format!(
            "decided as `{}`, reported as `{}` afterwards",
            state.code(),
            concluded.outcome.code()
        );
        self.exception(concluded.attempt, "contradiction", &detail, at)
    }

    fn accepted(
        &mut self,
        concluded: &Concluded,
        acceptance: &Acceptance,
        row: &AttemptRow,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let attempt = concluded.attempt;
        let sold = states(self.conn, attempt.lead())?
            .iter()
            .any(|(state, _)| *state == AttemptState::Accepted);
        if sold {
            self.write_outcome(concluded, AttemptState::LateAcceptConflict, at)?;
            self.give_back(attempt, row, at)?;
            let detail = "accepted after the lead was sold to another buyer; not charged";
            return self.exception(attempt, "late_accept_conflict", detail, at);
        }
        self.write_outcome(concluded, AttemptState::Accepted, at)?;
        self.book_sale(attempt, row, at)?;
        self.won(&row.campaign, at);
        match acceptance.price {
            Some(price) if price != row.price => {
                let detail = format!("the reply names {price}, the bid of {} is booked", row.price);
                self.exception(attempt, "price_differs", &detail, at)
            }
            Some(_) | None => Ok(()),
        }
    }

    fn book_sale(
        &mut self,
        attempt: AttemptId,
        row: &AttemptRow,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let lead = lead_row(self.conn, attempt.lead())?;
        // What a resolver finds out later took effect when the lead was posted.
        let late = row.state == AttemptState::Unknown;
        let effective_at = if late { row.prepared_at } else { at };
        let request = SaleRequest {
            attempt,
            seller: lead.source.seller(),
            vertical: lead.vertical,
            price: row.price,
            payout: row.payout,
            // The auction decided that before the post; what was bought is booked in any case.
            loss: LossPolicy::Allow,
            stamp: self.stamp(effective_at, at, "auction"),
        };
        let booked = sale::book(request, hold_of(self.conn, attempt)?.as_ref())?;
        if let Some(transaction) = &booked.transaction {
            self.book(transaction)?;
        }
        if let Some(hold) = &booked.hold {
            self.keep_hold(hold)?;
        }
        Ok(())
    }

    /// Releases the hold and the caps of an attempt that did not buy.
    fn give_back(
        &mut self,
        attempt: AttemptId,
        row: &AttemptRow,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        if let Some(open) = hold_of(self.conn, attempt)? {
            let (transaction, hold) = hold::release(&open, self.stamp(at, at, "auction"))?;
            self.book(&transaction)?;
            self.keep_hold(&hold)?;
        }
        self.release(&row.campaign, row.counted_at, row.price_minor);
        Ok(())
    }

    /// The conditional update: exactly one row, or somebody else decided.
    fn write_outcome(
        &self,
        concluded: &Concluded,
        state: AttemptState,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let words = Words::of(&concluded.outcome);
        let changed = run(
            self.conn,
            "UPDATE attempt SET state = ?3, reason = ?4, text = ?5, buyer_ref = ?6,
               reply_price = ?7, reply_currency = ?8, redirect_url = ?9, concluded_at = ?10
             WHERE lead = ?1 AND step = ?2 AND state IN ('prepared', 'unknown')",
            (
                concluded.attempt.lead().to_bytes(),
                concluded.attempt.step(),
                state.code(),
                words.reason,
                words.text,
                words.buyer_ref,
                words.price,
                words.currency,
                words.redirect_url,
                at.unix_micros(),
            ),
        )?;
        if changed == 1 {
            return Ok(());
        }
        Err(StoreError::Conflict(format!("`{}` was decided already", concluded.attempt)))
    }

    /// Keeps something for a person to look at.
    pub(super) fn exception(
        &self,
        attempt: AttemptId,
        kind: &str,
        detail: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        tracing::warn!(%attempt, kind, detail, "recorded for finance");
        run(
            self.conn,
            "INSERT INTO exception (lead, step, kind, detail, at) VALUES (?1, ?2, ?3, ?4, ?5)",
            (attempt.lead().to_bytes(), attempt.step(), kind, detail, at.unix_micros()),
        )?;
        Ok(())
    }
}

fn state_of(outcome: &AttemptOutcome) -> AttemptState {
    match outcome {
        AttemptOutcome::NotSent(_) => AttemptState::NotSent,
        AttemptOutcome::Rejected(_) => AttemptState::Rejected,
        AttemptOutcome::Accepted(_) => AttemptState::Accepted,
        AttemptOutcome::Unknown(_) => AttemptState::Unknown,
    }
}

/// What an outcome says, by column.
#[derive(Default)]
struct Words<'a> {
    reason: Option<&'static str>,
    text: Option<&'a str>,
    buyer_ref: Option<&'a str>,
    price: Option<String>,
    currency: Option<String>,
    redirect_url: Option<&'a str>,
}

impl<'a> Words<'a> {
    fn of(outcome: &'a AttemptOutcome) -> Self {
        match outcome {
            AttemptOutcome::NotSent(why) => Self { reason: Some(why.code()), ..Self::default() },
            AttemptOutcome::Unknown(why) => Self { reason: Some(why.code()), ..Self::default() },
            AttemptOutcome::Rejected(rejection) => Self {
                reason: Some(rejection.class.code()),
                text: rejection.text.as_deref(),
                ..Self::default()
            },
            AttemptOutcome::Accepted(acceptance) => Self {
                buyer_ref: acceptance.buyer_ref.as_deref(),
                price: acceptance.price.map(digits),
                currency: acceptance.price.map(|price| price.currency().to_string()),
                redirect_url: acceptance.redirect_url.as_deref(),
                ..Self::default()
            },
        }
    }
}
