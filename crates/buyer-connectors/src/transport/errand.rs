//! What is done with a buyer: the calls of one delivery, in their order, and what their endings
//! mean.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use exchange_model::PostPermit;
use exchange_model::outcome::{Handles, PingAnswer, PostAnswer, Resolver};
use exchange_model::reason::{NoBid, NotSent, RejectClass, Rejection, Unknown};
use http::HeaderMap;

use super::exchange::{Attempt, Ending, Progress};
use crate::connector::Connector;
use crate::job::{AskJob, Moment, PingJob, PostJob};
use crate::reply::RawReply;
use crate::request::{EncodeError, Request};

/// Something to be done with a buyer, within one deadline.
pub(super) trait Errand: Send + Sync + 'static {
    /// What it answers.
    type Answer: Send + 'static;

    /// Does it.
    fn run(
        &self,
        attempt: &Attempt,
        progress: &mut Progress,
    ) -> impl Future<Output = Self::Answer> + Send;

    /// The answer when it was cut off at its deadline.
    fn cut(&self, progress: &Progress) -> Self::Answer;

    /// The answer when nothing has left.
    fn not_sent(why: NotSent) -> Self::Answer;

    /// The answer when its task has died.
    fn lost() -> Self::Answer;
}

/// The moment, without values of earlier stages.
fn moment<'a>(attempt: &Attempt, progress: &Progress) -> Moment<'a> {
    let elapsed = progress.elapsed();
    let time_left = attempt.timeout.saturating_sub(elapsed);
    Moment { pre: Handles::none(), auth: Handles::none(), elapsed, time_left }
}

fn unwritten(connector: &Connector, error: &EncodeError) -> NotSent {
    let campaign = connector.campaign();
    tracing::warn!(%campaign, code = error.code(), "a request cannot be written");
    error.not_sent()
}

/// A ping.
pub(super) struct Ping {
    pub(super) connector: Arc<Connector>,
    pub(super) job: PingJob,
}

impl Errand for Ping {
    type Answer = PingAnswer;

    async fn run(&self, attempt: &Attempt, progress: &mut Progress) -> PingAnswer {
        let connector = &self.connector;
        let context = self.job.context(moment(attempt, progress));
        let request = match connector.encode_ping(&self.job.view(), &context) {
            Ok(request) => request,
            Err(error) => return Self::not_sent(unwritten(connector, &error)),
        };
        let ending = attempt.exchange(&request, progress).await;
        ping_answer(connector, ending, request.echo.as_deref())
    }

    fn cut(&self, _progress: &Progress) -> PingAnswer {
        PingAnswer::NoBid(NoBid::Timeout)
    }

    fn not_sent(why: NotSent) -> PingAnswer {
        PingAnswer::NoBid(match why {
            NotSent::Saturated => NoBid::Saturated,
            other => NoBid::ConnectError(other),
        })
    }

    fn lost() -> PingAnswer {
        PingAnswer::NoBid(NoBid::Timeout)
    }
}

fn ping_answer(connector: &Connector, ending: Ending, echo: Option<&str>) -> PingAnswer {
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

/// A post, by its permit.
pub(super) struct Post {
    pub(super) connector: Arc<Connector>,
    pub(super) job: PostJob,
    pub(super) permit: PostPermit,
}

impl Errand for Post {
    type Answer = PostAnswer;

    async fn run(&self, attempt: &Attempt, progress: &mut Progress) -> PostAnswer {
        let connector = &self.connector;
        let context = self.job.context(moment(attempt, progress));
        let request = match connector.encode_post(&self.job.lead, &self.permit, &context) {
            Ok(request) => request,
            Err(error) => return Self::not_sent(unwritten(connector, &error)),
        };
        let ending = attempt.exchange(&request, progress).await;
        post_answer(ending, |reply| connector.read_post(reply))
    }

    fn cut(&self, progress: &Progress) -> PostAnswer {
        post_answer(Attempt::cut(progress), |_| PostAnswer::Unknown(Unknown::Timeout))
    }

    fn not_sent(why: NotSent) -> PostAnswer {
        PostAnswer::NotSent(why)
    }

    fn lost() -> PostAnswer {
        PostAnswer::Unknown(Unknown::Crash)
    }
}

fn post_answer(ending: Ending, read: impl FnOnce(&RawReply<'_>) -> PostAnswer) -> PostAnswer {
    match ending {
        Ending::Reply { status, .. } | Ending::Truncated { status }
            if (300..400).contains(&status) =>
        {
            redirected()
        }
        Ending::Reply { encoded: true, .. } => PostAnswer::Unknown(Unknown::Unreadable),
        Ending::Reply { status, headers, body, .. } => {
            read(&RawReply { status, headers: &headers, body: &body })
        }
        Ending::NotSent(why) => PostAnswer::NotSent(why),
        Ending::Reset => PostAnswer::Unknown(Unknown::Reset),
        Ending::Truncated { .. } => PostAnswer::Unknown(Unknown::Truncated),
        Ending::TimedOut => PostAnswer::Unknown(Unknown::Timeout),
        Ending::NoTimeLeft => PostAnswer::NotSent(NotSent::NoTimeLeft),
    }
}

/// A redirect is never followed: it would carry the lead to a host nobody has named.
fn redirected() -> PostAnswer {
    PostAnswer::Rejected(Rejection::new(RejectClass::Other, Some("redirect".to_owned())))
}

/// A question about a post.
pub(super) struct Ask {
    pub(super) connector: Arc<Connector>,
    pub(super) how: Resolver,
    pub(super) job: AskJob,
}

impl Errand for Ask {
    type Answer = PostAnswer;

    async fn run(&self, attempt: &Attempt, progress: &mut Progress) -> PostAnswer {
        let connector = &self.connector;
        let context = self.job.context(moment(attempt, progress));
        let request = match connector.encode_ask(self.how, &context) {
            Ok(request) => request,
            Err(error) => return Self::not_sent(unwritten(connector, &error)),
        };
        match attempt.exchange(&request, progress).await {
            // A redirected question tells nothing about the post.
            Ending::Reply { status, .. } | Ending::Truncated { status }
                if (300..400).contains(&status) =>
            {
                PostAnswer::Unknown(Unknown::Unreadable)
            }
            ending => post_answer(ending, |reply| connector.read_ask(self.how, reply)),
        }
    }

    fn cut(&self, progress: &Progress) -> PostAnswer {
        post_answer(Attempt::cut(progress), |_| PostAnswer::Unknown(Unknown::Timeout))
    }

    fn not_sent(why: NotSent) -> PostAnswer {
        PostAnswer::NotSent(why)
    }

    fn lost() -> PostAnswer {
        PostAnswer::Unknown(Unknown::Crash)
    }
}

/// A reply that nobody has read yet.
#[derive(Clone, Eq, PartialEq)]
pub struct Received {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, whole.
    pub body: Bytes,
}

impl Received {
    /// The same, for a reader.
    #[must_use]
    pub fn raw(&self) -> RawReply<'_> {
        RawReply { status: self.status, headers: &self.headers, body: &self.body }
    }
}

/// Status and size; a body may repeat the lead.
impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.raw().fmt(f)
    }
}

/// Why a request has no reply that can be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SendFailed {
    /// It did not leave.
    #[error("not sent: {0}")]
    NotSent(NotSent),
    /// The connection broke before the reply's head.
    #[error("the connection broke before a reply")]
    Reset,
    /// The reply was cut off or too long.
    #[error("the reply was cut off, or is longer than is read")]
    Truncated,
    /// The reply is compressed although that was not asked for.
    #[error("the reply is compressed")]
    Compressed,
    /// The time was up.
    #[error("no reply in time")]
    TimedOut,
}

/// One request as it is.
pub(super) struct Raw {
    pub(super) request: Request,
}

impl Errand for Raw {
    type Answer = Result<Received, SendFailed>;

    async fn run(&self, attempt: &Attempt, progress: &mut Progress) -> Self::Answer {
        received(attempt.exchange(&self.request, progress).await)
    }

    fn cut(&self, progress: &Progress) -> Self::Answer {
        received(Attempt::cut(progress))
    }

    fn not_sent(why: NotSent) -> Self::Answer {
        Err(SendFailed::NotSent(why))
    }

    fn lost() -> Self::Answer {
        Err(SendFailed::TimedOut)
    }
}

fn received(ending: Ending) -> Result<Received, SendFailed> {
    match ending {
        Ending::Reply { encoded: true, .. } => Err(SendFailed::Compressed),
        Ending::Reply { status, headers, body, .. } => Ok(Received { status, headers, body }),
        Ending::NotSent(why) => Err(SendFailed::NotSent(why)),
        Ending::Reset => Err(SendFailed::Reset),
        Ending::Truncated { .. } => Err(SendFailed::Truncated),
        Ending::TimedOut => Err(SendFailed::TimedOut),
        Ending::NoTimeLeft => Err(SendFailed::NotSent(NotSent::NoTimeLeft)),
    }
}
