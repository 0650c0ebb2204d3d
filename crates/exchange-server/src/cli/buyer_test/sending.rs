//! A delivery that is really made, by the transport that makes all others, and everything that is
//! seen of it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use buyer_connectors::{
    AskJob, PingJob, PostJob, Received, Request, SendFailed, Timings, Transport, TransportSettings,
    Watch, Watched,
};
use exchange_model::outcome::{BidToken, Handles, PingAnswer, PostAnswer, Resolver};
use exchange_model::{AttemptId, Lead, Money};
use exchange_store::rehearsal_permit;
use ping_tree::Campaign;

use super::preview::{CALLBACK_URL, PING_ID, Sample};
use super::stand::Stand;
use crate::cli::failure::Failure;

/// One call as it was seen.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) request: Request,
    pub(crate) for_token: bool,
    /// How it ended; none when it was cut off at its deadline.
    pub(crate) ended: Option<Result<Received, SendFailed>>,
}

/// What came of one step of a delivery.
#[derive(Debug)]
pub(crate) struct Done<A> {
    pub(crate) answer: A,
    pub(crate) timings: Timings,
    pub(crate) calls: Vec<Seen>,
}

/// Sends to a buyer, or to whoever stands for it.
pub(crate) struct Sender<'a> {
    stand: &'a Stand,
    campaign: &'a Campaign,
    lead: Arc<Lead>,
    sample: &'a Sample,
    transport: Transport,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl<'a> Sender<'a> {
    /// `to` stands for every host of the connector.
    pub(crate) fn new(
        stand: &'a Stand,
        campaign: &'a Campaign,
        lead: Lead,
        sample: &'a Sample,
        (to, allow_private): (Option<(SocketAddr, Vec<String>)>, bool),
    ) -> Result<Self, Failure> {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&seen);
        let allow_private = allow_private || to.is_some();
        let hosts = to.into_iter().flat_map(|(to, hosts)| hosts.into_iter().map(move |h| (h, to)));
        let settings = TransportSettings {
            hosts: hosts.collect(),
            allow_private,
            watch: Some(Watch::new(move |watched| note(&kept, watched))),
            ..TransportSettings::default()
        };
        let transport = Transport::new(settings).map_err(Failure::failed)?;
        Ok(Self { stand, campaign, lead: Arc::new(lead), sample, transport, seen })
    }

    fn taken(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Asks for a bid.
    pub(crate) async fn ping(&self) -> Done<PingAnswer> {
        let job = PingJob {
            lead: Arc::clone(&self.lead),
            today: self.sample.today,
            ping_id: PING_ID.to_owned(),
            source_alias: self.sample.source_alias.clone(),
            floor: self.sample.floor,
            callback_url: Some(CALLBACK_URL.to_owned()),
            now: self.sample.now,
        };
        let timeout = self.stand.connector.ping_timeout().unwrap_or_default();
        let answered = self.transport.ping(&self.stand.connector, job, timeout).await;
        Done { answer: answered.answer, timings: answered.timings, calls: self.taken() }
    }

    /// Delivers the lead.
    pub(crate) async fn post(&self, price: Money, token: Option<BidToken>) -> Done<PostAnswer> {
        let job = PostJob {
            lead: Arc::clone(&self.lead),
            today: self.sample.today,
            ping_id: self.stand.connector.has_ping().then(|| PING_ID.to_owned()),
            source_alias: self.sample.source_alias.clone(),
            token,
            price,
            floor: self.sample.floor,
            idempotency_key: self.sample.key.clone(),
            callback_url: Some(CALLBACK_URL.to_owned()),
            now: self.sample.now,
        };
        let attempt = AttemptId::new(self.lead.id(), 0);
        let permit = rehearsal_permit(attempt, self.campaign.id.clone());
        let timeout = self.stand.connector.post_timeout();
        let answered = self.transport.post(&self.stand.connector, job, permit, timeout).await;
        Done { answer: answered.answer, timings: answered.timings, calls: self.taken() }
    }

    /// Asks what became of the post; nothing where the connector cannot.
    pub(crate) async fn status(
        &self,
        price: Money,
        token: Option<BidToken>,
        handles: Handles,
    ) -> Option<Done<PostAnswer>> {
        let timeout = self.stand.connector.ask_timeout(Resolver::Status)?;
        let job = AskJob {
            lead: self.lead.id(),
            ping_id: self.stand.connector.has_ping().then(|| PING_ID.to_owned()),
            source_alias: self.sample.source_alias.clone(),
            token,
            price,
            idempotency_key: self.sample.key.clone(),
            handles,
            now: self.sample.now,
        };
        let connector = &self.stand.connector;
        let answered = self.transport.ask(connector, Resolver::Status, job, timeout).await;
        Some(Done { answer: answered.answer, timings: answered.timings, calls: self.taken() })
    }
}

fn note(seen: &Mutex<Vec<Seen>>, watched: Watched) {
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    match watched {
        Watched::Sending { request, for_token } => {
            seen.push(Seen { request, for_token, ended: None });
        }
        Watched::Ended(ended) => {
            if let Some(last) = seen.iter_mut().rev().find(|call| call.ended.is_none()) {
                last.ended = Some(ended);
            }
        }
    }
}
