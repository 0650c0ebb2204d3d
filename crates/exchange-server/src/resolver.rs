//! Finds out what became of posts whose answers were lost, after their auctions have left them.
//!
//! Drives [`exchange_core::resolution::Resolution`]: it listens for the late answer and for the
//! buyer's call, and asks in the ways of the connector. At the start of the process it takes up
//! what an earlier one left open. It holds no decision, and it may be cut off at any moment: what
//! is not settled on disk is taken up again.

use std::sync::Arc;
use std::time::Duration;

use exchange_core::record::{Commit, OpenAttempt};
use exchange_core::resolution::{Resolution, ResolutionCommand, ResolutionEvent, late_truth};
use exchange_model::AttemptId;
use exchange_model::outcome::{PostAnswer, Resolver as How};
use exchange_model::reason::{NotSent, Unknown};
use exchange_store::{AttemptRecord, StoreError};
use metrics::Gauge;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::callbacks::Called;
use crate::exchange::Engine;
use crate::metrics as meters;
use crate::snapshot::Snapshot;

mod questions;

use questions::{Asked, Question};

/// Words that may wait for one resolver; it needs only the first that is definite.
const WORDS_MAX: usize = 4;
/// Pause before a truth is queued again that the store had no room for.
const AGAIN_AFTER: Duration = Duration::from_millis(50);

/// What a buyer said to the auction that has left the post.
#[derive(Debug)]
pub struct Word {
    /// The question it answers; nothing for the post itself.
    pub how: Option<How>,
    /// What it said.
    pub answer: PostAnswer,
}

/// Takes up everything the store has open.
///
/// # Errors
/// [`StoreError`].
pub async fn take_up(engine: &Arc<Engine>) -> Result<usize, StoreError> {
    let open = engine.store().open_attempts().await?;
    let count = open.len();
    let config = engine.config();
    for attempt in open {
        drop(start(engine, &config, config.as_remembered(attempt)));
    }
    Ok(count)
}

/// Starts to resolve one attempt that this config has posted; late words go into what is returned.
#[must_use]
pub fn start(engine: &Arc<Engine>, began: &Arc<Snapshot>, open: OpenAttempt) -> mpsc::Sender<Word> {
    let (sender, words) = mpsc::channel(WORDS_MAX);
    let (calls_to, calls) = mpsc::channel(WORDS_MAX);
    let listening = engine.listeners().listen(open.intent.attempt, calls_to);
    let worker = Resolver::new(engine, began, open, words, calls);
    engine.spawn_background(async move {
        worker.run().await;
        drop(listening);
    });
    sender
}

/// Stores what a buyer says about a post on which nobody works any more: what decides it, or what
/// contradicts the decision.
///
/// # Errors
/// [`StoreError`].
pub async fn judge(
    engine: &Engine,
    record: AttemptRecord,
    how: Option<How>,
    said: PostAnswer,
) -> Result<(), StoreError> {
    // That nothing left is no news of a post whose answer is known.
    if matches!(said, PostAnswer::NotSent(_)) && !record.state.is_open() {
        return Ok(());
    }
    let open = engine.config().as_remembered(record.attempt);
    match late_truth(engine.now(), &open, how, said) {
        Some(commit) => keep(engine, commit).await,
        None => Ok(()),
    }
}

/// A word that came when the work on its post was over.
pub async fn hear_late(engine: &Engine, attempt: AttemptId, word: Word) {
    let judged = async {
        match engine.store().attempt(attempt).await? {
            Some(record) => judge(engine, record, word.how, word.answer).await,
            None => Ok(()),
        }
    };
    if let Err(error) = judged.await {
        tracing::error!(%attempt, code = error.code(), "a late word cannot be stored");
    }
}

/// Makes it durable, however long the store has no room for it: nobody would say it again.
async fn keep(engine: &Engine, commit: Commit) -> Result<(), StoreError> {
    loop {
        match engine.store().commit(commit.clone(), None).await {
            Err(StoreError::Overloaded) => {
                engine.clock().sleep_until(engine.now().after(AGAIN_AFTER)).await;
            }
            done => {
                meters::count_sale(&done);
                return done.map(drop);
            }
        }
    }
}

struct Resolver {
    engine: Arc<Engine>,
    resolution: Resolution,
    /// Late words; nothing more comes once their auction has ended.
    words: Option<mpsc::Receiver<Word>>,
    calls: mpsc::Receiver<Called>,
    question: Arc<Question>,
    asked: JoinSet<(How, Asked)>,
    /// Buyers that wait until what they have just said is durable.
    to_thank: Vec<oneshot::Sender<()>>,
    gauges: Gauges,
}

impl Resolver {
    fn new(
        engine: &Arc<Engine>,
        began: &Arc<Snapshot>,
        open: OpenAttempt,
        words: mpsc::Receiver<Word>,
        calls: mpsc::Receiver<Called>,
    ) -> Self {
        let (attempt, campaign) = (open.intent.attempt, &open.intent.campaign);
        let config = engine.config_knowing(campaign, began);
        if config.connectors.get(campaign).is_none() {
            tracing::warn!(%attempt, %campaign, "the config does not know the campaign of a post without an answer: it waits for a person");
        }
        Self {
            engine: Arc::clone(engine),
            question: Arc::new(Question::new(engine, began, &open)),
            gauges: Gauges::new(&open),
            resolution: Resolution::new(engine.now(), open.clone(), config.ways(campaign)),
            words: Some(words),
            calls,
            asked: JoinSet::new(),
            to_thank: Vec::new(),
        }
    }

    async fn run(mut self) {
        loop {
            match self.resolution.poll() {
                ResolutionCommand::Ask(how) => self.ask(how),
                ResolutionCommand::Persist(commit) => {
                    if !self.persist(commit).await {
                        break;
                    }
                }
                ResolutionCommand::Wait(until) => {
                    // Whoever is not thanked by now is sent to the store.
                    self.to_thank.clear();
                    let Some(event) = self.next(until).await else { break };
                    self.handle(event);
                }
                ResolutionCommand::Done => break,
            }
        }
        self.hear_out().await;
    }

    /// Nothing is worked on any more. What is still out, or waits to be heard, may contradict what
    /// was decided: a void that is confirmed after all, a repetition that was accepted.
    async fn hear_out(self) {
        let Self { engine, resolution, words, mut asked, calls, gauges, .. } = self;
        // Buyers that call from here on find nobody, and are compared with the record.
        drop((calls, gauges));
        let attempt = resolution.open().intent.attempt;
        if let Some(mut words) = words {
            words.close();
            while let Ok(word) = words.try_recv() {
                hear_late(&engine, attempt, word).await;
            }
        }
        while let Some(done) = asked.join_next().await {
            if let Ok((how, Asked::Answer(answer))) = done {
                hear_late(&engine, attempt, Word { how: Some(how), answer }).await;
            }
        }
    }

    fn handle(&mut self, event: ResolutionEvent) {
        self.resolution.handle(self.engine.now(), event);
    }

    /// What happens next; nothing when the outcome is known by now.
    async fn next(&mut self, until: exchange_model::Timestamp) -> Option<ResolutionEvent> {
        loop {
            let event = tokio::select! {
                Some(word) = hear(&mut self.words) => self.word(word),
                Some(called) = self.calls.recv() => {
                    self.to_thank.push(called.durable);
                    Some(ResolutionEvent::PostAnswer(called.answer))
                }
                Some(done) = self.asked.join_next() => match done {
                    Ok((how, Asked::Answer(answer))) => {
                        Some(ResolutionEvent::AskAnswer(how, answer))
                    }
                    Ok((_how, Asked::Over)) => return None,
                    // The question's turn is over when a bug has ended it.
                    Err(_stopped) => {
                        let answer = PostAnswer::NotSent(NotSent::Unrendered);
                        Some(ResolutionEvent::AskAnswer(How::Status, answer))
                    }
                },
                () = self.engine.clock().sleep_until(until) => Some(ResolutionEvent::Timer),
            };
            if let Some(event) = event {
                self.gauges.see(&event);
                return Some(event);
            }
        }
    }

    /// A late word. The answer to a question of the auction's counts if it settles the outcome;
    /// otherwise this work asks its own.
    fn word(&self, word: Word) -> Option<ResolutionEvent> {
        let Some(how) = word.how else { return Some(ResolutionEvent::PostAnswer(word.answer)) };
        let truth =
            late_truth(self.engine.now(), self.resolution.open(), Some(how), word.answer.clone());
        truth.map(|_commit| ResolutionEvent::AskAnswer(how, word.answer))
    }

    fn ask(&mut self, how: How) {
        let question = Arc::clone(&self.question);
        let handles = self.resolution.open().handles.clone();
        self.asked.spawn(async move { (how, question.ask(how, handles).await) });
    }

    /// Whether it is durable.
    async fn persist(&mut self, commit: Commit) -> bool {
        match keep(&self.engine, commit).await {
            Ok(()) => {
                for buyer in self.to_thank.drain(..) {
                    // A buyer that has hung up needs no thanks.
                    let _told_or_gone = buyer.send(());
                }
                self.handle(ResolutionEvent::Durable);
                true
            }
            Err(error) => {
                let attempt = self.resolution.open().intent.attempt;
                tracing::error!(%attempt, code = error.code(), "a late truth cannot be stored");
                false
            }
        }
    }
}

/// The next word; never one when no more can come.
async fn hear(words: &mut Option<mpsc::Receiver<Word>>) -> Option<Word> {
    let Some(open) = words else { return std::future::pending().await };
    let word = open.recv().await;
    if word.is_none() {
        *words = None;
    }
    word
}

/// What this piece of work adds to the gauges while it lives.
struct Gauges {
    unknown: Gauge,
    pending: Gauge,
    is_pending: bool,
}

impl Gauges {
    fn new(open: &OpenAttempt) -> Self {
        let buyer = open.intent.campaign.buyer();
        let unknown = meters::unknown_posts(&buyer);
        unknown.increment(1.0);
        let pending = meters::pending_posts(&buyer);
        let mut gauges = Self { unknown, pending, is_pending: false };
        gauges.set_pending(open.why == Unknown::Pending);
        gauges
    }

    fn see(&mut self, event: &ResolutionEvent) {
        let (ResolutionEvent::PostAnswer(answer) | ResolutionEvent::AskAnswer(_, answer)) = event
        else {
            return;
        };
        if matches!(answer, PostAnswer::Pending(_)) {
            self.set_pending(true);
        }
    }

    fn set_pending(&mut self, pending: bool) {
        if pending && !self.is_pending {
            self.pending.increment(1.0);
            self.is_pending = true;
        }
    }
}

impl Drop for Gauges {
    fn drop(&mut self) {
        self.unknown.decrement(1.0);
        if self.is_pending {
            self.pending.decrement(1.0);
        }
    }
}
