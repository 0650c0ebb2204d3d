//! What is remembered on the way: conclusions for the next commit, steps of the journey, reasons for
//! the seller.

use exchange_model::Timestamp;
use exchange_model::outcome::PostAnswer;
use exchange_model::reason::{IneligibleKind, Passed, Unknown};
use ping_tree::Method;

use super::contradicting::Decided;
use super::setup::{Goal, Seat};
use super::{Auction, Command, REASONS_MAX};
use crate::record::{AttemptOutcome, Commit, Concluded, Next, Qualified};
use crate::trace::TraceEvent;

impl Auction {
    pub(super) fn conclude(&mut self, now: Timestamp, outcome: AttemptOutcome) {
        debug_assert!(self.concluded.is_none(), "one attempt is open at a time");
        if let AttemptOutcome::NotSent(why) = &outcome {
            self.record_outcome(now, &PostAnswer::NotSent(*why));
        }
        if let Some(intent) = self.intent.take() {
            let outcome = outcome.code();
            self.decided.push(Decided { intent, outcome, posted_again: self.posted_again });
        }
        self.posted_again = false;
        self.concluded = Some(Concluded { attempt: self.attempt(), outcome });
    }

    pub(super) fn persist(&mut self, now: Timestamp, next: Next) {
        let concluded = self.concluded.take();
        self.outbox.push_back(Command::Persist(Commit {
            lead: self.setup.lead,
            at: now,
            concluded,
            qualified: std::mem::take(&mut self.qualified),
            next,
        }));
        self.outbox.append(&mut self.after_b);
    }

    /// The lead is one that this member qualifies for, where its tier counts that. A ping is no lead
    /// yet: its bids count when it is posted.
    pub(super) fn qualify(&mut self, seat: Seat) {
        let counts = self.rules_of(seat).method == Method::Share;
        if !counts || matches!(self.setup.goal, Goal::Quote { .. }) {
            return;
        }
        let (tree, tier) = (self.setup.tree.clone(), self.tier_of(seat));
        let campaign = self.member(seat).campaign.id.clone();
        self.qualified.push(Qualified { tree, tier, campaign });
    }

    pub(super) fn pass_all(&mut self, now: Timestamp, why: Passed) {
        for bid in std::mem::take(&mut self.bids) {
            self.pass(now, &self.name(bid.seat), why);
        }
    }

    pub(super) fn pass(&mut self, now: Timestamp, campaign: &str, why: Passed) {
        let event = TraceEvent::Passed { campaign: campaign.to_owned(), reason: why.to_string() };
        self.record(now, event);
    }

    pub(super) fn record_outcome(&mut self, now: Timestamp, answer: &PostAnswer) {
        let (reason, text) = match answer {
            PostAnswer::Accepted(acceptance) => (None, acceptance.buyer_ref.clone()),
            PostAnswer::Rejected(no) => (Some(no.class.to_string()), no.text.clone()),
            PostAnswer::NotSent(why) => (Some(why.to_string()), None),
            PostAnswer::Unknown(why) => (Some(why.to_string()), None),
            PostAnswer::Pending(_) => (Some(Unknown::Pending.to_string()), None),
        };
        let event = TraceEvent::PostAnswer {
            attempt: self.attempt().to_string(),
            outcome: answer.code().to_owned(),
            reason,
            text,
        };
        self.record(now, event);
    }

    pub(super) fn record(&mut self, now: Timestamp, event: TraceEvent) {
        self.trace.push(now.since(self.setup.started_at), event);
    }

    pub(super) fn note_reason(&mut self, family: &str, code: &str) {
        // Whom a buyer's list names is the buyer's business: the journey has it, the seller not.
        if code == IneligibleKind::Suppressed.code() {
            return;
        }
        let reason = format!("{family}:{code}");
        if self.reasons.len() < REASONS_MAX && !self.reasons.contains(&reason) {
            self.reasons.push(reason);
        }
    }
}
