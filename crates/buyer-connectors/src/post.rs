//! What a post is built from: the whole lead, by permit, and the words of the post itself.

use exchange_model::outcome::BidToken;
use exchange_model::timestamp::Date;
use exchange_model::Money;

/// What a post may say beside the lead.
#[derive(Clone, Copy, Debug)]
pub struct PostContext<'a> {
    /// `{{ ping.id }}`: our handle of the ping, where there was one.
    pub ping_id: Option<&'a str>,
    /// `{{ ping.token }}`: the buyer's handle of its bid.
    pub token: Option<&'a BidToken>,
    /// `{{ price }}`: what the buyer has bid, or its fixed price.
    pub price: Money,
    /// `{{ source.alias }}`: what this buyer may know of where the lead comes from.
    pub source_alias: &'a str,
    /// `{{ idempotency_key }}`: the same on every re-post of one attempt.
    pub idempotency_key: &'a str,
    /// The day of intake, for anonymisers that count years.
    pub today: Date,
}
