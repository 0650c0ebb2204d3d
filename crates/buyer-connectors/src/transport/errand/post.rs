//! A post by its permit, the call before it and the call after it.

use std::sync::Arc;
use std::time::Duration;

use exchange_model::PostPermit;
use exchange_model::outcome::{Acceptance, PostAnswer};
use exchange_model::reason::{NotSent, RejectClass, Rejection, Unknown};

use super::guard::Guard;
use super::{Before, Errand, unwritten};
use crate::call::Call;
use crate::connector::Connector;
use crate::job::{AskJob, PostJob};
use crate::reply::RawReply;
use crate::transport::breaker::Health;
use crate::transport::exchange::{Attempt, Ending, Progress};

/// A post.
pub(in crate::transport) struct Post {
    pub(in crate::transport) connector: Arc<Connector>,
    pub(in crate::transport) job: PostJob,
    pub(in crate::transport) permit: PostPermit,
}

impl Post {
    fn guard<'a>(&'a self, attempt: &'a Attempt) -> Guard<'a> {
        Guard { attempt, connector: &self.connector, lead: &self.job.lead }
    }

    async fn pre(
        &self,
        attempt: &Attempt,
        progress: &mut Progress,
        before: &mut Before,
    ) -> Result<(), NotSent> {
        let (connector, job) = (&self.connector, &self.job);
        let Some(stage) = &connector.stages.pre_post else { return Ok(()) };
        let at = before.moment(attempt, progress);
        let (limit, context) = (stage.plan.timeout.min(at.time_left), job.context(at));
        let request = connector
            .encode_pre_post(&job.lead, &context)
            .map_err(|error| unwritten(connector, &error))?;
        self.guard(attempt).pass(Call::PrePost, stage, &request)?;
        let ending = attempt.aside(&request, false, limit, progress).await;
        let read = |reply: &RawReply<'_>| connector.read_pre_post(reply);
        before.pre = before.fetched(attempt, ending, read).ok_or(NotSent::PreCall)?;
        Ok(())
    }

    async fn sent(
        &self,
        attempt: &Attempt,
        progress: &mut Progress,
    ) -> Result<PostAnswer, NotSent> {
        let (connector, job) = (&self.connector, &self.job);
        let mut before = Before::with_token(attempt, job.now).await?;
        self.pre(attempt, progress, &mut before).await?;
        let context = job.context(before.moment(attempt, progress));
        let request = connector
            .encode_post(&job.lead, &self.permit, &context)
            .map_err(|error| unwritten(connector, &error))?;
        let ending = attempt.decide(&request, false, progress).await;
        if progress.status == Some(401) {
            before.refused(attempt);
        }
        let answer = answer(connector, ending);
        match answer {
            PostAnswer::Accepted(accepted) => {
                Ok(self.confirmed(attempt, progress, &before, accepted).await)
            }
            answer => Ok(answer),
        }
    }

    /// The buyer has the lead: nothing that fails from here on takes that back.
    async fn confirmed(
        &self,
        attempt: &Attempt,
        progress: &mut Progress,
        before: &Before,
        accepted: Acceptance,
    ) -> PostAnswer {
        let Some(confirm) = &self.connector.stages.confirm else {
            return PostAnswer::Accepted(accepted);
        };
        let unconfirmed = |accepted: Acceptance| match confirm.decides {
            true => PostAnswer::Unknown(Unknown::Unreadable),
            false => PostAnswer::Accepted(accepted),
        };
        progress.standing = Some(unconfirmed(accepted.clone()));
        let (connector, ask) = (&self.connector, self.question(&accepted));
        let at = before.moment(attempt, progress);
        let limit = confirm.stage.plan.timeout.min(time_for_confirm(attempt.timeout, at.elapsed));
        let request = match connector.encode_confirm(&ask.context(at)) {
            Ok(request) => request,
            Err(error) => {
                unwritten(connector, &error);
                return unconfirmed(accepted);
            }
        };
        let stage = &confirm.stage;
        if self.guard(attempt).pass(Call::Confirm, stage, &request).is_err() {
            return unconfirmed(accepted);
        }
        match attempt.aside(&request, false, limit, progress).await {
            Ending::Reply { status, headers, body, encoded: false } => {
                let reply = RawReply { status, headers: &headers, body: &body };
                connector.read_confirm(&reply, accepted)
            }
            ending => {
                tracing::warn!(campaign = %connector.campaign(), ?ending, "confirm failed");
                unconfirmed(accepted)
            }
        }
    }

    fn question(&self, accepted: &Acceptance) -> AskJob {
        let job = &self.job;
        AskJob {
            lead: job.lead.id(),
            ping_id: job.ping_id.clone(),
            source_alias: job.source_alias.clone(),
            token: job.token.clone(),
            price: job.price,
            idempotency_key: job.idempotency_key.clone(),
            handles: accepted.handles.clone(),
            now: job.now,
        }
    }
}

/// What is left of the delivery, less a little for the answer to arrive; an acceptance that came
/// late has the rest of the drain.
fn time_for_confirm(timeout: Duration, elapsed: Duration) -> Duration {
    let until = if elapsed < timeout { timeout } else { timeout.saturating_mul(2) };
    until.saturating_sub(elapsed).saturating_mul(9).checked_div(10).unwrap_or_default()
}

impl Errand for Post {
    type Answer = PostAnswer;
    const SPARED: bool = true;

    async fn run(&self, attempt: &Attempt, progress: &mut Progress) -> PostAnswer {
        if self.permit.campaign() != self.connector.campaign() {
            return PostAnswer::NotSent(NotSent::Unrendered);
        }
        self.sent(attempt, progress).await.unwrap_or_else(PostAnswer::NotSent)
    }

    fn cut(&self, progress: &mut Progress) -> PostAnswer {
        progress.standing.take().unwrap_or_else(|| unread(Attempt::cut(progress)))
    }

    fn not_sent(why: NotSent) -> PostAnswer {
        PostAnswer::NotSent(why)
    }

    fn lost() -> PostAnswer {
        PostAnswer::Unknown(Unknown::Crash)
    }

    fn health(&self, answer: &PostAnswer, progress: &Progress) -> Health {
        match answer {
            PostAnswer::Accepted(_) | PostAnswer::Rejected(_) | PostAnswer::Pending(_) => {
                Health::Good
            }
            PostAnswer::Unknown(Unknown::Http5xx) => Health::Bad,
            PostAnswer::Unknown(_) | PostAnswer::NotSent(_) => progress.health,
        }
    }
}

fn answer(connector: &Connector, ending: Ending) -> PostAnswer {
    match ending {
        Ending::Reply { status, headers, body, encoded: false } => {
            connector.read_post(&RawReply { status, headers: &headers, body: &body })
        }
        // A redirect is never followed: whoever sends one does not have the lead.
        Ending::Reply { status, .. } | Ending::Truncated { status }
            if (300..400).contains(&status) && !connector.stages.post.reply.reads_redirects() =>
        {
            let text = Some("redirect".to_owned());
            PostAnswer::Rejected(Rejection::new(RejectClass::Other, text))
        }
        ending => unread(ending),
    }
}

/// What an exchange means whose reply nobody can read.
pub(super) fn unread(ending: Ending) -> PostAnswer {
    match ending {
        Ending::Reply { .. } => PostAnswer::Unknown(Unknown::Unreadable),
        Ending::NotSent(why) => PostAnswer::NotSent(why),
        Ending::Reset => PostAnswer::Unknown(Unknown::Reset),
        Ending::Truncated { .. } => PostAnswer::Unknown(Unknown::Truncated),
        Ending::TimedOut => PostAnswer::Unknown(Unknown::Timeout),
        Ending::NoTimeLeft => PostAnswer::NotSent(NotSent::NoTimeLeft),
    }
}
