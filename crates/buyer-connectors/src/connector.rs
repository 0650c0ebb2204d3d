//! One campaign's dialect, compiled: how to write its calls, how to read their replies.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use exchange_model::outcome::{Acceptance, Handles, PingAnswer, PostAnswer, Resolver};
use exchange_model::reason::{NoBid, Unknown};
use exchange_model::{BuyerId, CampaignId, Lead, PingView, PollSchedule, PostPermit, Vertical};

use crate::after::{AfterContext, AfterValues};
use crate::call::Call;
use crate::callback::CallbackCall;
use crate::grant::Grant;
use crate::identity::Identity;
use crate::ping::{PingContext, PingValues};
use crate::plan::Plan;
use crate::post::{PostContext, PostValues, PrePostValues};
use crate::reply::{Explained, PingReply, PostReply, RawReply, ValuesReply};
use crate::request::{EncodeError, Request};
use crate::sign::{Signed, Signer};

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
    /// Where its tokens come from.
    pub(crate) grant: Option<Arc<Grant>>,
    /// What signs its requests, in order.
    pub(crate) signers: Arc<[Signer]>,
    /// Our certificate.
    pub(crate) identity: Option<Arc<Identity>>,
    /// How a lost answer is found out, in this order.
    pub(crate) resolve: Arc<[Resolver]>,
    pub(crate) answer_within: Duration,
    pub(crate) stages: Stages,
}

/// The calls of a dialect.
#[derive(Debug)]
pub(crate) struct Stages {
    pub(crate) pre_ping: Option<Stage<ValuesReply>>,
    pub(crate) ping: Option<Stage<PingReply>>,
    /// Where the wait for its answers is learned: never less than this.
    pub(crate) ping_least: Option<Duration>,
    pub(crate) pre_post: Option<Stage<ValuesReply>>,
    pub(crate) post: Stage<PostReply>,
    pub(crate) confirm: Option<ConfirmStage>,
    pub(crate) status: Option<Stage<PostReply>>,
    pub(crate) poll: PollSchedule,
    pub(crate) void: Option<Stage<PostReply>>,
    pub(crate) callback: Option<CallbackStage>,
}

/// One call of a dialect.
#[derive(Debug)]
pub(crate) struct Stage<R> {
    pub(crate) plan: Plan,
    /// What it says to everybody: words that no lead has brought.
    pub(crate) fixed: Box<[Box<[u8]>]>,
    pub(crate) reply: R,
}

/// The call after an accepted post.
#[derive(Debug)]
pub(crate) struct ConfirmStage {
    pub(crate) stage: Stage<PostReply>,
    /// Whether its reply is the outcome; otherwise it only adds to the acceptance.
    pub(crate) decides: bool,
}

/// How a buyer's call is read and answered.
#[derive(Debug)]
pub(crate) struct CallbackStage {
    pub(crate) reply: PostReply,
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// What a buyer's call is answered with when the dialect does not say.
pub(crate) const CALLBACK_ANSWER: (u16, &str) = (200, "OK");

/// Names what it is; its templates may hold secrets.
impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector")
            .field("campaign", &self.campaign.as_str())
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// What it is.
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
        self.stages.ping.is_some()
    }

    /// Its stages in the order in which they are called, by their names in the buyer's file.
    #[must_use]
    pub fn stages(&self) -> Vec<&'static str> {
        let stages = &self.stages;
        let all = [
            (Call::PrePing.key(), stages.pre_ping.is_some()),
            (Call::Ping.key(), stages.ping.is_some()),
            (Call::PrePost.key(), stages.pre_post.is_some()),
            (Call::Post.key(), true),
            (Call::Confirm.key(), stages.confirm.is_some()),
            (Call::Status.key(), stages.status.is_some()),
            (Call::Void.key(), stages.void.is_some()),
            ("callback", stages.callback.is_some()),
        ];
        all.into_iter().filter(|(_, is_there)| *is_there).map(|(name, _)| name).collect()
    }

    /// How long a ping may take, from `timeout`; nothing when there is no ping.
    #[must_use]
    pub fn ping_timeout(&self) -> Option<Duration> {
        self.stages.ping.as_ref().map(|ping| ping.plan.timeout)
    }

    /// The least that a ping is waited for where the wait is learned from the buyer's last answers,
    /// from `least_timeout`; nothing where each ping is waited for as long as it may take.
    #[must_use]
    pub fn ping_least_timeout(&self) -> Option<Duration> {
        self.stages.ping_least
    }

    /// How long a post may take, its other calls included.
    #[must_use]
    pub fn post_timeout(&self) -> Duration {
        self.stages.post.plan.timeout
    }

    /// How long a question by `status` or `void` may take; nothing when there is no such stage.
    #[must_use]
    pub fn ask_timeout(&self, how: Resolver) -> Option<Duration> {
        self.asking(how).map(|stage| stage.plan.timeout)
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
        &self.stages.poll
    }

    /// How long a lost or pending answer is worked on before a person must.
    #[must_use]
    pub fn answer_within(&self) -> Duration {
        self.answer_within
    }

    /// Whether a counter-offer is posted under the key of the refused post.
    #[must_use]
    pub fn counter_key_same(&self) -> bool {
        self.stages.post.reply.counter_key_same()
    }

    /// Status and body that the buyer's call is answered with.
    #[must_use]
    pub fn callback_answer(&self) -> (u16, &str) {
        let own = self.stages.callback.as_ref();
        own.map_or(CALLBACK_ANSWER, |callback| (callback.status, &callback.body))
    }

    pub(crate) fn asking(&self, how: Resolver) -> Option<&Stage<PostReply>> {
        match how {
            Resolver::Status => self.stages.status.as_ref(),
            Resolver::Void => self.stages.void.as_ref(),
            Resolver::Repost | Resolver::Callback => None,
        }
    }

    /// Positions of fields are only good for the dictionary they were compiled from.
    fn is_of_vertical(&self, vertical: &Arc<Vertical>) -> bool {
        Arc::ptr_eq(vertical, &self.vertical)
            || (vertical.id() == self.vertical.id() && vertical.names().eq(self.vertical.names()))
    }
}

/// What it writes.
///
/// # Errors
/// Every function here: [`EncodeError`], and nothing can be sent.
impl Connector {
    /// The call before a ping.
    ///
    /// # Errors
    /// [`EncodeError`].
    pub fn encode_pre_ping(
        &self,
        view: &PingView<'_>,
        context: &PingContext<'_>,
    ) -> Result<Request, EncodeError> {
        let stage = self.stages.pre_ping.as_ref().ok_or_else(|| no_stage(Call::PrePing))?;
        let request = stage.plan.request(&PingValues { view, context })?;
        self.signed(request, Signed { id: context.ping_id, now: context.now })
    }

    /// The ping of one lead.
    ///
    /// # Errors
    /// [`EncodeError`].
    pub fn encode_ping(
        &self,
        view: &PingView<'_>,
        context: &PingContext<'_>,
    ) -> Result<Request, EncodeError> {
        let ping = self.stages.ping.as_ref();
        let ping = ping.ok_or_else(|| EncodeError::NoPing(self.name.clone()))?;
        let mut request = ping.plan.request(&PingValues { view, context })?;
        if ping.reply.echoes() {
            request.echo = Some(context.ping_id.into());
        }
        self.signed(request, Signed { id: context.ping_id, now: context.now })
    }

    /// The call before a post. It holds no contact data.
    ///
    /// # Errors
    /// [`EncodeError`].
    pub fn encode_pre_post(
        &self,
        lead: &Lead,
        context: &PostContext<'_>,
    ) -> Result<Request, EncodeError> {
        let stage = self.stages.pre_post.as_ref().ok_or_else(|| no_stage(Call::PrePost))?;
        let view = PingView::new(lead, context.today);
        let values = PrePostValues { lead: lead.id(), view: &view, context };
        let request = stage.plan.request(&values)?;
        self.signed(request, Signed { id: context.idempotency_key, now: context.now })
    }

    /// The post of one lead.
    ///
    /// # Errors
    /// [`EncodeError`].
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
        let request = self.stages.post.plan.request(&PostValues { lead, permit, context })?;
        self.signed(request, Signed { id: context.idempotency_key, now: context.now })
    }

    /// The call after an accepted post.
    ///
    /// # Errors
    /// [`EncodeError`].
    pub fn encode_confirm(&self, context: &AfterContext<'_>) -> Result<Request, EncodeError> {
        let confirm = self.stages.confirm.as_ref().ok_or_else(|| no_stage(Call::Confirm))?;
        self.after(&confirm.stage, context)
    }

    /// A question about a post: `status` or `void`.
    ///
    /// # Errors
    /// [`EncodeError`].
    pub fn encode_ask(
        &self,
        how: Resolver,
        context: &AfterContext<'_>,
    ) -> Result<Request, EncodeError> {
        let stage = self.asking(how).ok_or_else(|| EncodeError::NoStage(how.code()))?;
        self.after(stage, context)
    }

    fn after(
        &self,
        stage: &Stage<PostReply>,
        context: &AfterContext<'_>,
    ) -> Result<Request, EncodeError> {
        let request = stage.plan.request(&AfterValues { context })?;
        self.signed(request, Signed { id: context.idempotency_key, now: context.now })
    }

    fn signed(&self, mut request: Request, signed: Signed<'_>) -> Result<Request, EncodeError> {
        for signer in self.signers.iter() {
            signer.sign(&mut request, signed)?;
        }
        Ok(request)
    }
}

fn no_stage(call: Call) -> EncodeError {
    EncodeError::NoStage(call.key())
}

/// What it reads. Total: any bytes give an answer.
impl Connector {
    /// The values of the whole reply to the call before a ping; nothing when it failed.
    #[must_use]
    pub fn read_pre_ping(&self, reply: &RawReply<'_>) -> Option<Handles> {
        Some(self.stages.pre_ping.as_ref()?.reply.read(reply)?.values)
    }

    /// The whole reply to a ping.
    #[must_use]
    pub fn read_ping(&self, reply: &RawReply<'_>) -> PingAnswer {
        self.read_ping_of(reply, None)
    }

    /// The same; `echo` is the ping id that must come back where the dialect says so.
    pub(crate) fn read_ping_of(&self, reply: &RawReply<'_>, echo: Option<&str>) -> PingAnswer {
        match &self.stages.ping {
            Some(ping) => ping.reply.read(reply, echo),
            None => PingAnswer::NoBid(NoBid::BadReply("ping".to_owned())),
        }
    }

    /// The values of the whole reply to the call before a post; nothing when it failed.
    #[must_use]
    pub fn read_pre_post(&self, reply: &RawReply<'_>) -> Option<Handles> {
        Some(self.stages.pre_post.as_ref()?.reply.read(reply)?.values)
    }

    /// The whole reply to a post.
    #[must_use]
    pub fn read_post(&self, reply: &RawReply<'_>) -> PostAnswer {
        self.stages.post.reply.read(reply)
    }

    /// What became of an accepted post with the whole reply to the call after it. A failed call
    /// takes nothing back, unless it decides.
    #[must_use]
    pub fn read_confirm(&self, reply: &RawReply<'_>, accepted: Acceptance) -> PostAnswer {
        let Some(confirm) = &self.stages.confirm else { return PostAnswer::Accepted(accepted) };
        if confirm.decides {
            return match confirm.stage.reply.read(reply) {
                PostAnswer::Accepted(more) => PostAnswer::Accepted(merged(accepted, more)),
                other => other,
            };
        }
        if !(200..300).contains(&reply.status) {
            return PostAnswer::Accepted(accepted);
        }
        let more = confirm.stage.reply.details(reply);
        PostAnswer::Accepted(merged(accepted, more))
    }

    /// The whole reply to a question about a post.
    #[must_use]
    pub fn read_ask(&self, how: Resolver, reply: &RawReply<'_>) -> PostAnswer {
        match self.asking(how) {
            Some(stage) => stage.reply.read(reply),
            None => PostAnswer::Unknown(Unknown::Unreadable),
        }
    }

    /// A buyer's call to our callback address.
    #[must_use]
    pub fn read_callback(&self, call: &CallbackCall<'_>) -> PostAnswer {
        match &self.stages.callback {
            Some(callback) => callback.reply.read_callback(call),
            None => PostAnswer::Unknown(Unknown::Unreadable),
        }
    }

    /// How the reply to a ping is read, rule by rule.
    #[must_use]
    pub fn explain_ping(&self, reply: &RawReply<'_>) -> Option<Explained> {
        Some(self.stages.ping.as_ref()?.reply.explain(reply, None))
    }

    /// How the reply to a post is read, rule by rule.
    #[must_use]
    pub fn explain_post(&self, reply: &RawReply<'_>) -> Explained {
        self.stages.post.reply.explain(reply)
    }

    /// How the reply to a question about a post is read, rule by rule.
    #[must_use]
    pub fn explain_ask(&self, how: Resolver, reply: &RawReply<'_>) -> Option<Explained> {
        Some(self.asking(how)?.reply.explain(reply))
    }
}

/// What the later word adds. The price of a post is the post's, unless it named none.
fn merged(accepted: Acceptance, more: Acceptance) -> Acceptance {
    let mut handles = accepted.handles;
    handles.0.extend(more.handles.0);
    let price = accepted.price.or(more.price);
    Acceptance {
        price,
        no_price: accepted.no_price.or(more.no_price).filter(|_| price.is_none()),
        buyer_ref: more.buyer_ref.or(accepted.buyer_ref),
        redirect_url: more.redirect_url.or(accepted.redirect_url),
        handles,
        legs: if more.legs.is_empty() { accepted.legs } else { more.legs },
    }
}
