//! What the calls after a post are built from: what was said about the lead, never the lead.

use exchange_model::outcome::{BidToken, Handles};
use exchange_model::{LeadId, Money, Timestamp};

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
