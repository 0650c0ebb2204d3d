//! Runs one auction over tokio: carries out its commands and tells it what happened.
//!
//! It holds no decision. What is pinged, who is posted to and what is persisted comes from
//! [`exchange_core::Auction`]; this module owns the futures. The one rule:
//!
//! > After each event, commands are carried out until the auction waits or is done.
//!
//! The driver adds the contact data to a post, by the permit of its durable commit A. The reply is
//! rendered inside its commit, from how the lead stands there, and sent as it is stored. When the auction is done it stays a while for late answers:
//! a late bid is recorded, a late answer to a post goes to its resolver.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use exchange_core::auction::{Goal, Seat, Setup};
use exchange_core::record::{Answer, Commit, Durable, Next, OpenAttempt, Promise};
use exchange_core::trace::{Trace, TraceEvent};
use exchange_core::{Auction, Command, Event};
use exchange_model::outcome::{BidToken, PingAnswer, PostAnswer, Resolver};
use exchange_model::reason::LeadStatus;
use exchange_model::{AttemptId, Lead, Money, PingId, PostPermit, Timestamp};
use exchange_store::{Intake, IntakeKind, IntakeReply, StoreError, StoredReply};
use ping_tree::Source;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::callbacks::{Called, Listening};
use crate::exchange::{Admitted, Engine};
use crate::metrics;
use crate::repeats::Repeat;
use crate::resolver::{self, Word};
use crate::running::Outcome;
use crate::seller_api::ask::not_repostable;
use crate::seller_api::problem::Problem;
use crate::seller_api::reply::{self, Frame};
use crate::seller_api::too_much;
use crate::snapshot::Snapshot;
use crate::standing::Known;

mod bug;
mod buyers;
mod durable;

pub use bug::{Progress, after_a_bug};
use durable::Happened;

/// Calls of buyers that may wait for one auction; more wait until it has listened to these.
const CALLS_MAX: usize = 4;
/// How long a finished auction waits for late bids before its journey is written.
const LATE_BIDS: Duration = Duration::from_secs(3);

/// An auction that can begin.
#[derive(Debug)]
pub struct Job {
    /// What is made durable before anybody is pinged.
    pub intake: Intake,
    /// What the auction is given.
    pub setup: Setup,
    /// The lead.
    pub lead: Arc<Lead>,
    /// Whose.
    pub source: Arc<Source>,
    /// What every answer says besides the outcome.
    pub frame: Frame,
    /// The config that it is routed by.
    pub config: Arc<Snapshot>,
    /// What is known about the person.
    pub known: Known,
    /// What a ping is recognised by when it comes again.
    pub repeat: Option<Repeat>,
}

/// What the record of a request says before anybody is asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum MayRun {
    Yes,
    /// Its source sent the same person lately.
    Resubmitted,
    /// It was refused, and is answered.
    No,
}

/// Runs an auction to its end, late answers included.
pub async fn run(engine: Arc<Engine>, job: Job, progress: Progress, admitted: Admitted) {
    let is_sold = job.intake.kind == IntakeKind::Lead && job.known.is_sold();
    let mut driver = Driver::new(engine, &job, progress, admitted);
    let wait = !job.intake.resubmission.is_empty()
        || !job.intake.caps.is_empty()
        || job.intake.repost_of.is_some();
    driver.record_intake(job.intake);
    driver.known = job.known;
    match driver.may_run(wait).await {
        MayRun::Yes if !is_sold => {}
        MayRun::Yes | MayRun::Resubmitted => {
            return driver.refuse_duplicate(&job.setup.tree).await;
        }
        MayRun::No => return,
    }
    let auction = Auction::new(driver.now(), job.setup);
    driver.drive(auction).await;
}

/// What a bid's member is asked to buy, or was.
#[derive(Clone, Debug)]
struct Offer {
    attempt: AttemptId,
    seat: Seat,
    token: Option<BidToken>,
    price: Money,
    /// The attempt whose id is the idempotency key of the request.
    key: AttemptId,
    until: Timestamp,
}

struct Driver {
    engine: Arc<Engine>,
    config: Arc<Snapshot>,
    lead: Arc<Lead>,
    kind: IntakeKind,
    source: Arc<Source>,
    frame: Frame,
    tree: String,
    known: Known,
    repeat: Option<Repeat>,
    started_at: Timestamp,
    deadline: Timestamp,
    /// Our handle of the ping, as buyers see it.
    ping_id: PingId,
    progress: Progress,
    admitted: Option<Admitted>,
    work: JoinSet<Happened>,
    pings_out: usize,
    permit: Option<PostPermit>,
    rendered: Option<StoredReply>,
    /// How the lead stands by the commit of its answer.
    stands: Option<LeadStatus>,
    /// Whether the record of this request may turn out to be another's: posts on one ping share
    /// its id. Until it is known to be ours, no step of it is asked for.
    shared_id: bool,
    /// The step that waits for that.
    parked: Option<Commit>,
    handed_over: BTreeMap<AttemptId, mpsc::Sender<Word>>,
    /// Where calls of buyers come in, and what keeps them coming.
    calls: mpsc::Receiver<Called>,
    calls_to: mpsc::Sender<Called>,
    listening: Option<Listening>,
    /// Buyers that wait until what they have just said is durable.
    to_thank: Vec<(AttemptId, oneshot::Sender<()>)>,
    latest: Timestamp,
    /// The store or the intake said no: nothing more can be made durable for this lead.
    broken: bool,
}

impl Driver {
    fn new(engine: Arc<Engine>, job: &Job, progress: Progress, admitted: Admitted) -> Self {
        let (calls_to, calls) = mpsc::channel(CALLS_MAX);
        Self {
            config: Arc::clone(&job.config),
            lead: Arc::clone(&job.lead),
            kind: job.intake.kind,
            source: Arc::clone(&job.source),
            frame: job.frame.clone(),
            tree: job.setup.tree.clone(),
            known: Known::default(),
            repeat: job.repeat,
            started_at: job.setup.started_at,
            deadline: job.setup.deadline,
            ping_id: PingId::from_bytes(job.lead.id().to_bytes()),
            progress,
            admitted: Some(admitted),
            work: JoinSet::new(),
            pings_out: 0,
            permit: None,
            rendered: None,
            stands: None,
            shared_id: matches!(job.setup.goal, Goal::Fulfil(_)),
            parked: None,
            handed_over: BTreeMap::new(),
            calls,
            calls_to,
            listening: None,
            to_thank: Vec::new(),
            latest: engine.now(),
            broken: false,
            engine,
        }
    }

    /// Waits for the record of the request where that decides whether it may run at all: nobody is
    /// asked before.
    async fn may_run(&mut self, wait: bool) -> MayRun {
        if !wait {
            return MayRun::Yes;
        }
        match self.work.join_next().await {
            Some(Ok(Happened::Intaken(Ok(IntakeReply::Accepted)))) => {
                self.taken_in();
                MayRun::Yes
            }
            Some(Ok(Happened::Intaken(Ok(IntakeReply::Resubmitted { .. })))) => {
                self.taken_in();
                MayRun::Resubmitted
            }
            Some(Ok(Happened::Intaken(Ok(refused)))) => {
                self.intake_refused(refused);
                MayRun::No
            }
            Some(Ok(Happened::Intaken(Err(error)))) => {
                self.store_refused(&error);
                MayRun::No
            }
            // The task that recorded it ended by a bug: whoever waits sends it again.
            Some(_) | None => {
                self.give_up(false);
                MayRun::No
            }
        }
    }

    /// Now; never earlier than what the auction was told before.
    fn now(&mut self) -> Timestamp {
        self.latest = self.latest.max(self.engine.now());
        self.latest
    }

    async fn drive(mut self, mut auction: Auction) {
        let mut seller_gone = false;
        while let Some(until) = self.carry_out(&mut auction) {
            tokio::select! {
                biased;
                Some(done) = self.work.join_next() => self.take_in(&mut auction, done),
                Some(called) = self.calls.recv() => self.called(&mut auction, called),
                () = self.engine.clock().sleep_until(until) => {
                    let now = self.now();
                    auction.handle(now, Event::Timer);
                }
                () = self.progress.everybody_left(), if !seller_gone => {
                    seller_gone = true;
                    let now = self.now();
                    auction.handle(now, Event::SellerGone);
                }
            }
            if self.broken {
                break;
            }
        }
        self.stay_for_late_answers(auction).await;
    }

    /// Carries out commands until the auction waits; nothing when it is done.
    fn carry_out(&mut self, auction: &mut Auction) -> Option<Timestamp> {
        let until = self.do_all(auction);
        // Whoever is not thanked by now is sent to the store.
        self.to_thank.clear();
        until
    }

    fn do_all(&mut self, auction: &mut Auction) -> Option<Timestamp> {
        loop {
            match auction.poll() {
                Command::Ping { seat, until } => self.ping(auction, seat, until),
                Command::Persist(commit) => self.persist(commit),
                Command::PersistPromise(promise) => self.persist_promise(promise),
                Command::Record(commit) => self.write_down(commit),
                Command::Post { attempt, seat, token, price, key, until } => {
                    self.post(auction, Offer { attempt, seat, token, price, key, until });
                }
                Command::Ask { attempt, seat, how, token, handles, price, key, until } => {
                    let offer = Offer { attempt, seat, token, price, key, until };
                    self.ask(auction, how, handles, offer);
                }
                Command::Reply(answer) => self.reply(&answer),
                Command::ReplyPromise(promise) => self.reply_promise(&promise),
                Command::GiveUp { pending } => self.give_up(pending),
                Command::HandOver(open) => self.hand_over(open),
                Command::Wait(until) => return Some(until),
                Command::Done => return None,
            }
        }
    }

    fn take_in(&mut self, auction: &mut Auction, done: Result<Happened, tokio::task::JoinError>) {
        let now = self.now();
        match done {
            Ok(Happened::Pinged { at, seat, answer }) => {
                self.pings_out = self.pings_out.saturating_sub(1);
                // A bid counts by the moment it was here, even when it waited to be looked at.
                auction.handle(at, Event::PingAnswer(seat, answer));
            }
            Ok(Happened::Posted { attempt, answer }) => {
                self.heard(auction, attempt, None, answer);
            }
            Ok(Happened::Asked { attempt, how, answer }) => {
                self.heard(auction, attempt, Some(how), answer);
            }
            Ok(Happened::Recorded(Ok(()))) => {}
            Ok(Happened::Committed(Ok(committed))) => {
                let durable = self.committed(committed);
                auction.handle(now, Event::Durable(durable));
            }
            Ok(Happened::Promised(Ok(()))) => auction.handle(now, Event::Durable(Durable::Done)),
            Ok(Happened::Intaken(Ok(IntakeReply::Accepted))) => self.taken_in(),
            Ok(Happened::Intaken(Ok(refused))) => self.intake_refused(refused),
            Ok(
                Happened::Committed(Err(error))
                | Happened::Promised(Err(error))
                | Happened::Recorded(Err(error))
                | Happened::Intaken(Err(error)),
            ) => self.store_refused(&error),
            Err(stopped) => {
                // The task of a ping or post: its buyer's answer is lost, and a timer ends the wait.
                let (lead_id, panic) = (self.lead.id(), stopped.is_panic());
                tracing::error!(%lead_id, panic, "a task of an auction ended by a bug");
            }
        }
    }

    /// A buyer answered its post, or a question about it.
    fn heard(
        &mut self,
        auction: &mut Auction,
        attempt: AttemptId,
        how: Option<Resolver>,
        answer: PostAnswer,
    ) {
        if let Some(resolver) = self.handed_over.get(&attempt) {
            if let Err(unheard) = resolver.try_send(Word { how, answer }) {
                self.hear_late(attempt, unheard.into_inner());
            }
            return;
        }
        let now = self.now();
        let event = match how {
            Some(how) => Event::AskAnswer(attempt, how, answer),
            None => Event::PostAnswer(attempt, answer),
        };
        auction.handle(now, event);
    }

    /// The resolver has ended, or has words enough: the store compares this one with the record.
    fn hear_late(&mut self, attempt: AttemptId, word: Word) {
        let engine = Arc::clone(&self.engine);
        self.work.spawn(async move {
            resolver::hear_late(&engine, attempt, word).await;
            Happened::Recorded(Ok(()))
        });
    }

    /// A buyer called us about its post. It is thanked when what it said is durable.
    fn called(&mut self, auction: &mut Auction, called: Called) {
        let Called { attempt, answer, durable } = called;
        // What is handed over has its own listener by now: the caller asks again.
        if !self.handed_over.contains_key(&attempt) {
            self.to_thank.push((attempt, durable));
            self.heard(auction, attempt, None, answer);
        }
    }

    fn hand_over(&mut self, open: OpenAttempt) {
        let attempt = open.intent.attempt;
        self.handed_over.insert(attempt, resolver::start(&self.engine, &self.config, open));
    }

    /// The record is ours: what waited for it is asked for.
    fn taken_in(&mut self) {
        self.shared_id = false;
        if let Some(commit) = self.parked.take() {
            self.persist(commit);
        }
    }

    fn intake_refused(&mut self, refused: IntakeReply) {
        self.broken = true;
        let problem = match refused {
            IntakeReply::PingUsed => ping_used(),
            IntakeReply::SourceCap(full) => too_much::source_cap(full, self.now()),
            IntakeReply::NotRepostable(why) => not_repostable(why),
            IntakeReply::Accepted
            | IntakeReply::KeyInUse { .. }
            | IntakeReply::Resubmitted { .. } => self.unavailable(),
        };
        self.finish("refused", Outcome::Problem(problem));
    }

    fn store_refused(&mut self, error: &StoreError) {
        tracing::error!(lead_id = %self.lead.id(), code = error.code(), %error, "the store refused a step");
        self.broken = true;
        self.give_up(self.progress.at_a_buyer());
    }

    fn unavailable(&self) -> Problem {
        Problem::overloaded("the lead could not be made durable in time", self.engine.retry_after())
    }

    fn reply(&mut self, answer: &Answer) {
        // The auction's own word, unless a late truth came in between.
        let status = self.stands.unwrap_or(answer.status);
        if self.kind == IntakeKind::Lead {
            metrics::lead_ended(&self.source.id, self.lead.vertical().id(), status.code());
        } else {
            let bid = if status == LeadStatus::Abandoned { "abandoned" } else { "no_bid" };
            metrics::seller_ping_ended(&self.source.id, bid);
        }
        let outcome = match self.rendered.take() {
            Some(reply) if status != LeadStatus::Abandoned => Outcome::Reply(reply),
            Some(_) | None => Outcome::Rerun,
        };
        self.finish(status.code(), outcome);
    }

    fn reply_promise(&mut self, promise: &Promise) {
        metrics::seller_ping_ended(&self.source.id, "bid");
        let reply = self.rendered.take().unwrap_or_else(|| reply::bid(promise, &self.frame));
        if let Some(repeat) = self.repeat {
            self.engine.repeats().keep(repeat, promise, reply.clone());
        }
        self.finish("bid", Outcome::Reply(reply));
    }

    fn give_up(&mut self, pending: bool) {
        let (status, outcome) = if pending && self.kind == IntakeKind::Lead {
            ("pending", Outcome::Reply(reply::pending(self.lead.id(), &self.frame)))
        } else {
            ("unavailable", Outcome::Problem(self.unavailable()))
        };
        self.finish(status, outcome);
    }

    /// Answers the seller and gives the place at the door free.
    fn finish(&mut self, status: &'static str, outcome: Outcome) {
        let now = self.now();
        let took = now.since(self.started_at);
        self.progress.answer(outcome);
        if self.admitted.take().is_some() {
            metrics::auction_ended(&self.tree, took, now > self.deadline);
            let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
            let (lead_id, source) = (self.lead.id(), &self.source.id);
            tracing::info!(%lead_id, %source, status, ms, kind = self.kind.code(), "lead answered");
        }
    }

    /// The auction is done and answered; what buyers still say is recorded and handed on. Who
    /// calls us goes to the store from here on.
    async fn stay_for_late_answers(mut self, mut auction: Auction) {
        self.listening = None;
        self.calls.close();
        while self.calls.try_recv().is_ok() {}
        let until = self.now().after(LATE_BIDS);
        let mut journey_open = true;
        loop {
            if journey_open && (self.pings_out == 0 || self.engine.is_stopping()) {
                journey_open = false;
                self.write_journey(&auction);
            }
            if self.work.is_empty() || !journey_open && self.posts_out() == 0 {
                break;
            }
            tokio::select! {
                Some(done) = self.work.join_next() => {
                    self.count_late(&done);
                    self.take_in(&mut auction, done);
                    self.carry_out(&mut auction);
                }
                () = self.engine.clock().sleep_until(until), if journey_open => {
                    journey_open = false;
                    self.write_journey(&auction);
                }
                () = self.engine.stopping(), if journey_open => {}
            }
        }
    }

    fn posts_out(&self) -> usize {
        self.work.len().saturating_sub(self.pings_out)
    }

    fn count_late(&self, done: &Result<Happened, tokio::task::JoinError>) {
        if let Ok(Happened::Pinged { answer: PingAnswer::Bid { .. }, .. }) = done {
            tracing::debug!(lead_id = %self.lead.id(), "a bid came late");
        }
    }

    fn write_journey(&self, auction: &Auction) {
        self.engine.store().trace(self.lead.id(), auction.trace().clone());
    }

    /// The person was here within the source's window: nobody is pinged.
    async fn refuse_duplicate(mut self, tree: &str) {
        let answer = Answer {
            sales: Vec::new(),
            status: LeadStatus::Duplicate,
            payout: None,
            redirect_url: None,
            reasons: vec!["ineligible:duplicate".to_owned()],
        };
        let at = self.now();
        let next = Next::Answer(answer.clone());
        self.persist(Commit {
            lead: self.lead.id(),
            at,
            concluded: None,
            qualified: Vec::new(),
            next,
        });
        while let Some(done) = self.work.join_next().await {
            match done {
                Ok(Happened::Committed(Ok(committed))) => {
                    self.committed(committed);
                    self.reply(&answer);
                }
                Ok(Happened::Committed(Err(error)) | Happened::Intaken(Err(error))) => {
                    self.store_refused(&error);
                }
                Ok(Happened::Intaken(Ok(
                    IntakeReply::Accepted | IntakeReply::Resubmitted { .. },
                ))) => self.taken_in(),
                Ok(Happened::Intaken(Ok(refused))) => self.intake_refused(refused),
                Ok(
                    Happened::Promised(_)
                    | Happened::Recorded(_)
                    | Happened::Pinged { .. }
                    | Happened::Posted { .. }
                    | Happened::Asked { .. },
                )
                | Err(_) => {}
            }
        }
        let mut journey = Trace::new(tree, self.started_at);
        let after = self.now().since(self.started_at);
        let status = answer.status.to_string();
        journey.push(after, TraceEvent::Answered { status, payout: None });
        self.engine.store().trace(self.lead.id(), journey);
    }
}

/// The refusal of a second post on one ping.
#[must_use]
pub fn ping_used() -> Problem {
    Problem::new(exchange_model::reason::Invalid::PingUsed, "a lead was posted on this ping before")
}
