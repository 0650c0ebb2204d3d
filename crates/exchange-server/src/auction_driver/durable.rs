//! The store's side of the driver: what is queued in which order, and what is rendered with it.

use std::sync::Arc;
use std::time::Duration;

use exchange_core::auction::Seat;
use exchange_core::record::{Commit, Durable, Next, Promise};
use exchange_model::outcome::{PingAnswer, PostAnswer, Resolver};
use exchange_model::reason::LeadStatus;
use exchange_model::{AttemptId, PingId, Timestamp};
use exchange_store::{
    Committed, Intake, IntakeKind, IntakeReply, Renderer, StoreError, StoredReply, Ticket,
};
use tokio::sync::oneshot;

use super::Driver;
use crate::exchange::Engine;
use crate::metrics;
use crate::seller_api::reply;

/// Pause before a step is queued again that the store had no room for.
const AGAIN_AFTER: Duration = Duration::from_millis(5);

/// Something the driver waited for.
#[derive(Debug)]
pub(super) enum Happened {
    /// A buyer answered a ping.
    Pinged { at: Timestamp, seat: Seat, answer: PingAnswer },
    /// A buyer answered a post.
    Posted { attempt: AttemptId, answer: PostAnswer },
    /// A buyer answered a question about a post.
    Asked { attempt: AttemptId, how: Resolver, answer: PostAnswer },
    /// A step is on disk, or will never be.
    Committed(Result<Committed, StoreError>),
    /// Something that nobody waits for is on disk, or will never be.
    Recorded(Result<(), StoreError>),
    /// A promise is on disk, or will never be.
    Promised(Result<(), StoreError>),
    /// The request is on disk, or will never be.
    Intaken(Result<IntakeReply, StoreError>),
}

impl Driver {
    /// Queues the record of the request; it syncs while pings are out.
    pub(super) fn record_intake(&mut self, intake: Intake) {
        let begun = self.engine.now();
        let ticket = self.engine.store().intake(intake);
        let engine = Arc::clone(&self.engine);
        self.work.spawn(async move {
            let taken = ticket.await;
            metrics::committed("intake", engine.now().since(begun));
            Happened::Intaken(taken)
        });
    }

    /// Queues commit A or B, with the reply that the seller will get.
    pub(super) fn persist(&mut self, mut commit: Commit) {
        if self.shared_id {
            self.parked = Some(commit);
            return;
        }
        self.name_person(&mut commit);
        self.progress.persisting(&commit);
        let step = if matches!(commit.next, Next::Prepare(_)) { "a" } else { "b" };
        let reply = self.reply_of(&commit);
        let write = Write { commit, kind: self.kind, ping: self.as_ping(), reply };
        let thanks = self.thanks_for(&write.commit);
        let begun = self.engine.now();
        // Queued here and now: steps are durable in the order they were asked for.
        let first = write.queue(&self.engine);
        let engine = Arc::clone(&self.engine);
        self.work.spawn(async move {
            let done = write.finish(&engine, first).await;
            metrics::committed(step, engine.now().since(begun));
            thank(thanks, done.is_ok());
            metrics::count_sale(&done);
            Happened::Committed(done)
        });
    }

    /// Commit A decides about the person as well; the auction has no contact data.
    fn name_person(&self, commit: &mut Commit) {
        let Next::Prepare(intent) = &mut commit.next else { return };
        if let Some(campaign) = self.config.routing.campaign(&intent.campaign) {
            intent.person = self.known.for_post(&self.engine, campaign, &self.lead);
        }
    }

    /// Queues what nobody waits for: what a buyer gave us to ask with, or a contradiction.
    pub(super) fn write_down(&mut self, commit: Commit) {
        let thanks = self.thanks_for(&commit);
        let (kind, ping) = (IntakeKind::Lead, self.as_ping());
        let write = Write { commit, kind, ping, reply: Reply::None };
        let first = write.queue(&self.engine);
        let engine = Arc::clone(&self.engine);
        self.work.spawn(async move {
            let done = write.finish(&engine, first).await;
            thank(thanks, done.is_ok());
            metrics::count_sale(&done);
            Happened::Recorded(done.map(drop))
        });
    }

    /// The buyers that wait for this step: it concludes the attempt they called about.
    fn thanks_for(&mut self, commit: &Commit) -> Vec<oneshot::Sender<()>> {
        let concluded = commit.concluded.as_ref().map(|concluded| concluded.attempt);
        let waiting = std::mem::take(&mut self.to_thank).into_iter();
        let (ours, others): (Vec<_>, Vec<_>) =
            waiting.partition(|(attempt, _)| Some(*attempt) == concluded);
        self.to_thank = others;
        ours.into_iter().map(|(_attempt, durable)| durable).collect()
    }

    pub(super) fn persist_promise(&mut self, promise: Promise) {
        let reply = reply::bid(&promise, &self.frame);
        self.rendered = Some(reply.clone());
        let begun = self.engine.now();
        let ticket = self.engine.store().promise(promise, reply);
        let engine = Arc::clone(&self.engine);
        self.work.spawn(async move {
            let done = ticket.await;
            metrics::committed("promise", engine.now().since(begun));
            Happened::Promised(done)
        });
    }

    /// What the seller will be told with a step. That of a lead is written inside its commit: a
    /// late truth may still change it.
    fn reply_of(&mut self, commit: &Commit) -> Reply {
        let Next::Answer(answer) = &commit.next else { return Reply::None };
        match self.kind {
            IntakeKind::Lead => {
                let (lead, frame) = (commit.lead, self.frame.clone());
                Reply::Lead(Renderer::new(move |truth| reply::lead(lead, truth, &frame)))
            }
            IntakeKind::Ping => {
                let reply = reply::no_bid(self.as_ping(), &answer.reasons, &self.frame);
                self.rendered = Some(reply.clone());
                Reply::Ping(reply)
            }
        }
    }

    /// A step is on disk: what came of it, and what the seller hears.
    pub(super) fn committed(&mut self, done: Committed) -> Durable {
        self.permit = done.permit;
        if let Some(answered) = done.answered {
            self.rendered = Some(answered.reply);
            self.stands = Some(answered.answer.status);
        }
        done.durable
    }

    fn as_ping(&self) -> PingId {
        self.ping_id
    }
}

fn thank(waiting: Vec<oneshot::Sender<()>>, durable: bool) {
    for buyer in waiting.into_iter().filter(|_| durable) {
        // A buyer that has hung up needs no thanks.
        let _told_or_gone = buyer.send(());
    }
}

/// What the seller is told with a step.
#[derive(Clone, Debug)]
enum Reply {
    None,
    Lead(Renderer),
    Ping(StoredReply),
}

/// One step to write. A ping ends without a commit: nothing of it is money.
#[derive(Clone, Debug)]
struct Write {
    commit: Commit,
    kind: IntakeKind,
    ping: PingId,
    reply: Reply,
}

enum Queued {
    Step(Ticket<Committed>),
    Ping(Ticket<()>),
}

impl Write {
    fn queue(&self, engine: &Engine) -> Queued {
        let store = engine.store();
        let abandoned =
            matches!(&self.commit.next, Next::Answer(a) if a.status == LeadStatus::Abandoned);
        match (self.kind, &self.reply) {
            (IntakeKind::Ping, Reply::Ping(reply)) if !abandoned => {
                Queued::Ping(store.no_bid(self.ping, reply.clone()))
            }
            (IntakeKind::Ping, _) => Queued::Ping(store.abandon(self.commit.lead, self.commit.at)),
            (IntakeKind::Lead, Reply::Lead(renderer)) => {
                Queued::Step(store.commit(self.commit.clone(), Some(renderer.clone())))
            }
            (IntakeKind::Lead, Reply::None | Reply::Ping(_)) => {
                Queued::Step(store.commit(self.commit.clone(), None))
            }
        }
    }

    async fn finish(&self, engine: &Engine, mut queued: Queued) -> Result<Committed, StoreError> {
        loop {
            let done = match queued {
                Queued::Step(ticket) => ticket.await,
                Queued::Ping(ticket) => ticket.await.map(|()| Committed::done()),
            };
            match done {
                Err(StoreError::Overloaded) => {
                    engine.clock().sleep_until(engine.now().after(AGAIN_AFTER)).await;
                    queued = self.queue(engine);
                }
                other => return other,
            }
        }
    }
}
