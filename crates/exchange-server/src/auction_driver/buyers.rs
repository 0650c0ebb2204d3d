//! The buyers' side of the driver: what each call is filled with, and who sends it.

use std::sync::Arc;

use buyer_connectors::{AskJob, Connector, PingJob, PostJob};
use exchange_core::auction::Seat;
use exchange_core::{Auction, Event};
use exchange_model::outcome::{Handles, PingAnswer, PostAnswer, Resolver};
use exchange_model::reason::{IneligibleKind, NoBid, NotSent};
use exchange_model::{CampaignId, Timestamp};

use super::durable::Happened;
use super::{Driver, Offer};
use crate::callbacks::About;
use crate::calls::Caller;
use crate::intake::day_of;

impl Driver {
    /// Pings one member in an exchange of its own: leaving it later does not cancel it.
    pub(super) fn ping(&mut self, auction: &mut Auction, seat: Seat, until: Timestamp) {
        let now = self.now();
        if !self.engine.rates().ping(&auction.member(seat).campaign, now) {
            return auction.handle(now, Event::NotPinged(seat, IneligibleKind::PingRate));
        }
        let campaign = auction.member(seat).campaign.id.clone();
        let timeout = until.since(self.now());
        let engine = Arc::clone(&self.engine);
        self.pings_out = self.pings_out.saturating_add(1);
        let Some(caller) = Caller::new(&engine, &self.config, &campaign) else {
            let at = self.now();
            let answer = PingAnswer::NoBid(NoBid::ConnectError(NotSent::Unrendered));
            self.work.spawn(std::future::ready(Happened::Pinged { at, seat, answer }));
            return;
        };
        let job = PingJob {
            lead: Arc::clone(&self.lead),
            today: day_of(self.started_at),
            ping_id: self.ping_id.to_string(),
            source_alias: self.source.alias.clone(),
            floor: Some(auction.least_price(seat)),
            callback_url: engine.callback_url(&caller.connector, About::Ping(self.ping_id)),
            now: self.now(),
        };
        let pinged = caller.ping(job, timeout);
        self.work.spawn(async move {
            let answer = pinged.await;
            Happened::Pinged { at: engine.now(), seat, answer }
        });
    }

    /// Posts the lead with the permit of its durable commit A.
    pub(super) fn post(&mut self, auction: &Auction, offer: Offer) {
        let attempt = offer.attempt;
        let permit = self.permit.take().filter(|permit| permit.attempt() == attempt);
        let caller = Caller::new(&self.engine, &self.config, self.campaign(auction, &offer));
        let (Some(permit), Some(caller)) = (permit, caller) else {
            tracing::error!(%attempt, "a post without a permit or a connector was asked for");
            let answer = PostAnswer::NotSent(NotSent::Unrendered);
            self.work.spawn(std::future::ready(Happened::Posted { attempt, answer }));
            return;
        };
        self.progress.set_posted();
        // Before the post leaves: its buyer may call before it answers.
        let listeners = self.engine.listeners();
        self.listening = Some(listeners.listen(attempt, self.calls_to.clone()));
        let timeout = offer.until.since(self.now());
        let job = self.post_job(auction, &offer, &caller.connector);
        let posted = caller.post(job, permit, timeout);
        self.work.spawn(async move { Happened::Posted { attempt, answer: posted.await } });
    }

    /// Asks the buyer what became of a post, or to forget it. A repetition needs a permit of the
    /// store's.
    pub(super) fn ask(&mut self, auction: &Auction, how: Resolver, handles: Handles, offer: Offer) {
        let attempt = offer.attempt;
        let Some(caller) = Caller::new(&self.engine, &self.config, self.campaign(auction, &offer))
        else {
            let answer = PostAnswer::NotSent(NotSent::Unrendered);
            self.work.spawn(std::future::ready(Happened::Asked { attempt, how, answer }));
            return;
        };
        if how == Resolver::Repost {
            return self.post_again(auction, &offer, caller);
        }
        let timeout = offer.until.since(self.now());
        let job = AskJob {
            lead: self.lead.id(),
            ping_id: caller.connector.has_ping().then(|| self.ping_id.to_string()),
            source_alias: self.source.alias.clone(),
            token: offer.token,
            price: offer.price,
            idempotency_key: offer.key.to_string(),
            handles,
            now: self.now(),
        };
        let asked = caller.ask(how, job, timeout);
        self.work.spawn(async move { Happened::Asked { attempt, how, answer: asked.await } });
    }

    fn post_again(&mut self, auction: &Auction, offer: &Offer, caller: Caller) {
        let (attempt, until) = (offer.attempt, offer.until);
        let job = self.post_job(auction, offer, &caller.connector);
        let reopened = self.engine.store().reopen(attempt);
        let engine = Arc::clone(&self.engine);
        self.work.spawn(async move {
            let answer = match reopened.await {
                Ok(Some((_parts, permit))) => {
                    let now = engine.now();
                    caller.post(PostJob { now, ..job }, permit, until.since(now)).await
                }
                Ok(None) | Err(_) => PostAnswer::NotSent(NotSent::NoTimeLeft),
            };
            Happened::Asked { attempt, how: Resolver::Repost, answer }
        });
    }

    fn campaign<'a>(&self, auction: &'a Auction, offer: &Offer) -> &'a CampaignId {
        &auction.member(offer.seat).campaign.id
    }

    fn post_job(&mut self, auction: &Auction, offer: &Offer, connector: &Connector) -> PostJob {
        let about = About::Post(offer.attempt);
        PostJob {
            lead: Arc::clone(&self.lead),
            today: day_of(self.started_at),
            ping_id: connector.has_ping().then(|| self.ping_id.to_string()),
            source_alias: self.source.alias.clone(),
            token: offer.token.clone(),
            price: offer.price,
            floor: Some(auction.least_price(offer.seat)),
            idempotency_key: offer.key.to_string(),
            callback_url: self.engine.callback_url(connector, about),
            now: self.now(),
        }
    }
}
