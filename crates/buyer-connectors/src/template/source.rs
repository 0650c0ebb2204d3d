//! Where values come from.

use std::borrow::Cow;
use std::sync::Arc;

use exchange_model::outcome::Brand;
use exchange_model::{Anonymiser, FieldIdx};

use super::Template;
use super::scalar::Scalar;
use crate::secrets::SecretText;

/// Where a value comes from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// A field as it is.
    Field(FieldIdx),
    /// A field after a one-way step.
    Anonymised(FieldIdx, Anonymiser),
    /// `ping.id`.
    PingId,
    /// `source.alias`.
    Alias,
    /// `lead_id`.
    LeadId,
    /// `now`.
    Now,
    /// `floor`.
    Floor,
    /// `time_left_ms`.
    TimeLeftMillis,
    /// `time_left_s`.
    TimeLeftSeconds,
    /// `price`.
    Price,
    /// `ping.<name>`: a token of the bid.
    Ping(Box<str>),
    /// `ping.brand_ids`.
    BrandIds,
    /// `ping.brand_names`.
    BrandNames,
    /// `brand.<part>`, inside `$each`.
    Brand(BrandPart),
    /// `pre.<name>`.
    Pre(Box<str>),
    /// `token.<name>`.
    Token(Box<str>),
    /// `post.<name>`.
    Post(Box<str>),
    /// `idempotency_key`.
    IdempotencyKey,
    /// `callback_url`.
    CallbackUrl,
    /// `secret.<name>`, looked up at load.
    Secret(Arc<SecretText>),
    /// `var.<name>`, looked up at load.
    Fixed(Arc<str>),
    /// `let.<name>`: a text of the connector's own, made of other sources.
    Let(Arc<Template>),
    /// `absent`.
    Absent,
}

impl Source {
    /// The value, or nothing when the lead or the request has none.
    pub(crate) fn value<'v>(&'v self, values: &'v dyn Values) -> Option<Scalar<'v>> {
        match self {
            Self::Secret(text) => Some(Scalar::Text(Cow::Borrowed(text.reveal()))),
            Self::Fixed(text) => Some(Scalar::Text(Cow::Borrowed(text))),
            Self::Let(text) => text.value(values),
            Self::Absent => None,
            other => values.value(other),
        }
    }

    /// Shows itself, or what it is made of.
    pub(crate) fn visit(&self, see: See<'_>) {
        match self {
            Self::Let(text) => text.visit(see),
            other => see(Seen::Source(other)),
        }
    }

    /// Whether it is the same for every request and no secret.
    pub(crate) fn is_fixed(&self) -> bool {
        matches!(self, Self::Fixed(_) | Self::Absent)
    }
}

/// What a compiled text is made of, as a walk through it shows it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Seen<'a> {
    /// Where a value comes from.
    Source(&'a Source),
    /// What is said whoever the lead is.
    Text(&'a str),
}

/// What looks at it.
pub(crate) type See<'a> = &'a mut dyn FnMut(Seen<'_>);

/// A part of one of several bids.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum BrandPart {
    /// `brand.id`.
    Id,
    /// `brand.name`.
    Name,
    /// `brand.price`.
    Price,
    /// `brand.token`.
    Token,
}

/// What answers for the sources of one request. Secrets and fixed texts are in the template.
pub(crate) trait Values {
    /// The value, or nothing when the lead or the request has none.
    fn value(&self, source: &Source) -> Option<Scalar<'_>>;

    /// The bids that the request names.
    fn brands(&self) -> &[Brand] {
        &[]
    }
}

/// No value at all: for what is fixed.
pub(crate) struct NoValues;

impl Values for NoValues {
    fn value(&self, _source: &Source) -> Option<Scalar<'_>> {
        None
    }
}

/// The values of a request while one of its bids is written.
pub(crate) struct BrandValues<'a> {
    pub(crate) outer: &'a dyn Values,
    pub(crate) brand: &'a Brand,
}

impl Values for BrandValues<'_> {
    fn value(&self, source: &Source) -> Option<Scalar<'_>> {
        let Source::Brand(part) = source else { return self.outer.value(source) };
        let text = match part {
            BrandPart::Id => self.brand.id.as_deref(),
            BrandPart::Name => self.brand.name.as_deref(),
            BrandPart::Token => self.brand.token.as_deref(),
            BrandPart::Price => {
                return self.brand.price.map(|price| Scalar::owned(price.amount_text()));
            }
        };
        text.map(Scalar::borrowed)
    }

    fn brands(&self) -> &[Brand] {
        self.outer.brands()
    }
}

/// One part of every bid, joined by commas; nothing when no bid has it.
pub(crate) fn joined<'b>(
    brands: &'b [Brand],
    part: fn(&'b Brand) -> Option<&'b str>,
) -> Option<Scalar<'static>> {
    let parts: Vec<&str> = brands.iter().filter_map(part).collect();
    (!parts.is_empty()).then(|| Scalar::owned(parts.join(",")))
}
