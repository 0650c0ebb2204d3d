//! What a post is built from: the whole lead, by permit, and the words of the post itself.

use std::borrow::Cow;
use std::time::Duration;

use exchange_model::outcome::{BidToken, Brand, Handles};
use exchange_model::timestamp::Date;
use exchange_model::vertical::normalise;
use exchange_model::{
    FieldClass, FieldIdx, FieldType, Lead, LeadId, Money, PingView, PostPermit, Timestamp, Vertical,
};

use crate::ping::{amount, millis, seconds};
use crate::template::{Scalar, Source, Values, joined};

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
    /// `{{ floor }}`: the least that this buyer may pay, where the campaign has a floor.
    pub floor: Option<Money>,
    /// `{{ callback_url }}`: where this buyer may call us about the attempt.
    pub callback_url: Option<&'a str>,
    /// `{{ now }}`: when the post is sent.
    pub now: Timestamp,
    /// `{{ time_left_ms }}`: what is left for the buyer's answer.
    pub time_left: Duration,
    /// The day of intake, for anonymisers that count years.
    pub today: Date,
    /// `{{ pre.x }}`: values of the `pre_post` stage.
    pub pre: &'a Handles,
    /// `{{ token.x }}`: values of the `token` stage.
    pub auth: &'a Handles,
}

impl<'a> PostContext<'a> {
    fn value(&self, source: &Source) -> Option<Scalar<'a>> {
        match source {
            Source::PingId => self.ping_id.map(Scalar::borrowed),
            Source::Alias => Some(Scalar::borrowed(self.source_alias)),
            Source::Now => Some(Scalar::Moment(self.now)),
            Source::Floor => self.floor.map(amount),
            Source::TimeLeftMillis => Some(millis(self.time_left)),
            Source::TimeLeftSeconds => Some(seconds(self.time_left)),
            Source::Price => Some(amount(self.price)),
            Source::Ping(_) | Source::BrandIds | Source::BrandNames => of_bid(self.token?, source),
            Source::Pre(name) => self.pre.get(name).map(Scalar::borrowed),
            Source::Token(name) => self.auth.get(name).map(Scalar::borrowed),
            Source::IdempotencyKey => Some(Scalar::borrowed(self.idempotency_key)),
            Source::CallbackUrl => self.callback_url.map(Scalar::borrowed),
            // Of the lead, of one of its bids, or in the template itself.
            Source::Field(_)
            | Source::Anonymised(..)
            | Source::LeadId
            | Source::Post(_)
            | Source::Brand(_)
            | Source::Secret(_)
            | Source::Fixed(_)
            | Source::Let(_)
            | Source::Absent => None,
        }
    }

    fn brands(&self) -> &'a [Brand] {
        self.token.map_or(&[], |token| &token.brands)
    }
}

/// What the buyer's answer to the ping has named.
pub(crate) fn of_bid<'a>(token: &'a BidToken, source: &Source) -> Option<Scalar<'a>> {
    match source {
        Source::Ping(name) => token.tokens.get(name).map(Scalar::borrowed),
        Source::BrandIds => joined(&token.brands, |brand| brand.id.as_deref()),
        Source::BrandNames => joined(&token.brands, |brand| brand.name.as_deref()),
        _ => None,
    }
}

/// The values of one call before a post: what the post knows, but for contact data.
#[derive(Debug)]
pub(crate) struct PrePostValues<'a> {
    pub(crate) lead: LeadId,
    pub(crate) view: &'a PingView<'a>,
    pub(crate) context: &'a PostContext<'a>,
}

impl Values for PrePostValues<'_> {
    fn value(&self, source: &Source) -> Option<Scalar<'_>> {
        match source {
            Source::Field(at) => self.view.value(*at).map(Scalar::from),
            Source::Anonymised(at, how) => self.view.anonymised(*at, *how).map(Scalar::from),
            Source::LeadId => Some(Scalar::owned(self.lead.to_string())),
            other => self.context.value(other),
        }
    }

    fn brands(&self) -> &[Brand] {
        self.context.brands()
    }
}

/// The values of one post.
#[derive(Debug)]
pub(crate) struct PostValues<'a> {
    pub(crate) lead: &'a Lead,
    pub(crate) permit: &'a PostPermit,
    pub(crate) context: &'a PostContext<'a>,
}

impl PostValues<'_> {
    /// A field of any class but secret. Contact data is kept as text; what is a number or a yes/no
    /// in the vertical is one in the post.
    fn field(&self, at: FieldIdx) -> Option<Scalar<'_>> {
        let field = self.lead.vertical().field(at);
        if field.class == FieldClass::Open {
            return self.lead.attributes().get(at).map(Scalar::from);
        }
        let text = self.lead.expose_contact(at, self.permit)?;
        Some(typed(&field.kind, text))
    }
}

/// Canonical text in the type of its field.
fn typed<'a>(kind: &FieldType, text: &'a str) -> Scalar<'a> {
    match (kind, text) {
        (FieldType::Integer { .. } | FieldType::Decimal, _) if normalise(kind, text).is_ok() => {
            Scalar::Number(Cow::Borrowed(text))
        }
        (FieldType::Boolean, "true") => Scalar::Boolean(true),
        (FieldType::Boolean, "false") => Scalar::Boolean(false),
        _ => Scalar::borrowed(text),
    }
}

impl Values for PostValues<'_> {
    fn value(&self, source: &Source) -> Option<Scalar<'_>> {
        match source {
            Source::Field(at) => self.field(*at),
            Source::Anonymised(at, how) => {
                PingView::new(self.lead, self.context.today).anonymised(*at, *how).map(Scalar::from)
            }
            Source::LeadId => Some(Scalar::owned(self.lead.id().to_string())),
            other => self.context.value(other),
        }
    }

    fn brands(&self) -> &[Brand] {
        self.context.brands()
    }
}

/// The vertical's published examples in place of a lead, to render a post when it is loaded. It
/// needs no permit because it holds nobody's data.
#[derive(Debug)]
pub(crate) struct ExampleValues<'a> {
    pub(crate) vertical: &'a Vertical,
    pub(crate) lead: &'a Lead,
    pub(crate) context: &'a PostContext<'a>,
}

impl Values for ExampleValues<'_> {
    fn value(&self, source: &Source) -> Option<Scalar<'_>> {
        match source {
            Source::Field(at) => {
                let example = self.vertical.field(*at).example.as_ref();
                self.lead.attributes().get(*at).or(example).map(Scalar::from)
            }
            Source::Anonymised(at, how) => {
                PingView::new(self.lead, self.context.today).anonymised(*at, *how).map(Scalar::from)
            }
            Source::LeadId => Some(Scalar::owned(self.lead.id().to_string())),
            other => self.context.value(other),
        }
    }

    fn brands(&self) -> &[Brand] {
        self.context.brands()
    }
}
