//! One question to a buyer about a post without an answer, as seldom as is polite.

use std::sync::Arc;

use buyer_connectors::{AskJob, PostJob};
use exchange_core::record::OpenAttempt;
use exchange_model::outcome::{Handles, PostAnswer, Resolver};
use exchange_model::reason::NotSent;
use exchange_model::{PingId, PostPermit, SourceId};
use exchange_store::{LeadParts, StoreError};
use tokio::sync::{OnceCell, Semaphore};

use crate::callbacks::About;
use crate::calls::Caller;
use crate::exchange::Engine;
use crate::intake::day_of;
use crate::snapshot::Snapshot;

/// Questions at a time, over all buyers: a restart with much open must not flood anybody.
static QUESTIONS: Semaphore = Semaphore::const_new(16);

/// What came of a question.
#[derive(Debug)]
pub(super) enum Asked {
    /// The buyer's answer; `NotSent` when it could not be asked.
    Answer(PostAnswer),
    /// The outcome is known by now: there is nothing to ask.
    Over,
}

impl Asked {
    const UNASKED: Self = Self::Answer(PostAnswer::NotSent(NotSent::Unrendered));
}

/// Everything that questions about one post are filled with.
pub(super) struct Question {
    engine: Arc<Engine>,
    /// The config that the post was made by.
    began: Arc<Snapshot>,
    open: OpenAttempt,
    /// Whose lead it is, once it was looked up.
    source: OnceCell<Option<SourceId>>,
}

impl Question {
    pub(super) fn new(engine: &Arc<Engine>, began: &Arc<Snapshot>, open: &OpenAttempt) -> Self {
        Self {
            engine: Arc::clone(engine),
            began: Arc::clone(began),
            open: open.clone(),
            source: OnceCell::new(),
        }
    }

    /// Asks. Whether the outcome is still open is looked up first: what is sold must not be
    /// cancelled.
    pub(super) async fn ask(&self, how: Resolver, handles: Handles) -> Asked {
        let attempt = self.open.intent.attempt;
        let Ok(_turn) = QUESTIONS.acquire().await else { return Asked::UNASKED };
        match self.is_open().await {
            Ok(true) => {}
            Ok(false) => return Asked::Over,
            Err(error) => {
                tracing::warn!(%attempt, code = error.code(), "an open attempt cannot be read");
                return Asked::UNASKED;
            }
        }
        let config = self.engine.config_knowing(&self.open.intent.campaign, &self.began);
        let Some(caller) = Caller::new(&self.engine, &config, &self.open.intent.campaign) else {
            return Asked::UNASKED;
        };
        if how == Resolver::Repost {
            return self.post_again(caller).await;
        }
        let timeout = caller.connector.post_timeout();
        let job = self.ask_job(&caller, handles).await;
        Asked::Answer(caller.ask(how, job, timeout).await)
    }

    async fn is_open(&self) -> Result<bool, StoreError> {
        let record = self.engine.store().attempt(self.open.intent.attempt).await?;
        Ok(record.is_some_and(|record| record.state.is_open()))
    }

    async fn ask_job(&self, caller: &Caller, handles: Handles) -> AskJob {
        let intent = &self.open.intent;
        AskJob {
            lead: intent.attempt.lead(),
            ping_id: self.ping_id(caller),
            source_alias: self.alias(caller.config()).await.unwrap_or_default(),
            token: intent.token.clone(),
            price: intent.price,
            idempotency_key: intent.request_key.to_string(),
            handles,
            now: self.engine.now(),
        }
    }

    /// Sends the post again, by a permit of the store's.
    async fn post_again(&self, caller: Caller) -> Asked {
        let attempt = self.open.intent.attempt;
        match self.engine.store().reopen(attempt).await {
            Ok(Some((parts, permit))) => self.post_parts(caller, &parts, permit).await,
            // Erased: it cannot be posted any more, and may be asked for in other ways.
            Ok(None) => Asked::UNASKED,
            Err(error) => {
                tracing::warn!(%attempt, code = error.code(), "an open attempt cannot be read");
                Asked::UNASKED
            }
        }
    }

    async fn post_parts(&self, caller: Caller, parts: &LeadParts, permit: PostPermit) -> Asked {
        let Some(job) = self.post_job(&caller, parts).await else {
            let attempt = self.open.intent.attempt;
            tracing::warn!(%attempt, "an open attempt cannot be posted again by this config");
            return Asked::UNASKED;
        };
        let timeout = caller.connector.post_timeout();
        Asked::Answer(caller.post(job, permit, timeout).await)
    }

    async fn post_job(&self, caller: &Caller, parts: &LeadParts) -> Option<PostJob> {
        let vertical = caller.config().verticals.get(&parts.vertical)?;
        let today = day_of(parts.received_at);
        let lead = parts.restore(vertical, today).ok()?;
        let intent = &self.open.intent;
        Some(PostJob {
            lead: Arc::new(lead),
            today,
            ping_id: self.ping_id(caller),
            source_alias: self.alias(caller.config()).await?,
            token: intent.token.clone(),
            price: intent.price,
            floor: Some(intent.on_price.least_price()),
            idempotency_key: intent.request_key.to_string(),
            callback_url: self.engine.callback_url(&caller.connector, About::Post(intent.attempt)),
            now: self.engine.now(),
        })
    }

    fn ping_id(&self, caller: &Caller) -> Option<String> {
        let ping = PingId::from_bytes(self.open.intent.attempt.lead().to_bytes());
        caller.connector.has_ping().then(|| ping.to_string())
    }

    /// What the buyer may know of where the lead comes from.
    async fn alias(&self, config: &Snapshot) -> Option<String> {
        let source = self.source.get_or_try_init(|| self.look_up()).await.ok()?.as_ref()?;
        Some(config.routing.source(source)?.alias.clone())
    }

    async fn look_up(&self) -> Result<Option<SourceId>, StoreError> {
        let view = self.engine.store().lead_view(self.open.intent.attempt.lead()).await?;
        Ok(view.map(|view| view.source))
    }
}
