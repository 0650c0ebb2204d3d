//! What the transport is given to do: everything that a call is written from, owned, so that it
//! runs in a task of its own and each stage is written when its turn comes.

use std::sync::Arc;
use std::time::Duration;

use exchange_model::outcome::{BidToken, Handles};
use exchange_model::timestamp::Date;
use exchange_model::{Lead, LeadId, Money, PingView, Timestamp};

use crate::after::AfterContext;
use crate::ping::PingContext;
use crate::post::PostContext;

/// A ping to be sent.
#[derive(Clone, Debug)]
pub struct PingJob {
    /// The lead; only what a ping may say of it is read.
    pub lead: Arc<Lead>,
    /// The day of intake, for anonymisers that count years.
    pub today: Date,
    /// Our handle of this ping.
    pub ping_id: String,
    /// What this buyer may know of where the lead comes from.
    pub source_alias: String,
    /// The least that this buyer may pay, where the campaign has a floor.
    pub floor: Option<Money>,
    /// Where this buyer may call us about the attempt.
    pub callback_url: Option<String>,
    /// When the job starts.
    pub now: Timestamp,
}

/// A post to be sent, once its permit is there.
#[derive(Clone, Debug)]
pub struct PostJob {
    /// The lead.
    pub lead: Arc<Lead>,
    /// The day of intake, for anonymisers that count years.
    pub today: Date,
    /// Our handle of the ping, where there was one.
    pub ping_id: Option<String>,
    /// What this buyer may know of where the lead comes from.
    pub source_alias: String,
    /// The buyer's handles of its bid.
    pub token: Option<BidToken>,
    /// What the buyer has bid, or its fixed price.
    pub price: Money,
    /// The least that this buyer may pay, where the campaign has a floor.
    pub floor: Option<Money>,
    /// The same on every re-post of one attempt.
    pub idempotency_key: String,
    /// Where this buyer may call us about the attempt.
    pub callback_url: Option<String>,
    /// When the job starts.
    pub now: Timestamp,
}

/// A question about a post: what became of it, or the wish to cancel it. It holds no lead.
#[derive(Clone, Debug)]
pub struct AskJob {
    /// Our id of the lead.
    pub lead: LeadId,
    /// Our handle of the ping, where there was one.
    pub ping_id: Option<String>,
    /// What this buyer may know of where the lead comes from.
    pub source_alias: String,
    /// The buyer's handles of its bid.
    pub token: Option<BidToken>,
    /// What the buyer has bid, or its fixed price.
    pub price: Money,
    /// The key of the post in question.
    pub idempotency_key: String,
    /// What the post's reply gave us to ask with.
    pub handles: Handles,
    /// When the job starts.
    pub now: Timestamp,
}

/// What stages before this one have left, and the time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment<'a> {
    /// Values of the pre-call.
    pub(crate) pre: &'a Handles,
    /// Values of the `token` stage.
    pub(crate) auth: &'a Handles,
    /// How long ago the job started.
    pub(crate) elapsed: Duration,
    /// What is left for the answer.
    pub(crate) time_left: Duration,
}

impl PingJob {
    /// What a ping may say of the lead.
    pub(crate) fn view(&self) -> PingView<'_> {
        PingView::new(&self.lead, self.today)
    }

    pub(crate) fn context<'a>(&'a self, at: Moment<'a>) -> PingContext<'a> {
        PingContext {
            ping_id: &self.ping_id,
            source_alias: &self.source_alias,
            now: self.now.after(at.elapsed),
            floor: self.floor,
            time_left: at.time_left,
            callback_url: self.callback_url.as_deref(),
            pre: at.pre,
            auth: at.auth,
        }
    }
}

impl PostJob {
    pub(crate) fn context<'a>(&'a self, at: Moment<'a>) -> PostContext<'a> {
        PostContext {
            ping_id: self.ping_id.as_deref(),
            token: self.token.as_ref(),
            price: self.price,
            source_alias: &self.source_alias,
            idempotency_key: &self.idempotency_key,
            floor: self.floor,
            callback_url: self.callback_url.as_deref(),
            now: self.now.after(at.elapsed),
            time_left: at.time_left,
            today: self.today,
            pre: at.pre,
            auth: at.auth,
        }
    }
}

impl AskJob {
    pub(crate) fn context<'a>(&'a self, at: Moment<'a>) -> AfterContext<'a> {
        AfterContext {
            lead: self.lead,
            ping_id: self.ping_id.as_deref(),
            token: self.token.as_ref(),
            price: self.price,
            source_alias: &self.source_alias,
            idempotency_key: &self.idempotency_key,
            handles: &self.handles,
            now: self.now.after(at.elapsed),
            auth: at.auth,
        }
    }
}
