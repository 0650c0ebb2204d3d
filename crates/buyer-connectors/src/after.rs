//! What the calls after a post are built from: what was said about the lead, never the lead.

use std::borrow::Cow;

use exchange_model::outcome::{BidToken, Handles};
use exchange_model::{LeadId, Money, Timestamp};

use crate::template::{Scalar, Source, Values};

/// What `confirm`, `status` and `void` may say.
#[derive(Clone, Copy, Debug)]
pub struct AfterContext<'a> {
    /// `{{ lead_id }}`.
    pub lead: LeadId,
    /// `{{ ping.id }}`: our handle of the ping, where there was one.
    pub ping_id: Option<&'a str>,
    /// `{{ ping.x }}`: the buyer's handles of its bid.
    pub token: Option<&'a BidToken>,
    /// `{{ price }}`: what the buyer has bid, or its fixed price.
    pub price: Money,
    /// `{{ source.alias }}`: what this buyer may know of where the lead comes from.
    pub source_alias: &'a str,
    /// `{{ idempotency_key }}`: the key of the post in question.
    pub idempotency_key: &'a str,
    /// `{{ post.x }}`: values of the post's reply.
    pub handles: &'a Handles,
    /// `{{ now }}`: when the call is made.
    pub now: Timestamp,
    /// `{{ token.x }}`: values of the `token` stage.
    pub auth: &'a Handles,
}

/// The values of one call after a post.
#[derive(Debug)]
pub(crate) struct AfterValues<'a> {
    pub(crate) context: &'a AfterContext<'a>,
}

impl Values for AfterValues<'_> {
    fn value(&self, source: &Source) -> Option<Scalar<'_>> {
        let context = self.context;
        let borrowed = |text| Scalar::Text(Cow::Borrowed(text));
        match source {
            Source::Token => {
                context.token.and_then(|token| token.tokens.get(BidToken::TOKEN)).map(borrowed)
            }
            Source::PingId => context.ping_id.map(borrowed),
            Source::Price => Some(Scalar::owned(context.price.amount_text())),
            Source::Alias => Some(borrowed(context.source_alias)),
            Source::IdempotencyKey => Some(borrowed(context.idempotency_key)),
            Source::LeadId => Some(Scalar::owned(context.lead.to_string())),
            // Load refuses fields in such a call.
            Source::Field(_) | Source::Anonymised(..) | Source::Secret(_) => None,
        }
    }
}
