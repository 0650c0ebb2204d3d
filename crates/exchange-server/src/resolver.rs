//! Finds out what became of posts whose answers were lost, after their auctions have left them.
//!
//! Drives [`exchange_core::resolution::Resolution`]: the late answer is heard first, then the post
//! is sent again where its buyer allows it. At the start of the process it takes up what an earlier
//! one left open. It holds no decision, and it may be cut off at any moment: what is not settled
//! on disk is taken up again.

use std::sync::Arc;

use exchange_core::record::OpenAttempt;
use exchange_core::resolution::{Resolution, ResolutionCommand, ResolutionEvent};
use exchange_model::outcome::PostAnswer;
use exchange_model::reason::NotSent;
use exchange_model::{PingId, SourceId};
use exchange_store::{LeadParts, StoreError};
use tokio::sync::{Semaphore, mpsc};

use crate::auction_driver::{PostedOffer, Posting};
use crate::exchange::Engine;
use crate::intake::day_of;
use crate::metrics;

/// Late answers that may wait for one resolver; it needs only the first that is definite.
const ANSWERS_MAX: usize = 4;
/// Re-posts at a time, over all buyers: a restart with much open must not flood anybody.
static REPOSTS: Semaphore = Semaphore::const_new(16);

/// Takes up everything the store has open.
///
/// # Errors
/// [`StoreError`].
pub async fn take_up(engine: &Arc<Engine>) -> Result<usize, StoreError> {
    let open = engine.store().open_attempts().await?;
    let count = open.len();
    for attempt in open {
        drop(start(engine, attempt));
    }
    Ok(count)
}

/// Starts to resolve one attempt; late answers to its post go into what is returned.
#[must_use]
pub fn start(engine: &Arc<Engine>, open: OpenAttempt) -> mpsc::Sender<PostAnswer> {
    let (sender, answers) = mpsc::channel(ANSWERS_MAX);
    let worker = Resolver::new(Arc::clone(engine), open);
    engine.spawn_background(worker.run(answers));
    sender
}

struct Resolver {
    engine: Arc<Engine>,
    resolution: Resolution,
    open: OpenAttempt,
}

impl Resolver {
    fn new(engine: Arc<Engine>, open: OpenAttempt) -> Self {
        let connector = engine.config().connectors.get(&open.intent.campaign);
        let reposts = connector.is_some_and(|connector| connector.reposts());
        let resolution = Resolution::new(engine.now(), open.clone(), reposts);
        Self { engine, resolution, open }
    }

    async fn run(mut self, mut answers: mpsc::Receiver<PostAnswer>) {
        let gauge = metrics::unknown_posts(&self.open.intent.campaign.buyer());
        gauge.increment(1.0);
        let mut listening = true;
        loop {
            let event = match self.resolution.poll() {
                ResolutionCommand::Repost { .. } => match self.repost().await {
                    Some(answer) => ResolutionEvent::PostAnswer(answer),
                    None => break,
                },
                ResolutionCommand::Persist(commit) => {
                    match self.engine.store().commit(commit, None).await {
                        Ok(_done) => ResolutionEvent::Durable,
                        Err(error) => {
                            let attempt = self.open.intent.attempt;
                            tracing::error!(%attempt, code = error.code(), "a late truth cannot be stored");
                            break;
                        }
                    }
                }
                ResolutionCommand::Wait(until) => tokio::select! {
                    answer = answers.recv(), if listening => match answer {
                        Some(answer) => ResolutionEvent::PostAnswer(answer),
                        None => {
                            listening = false;
                            continue;
                        }
                    },
                    () = self.engine.clock().sleep_until(until) => ResolutionEvent::Timer,
                },
                ResolutionCommand::Done => break,
            };
            self.resolution.handle(self.engine.now(), event);
        }
        gauge.decrement(1.0);
    }

    /// Sends the post again. Nothing: its outcome is known by now, or its contact data is erased.
    async fn repost(&self) -> Option<PostAnswer> {
        let attempt = self.open.intent.attempt;
        let _turn = REPOSTS.acquire().await.ok()?;
        let again = match self.engine.store().reopen(attempt).await {
            Ok(Some(again)) => again,
            Ok(None) => return None,
            Err(error) => {
                tracing::warn!(%attempt, code = error.code(), "an open attempt cannot be read");
                return Some(PostAnswer::NotSent(NotSent::Unrendered));
            }
        };
        let (parts, permit) = again;
        let Some(posting) = self.posting(&parts).await else {
            tracing::warn!(%attempt, "an open attempt cannot be posted again by this config");
            return Some(PostAnswer::NotSent(NotSent::Unrendered));
        };
        let connector = self.engine.config().connectors.get(&self.open.intent.campaign)?;
        let timeout = connector.post_timeout();
        Some(posting.send(&self.engine, permit, timeout).await)
    }

    async fn posting(&self, parts: &LeadParts) -> Option<Posting> {
        let vertical = self.engine.config().verticals.get(&parts.vertical)?;
        let lead = parts.restore(vertical, day_of(parts.received_at)).ok()?;
        let source = self.source().await?;
        let intent = &self.open.intent;
        Some(Posting {
            campaign: intent.campaign.clone(),
            alias: self.engine.config().routing.source(&source)?.alias.clone(),
            ping_id: PingId::from_bytes(lead.id().to_bytes()).to_string(),
            lead: Arc::new(lead),
            offer: PostedOffer {
                key: intent.attempt.to_string(),
                token: intent.token.clone(),
                price: intent.price,
            },
            received_at: parts.received_at,
        })
    }

    async fn source(&self) -> Option<SourceId> {
        let view = self.engine.store().lead_view(self.open.intent.attempt.lead()).await.ok()??;
        Some(view.source)
    }
}
