//! The buyers' side of the driver: encoding, sending, and who adds what to a request.

use std::sync::Arc;
use std::time::Duration;

use buyer_connectors::{Answered, PingJob, PostJob};
use exchange_core::Auction;
use exchange_core::auction::Seat;
use exchange_model::outcome::{PingAnswer, PostAnswer};
use exchange_model::reason::{NoBid, NotSent};
use exchange_model::{CampaignId, Lead, PostPermit, Timestamp};

use super::durable::Happened;
use super::{Driver, Offer};
use crate::exchange::Engine;
use crate::intake::day_of;

impl Driver {
    /// Pings one member in an exchange of its own: leaving it later does not cancel it.
    pub(super) fn ping(&mut self, auction: &Auction, seat: Seat, until: Timestamp) {
        let campaign = auction.member(seat).campaign.id.clone();
        let timeout = until.since(self.now());
        let connector = self.engine.config().connectors.get(&campaign).map(Arc::clone);
        let job = self.ping_job();
        let engine = Arc::clone(&self.engine);
        self.pings_out = self.pings_out.saturating_add(1);
        let exchange =
            connector.map(|connector| engine.transport().ping(&connector, job, timeout));
        self.work.spawn(async move {
            let answer = match exchange {
                Some(exchange) => {
                    let answered = exchange.await;
                    count_ping(&engine, &campaign, &answered, timeout);
                    answered.answer
                }
                None => PingAnswer::NoBid(NoBid::ConnectError(NotSent::Unrendered)),
            };
            Happened::Pinged { at: engine.now(), seat, answer }
        });
    }

    fn ping_job(&self) -> PingJob {
        PingJob {
            lead: Arc::clone(&self.lead),
            today: day_of(self.started_at),
            ping_id: self.ping_id.clone(),
            source_alias: self.source.alias.clone(),
            floor: None,
            callback_url: None,
            now: self.now(),
        }
    }

    /// Posts the lead with the permit of its durable commit A.
    pub(super) fn post(&mut self, auction: &Auction, offer: Offer) {
        let attempt = offer.attempt;
        let Some(permit) = self.permit.take().filter(|permit| permit.attempt() == attempt) else {
            tracing::error!(%attempt, "a post without a permit was asked for");
            let answer = PostAnswer::NotSent(NotSent::Unrendered);
            self.work.spawn(std::future::ready(Happened::Posted { attempt, answer }));
            return;
        };
        self.progress.set_posted();
        let timeout = offer.until.since(self.now());
        let posting = self.posting(auction, offer);
        let engine = Arc::clone(&self.engine);
        self.work.spawn(async move {
            let answer = posting.send(&engine, permit, timeout).await;
            Happened::Posted { attempt, answer }
        });
    }

    /// Sends the same post again under the same key, by a permit of the store's.
    pub(super) fn repost(&mut self, auction: &Auction, offer: Offer) {
        let attempt = offer.attempt;
        let until = offer.until;
        let posting = self.posting(auction, offer);
        let engine = Arc::clone(&self.engine);
        let reopened = engine.store().reopen(attempt);
        self.work.spawn(async move {
            let answer = match reopened.await {
                Ok(Some((_parts, permit))) => {
                    let timeout = until.since(engine.now());
                    posting.send(&engine, permit, timeout).await
                }
                Ok(None) | Err(_) => PostAnswer::NotSent(NotSent::NoTimeLeft),
            };
            Happened::Posted { attempt, answer }
        });
    }

    fn posting(&self, auction: &Auction, offer: Offer) -> Posting {
        Posting {
            campaign: auction.member(offer.seat).campaign.id.clone(),
            lead: Arc::clone(&self.lead),
            alias: self.source.alias.clone(),
            ping_id: self.ping_id.clone(),
            offer: PostedOffer {
                key: offer.attempt.to_string(),
                token: offer.token,
                price: offer.price,
            },
            received_at: self.started_at,
        }
    }
}

/// What one post says beside the lead.
#[derive(Clone, Debug)]
pub(crate) struct PostedOffer {
    /// The same on every re-post of one attempt.
    pub(crate) key: String,
    /// The buyer's handle of its bid.
    pub(crate) token: Option<exchange_model::outcome::BidToken>,
    /// What the buyer has bid.
    pub(crate) price: exchange_model::Money,
}

/// One post, ready but for its permit.
#[derive(Clone, Debug)]
pub(crate) struct Posting {
    pub(crate) campaign: CampaignId,
    pub(crate) lead: Arc<Lead>,
    pub(crate) alias: String,
    pub(crate) ping_id: String,
    pub(crate) offer: PostedOffer,
    pub(crate) received_at: Timestamp,
}

impl Posting {
    /// Sends it and reads the answer, however late.
    pub(crate) async fn send(
        self,
        engine: &Engine,
        permit: PostPermit,
        timeout: Duration,
    ) -> PostAnswer {
        let Some(connector) = engine.config().connectors.get(&self.campaign) else {
            return PostAnswer::NotSent(NotSent::Unrendered);
        };
        let ping_id = connector.has_ping().then_some(self.ping_id);
        let job = PostJob {
            lead: self.lead,
            today: day_of(self.received_at),
            ping_id,
            source_alias: self.alias,
            token: self.offer.token,
            price: self.offer.price,
            floor: None,
            idempotency_key: self.offer.key,
            callback_url: None,
            now: engine.now(),
        };
        let answered = engine.transport().post(connector, job, permit, timeout).await;
        if let Some(meters) = engine.meters(&self.campaign) {
            meters.posted(answered.answer.code(), answered.timings.done);
        }
        answered.answer
    }
}

fn count_ping(
    engine: &Engine,
    campaign: &CampaignId,
    answered: &Answered<PingAnswer>,
    timeout: Duration,
) {
    let Some(meters) = engine.meters(campaign) else { return };
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
}
