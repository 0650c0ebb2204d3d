//! What is left of an auction that ended by a bug: enough to end its lead in a named state.
//!
//! A lead that may be at a buyer is pending and goes to a resolver; one that is not ends unsold.

use std::sync::{Arc, Mutex, PoisonError};

use exchange_core::record::{Answer, AttemptOutcome, Commit, Concluded, Intent, Next, OpenAttempt};
use exchange_model::LeadId;
use exchange_model::outcome::Handles;
use exchange_model::reason::{LeadStatus, NotSent, Unknown};
use exchange_store::{IntakeKind, Renderer};

use super::Job;
use crate::exchange::Engine;
use crate::metrics;
use crate::resolver;
use crate::running::{Claimed, Outcome};
use crate::seller_api::problem::Problem;
use crate::seller_api::reply::{self, Frame};
use crate::snapshot::Snapshot;

/// How far an auction has come, as seen from outside its task.
#[derive(Clone, Debug)]
pub struct Progress(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    lead: LeadId,
    kind: IntakeKind,
    frame: Frame,
    claimed: Claimed,
    config: Arc<Snapshot>,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    intent: Option<Intent>,
    posted: bool,
    /// A buyer bought the lead or may have it; whether that is durable is another question.
    taken: bool,
}

impl Open {
    fn persisting(&mut self, commit: &Commit) {
        let outcome = commit.concluded.as_ref().map(|concluded| &concluded.outcome);
        self.taken |=
            matches!(outcome, Some(AttemptOutcome::Accepted(_) | AttemptOutcome::Unknown(..)));
        self.posted = false;
        self.intent = match &commit.next {
            Next::Prepare(intent) => Some(Intent::clone(intent)),
            Next::Answer(_) | Next::Nothing => None,
        };
    }
}

impl Progress {
    /// Nothing has happened yet.
    #[must_use]
    pub fn new(job: &Job, claimed: Claimed) -> Self {
        Self(Arc::new(Shared {
            lead: job.lead.id(),
            kind: job.intake.kind,
            frame: job.frame.clone(),
            claimed,
            config: Arc::clone(&job.config),
            open: Mutex::default(),
        }))
    }

    /// The lead.
    #[must_use]
    pub fn lead(&self) -> LeadId {
        self.0.lead
    }

    /// Answers everybody that waits.
    pub(super) fn answer(&self, outcome: Outcome) {
        self.0.claimed.answer(outcome);
    }

    /// Resolves when nobody waits for the answer any more.
    pub(super) async fn everybody_left(&self) {
        self.0.claimed.everybody_left().await;
    }

    /// A commit is being asked for.
    pub(super) fn persisting(&self, commit: &Commit) {
        self.with(|open| open.persisting(commit));
    }

    /// The lead is leaving for a buyer.
    pub(super) fn set_posted(&self) {
        self.with(|open| open.posted = true);
    }

    /// Whether a buyer may have the lead.
    pub(super) fn at_a_buyer(&self) -> bool {
        self.with(|open| open.posted || open.taken)
    }

    fn with<T>(&self, act: impl FnOnce(&mut Open) -> T) -> T {
        act(&mut self.0.open.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Ends the lead of an auction that ended by a bug.
pub async fn after_a_bug(engine: &Arc<Engine>, progress: &Progress) {
    let shared = &progress.0;
    let at = engine.now();
    let lead = shared.lead;
    if shared.kind == IntakeKind::Ping {
        let _free_again = engine.store().abandon(lead, at).await;
        let problem = Problem::overloaded("the ping could not be answered", engine.retry_after());
        return progress.answer(Outcome::Problem(problem));
    }
    let at_a_buyer = progress.at_a_buyer();
    let (intent, posted) = progress.with(|open| (open.intent.take(), open.posted));
    let status = if at_a_buyer { LeadStatus::Pending } else { LeadStatus::Unsold };
    let reasons = if at_a_buyer { Vec::new() } else { vec!["not_sent:unwritten".to_owned()] };
    let answer = Answer { sales: Vec::new(), status, payout: None, redirect_url: None, reasons };
    let outcome = if posted {
        AttemptOutcome::Unknown(Unknown::Crash, Handles::default())
    } else {
        AttemptOutcome::NotSent(NotSent::Unwritten)
    };
    let concluded = intent.as_ref().map(|intent| Concluded { attempt: intent.attempt, outcome });
    let (frame, own) = (shared.frame.clone(), reply::lead(lead, &answer, &shared.frame));
    let render = Renderer::new(move |truth| reply::lead(lead, truth, &frame));
    let commit = Commit { lead, at, concluded, qualified: Vec::new(), next: Next::Answer(answer) };
    let done = engine.store().commit(commit, Some(render)).await;
    metrics::count_sale(&done);
    match done {
        Ok(done) => {
            let reply = done.answered.map_or(own, |answered| answered.reply);
            progress.answer(Outcome::Reply(reply));
        }
        Err(error) => {
            tracing::error!(lead_id = %lead, code = error.code(), "the end of a broken auction cannot be stored");
            let problem = Problem::overloaded("the lead could not be ended", engine.retry_after());
            progress.answer(Outcome::Problem(problem));
        }
    }
    if let Some(intent) = intent.filter(|_| posted) {
        // Nobody listens to the buyer any more; the resolver asks again where the buyer allows it.
        drop(resolver::start(
            engine,
            &shared.config,
            OpenAttempt {
                intent,
                since: at,
                why: Unknown::Crash,
                handles: Handles::default(),
                posted_again: true,
            },
        ));
    }
}

#[cfg(test)]
mod tests {
    use exchange_core::Sale;
    use exchange_model::Timestamp;
    use exchange_model::outcome::Acceptance;
    use exchange_model::{Currency, Money};

    use super::*;

    fn ending_with(outcome: AttemptOutcome) -> Open {
        let lead = LeadId::from_bytes([0; 16]);
        let attempt = exchange_model::AttemptId::new(lead, 1);
        let mut open = Open { intent: None, posted: true, taken: false };
        let concluded = Some(Concluded { attempt, outcome });
        let at = Timestamp::default();
        open.persisting(&Commit {
            lead,
            at,
            concluded,
            qualified: Vec::new(),
            next: Next::Nothing,
        });
        open
    }

    #[test]
    fn a_lead_is_at_a_buyer_until_that_buyer_said_no() {
        let nothing = Money::zero(Currency::USD);
        let acceptance = Acceptance::default();
        let sale = Sale { price: nothing, payout: nothing, acceptance, legs: Vec::new() };
        assert!(ending_with(AttemptOutcome::Accepted(sale)).taken);
        let mut lost = ending_with(AttemptOutcome::Unknown(Unknown::Timeout, Handles::default()));
        let (lead, at) = (LeadId::from_bytes([0; 16]), Timestamp::default());
        lost.persisting(&Commit {
            lead,
            at,
            concluded: None,
            qualified: Vec::new(),
            next: Next::Nothing,
        });
        assert!(lost.taken, "whatever follows");
        let unsent = ending_with(AttemptOutcome::NotSent(NotSent::Connect));
        assert!(!unsent.taken && !unsent.posted);
    }
}
