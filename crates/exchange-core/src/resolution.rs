//! What became of a post whose answer was lost, after its auction has left it.
//!
//! A [`Resolution`] listens for the late answer and, where the buyer supports it, sends the post
//! again under the same key with growing pauses, until a definite answer comes or `resolve_by`
//! passes. Then the attempt stays unknown, with its reservations, as a case for a person: nothing
//! is ever ended by a timer.

use std::collections::VecDeque;
use std::time::Duration;

use exchange_model::outcome::PostAnswer;
use exchange_model::{AttemptId, Timestamp};

use crate::auction::is_definite;
use crate::record::{AttemptOutcome, Commit, Concluded, Next, OpenAttempt};

/// The first pause before a repeated post.
pub const PAUSE_FIRST: Duration = Duration::from_secs(1);
/// The longest pause between repeated posts.
pub const PAUSE_MAX: Duration = Duration::from_mins(10);

/// What happened.
#[derive(Clone, Debug)]
pub enum ResolutionEvent {
    /// The buyer answered, late or to a repeated post; or the repetition failed.
    PostAnswer(PostAnswer),
    /// The commit is on disk.
    Durable,
    /// The moment of [`ResolutionCommand::Wait`] has come.
    Timer,
}

/// What the driver must do.
#[derive(Clone, Debug)]
pub enum ResolutionCommand {
    /// Send the post again under the same idempotency key.
    Repost {
        /// Which attempt.
        attempt: AttemptId,
    },
    /// Make the truth durable.
    Persist(Commit),
    /// Nothing to do before this moment or the next event.
    Wait(Timestamp),
    /// Settled, or left to a person.
    Done,
}

#[derive(Debug)]
enum Phase {
    Listening { repost_at: Option<Timestamp> },
    Settling,
    Over,
}

/// The work on one unknown outcome.
#[derive(Debug)]
pub struct Resolution {
    open: OpenAttempt,
    repost: bool,
    pause: Duration,
    phase: Phase,
    outbox: VecDeque<ResolutionCommand>,
}

impl Resolution {
    /// Starts listening. `repost` says whether the buyer answers a repeated post idempotently.
    #[must_use]
    pub fn new(now: Timestamp, open: OpenAttempt, repost: bool) -> Self {
        let repost_at = repost.then(|| now.after(PAUSE_FIRST));
        Self {
            open,
            repost,
            pause: PAUSE_FIRST,
            phase: Phase::Listening { repost_at },
            outbox: VecDeque::new(),
        }
    }

    /// The attempt in question.
    #[must_use]
    pub fn open(&self) -> &OpenAttempt {
        &self.open
    }

    /// The next command.
    pub fn poll(&mut self) -> ResolutionCommand {
        if let Some(command) = self.outbox.pop_front() {
            return command;
        }
        match self.phase {
            Phase::Listening { repost_at } => ResolutionCommand::Wait(
                repost_at.unwrap_or(self.open.intent.resolve_by).min(self.open.intent.resolve_by),
            ),
            Phase::Settling => ResolutionCommand::Wait(Timestamp::from_unix_micros(i64::MAX)),
            Phase::Over => ResolutionCommand::Done,
        }
    }

    /// Takes in what happened.
    pub fn handle(&mut self, now: Timestamp, event: ResolutionEvent) {
        match (&self.phase, event) {
            (Phase::Listening { .. }, ResolutionEvent::PostAnswer(answer)) => {
                self.take(now, answer);
            }
            (Phase::Listening { .. }, ResolutionEvent::Timer)
                if self.open.intent.resolve_by <= now =>
            {
                self.phase = Phase::Over;
            }
            (Phase::Listening { repost_at: Some(at) }, ResolutionEvent::Timer) if *at <= now => {
                self.outbox
                    .push_back(ResolutionCommand::Repost { attempt: self.open.intent.attempt });
                self.phase = Phase::Listening { repost_at: None };
            }
            (Phase::Settling, ResolutionEvent::Durable) => self.phase = Phase::Over,
            (
                Phase::Listening { .. } | Phase::Settling | Phase::Over,
                ResolutionEvent::PostAnswer(_) | ResolutionEvent::Durable | ResolutionEvent::Timer,
            ) => {}
        }
    }

    fn take(&mut self, now: Timestamp, answer: PostAnswer) {
        let outcome = match answer {
            PostAnswer::Accepted(acceptance) => AttemptOutcome::Accepted(acceptance),
            PostAnswer::Rejected(ref rejection) if is_definite(&answer) => {
                AttemptOutcome::Rejected(rejection.clone())
            }
            PostAnswer::Rejected(_)
            | PostAnswer::NotSent(_)
            | PostAnswer::Unknown(_)
            | PostAnswer::Pending(_) => {
                return self.try_later(now);
            }
        };
        self.outbox.push_back(ResolutionCommand::Persist(Commit {
            lead: self.open.intent.attempt.lead(),
            at: now,
            concluded: Some(Concluded { attempt: self.open.intent.attempt, outcome }),
            next: Next::Nothing,
        }));
        self.phase = Phase::Settling;
    }

    fn try_later(&mut self, now: Timestamp) {
        let repost_at = self.repost.then(|| now.after(self.pause));
        self.pause = self.pause.saturating_mul(2).min(PAUSE_MAX);
        self.phase = Phase::Listening { repost_at };
    }
}
