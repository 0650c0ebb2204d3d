//! What became of a post whose answer was lost, after its auction has left it.
//!
//! A [`Resolution`] listens for what the buyer says by itself (the late answer, a call) and asks
//! in the ways of its connector, until a definite answer comes or `resolve_by` passes. Then the
//! attempt stays unknown, with its reservations, as a case for a person: nothing is ever ended by
//! a timer. What contradicts a decided outcome is handed to the store all the same, which keeps
//! the first and records the rest.

use std::collections::VecDeque;
use std::time::Duration;

use exchange_model::Timestamp;
use exchange_model::outcome::{Handles, PostAnswer, Resolver};
use exchange_model::reason::{RejectClass, Unknown};

use crate::auction::Ways;
use crate::questions::Questions;
use crate::record::{AttemptOutcome, Commit, Concluded, Intent, Next, OpenAttempt};

pub use crate::questions::CALLBACK_TURN;

/// The first pause before a question, and between two rounds of them.
pub const PAUSE_FIRST: Duration = Duration::from_secs(1);
/// The longest pause between two rounds.
pub const PAUSE_MAX: Duration = Duration::from_mins(10);
/// Contradictions that one piece of work hands to the store; more say nothing new.
pub const CONTRADICTIONS_MAX: u8 = 8;

/// What happened.
#[derive(Clone, Debug)]
pub enum ResolutionEvent {
    /// The buyer said something by itself: its late answer to the first post, or a call.
    PostAnswer(PostAnswer),
    /// What came of [`ResolutionCommand::Ask`]; a question that could not be asked is `NotSent`.
    AskAnswer(Resolver, PostAnswer),
    /// The commit is on disk.
    Durable,
    /// The moment of [`ResolutionCommand::Wait`] has come.
    Timer,
}

/// What the driver must do.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "one is alive at a time, and most persist")]
pub enum ResolutionCommand {
    /// Ask the buyer in this way, with [`OpenAttempt::handles`]. A repetition of the post uses the
    /// intent's request key, like every question.
    Ask(Resolver),
    /// Make the truth durable.
    Persist(Commit),
    /// Nothing to do before this moment or the next event.
    Wait(Timestamp),
    /// Settled, or left to a person.
    Done,
}

#[derive(Debug)]
enum Phase {
    Asking,
    /// Decided; the commits that are not durable yet.
    Settling {
        outcome: &'static str,
        commits: u8,
    },
    Over,
}

/// The work on one unknown outcome.
#[derive(Debug)]
pub struct Resolution {
    open: OpenAttempt,
    questions: Questions,
    phase: Phase,
    contradictions: u8,
    outbox: VecDeque<ResolutionCommand>,
}

impl Resolution {
    /// Starts listening, and asking in the ways of the connector; none when the config does not
    /// know the campaign any more.
    #[must_use]
    pub fn new(now: Timestamp, mut open: OpenAttempt, ways: Ways) -> Self {
        // What an earlier process may have sent again, no other way than a repetition did.
        open.posted_again &= ways.resolve.contains(&Resolver::Repost);
        let questions = Questions::again(now, open.since, ways);
        let (phase, outbox) = (Phase::Asking, VecDeque::new());
        Self { open, questions, phase, contradictions: 0, outbox }
    }

    /// The attempt in question, with the latest handles.
    #[must_use]
    pub fn open(&self) -> &OpenAttempt {
        &self.open
    }

    /// The next command.
    pub fn poll(&mut self) -> ResolutionCommand {
        if let Some(command) = self.outbox.pop_front() {
            return command;
        }
        let resolve_by = self.open.intent.resolve_by;
        match self.phase {
            Phase::Asking => {
                ResolutionCommand::Wait(self.questions.due().unwrap_or(resolve_by).min(resolve_by))
            }
            Phase::Settling { .. } => {
                ResolutionCommand::Wait(Timestamp::from_unix_micros(i64::MAX))
            }
            Phase::Over => ResolutionCommand::Done,
        }
    }

    /// Takes in what happened.
    pub fn handle(&mut self, now: Timestamp, event: ResolutionEvent) {
        match event {
            ResolutionEvent::PostAnswer(answer) => self.take(now, None, answer),
            ResolutionEvent::AskAnswer(how, answer) => self.take(now, Some(how), answer),
            ResolutionEvent::Durable => self.durable(),
            ResolutionEvent::Timer => self.time(now),
        }
    }

    fn time(&mut self, now: Timestamp) {
        if !matches!(self.phase, Phase::Asking) {
            return;
        }
        if self.open.intent.resolve_by <= now {
            self.phase = Phase::Over;
        } else if let Some(how) = self.questions.ask(now) {
            self.open.posted_again |= how == Resolver::Repost;
            self.outbox.push_back(ResolutionCommand::Ask(how));
        }
    }

    fn durable(&mut self) {
        if let Phase::Settling { commits, .. } = &mut self.phase {
            *commits = commits.saturating_sub(1);
            if *commits == 0 {
                self.phase = Phase::Over;
            }
        }
    }

    fn take(&mut self, now: Timestamp, how: Option<Resolver>, answer: PostAnswer) {
        match (&mut self.phase, late_truth(now, &self.open, how, answer.clone())) {
            (Phase::Asking, Some(commit)) => {
                let outcome = outcome_of(&commit);
                self.outbox.push_back(ResolutionCommand::Persist(commit));
                self.phase = Phase::Settling { outcome, commits: 1 };
            }
            (Phase::Asking, None) => self.still_open(now, how, answer),
            (Phase::Settling { outcome, commits }, Some(commit))
                if *outcome != outcome_of(&commit) && self.contradictions < CONTRADICTIONS_MAX =>
            {
                self.contradictions = self.contradictions.saturating_add(1);
                *commits = commits.saturating_add(1);
                self.outbox.push_back(ResolutionCommand::Persist(commit));
            }
            (Phase::Settling { .. } | Phase::Over, _) => {}
        }
    }

    fn still_open(&mut self, now: Timestamp, how: Option<Resolver>, answer: PostAnswer) {
        if let PostAnswer::Pending(handles) = answer
            && remember(&mut self.open.handles, handles)
        {
            let outcome = AttemptOutcome::Unknown(Unknown::Pending, self.open.handles.clone());
            self.outbox.push_back(ResolutionCommand::Persist(commit(now, &self.open, outcome)));
        }
        if how.is_some() {
            self.questions.nothing(now);
        }
    }
}

/// What is to be made durable of something that a buyer said about a post, whoever hears it and
/// however late; nothing when it decides nothing. `how` is the question it answers.
///
/// The store keeps the first decision: a repetition changes nothing, a contradiction becomes an
/// exception.
#[must_use]
pub fn late_truth(
    now: Timestamp,
    open: &OpenAttempt,
    how: Option<Resolver>,
    answer: PostAnswer,
) -> Option<Commit> {
    if !is_definite(how, &answer, Doubts::of(&open.intent, open.posted_again)) {
        return None;
    }
    let outcome = match answer {
        PostAnswer::Accepted(acceptance) => open.intent.accepted(acceptance),
        PostAnswer::Rejected(rejection) => AttemptOutcome::Rejected(rejection),
        PostAnswer::NotSent(why) => AttemptOutcome::NotSent(why),
        PostAnswer::Unknown(_) | PostAnswer::Pending(_) => return None,
    };
    Some(commit(now, open, outcome))
}

fn commit(now: Timestamp, open: &OpenAttempt, outcome: AttemptOutcome) -> Commit {
    let attempt = open.intent.attempt;
    let concluded = Some(Concluded { attempt, outcome });
    Commit { lead: attempt.lead(), at: now, concluded, qualified: Vec::new(), next: Next::Nothing }
}

fn outcome_of(commit: &Commit) -> &'static str {
    commit.concluded.as_ref().map_or("", |concluded| concluded.outcome.code())
}

/// Takes in newer handles; whether anything changed.
pub(crate) fn remember(known: &mut Handles, newer: Handles) -> bool {
    let before = known.clone();
    known.0.extend(newer.0);
    *known != before
}

/// What makes an answer ambiguous.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Doubts {
    /// The post was repeated.
    posted_again: bool,
    /// Its key is that of an earlier post, which was refused at a price.
    key_of_refused: bool,
}

impl Doubts {
    pub(crate) fn of(intent: &Intent, posted_again: bool) -> Self {
        Self { posted_again, key_of_refused: intent.request_key != intent.attempt }
    }
}

/// Whether an answer settles what became of a post.
///
/// The buyer's own word does; after a repetition, that it calls the lead a duplicate or that the
/// first post never left proves nothing. Who is asked by the key of a refused post may repeat that
/// refusal, with the price that has been taken up since. Of a cancellation only its confirmation
/// counts: anything else may speak of the cancellation and not of the lead.
pub(crate) fn is_definite(how: Option<Resolver>, answer: &PostAnswer, doubts: Doubts) -> bool {
    let Doubts { posted_again, key_of_refused } = doubts;
    let voided = matches!(answer, PostAnswer::Rejected(no) if no.class == RejectClass::Voided);
    match (how, answer) {
        (Some(Resolver::Void), _) => voided,
        (_, PostAnswer::Accepted(_)) => true,
        (Some(_), PostAnswer::Rejected(no)) if key_of_refused && no.counter.is_some() => false,
        (Some(Resolver::Repost), PostAnswer::Rejected(no)) => no.class != RejectClass::Duplicate,
        (_, PostAnswer::Rejected(no)) => !posted_again || no.class != RejectClass::Duplicate,
        (None, PostAnswer::NotSent(_)) => !posted_again,
        (Some(_), PostAnswer::NotSent(_)) => false,
        (_, PostAnswer::Unknown(_) | PostAnswer::Pending(_)) => false,
    }
}
