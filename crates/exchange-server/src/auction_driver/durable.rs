//! The store's side of the driver: what is queued in which order, and what is rendered with it.

use std::sync::Arc;
use std::time::Duration;

use exchange_core::auction::Seat;
use exchange_core::record::{AttemptOutcome, Commit, Durable, Next, Promise};
use exchange_model::outcome::{PingAnswer, PostAnswer, Resolver};
use exchange_model::reason::LeadStatus;
use exchange_model::{AttemptId, CampaignId, Money, PingId, SourceId, Timestamp};
use exchange_store::{Committed, Intake, IntakeKind, IntakeReply, StoreError, StoredReply, Ticket};
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
    pub(super) fn persist(&mut self, commit: Commit) {
        if self.shared_id {
            self.parked = Some(commit);
            return;
        }
        let sale = self.sale_of(&commit);
        self.progress.persisting(&commit);
        let step = if matches!(commit.next, Next::Prepare(_)) { "a" } else { "b" };
        if let Next::Answer(answer) = &commit.next {
            self.rendered = Some(match self.kind {
                IntakeKind::Lead => reply::lead(commit.lead, answer, &self.frame),
                IntakeKind::Ping => reply::no_bid(self.as_ping(), &answer.reasons, &self.frame),
            });
        }
        let write =
            Write { commit, kind: self.kind, ping: self.as_ping(), reply: self.rendered.clone() };
        let thanks = self.thanks_for(&write.commit);
        let begun = self.engine.now();
        // Queued here and now: steps are durable in the order they were asked for.
        let first = write.queue(&self.engine);
        let engine = Arc::clone(&self.engine);
        self.work.spawn(async move {
            let done = write.finish(&engine, first).await;
            metrics::committed(step, engine.now().since(begun));
            thank(thanks, done.is_ok());
            if let (Ok(Committed { durable: Durable::Done, .. }), Some(sale)) = (&done, &sale) {
                metrics::sold(&sale.campaign, &sale.source, sale.price, sale.payout);
            }
            Happened::Committed(done)
        });
    }

    /// Queues what nobody waits for: what a buyer gave us to ask with, or a contradiction.
    pub(super) fn write_down(&mut self, commit: Commit) {
        let thanks = self.thanks_for(&commit);
        let write = Write { commit, kind: IntakeKind::Lead, ping: self.as_ping(), reply: None };
        let first = write.queue(&self.engine);
        let engine = Arc::clone(&self.engine);
        self.work.spawn(async move {
            let done = write.finish(&engine, first).await;
            thank(thanks, done.is_ok());
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

    /// What a commit sells, for metrics.
    fn sale_of(&self, commit: &Commit) -> Option<Sale> {
        let AttemptOutcome::Accepted(sale) = &commit.concluded.as_ref()?.outcome else {
            return None;
        };
        Some(Sale {
            campaign: self.progress.intent()?.campaign,
            source: self.source.id.clone(),
            price: sale.price,
            payout: sale.payout,
        })
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

struct Sale {
    campaign: CampaignId,
    source: SourceId,
    price: Money,
    payout: Money,
}

/// One step to write. A ping ends without a commit: nothing of it is money.
#[derive(Clone, Debug)]
struct Write {
    commit: Commit,
    kind: IntakeKind,
    ping: PingId,
    reply: Option<StoredReply>,
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
            (IntakeKind::Ping, Some(reply)) if !abandoned => {
                Queued::Ping(store.no_bid(self.ping, reply.clone()))
            }
            (IntakeKind::Ping, _) => Queued::Ping(store.abandon(self.commit.lead, self.commit.at)),
            (IntakeKind::Lead, reply) => {
                Queued::Step(store.commit(self.commit.clone(), reply.clone()))
            }
        }
    }

    async fn finish(&self, engine: &Engine, mut queued: Queued) -> Result<Committed, StoreError> {
        loop {
            let done = match queued {
                Queued::Step(ticket) => ticket.await,
                Queued::Ping(ticket) => {
                    ticket.await.map(|()| Committed { durable: Durable::Done, permit: None })
                }
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
