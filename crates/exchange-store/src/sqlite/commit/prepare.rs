//! Commit A: the intent is durable before the lead leaves the house.

use exchange_core::caps::Counted;
use exchange_core::record::Intent;
use exchange_model::outcome::BidToken;
use exchange_model::reason::{LeadStatus, Refused};
use exchange_model::{AttemptId, MinorUnits, Timestamp};
use rusqlite::params;
use settlement_ledger::hold::{self, HoldRequest};
use settlement_ledger::{Account, Hold, LedgerError, Transaction};

use super::super::attempt::{LeadRow, lead_row, policy_code};
use super::super::columns::{digits, run, terms_text};
use super::super::legs;
use super::super::places::{NoPlace, check_post, posts};
use super::super::price_terms;
use super::super::txn::Txn;
use crate::error::StoreError;
use crate::recovery::AttemptState;
use crate::served::{ServedPost, TierMembership};

impl Txn<'_> {
    /// Prepares an attempt, or refuses it and writes nothing.
    ///
    /// A late sale, an operator's stop, the person, caps and credit are looked at in this order, inside the write that uses them up.
    pub(super) fn prepare(
        &mut self,
        intent: &Intent,
        at: Timestamp,
    ) -> Result<Result<(), Refused>, StoreError> {
        let lead = intent.attempt.lead();
        let row = lead_row(self.conn, lead)?;
        if let Err(refused) = self.check_may_post(intent, &row)? {
            return Ok(Err(refused));
        }
        if self.is_killed(intent, &row.source, at)? {
            return Ok(Err(Refused::Stopped));
        }
        let price = intent.hold.to_minor().map_err(LedgerError::from)?;
        if let Some(refused) = self.refuse_person(intent)? {
            return Ok(Err(refused));
        }
        self.know_caps(&intent.caps)?;
        if self.shared.usage.has_room(&intent.caps, price).is_err() {
            return Ok(Err(Refused::Cap));
        }
        let held = match self.place_hold(intent, at) {
            Ok(held) => held,
            Err(StoreError::Ledger(LedgerError::OverCreditLimit { .. })) => {
                return Ok(Err(Refused::NoCredit));
            }
            Err(error) => return Err(error),
        };
        self.write_attempt(intent, price, &row, at)?;
        if let Some((transaction, hold)) = held {
            self.book(&transaction)?;
            self.keep_hold(&hold)?;
        }
        self.claim_person(intent, &row, at)?;
        self.track(&intent.campaign, at, None, AttemptState::Prepared);
        let by = TierMembership {
            tree: intent.tree.clone(),
            tier: intent.tier.clone(),
            campaign: intent.campaign.clone(),
        };
        let (attempt, taken_in) = (intent.attempt, row.received_at);
        let post = ServedPost { attempt, by, taken_in, prepared_at: at };
        self.serve(post, None, AttemptState::Prepared);
        self.reserve(Counted {
            attempt: intent.attempt,
            campaign: intent.campaign.clone(),
            source: row.source,
            at: row.received_at,
            price,
        });
        Ok(Ok(()))
    }

    /// No post of a lead that has an answer, or has no place left: the auction asks for one only
    /// when a late truth has come in between. What it never asks for is an error.
    fn check_may_post(
        &self,
        intent: &Intent,
        row: &LeadRow,
    ) -> Result<Result<(), Refused>, StoreError> {
        let conflict =
            |what: &str| Err(StoreError::Conflict(format!("`{}`: {what}", intent.attempt)));
        if row.status.is_some_and(|status| status != LeadStatus::Pending) {
            return conflict("the lead was answered");
        }
        if intent.price.currency() != intent.payout.currency() {
            return conflict("price and payout have different currencies");
        }
        if intent.request_key.lead() != intent.attempt.lead() {
            return conflict("the key of another lead's request");
        }
        match check_post(&posts(self.conn, intent.attempt.lead())?, intent) {
            Ok(()) => Ok(Ok(())),
            Err(NoPlace::Refused(refused)) => Ok(Err(refused)),
            Err(NoPlace::Never(what)) => conflict(what),
        }
    }

    fn place_hold(
        &self,
        intent: &Intent,
        at: Timestamp,
    ) -> Result<Option<(Transaction, Hold)>, StoreError> {
        let buyer = intent.campaign.buyer();
        let account = Account::of_buyer(buyer.clone(), &intent.terms);
        let funds = self.funds(&account, intent.price.currency())?;
        let request = HoldRequest {
            attempt: intent.attempt,
            buyer,
            amount: intent.hold,
            stamp: self.stamp(at, at, "auction"),
        };
        Ok(hold::place_unless_zero(request, funds, &intent.terms)?)
    }

    fn write_attempt(
        &self,
        intent: &Intent,
        price: MinorUnits,
        row: &LeadRow,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let other_key = Some(intent.request_key).filter(|key| *key != intent.attempt);
        run(
            self.conn,
            "INSERT INTO attempt (lead, step, campaign, tier, price, payout, currency, price_minor,
               token, terms, policy, resolve_by, counted_at, prepared_at, request_step, on_price,
               source, buyers, places, legs, tree, state)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,
               ?17, ?18, ?19, ?20, ?21, 'prepared')",
            params![
                intent.attempt.lead().to_bytes(),
                intent.attempt.step(),
                intent.campaign.as_str(),
                &intent.tier,
                digits(intent.price),
                digits(intent.payout),
                intent.price.currency().as_str(),
                price.get(),
                intent.token.as_ref().map(BidToken::to_text),
                terms_text(&intent.terms),
                policy_code(intent.unknown),
                intent.resolve_by.unix_micros(),
                row.received_at.unix_micros(),
                at.unix_micros(),
                other_key.map(AttemptId::step),
                price_terms::text(&intent.on_price),
                row.source.as_str(),
                intent.buyers,
                intent.places(),
                legs::text(&intent.legs),
                &intent.tree,
            ],
        )?;
        Ok(())
    }
}
