//! A ping, and the call before it.

use std::sync::Arc;
use std::time::Duration;

use exchange_model::outcome::PingAnswer;
use exchange_model::reason::{NoBid, NotSent};

use super::guard::Guard;
use super::{Before, Errand, unwritten};
use crate::call::Call;
use crate::connector::Connector;
use crate::job::PingJob;
use crate::reply::RawReply;
use crate::request::Request;
use crate::transport::breaker::{Health, Turn};
use crate::transport::exchange::{Attempt, Ending, Progress};
use crate::transport::latencies::Latencies;

/// A ping.
pub(in crate::transport) struct Ping {
    pub(in crate::transport) connector: Arc<Connector>,
    pub(in crate::transport) job: PingJob,
    /// What the auction waits.
    pub(in crate::transport) timeout: Duration,
}

impl Ping {
    fn guard<'a>(&'a self, attempt: &'a Attempt) -> Guard<'a> {
        Guard { attempt, connector: &self.connector, lead: &self.job.lead }
    }

    async fn pre(
        &self,
        attempt: &Attempt,
        progress: &mut Progress,
        before: &mut Before,
    ) -> Result<(), NotSent> {
        let connector = &self.connector;
        let Some(stage) = &connector.stages.pre_ping else { return Ok(()) };
        let at = before.moment(attempt, progress);
        let (limit, context) = (stage.plan.timeout.min(at.time_left), self.job.context(at));
        let request = connector
            .encode_pre_ping(&self.job.view(), &context)
            .map_err(|error| unwritten(connector, &error))?;
        self.guard(attempt).pass(Call::PrePing, stage, &request)?;
        let ending = attempt.aside(&request, true, limit, progress).await;
        let read = |reply: &RawReply<'_>| connector.read_pre_ping(reply);
        before.pre = before.fetched(attempt, ending, read).ok_or(NotSent::PreCall)?;
        Ok(())
    }

    fn request(
        &self,
        attempt: &Attempt,
        progress: &Progress,
        before: &Before,
    ) -> Result<Request, NotSent> {
        let (connector, job) = (&self.connector, &self.job);
        let context = job.context(before.moment(attempt, progress));
        let request = connector
            .encode_ping(&job.view(), &context)
            .map_err(|error| unwritten(connector, &error))?;
        if let Some(stage) = &connector.stages.ping {
            self.guard(attempt).pass(Call::Ping, stage, &request)?;
        }
        Ok(request)
    }

    async fn sent(
        &self,
        attempt: &Attempt,
        progress: &mut Progress,
    ) -> Result<PingAnswer, NotSent> {
        let mut before = Before::with_token(attempt, self.job.now).await?;
        self.pre(attempt, progress, &mut before).await?;
        let request = self.request(attempt, progress, &before)?;
        let ending = attempt.decide(&request, true, progress).await;
        if progress.status == Some(401) {
            before.refused(attempt);
        }
        Ok(answer(&self.connector, ending, request.echo.as_deref()))
    }
}

impl Errand for Ping {
    type Answer = PingAnswer;
    const SPARED: bool = true;

    fn turn(&self) -> Option<Turn> {
        Some(Turn::of(self.job.lead.id(), self.connector.buyer()))
    }

    /// Answers of every kind tell how fast the buyer is; a buyer that fails may do so quickly.
    fn learn(&self, answer: &PingAnswer, took: Duration, latencies: &Latencies) {
        let answered = match answer {
            PingAnswer::Bid { .. } | PingAnswer::Available { .. } => true,
            PingAnswer::NoBid(NoBid::Declined(_)) => true,
            PingAnswer::NoBid(NoBid::Timeout) => false,
            PingAnswer::NoBid(_) => return,
        };
        latencies.record(&self.connector, took, answered);
    }

    async fn run(&self, attempt: &Attempt, progress: &mut Progress) -> PingAnswer {
        self.sent(attempt, progress).await.unwrap_or_else(Self::not_sent)
    }

    fn cut(&self, _progress: &mut Progress) -> PingAnswer {
        PingAnswer::NoBid(NoBid::Timeout)
    }

    fn not_sent(why: NotSent) -> PingAnswer {
        PingAnswer::NoBid(match why {
            NotSent::Saturated => NoBid::Saturated,
            NotSent::NoTimeLeft => NoBid::Timeout,
            other => NoBid::ConnectError(other),
        })
    }

    fn lost() -> PingAnswer {
        PingAnswer::NoBid(NoBid::Timeout)
    }

    /// No answer in time is the buyer's fault, unless we gave it less than half of its time.
    fn health(&self, answer: &PingAnswer, progress: &Progress) -> Health {
        let own = self.connector.ping_timeout().unwrap_or_default();
        match answer {
            PingAnswer::Bid { .. } | PingAnswer::Available { .. } => Health::Good,
            PingAnswer::NoBid(NoBid::Declined(_)) => Health::Good,
            PingAnswer::NoBid(NoBid::BuyerFailed) => Health::Bad,
            PingAnswer::NoBid(NoBid::Timeout) if self.timeout.saturating_mul(2) < own => {
                Health::Unsaid
            }
            PingAnswer::NoBid(NoBid::Timeout) => Health::Bad,
            PingAnswer::NoBid(_) => progress.health,
        }
    }
}

fn answer(connector: &Connector, ending: Ending, echo: Option<&str>) -> PingAnswer {
    let bad = |what: &str| NoBid::BadReply(what.to_owned());
    PingAnswer::NoBid(match ending {
        Ending::Reply { encoded: true, .. } => bad("content-encoding"),
        Ending::Reply { status, headers, body, .. } => {
            let reply = RawReply { status, headers: &headers, body: &body };
            return connector.read_ping_of(&reply, echo);
        }
        Ending::NotSent(why) => return Ping::not_sent(why),
        Ending::Reset => bad("reset"),
        Ending::Truncated { .. } => bad("truncated"),
        Ending::TimedOut | Ending::NoTimeLeft => NoBid::Timeout,
    })
}
