//! Commit B: the outcome is durable before the seller hears of it.
//!
//! > The first decision about an attempt stands. A repetition changes nothing, a contradiction is
//! > kept for a person to look at.

use exchange_core::record::{AttemptOutcome, Concluded, LegOffer, Sale, leg_means};
use exchange_model::outcome::{Acceptance, Brand, Handles};
use exchange_model::reason::RejectClass;
use exchange_model::{AttemptId, SourceId, Timestamp};
use rusqlite::params;
use settlement_ledger::sale::{self, LossPolicy, SaleLeg, SaleRequest};
use settlement_ledger::{LedgerError, hold};

use super::super::attempt::{AttemptRow, attempt_row, lead_row, record, sold_posts};
use super::super::books::hold_of;
use super::super::columns::{all, digits, run, to_json};
use super::super::legs;
use super::super::places::{has_place, places_of, posts};
use super::super::txn::Txn;
use crate::error::StoreError;
use crate::recovery::AttemptState;
use crate::store::Booked;

/// Exceptions of one kind that are kept for one attempt.
const EXCEPTIONS_MAX: usize = 16;

impl Txn<'_> {
    /// Books the outcome of an attempt, once; what it sold.
    pub(super) fn conclude(
        &mut self,
        concluded: &Concluded,
        at: Timestamp,
    ) -> Result<Option<Booked>, StoreError> {
        let row = attempt_row(self.conn, concluded.attempt)?;
        if !row.state.is_open() {
            self.already_decided(concluded, &row, at)?;
            return Ok(None);
        }
        if let AttemptOutcome::Accepted(sale) = &concluded.outcome {
            return self.accepted(concluded, sale, &row, at);
        }
        self.not_sold(concluded, &row, at).map(|()| None)
    }

    fn not_sold(
        &mut self,
        concluded: &Concluded,
        row: &AttemptRow,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        match &concluded.outcome {
            AttemptOutcome::Accepted(_) => Ok(()),
            AttemptOutcome::NotSent(_) | AttemptOutcome::Rejected(_) => {
                let state = state_of(&concluded.outcome);
                self.write_outcome(concluded, row, state, at)?;
                self.give_back(concluded.attempt, row, at)
            }
            AttemptOutcome::Mispriced(acceptance) => {
                self.write_outcome(concluded, row, AttemptState::Rejected, at)?;
                self.give_back(concluded.attempt, row, at)?;
                let detail = format!(
                    "accepted at {} for a bid of {}; by its contract no sale",
                    price_text(acceptance),
                    row.price
                );
                self.exception(concluded.attempt, "price_refused", &detail, at)
            }
            AttemptOutcome::Unknown(_, handles) if row.state == AttemptState::Unknown => {
                self.keep_handles(concluded.attempt, row, handles)
            }
            AttemptOutcome::Unknown(..) => {
                self.write_outcome(concluded, row, AttemptState::Unknown, at)
            }
        }
    }

    /// What the buyer gave us to ask with; what it said later wins.
    fn keep_handles(
        &self,
        attempt: AttemptId,
        row: &AttemptRow,
        newer: &Handles,
    ) -> Result<(), StoreError> {
        let mut handles = row.handles.clone();
        handles.0.extend(newer.0.clone());
        if handles == row.handles {
            return Ok(());
        }
        let sql = "UPDATE attempt SET handles = ?3 WHERE lead = ?1 AND step = ?2
                   AND (SELECT erased_at FROM lead WHERE id = ?1) IS NULL";
        run(self.conn, sql, (attempt.lead().to_bytes(), attempt.step(), to_json(&handles)))?;
        Ok(())
    }

    fn already_decided(
        &self,
        concluded: &Concluded,
        row: &AttemptRow,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let state = row.state;
        let said = &concluded.outcome;
        let bought = [AttemptState::Accepted, AttemptState::LateAcceptConflict].contains(&state);
        match said {
            // That an answer was lost says nothing against the answer that is known.
            AttemptOutcome::Unknown(..) => Ok(()),
            AttemptOutcome::Accepted(Sale { acceptance, .. })
            | AttemptOutcome::Mispriced(acceptance)
                if bought =>
            {
                self.accepted_again(concluded.attempt, acceptance, row, at)
            }
            _ if state == state_of(said) => Ok(()),
            AttemptOutcome::NotSent(_)
            | AttemptOutcome::Rejected(_)
            | AttemptOutcome::Accepted(_)
            | AttemptOutcome::Mispriced(_) => {
                let price = match said {
                    AttemptOutcome::Accepted(sale) => {
                        format!(" at {}", sale.acceptance.price.unwrap_or(sale.price))
                    }
                    _ => String::new(),
                };
                let detail = format!(
                    "decided as `{}`, reported as `{}`{price} afterwards",
                    state.code(),
                    said.code()
                );
                self.exception(concluded.attempt, "contradiction", &detail, at)
            }
        }
    }

    /// What is said twice is one sale; a second price is for a person to look at.
    fn accepted_again(
        &self,
        attempt: AttemptId,
        acceptance: &Acceptance,
        row: &AttemptRow,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let booked = row.sold.map_or(row.price, |(price, _payout)| price);
        match acceptance.price {
            Some(price) if price != booked && Some(price) != row.reply_price => {
                let detail = format!("accepted again at {price}; {booked} stays booked");
                self.exception(attempt, "second_price", &detail, at)
            }
            Some(_) | None => Ok(()),
        }
    }

    fn accepted(
        &mut self,
        concluded: &Concluded,
        sale: &Sale,
        row: &AttemptRow,
        at: Timestamp,
    ) -> Result<Option<Booked>, StoreError> {
        let attempt = concluded.attempt;
        if !has_place(&posts(self.conn, attempt.lead())?, attempt.step(), sale) {
            self.write_outcome(concluded, row, AttemptState::LateAcceptConflict, at)?;
            self.give_back(attempt, row, at)?;
            let detail = "accepted after the lead was sold to another buyer; not charged";
            self.exception(attempt, "late_accept_conflict", detail, at)?;
            return Ok(None);
        }
        let sale = &self.paid_once(attempt, sale)?;
        let outcome = AttemptOutcome::Accepted(sale.clone());
        self.write_outcome(&Concluded { attempt, outcome }, row, AttemptState::Accepted, at)?;
        let source = self.book_sale(attempt, sale, row, at)?;
        self.count_booked(attempt, sale, row)?;
        self.won(&row.campaign, at);
        self.flag_sale(attempt, sale, row, at)?;
        let campaign = row.campaign.clone();
        Ok(Some(Booked { campaign, source, price: sale.price, payout: sale.payout }))
    }

    /// The sale as it pays the seller: a payout for the lead, however many buy it, comes with the
    /// first sale that is booked. The auction could not know of one whose answer was lost.
    fn paid_once(&self, attempt: AttemptId, sale: &Sale) -> Result<Sale, StoreError> {
        let own = record(self.conn, attempt)?.ok_or(StoreError::NoAttempt(attempt))?;
        let intent = own.attempt.intent;
        if intent.buyers == 1 || !intent.pays_once(sale) {
            return Ok(sale.clone());
        }
        let others = sold_posts(self.conn, attempt.lead())?;
        let was_paid = others.iter().any(|(intent, sale)| intent.pays_once(sale));
        Ok(if was_paid { intent.paid_before(sale.clone()) } else { sale.clone() })
    }

    /// What a person asks the buyer about a sale that is booked.
    fn flag_sale(
        &self,
        attempt: AttemptId,
        sale: &Sale,
        row: &AttemptRow,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        for number in unbooked(sale) {
            let detail = format!("company {number} of the reply took the lead and is not booked");
            self.exception(attempt, "leg_not_booked", &detail, at)?;
        }
        match sale.acceptance.price {
            Some(price) if price != sale.price => {
                let bid = row.price;
                let detail = match sale.legs.as_slice() {
                    [] => format!("the reply names {price}, the bid of {bid} is booked"),
                    _legs => format!("the reply names {price}, {} is booked", sale.price),
                };
                self.exception(attempt, "price_differs", &detail, at)
            }
            Some(_) | None => self.flag_no_price(attempt, sale, row, at),
        }
    }

    /// The buyer has the lead and named no price that can be one: a person asks what it meant.
    fn flag_no_price(
        &self,
        attempt: AttemptId,
        sale: &Sale,
        row: &AttemptRow,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let Some(why) = sale.acceptance.no_price else { return Ok(()) };
        let detail =
            format!("the price of the reply is {}, the bid of {} is booked", why.code(), row.price);
        self.exception(attempt, "price_unusable", &detail, at)
    }

    /// The caps counted what was held; now they count what is spent.
    fn count_booked(
        &mut self,
        attempt: AttemptId,
        sale: &Sale,
        row: &AttemptRow,
    ) -> Result<(), StoreError> {
        let booked = sale.price.to_minor().map_err(LedgerError::from)?;
        if booked == row.price_minor {
            return Ok(());
        }
        self.rebook(row.counted(attempt), booked);
        let sql = "UPDATE attempt SET price_minor = ?3 WHERE lead = ?1 AND step = ?2";
        run(self.conn, sql, (attempt.lead().to_bytes(), attempt.step(), booked.get()))?;
        Ok(())
    }

    fn book_sale(
        &mut self,
        attempt: AttemptId,
        sale: &Sale,
        row: &AttemptRow,
        at: Timestamp,
    ) -> Result<SourceId, StoreError> {
        let lead = lead_row(self.conn, attempt.lead())?;
        // What a resolver finds out later took effect when the lead was posted.
        let late = row.state == AttemptState::Unknown;
        let effective_at = if late { row.prepared_at } else { at };
        let request = SaleRequest {
            attempt,
            seller: lead.source.seller(),
            vertical: lead.vertical,
            price: sale.price,
            payout: sale.payout,
            legs: sale_legs(sale),
            // The auction decided that before the post; what was bought is booked in any case.
            loss: LossPolicy::Allow,
            stamp: self.stamp(effective_at, at, "auction"),
        };
        let booked = sale::book(request, hold_of(self.conn, attempt)?.as_ref())?;
        for transaction in &booked.transactions {
            self.book(transaction)?;
        }
        if let Some(hold) = &booked.hold {
            self.keep_hold(hold)?;
        }
        Ok(lead.source)
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
        self.release(row.counted(attempt));
        self.give_back_person(attempt)
    }

    /// The conditional update: exactly one row, or somebody else decided. An erased lead keeps none
    /// of its buyer's words.
    fn write_outcome(
        &mut self,
        concluded: &Concluded,
        row: &AttemptRow,
        state: AttemptState,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut words = Words::of(&concluded.outcome);
        words.sold = words.sold.filter(|_| state == AttemptState::Accepted);
        let changed = run(
            self.conn,
            "UPDATE attempt SET state = ?3, reason = ?4, text = iif(kept, ?5, NULL), buyer_ref = ?6,
               reply_price = ?7, reply_currency = ?8, redirect_url = iif(kept, ?9, NULL),
               concluded_at = ?10, handles = iif(kept, ifnull(?11, handles), NULL),
               sold_price = ?12, sold_payout = ?13, sold_legs = ?14, places = ifnull(?15, places)
             FROM (SELECT erased_at IS NULL AS kept FROM lead WHERE id = ?1)
             WHERE lead = ?1 AND step = ?2 AND state IN ('prepared', 'unknown')",
            params![
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
                words.handles,
                words.sold.as_ref().map(|sold| &sold.0),
                words.sold.as_ref().map(|sold| &sold.1),
                words.sold.as_ref().and_then(|sold| sold.2.as_ref()),
                words.sold.as_ref().map(|sold| sold.3),
            ],
        )?;
        if changed == 1 {
            self.track(&row.campaign, row.prepared_at, Some(row.state), state);
            if let Some(post) = row.served(concluded.attempt) {
                self.serve(post, Some(row.state), state);
            }
            return Ok(());
        }
        Err(StoreError::Conflict(format!("`{}` was decided already", concluded.attempt)))
    }

    /// Keeps something for a person to look at, once. After enough of a kind about one attempt,
    /// more says nothing new, and a buyer may say it without end.
    pub(super) fn exception(
        &self,
        attempt: AttemptId,
        kind: &str,
        detail: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let (lead, step) = (attempt.lead().to_bytes(), attempt.step());
        let sql = "SELECT detail FROM exception WHERE lead = ?1 AND step = ?2 AND kind = ?3";
        let known: Vec<String> = all(self.conn, sql, (lead, step, kind), |row| Ok(row.get(0)?))?;
        if known.len() >= EXCEPTIONS_MAX || known.iter().any(|before| before == detail) {
            return Ok(());
        }
        tracing::warn!(%attempt, kind, detail, "recorded for finance");
        run(
            self.conn,
            "INSERT INTO exception (lead, step, kind, detail, at) VALUES (?1, ?2, ?3, ?4, ?5)",
            (lead, step, kind, detail, at.unix_micros()),
        )?;
        Ok(())
    }
}

/// The legs that were bought, numbered in the order of the sale.
fn sale_legs(sale: &Sale) -> Vec<SaleLeg> {
    let leg = |(number, leg): (u8, &LegOffer)| SaleLeg {
        number,
        company: leg.brand.name.clone().or_else(|| leg.brand.id.clone()).unwrap_or_default(),
        price: leg.price,
        payout: leg.payout,
    };
    (1..).zip(&sale.legs).map(leg).collect()
}

/// Which companies of the buyer's answer, counted from 1, took the lead and are in no leg of the
/// sale. Their names are not said: they are the buyer's words.
fn unbooked(sale: &Sale) -> impl Iterator<Item = usize> {
    let is_booked = |brand: &Brand| sale.legs.iter().any(|leg| leg_means(brand, &leg.brand));
    (1..)
        .zip(&sale.acceptance.legs)
        .filter(move |(_, said)| said.accepted && !sale.legs.is_empty() && !is_booked(&said.brand))
        .map(|(number, _)| number)
}

fn price_text(acceptance: &Acceptance) -> String {
    acceptance.price.map_or_else(|| "no price".to_owned(), |price| price.to_string())
}

fn state_of(outcome: &AttemptOutcome) -> AttemptState {
    match outcome {
        AttemptOutcome::NotSent(_) => AttemptState::NotSent,
        AttemptOutcome::Rejected(_) | AttemptOutcome::Mispriced(_) => AttemptState::Rejected,
        AttemptOutcome::Accepted(_) => AttemptState::Accepted,
        AttemptOutcome::Unknown(..) => AttemptState::Unknown,
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
    handles: Option<String>,
    /// Price, payout, legs and places.
    sold: Option<(String, String, Option<String>, u8)>,
}

impl<'a> Words<'a> {
    fn of(outcome: &'a AttemptOutcome) -> Self {
        match outcome {
            AttemptOutcome::NotSent(why) => Self { reason: Some(why.code()), ..Self::default() },
            AttemptOutcome::Unknown(why, handles) => {
                Self { reason: Some(why.code()), handles: handles_text(handles), ..Self::default() }
            }
            AttemptOutcome::Rejected(rejection) => Self {
                reason: Some(rejection.class.code()),
                text: rejection.text.as_deref(),
                ..Self::default()
            },
            AttemptOutcome::Accepted(sale) => Self {
                redirect_url: sale.acceptance.redirect_url.as_deref(),
                sold: Some((
                    digits(sale.price),
                    digits(sale.payout),
                    legs::text(&sale.legs),
                    places_of(sale),
                )),
                ..Self::said(&sale.acceptance)
            },
            AttemptOutcome::Mispriced(acceptance) => {
                Self { reason: Some(RejectClass::Price.code()), ..Self::said(acceptance) }
            }
        }
    }

    fn said(acceptance: &'a Acceptance) -> Self {
        Self {
            buyer_ref: acceptance.buyer_ref.as_deref(),
            price: acceptance.price.map(digits),
            currency: acceptance.price.map(|price| price.currency().to_string()),
            handles: handles_text(&acceptance.handles),
            ..Self::default()
        }
    }
}

fn handles_text(handles: &Handles) -> Option<String> {
    (!handles.is_empty()).then(|| to_json(handles))
}
