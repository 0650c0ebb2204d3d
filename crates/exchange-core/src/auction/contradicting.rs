//! What a buyer says about a post that is decided: the first decision stands, and the store keeps
//! the contradiction for a person.

use exchange_model::outcome::{Handles, PostAnswer, Resolver};
use exchange_model::reason::Unknown;
use exchange_model::{AttemptId, Timestamp};

use super::{Auction, Command};
use crate::record::{Intent, OpenAttempt};
use crate::resolution::{CONTRADICTIONS_MAX, late_truth};

/// An attempt of this auction whose outcome is decided.
#[derive(Debug)]
pub(super) struct Decided {
    pub(super) intent: Box<Intent>,
    pub(super) outcome: &'static str,
    pub(super) posted_again: bool,
}

impl Auction {
    pub(super) fn contradicted(
        &mut self,
        now: Timestamp,
        attempt: AttemptId,
        how: Option<Resolver>,
        answer: PostAnswer,
    ) {
        let Some(decided) = self.decided.iter().find(|one| one.intent.attempt == attempt) else {
            return;
        };
        // A second acceptance may name another price; any other repetition says nothing new.
        let accepted = matches!(answer, PostAnswer::Accepted(_));
        let is_new = accepted || answer.code() != decided.outcome;
        // That nothing left is no news of a post whose answer is known.
        let unsent = matches!(answer, PostAnswer::NotSent(_));
        if !is_new || unsent || self.contradictions >= CONTRADICTIONS_MAX {
            return;
        }
        let open = OpenAttempt {
            intent: Intent::clone(&decided.intent),
            since: now,
            why: Unknown::Crash,
            handles: Handles::default(),
            posted_again: decided.posted_again,
        };
        if let Some(commit) = late_truth(now, &open, how, answer) {
            self.contradictions = self.contradictions.saturating_add(1);
            // The decision may still wait for the next commit; what contradicts it comes after.
            let undecided = self.concluded.as_ref().is_some_and(|b| b.attempt == attempt);
            let queue = if undecided { &mut self.after_b } else { &mut self.outbox };
            queue.push_back(Command::Record(commit));
        }
    }
}
