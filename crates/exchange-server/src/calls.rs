//! One call to one campaign: sent by the transport, awaited, counted.
//!
//! Auctions and resolvers call alike; what they ask for is theirs. Whoever stops waiting stops
//! nothing: the exchange with the buyer goes on in a task of the transport's.

use std::sync::Arc;
use std::time::Duration;

use buyer_connectors::{Answered, AskJob, Connector, PingJob, PostJob};
use exchange_model::outcome::{PingAnswer, PostAnswer, Resolver};
use exchange_model::reason::{NoBid, NotSent, RejectClass, Rejection};
use exchange_model::{CampaignId, PostPermit};

use crate::exchange::Engine;
use crate::metrics::CampaignMeters;
use crate::snapshot::Snapshot;

/// Calls one campaign's buyer.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    engine: Arc<Engine>,
    /// The config that it works by.
    config: Arc<Snapshot>,
    /// How the buyer is spoken to.
    pub(crate) connector: Arc<Connector>,
}

impl Caller {
    /// The caller of a campaign; nothing when the config does not know it.
    pub(crate) fn new(
        engine: &Arc<Engine>,
        config: &Arc<Snapshot>,
        campaign: &CampaignId,
    ) -> Option<Self> {
        let connector = Arc::clone(config.connectors.get(campaign)?);
        Some(Self { engine: Arc::clone(engine), config: Arc::clone(config), connector })
    }

    /// Sends a ping, now.
    pub(crate) fn ping(
        self,
        job: PingJob,
        timeout: Duration,
    ) -> impl Future<Output = PingAnswer> + Send + 'static {
        let exchange = self.engine.transport().ping(&self.connector, job, timeout);
        async move {
            let answered = exchange.await;
            let (scores, buyer) = (self.engine.scores(), self.connector.buyer());
            scores.pinged(buyer, self.engine.now(), &answered.answer);
            if let Some(meters) = self.meters() {
                count_ping(meters, &answered, timeout);
            }
            answered.answer
        }
    }

    /// Posts a lead, now.
    pub(crate) fn post(
        self,
        job: PostJob,
        permit: PostPermit,
        timeout: Duration,
    ) -> impl Future<Output = PostAnswer> + Send + 'static {
        let exchange = self.engine.transport().post(&self.connector, job, permit, timeout);
        async move {
            let answered = exchange.await;
            if let Some(meters) = self.meters() {
                meters.posted(answered.answer.code(), answered.timings.done);
                count_refusal(meters, "post", &answered.answer);
            }
            answered.answer
        }
    }

    /// Asks about a post, now.
    pub(crate) fn ask(
        self,
        how: Resolver,
        job: AskJob,
        timeout: Duration,
    ) -> impl Future<Output = PostAnswer> + Send + 'static {
        let exchange = self.engine.transport().ask(&self.connector, how, job, timeout);
        async move {
            let answered = exchange.await;
            if let Some(meters) = self.meters() {
                meters.asked(how.code(), answered.answer.code());
                count_refusal(meters, how.code(), &answered.answer);
            }
            answered.answer
        }
    }

    /// The config that it works by.
    pub(crate) fn config(&self) -> &Snapshot {
        &self.config
    }

    fn meters(&self) -> Option<&CampaignMeters> {
        self.config.meters(self.connector.campaign())
    }
}

fn count_ping(meters: &CampaignMeters, answered: &Answered<PingAnswer>, timeout: Duration) {
    let late = answered.timings.done > timeout;
    let (outcome, price) = match &answered.answer {
        PingAnswer::Bid { price, .. } => (if late { "late" } else { "bid" }, Some(*price)),
        PingAnswer::Available { .. } => (if late { "late" } else { "available" }, None),
        PingAnswer::NoBid(why) => (why.code(), None),
    };
    meters.pinged(outcome, answered.timings.done, price);
    if late && price.is_some() {
        meters.late();
    }
    match &answered.answer {
        PingAnswer::NoBid(NoBid::Declined(Rejection { class: RejectClass::Invalid, .. })) => {
            meters.faulted("ping");
        }
        PingAnswer::NoBid(NoBid::ConnectError(NotSent::ContactInPing)) => meters.leaked(),
        PingAnswer::NoBid(_) | PingAnswer::Bid { .. } | PingAnswer::Available { .. } => {}
    }
}

/// Counts what a refusal says beside no.
pub(crate) fn count_refusal(meters: &CampaignMeters, stage: &'static str, answer: &PostAnswer) {
    let PostAnswer::Rejected(rejection) = answer else { return };
    if rejection.class == RejectClass::Invalid {
        meters.faulted(stage);
    }
    if rejection.counter.is_some() {
        meters.countered();
    }
}
