//! One campaign's dialect, compiled: how to write its ping and post, how to read its replies.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use exchange_model::outcome::{PingAnswer, PostAnswer, Resolver};
use exchange_model::reason::{NoBid, Unknown};
use exchange_model::{BuyerId, CampaignId, Lead, PingView, PostPermit, Vertical};

use crate::after::{AfterContext, AfterValues};
use crate::callback::CallbackCall;
use crate::compile::OAuth2;
use crate::ping::{PingContext, PingValues};
use crate::plan::Plan;
use crate::poll::PollSchedule;
use crate::post::{PostContext, PostValues};
use crate::reply::{PingReply, PostReply, RawReply};
use crate::request::{EncodeError, Request};

/// The connectors of any number of campaigns.
#[derive(Clone, Debug, Default)]
pub struct Connectors {
    by_campaign: BTreeMap<CampaignId, Arc<Connector>>,
}

impl Connectors {
    /// The connector of a campaign.
    #[must_use]
    pub fn get(&self, campaign: &CampaignId) -> Option<&Arc<Connector>> {
        self.by_campaign.get(campaign)
    }

    /// Adds the connectors of another file.
    pub fn extend(&mut self, more: Self) {
        self.by_campaign.extend(more.by_campaign);
    }

    /// All of them, by campaign.
    pub fn iter(&self) -> impl Iterator<Item = (&CampaignId, &Arc<Connector>)> {
        self.by_campaign.iter()
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_campaign.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_campaign.is_empty()
    }

    pub(crate) fn insert(&mut self, connector: Connector) {
        self.by_campaign.insert(connector.campaign.clone(), Arc::new(connector));
    }
}

/// A compiled dialect, bound to one campaign, its vertical and its currency.
pub struct Connector {
    pub(crate) campaign: CampaignId,
    pub(crate) buyer: BuyerId,
    pub(crate) name: String,
    pub(crate) vertical: Arc<Vertical>,
    pub(crate) oauth2: Option<Arc<OAuth2>>,
    /// How a lost answer is found out, in this order.
    pub(crate) resolve: Box<[Resolver]>,
    pub(crate) poll: PollSchedule,
    pub(crate) answer_within: Duration,
    pub(crate) ping: Option<PingStage>,
    pub(crate) post: PostStage,
    pub(crate) status: Option<PostStage>,
    pub(crate) void: Option<PostStage>,
    pub(crate) callback: Option<CallbackStage>,
}

/// How a buyer's call is read and answered.
#[derive(Debug)]
pub(crate) struct CallbackStage {
    pub(crate) reply: PostReply,
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// What a buyer's call is answered with when the dialect does not say.
const CALLBACK_ANSWER: (u16, &str) = (200, "OK");

/// The ping of a dialect.
#[derive(Debug)]
pub(crate) struct PingStage {
    pub(crate) plan: Plan,
    pub(crate) reply: PingReply,
}

/// The post of a dialect.
#[derive(Debug)]
pub(crate) struct PostStage {
    pub(crate) plan: Plan,
    pub(crate) reply: PostReply,
}

/// Names what it is; its templates may hold secrets.
impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector")
            .field("campaign", &self.campaign.as_str())
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Connector {
    /// The campaign it was compiled for.
    #[must_use]
    pub fn campaign(&self) -> &CampaignId {
        &self.campaign
    }

    /// The buyer: connections are kept per buyer.
    #[must_use]
    pub fn buyer(&self) -> &BuyerId {
        &self.buyer
    }

    /// Its name in the buyer's file.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it pings. Without a ping the campaign's price is ours to know.
    #[must_use]
    pub fn has_ping(&self) -> bool {
        self.ping.is_some()
    }

    /// How long a ping may take, from `timeout`; nothing when there is no ping.
    #[must_use]
    pub fn ping_timeout(&self) -> Option<Duration> {
        self.ping.as_ref().map(|ping| ping.plan.timeout)
    }

    /// How long a post may take.
    #[must_use]
    pub fn post_timeout(&self) -> Duration {
        self.post.plan.timeout
    }

    /// Whether the buyer recognises the same post sent again, so that a lost answer may be asked
    /// for by posting once more with the same idempotency key.
    #[must_use]
    pub fn reposts(&self) -> bool {
        self.resolve.contains(&Resolver::Repost)
    }

    /// How a lost or pending answer of this buyer is found out, in this order; empty when a person
    /// must.
    #[must_use]
    pub fn resolvers(&self) -> &[Resolver] {
        &self.resolve
    }

    /// How often the buyer is asked by `status`.
    #[must_use]
    pub fn poll(&self) -> &PollSchedule {
        &self.poll
    }

    /// How long a lost or pending answer is worked on before a person must.
    #[must_use]
    pub fn answer_within(&self) -> Duration {
        self.answer_within
    }

    /// Whether a counter-offer is posted under the key of the refused post.
    #[must_use]
    pub fn counter_key_same(&self) -> bool {
        false
    }

    /// Reads a buyer's call to our callback address. Total: any bytes give an answer.
    #[must_use]
    pub fn read_callback(&self, call: &CallbackCall<'_>) -> PostAnswer {
        let Some(callback) = &self.callback else {
            return PostAnswer::Unknown(Unknown::Unreadable);
        };
        let body = if call.body.is_empty() { call.query.as_bytes() } else { call.body };
        callback.reply.read(&RawReply { status: 200, headers: call.headers, body })
    }

    /// Status and body that the buyer's call is answered with.
    #[must_use]
    pub fn callback_answer(&self) -> (u16, &str) {
        self.callback.as_ref().map_or(CALLBACK_ANSWER, |callback| (callback.status, &callback.body))
    }

    /// Writes the ping of one lead.
    ///
    /// # Errors
    /// [`EncodeError`]: nothing can be sent.
    pub fn encode_ping(
        &self,
        view: &PingView<'_>,
        context: &PingContext<'_>,
    ) -> Result<Request, EncodeError> {
        let Some(ping) = &self.ping else { return Err(EncodeError::NoPing(self.name.clone())) };
        let mut request = ping.plan.request(&PingValues { view, context })?;
        if ping.reply.echoes() {
            request.echo = Some(context.ping_id.into());
        }
        Ok(request)
    }

    /// Writes the post of one lead.
    ///
    /// # Errors
    /// [`EncodeError`]: nothing can be sent.
    pub fn encode_post(
        &self,
        lead: &Lead,
        permit: &PostPermit,
        context: &PostContext<'_>,
    ) -> Result<Request, EncodeError> {
        if permit.lead() != lead.id() || *permit.campaign() != self.campaign {
            return Err(EncodeError::WrongPermit);
        }
        if !self.is_of_vertical(lead.vertical()) {
            return Err(EncodeError::WrongVertical(self.name.clone()));
        }
        self.post.plan.request(&PostValues { lead, permit, context })
    }

    /// Writes a question about a post: `status` or `void`.
    ///
    /// # Errors
    /// [`EncodeError`]: nothing can be sent.
    pub fn encode_ask(
        &self,
        how: Resolver,
        context: &AfterContext<'_>,
    ) -> Result<Request, EncodeError> {
        let Some(stage) = self.asking(how) else { return Err(EncodeError::NoStage(how.code())) };
        stage.plan.request(&AfterValues { context })
    }

    /// Reads the whole reply to such a question. Total: any bytes give an answer.
    #[must_use]
    pub fn read_ask(&self, how: Resolver, reply: &RawReply<'_>) -> PostAnswer {
        match self.asking(how) {
            Some(stage) => stage.reply.read(reply),
            None => PostAnswer::Unknown(Unknown::Unreadable),
        }
    }

    fn asking(&self, how: Resolver) -> Option<&PostStage> {
        match how {
            Resolver::Status => self.status.as_ref(),
            Resolver::Void => self.void.as_ref(),
            Resolver::Repost | Resolver::Callback => None,
        }
    }

    /// Positions of fields are only good for the dictionary they were compiled from.
    fn is_of_vertical(&self, vertical: &Arc<Vertical>) -> bool {
        Arc::ptr_eq(vertical, &self.vertical)
            || (vertical.id() == self.vertical.id() && vertical.names().eq(self.vertical.names()))
    }

    /// Reads the whole reply to a ping. Total: any bytes give an answer.
    #[must_use]
    pub fn read_ping(&self, reply: &RawReply<'_>) -> PingAnswer {
        self.read_ping_of(reply, None)
    }

    /// The same; `echo` is the ping id that must come back where the dialect says so.
    pub(crate) fn read_ping_of(&self, reply: &RawReply<'_>, echo: Option<&str>) -> PingAnswer {
        match &self.ping {
            Some(ping) => ping.reply.read(reply, echo),
            None => PingAnswer::NoBid(NoBid::BadReply("ping".to_owned())),
        }
    }

    /// Reads the whole reply to a post. Total: any bytes give an answer.
    #[must_use]
    pub fn read_post(&self, reply: &RawReply<'_>) -> PostAnswer {
        self.post.reply.read(reply)
    }
}
