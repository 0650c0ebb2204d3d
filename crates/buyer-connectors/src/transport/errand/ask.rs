//! A question about a post.

use std::sync::Arc;

use exchange_model::outcome::{PostAnswer, Resolver};
use exchange_model::reason::{NotSent, Unknown};

use super::post::unread;
use super::{Before, Errand, unwritten};
use crate::connector::Connector;
use crate::job::AskJob;
use crate::reply::RawReply;
use crate::transport::exchange::{Attempt, Ending, Progress};

/// `status` or `void`.
pub(in crate::transport) struct Ask {
    pub(in crate::transport) connector: Arc<Connector>,
    pub(in crate::transport) how: Resolver,
    pub(in crate::transport) job: AskJob,
}

impl Ask {
    async fn sent(
        &self,
        attempt: &Attempt,
        progress: &mut Progress,
    ) -> Result<PostAnswer, NotSent> {
        let connector = &self.connector;
        let before = Before::with_token(attempt, self.job.now).await?;
        let context = self.job.context(before.moment(attempt, progress));
        let request = connector
            .encode_ask(self.how, &context)
            .map_err(|error| unwritten(connector, &error))?;
        // To ask twice what became of it is harmless; to cancel twice need not be.
        let repeats = self.how == Resolver::Status;
        let ending = attempt.decide(&request, repeats, progress).await;
        if progress.status == Some(401) {
            before.refused(attempt);
        }
        Ok(match ending {
            Ending::Reply { status, headers, body, encoded: false } => {
                let reply = RawReply { status, headers: &headers, body: &body };
                connector.read_ask(self.how, &reply)
            }
            ending => unread(ending),
        })
    }
}

/// A buyer that is left alone is asked all the same: a lead hangs on it.
impl Errand for Ask {
    type Answer = PostAnswer;
    const SPARED: bool = false;

    async fn run(&self, attempt: &Attempt, progress: &mut Progress) -> PostAnswer {
        self.sent(attempt, progress).await.unwrap_or_else(PostAnswer::NotSent)
    }

    fn cut(&self, progress: &mut Progress) -> PostAnswer {
        unread(Attempt::cut(progress))
    }

    fn not_sent(why: NotSent) -> PostAnswer {
        PostAnswer::NotSent(why)
    }

    fn lost() -> PostAnswer {
        PostAnswer::Unknown(Unknown::Crash)
    }
}
