//! What is done with a buyer: the calls of one delivery, in their order, and what their endings
//! mean.

use std::sync::Arc;
use std::time::Duration;

use exchange_model::outcome::Handles;
use exchange_model::reason::NotSent;

use super::breaker::{Health, Turn};
use super::exchange::{Attempt, Ending, Progress};
use super::latencies::Latencies;
use crate::connector::Connector;
use crate::job::Moment;
use crate::reply::RawReply;
use crate::request::EncodeError;

mod ask;
mod guard;
mod ping;
mod post;
mod raw;

pub(super) use ask::Ask;
pub(super) use ping::Ping;
pub(super) use post::Post;
pub(super) use raw::Raw;
pub(super) use raw::received;
pub use raw::{Received, SendFailed};

/// Something to be done with a buyer, within one deadline.
pub(super) trait Errand: Send + Sync + 'static {
    /// What it answers.
    type Answer: Send + 'static;

    /// Whether a buyer that is left alone is spared it too.
    const SPARED: bool;

    /// Whose turn it must be where a buyer gets a share of pings only; nothing for what is not
    /// counted out.
    fn turn(&self) -> Option<Turn> {
        None
    }

    /// What its end teaches about the buyer's speed.
    fn learn(&self, _answer: &Self::Answer, _took: Duration, _latencies: &Latencies) {}

    /// Does it.
    fn run(
        &self,
        attempt: &Attempt,
        progress: &mut Progress,
    ) -> impl Future<Output = Self::Answer> + Send;

    /// The answer when it was cut off at its deadline.
    fn cut(&self, progress: &mut Progress) -> Self::Answer;

    /// The answer when nothing has left.
    fn not_sent(why: NotSent) -> Self::Answer;

    /// The answer when its task has died.
    fn lost() -> Self::Answer;

    /// What the answer says about the buyer, beyond how its last call ended.
    fn health(&self, _answer: &Self::Answer, progress: &Progress) -> Health {
        progress.health
    }
}

/// The values that earlier stages have left.
#[derive(Default)]
struct Before {
    pre: Handles,
    auth: Option<Arc<Handles>>,
}

impl Before {
    /// With the token, where the connector has one. An error: none can be had.
    async fn with_token(
        attempt: &Attempt,
        now: exchange_model::Timestamp,
    ) -> Result<Self, NotSent> {
        let auth = match &attempt.token {
            None => None,
            Some(source) => Some(source.handles(now).await.ok_or(NotSent::Token)?),
        };
        Ok(Self { pre: Handles::default(), auth })
    }

    fn moment<'a>(&'a self, attempt: &Attempt, progress: &Progress) -> Moment<'a> {
        let elapsed = progress.elapsed();
        let auth = match &self.auth {
            Some(auth) => auth,
            None => Handles::none(),
        };
        Moment { pre: &self.pre, auth, elapsed, time_left: attempt.timeout.saturating_sub(elapsed) }
    }

    /// The values of a pre-call; nothing when it failed.
    fn fetched(
        &self,
        attempt: &Attempt,
        ending: Ending,
        read: impl FnOnce(&RawReply<'_>) -> Option<Handles>,
    ) -> Option<Handles> {
        let Ending::Reply { status, headers, body, encoded: false } = ending else { return None };
        if status == 401 {
            self.refused(attempt);
        }
        read(&RawReply { status, headers: &headers, body: &body })
    }

    /// A token that the buyer refuses is dropped; the next delivery fetches another.
    fn refused(&self, attempt: &Attempt) {
        if let (Some(source), Some(token)) = (&attempt.token, &self.auth) {
            source.forget(token);
        }
    }
}

fn unwritten(connector: &Connector, error: &EncodeError) -> NotSent {
    let campaign = connector.campaign();
    tracing::warn!(%campaign, code = error.code(), "a request cannot be written");
    error.not_sent()
}
