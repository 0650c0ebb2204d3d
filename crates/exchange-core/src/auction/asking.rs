//! While an answer is lost: asking the buyer in the ways of its connector, and listening.

use exchange_model::Timestamp;
use exchange_model::outcome::{Handles, PostAnswer, Resolver};
use exchange_model::reason::Unknown;

use super::ranking::Bid;
use super::{Auction, Command, LAST_WORD, POST_LEAST, Phase};
use crate::questions::Questions;
use crate::record::{AttemptOutcome, Commit, Concluded, Next};
use crate::resolution::{Doubts, is_definite, remember};
use crate::trace::TraceEvent;

/// A post whose answer was lost, or put off by its buyer.
#[derive(Debug)]
pub(super) struct Lost {
    pub(super) bid: Bid,
    pub(super) why: Unknown,
    pub(super) handles: Handles,
    pub(super) posted_again: bool,
    questions: Option<Questions>,
    /// The question that is out, and until when its answer counts.
    out: Option<(Resolver, Timestamp)>,
    /// Whether anything was asked; then the first post's own answer is waited for as well.
    asked: bool,
    /// Whether the first post's answer may still come.
    pub(super) post_out: bool,
}

impl Lost {
    pub(super) fn new(bid: Bid, why: Unknown) -> Self {
        Self {
            bid,
            why,
            handles: Handles::default(),
            posted_again: false,
            questions: None,
            out: None,
            asked: false,
            post_out: true,
        }
    }

    /// The buyer has the lead and will decide later.
    pub(super) fn pending(bid: Bid, handles: Handles) -> Self {
        Self { handles, post_out: false, ..Self::new(bid, Unknown::Pending) }
    }

    /// When to look again.
    pub(super) fn next(&self, reply_by: Timestamp) -> Timestamp {
        let due = match self.out {
            Some((_how, until)) => Some(until.after(LAST_WORD)),
            None => self.due_before(reply_by),
        };
        due.map_or(reply_by, |due| due.min(reply_by))
    }

    /// The next question, if its answer can come in time.
    fn due_before(&self, reply_by: Timestamp) -> Option<Timestamp> {
        let due = self.questions.as_ref()?.due()?;
        (due.after(POST_LEAST) < reply_by).then_some(due)
    }

    /// Whether anything may still come before the seller must be answered.
    fn is_worth_waiting(&self, reply_by: Timestamp) -> bool {
        self.out.is_some()
            || self.due_before(reply_by).is_some()
            || self.questions.as_ref().is_some_and(Questions::listens)
            || self.asked && self.post_out
    }

    fn nothing(&mut self, now: Timestamp) {
        self.out = None;
        if let Some(questions) = &mut self.questions {
            questions.nothing(now);
        }
    }
}

impl Auction {
    /// A post's answer was lost.
    pub(super) fn lost(&mut self, now: Timestamp, mut lost: Lost) {
        let ways = self.member(lost.bid.seat).delivery.ways.clone();
        lost.questions = Some(Questions::once(now, ways, lost.why == Unknown::Pending));
        if lost.why == Unknown::Pending {
            self.record_pending(now, &lost);
        }
        self.go_on_asking(now, lost);
    }

    /// Asks what is due, waits for what may come, or keeps the lead as it is.
    pub(super) fn go_on_asking(&mut self, now: Timestamp, mut lost: Lost) {
        if lost.out.is_some_and(|(_how, until)| until.after(LAST_WORD) <= now) {
            lost.nothing(now);
        }
        if lost.out.is_none() {
            self.ask(now, &mut lost);
        }
        let reply_by = self.reply_by();
        if reply_by <= now || !lost.is_worth_waiting(reply_by) {
            return self.hold(now, lost);
        }
        self.phase = Phase::Resolving(Box::new(lost));
    }

    fn ask(&mut self, now: Timestamp, lost: &mut Lost) {
        let reply_by = self.reply_by();
        let Some(questions) = &mut lost.questions else { return };
        if now.after(POST_LEAST) >= reply_by {
            return questions.stop();
        }
        let Some(how) = questions.ask(now) else { return };
        let is_last = questions.is_last() && how != Resolver::Status;
        let until = if is_last { reply_by } else { self.post_until(now, lost.bid.seat) };
        lost.out = Some((how, until));
        lost.asked = true;
        lost.posted_again |= how == Resolver::Repost;
        let attempt = self.attempt();
        self.record(
            now,
            match how {
                Resolver::Repost => TraceEvent::Reposted { attempt: attempt.to_string() },
                Resolver::Status | Resolver::Void | Resolver::Callback => {
                    TraceEvent::Asked { attempt: attempt.to_string(), how: how.code().to_owned() }
                }
            },
        );
        self.outbox.push_back(Command::Ask {
            attempt,
            seat: lost.bid.seat,
            how,
            token: lost.bid.token.clone(),
            handles: lost.handles.clone(),
            price: lost.bid.price,
            key: lost.bid.key.unwrap_or(attempt),
            until,
        });
    }

    /// The buyer said something while its answer is lost: the first word that is definite counts.
    pub(super) fn take_word(
        &mut self,
        now: Timestamp,
        mut lost: Lost,
        how: Option<Resolver>,
        answer: PostAnswer,
    ) {
        let intent = self.intent.as_ref().expect("an attempt that is asked for has its intent");
        if is_definite(how, &answer, Doubts::of(intent, lost.posted_again)) {
            self.posted_again = lost.posted_again;
            return self.take_outcome(now, lost.bid, answer);
        }
        match how {
            Some(how) if lost.out.is_some_and(|(out, _)| out == how) => lost.nothing(now),
            Some(_) => {}
            None => lost.post_out = false,
        }
        if let PostAnswer::Pending(handles) = answer {
            let first = lost.why != Unknown::Pending;
            lost.why = Unknown::Pending;
            if remember(&mut lost.handles, handles) || first {
                self.record_pending(now, &lost);
            }
        }
        self.go_on_asking(now, lost);
    }

    /// What the buyer gave us to ask with is durable at once: asking goes on after a crash.
    fn record_pending(&mut self, now: Timestamp, lost: &Lost) {
        let outcome = AttemptOutcome::Unknown(lost.why, lost.handles.clone());
        self.outbox.push_back(Command::Record(Commit {
            lead: self.setup.lead,
            at: now,
            concluded: Some(Concluded { attempt: self.attempt(), outcome }),
            qualified: Vec::new(),
            next: Next::Nothing,
        }));
    }
}
