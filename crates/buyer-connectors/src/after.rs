//! What the calls after a post are built from: what was said about the lead, never the lead.

use exchange_model::outcome::{BidToken, Brand, Handles};
use exchange_model::{LeadId, Money, Timestamp};

use crate::ping::amount;
use crate::post::of_bid;
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
        match source {
            Source::PingId => context.ping_id.map(Scalar::borrowed),
            Source::Alias => Some(Scalar::borrowed(context.source_alias)),
            Source::LeadId => Some(Scalar::owned(context.lead.to_string())),
            Source::Now => Some(Scalar::Moment(context.now)),
            Source::Price => Some(amount(context.price)),
            Source::Ping(_) | Source::BrandIds | Source::BrandNames => {
                of_bid(context.token?, source)
            }
            Source::Token(name) => context.auth.get(name).map(Scalar::borrowed),
            Source::Post(name) => context.handles.get(name).map(Scalar::borrowed),
            Source::IdempotencyKey => Some(Scalar::borrowed(context.idempotency_key)),
            // Load refuses these in such a call; what is fixed is in the template itself.
            Source::Field(_)
            | Source::Anonymised(..)
            | Source::Floor
            | Source::TimeLeftMillis
            | Source::TimeLeftSeconds
            | Source::Pre(_)
            | Source::CallbackUrl
            | Source::Brand(_)
            | Source::Secret(_)
            | Source::Fixed(_)
            | Source::Let(_)
            | Source::Absent => None,
        }
    }

    fn brands(&self) -> &[Brand] {
        self.context.token.map_or(&[], |token| &token.brands)
    }
}

/// The values of a call that belongs to no lead: the `token` stage's.
#[derive(Debug)]
pub(crate) struct TokenValues {
    pub(crate) now: Timestamp,
}

impl Values for TokenValues {
    fn value(&self, source: &Source) -> Option<Scalar<'_>> {
        matches!(source, Source::Now).then_some(Scalar::Moment(self.now))
    }
}
