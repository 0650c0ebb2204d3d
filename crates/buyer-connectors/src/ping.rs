//! What a ping is built from: a view without contact data, and the words of the ping itself.
//!
//! Nothing in this file can name contact data or the right to send it.

use std::time::Duration;

use exchange_model::outcome::Handles;
use exchange_model::{Money, PingView, Timestamp};

use crate::template::{Scalar, Source, Values};

/// What a ping may say beside the lead's open fields.
#[derive(Clone, Copy, Debug)]
pub struct PingContext<'a> {
    /// `{{ ping.id }}`: our handle of this ping.
    pub ping_id: &'a str,
    /// `{{ source.alias }}`: what this buyer may know of where the lead comes from.
    pub source_alias: &'a str,
    /// `{{ now }}`: when the ping is sent.
    pub now: Timestamp,
    /// `{{ floor }}`: the least that this buyer may pay, where the campaign has a floor.
    pub floor: Option<Money>,
    /// `{{ time_left_ms }}`: what is left for the buyer's answer.
    pub time_left: Duration,
    /// `{{ callback_url }}`: where this buyer may call us about the attempt.
    pub callback_url: Option<&'a str>,
    /// `{{ pre.x }}`: values of the `pre_ping` stage.
    pub pre: &'a Handles,
    /// `{{ token.x }}`: values of the `token` stage.
    pub auth: &'a Handles,
}

/// The values of one ping, and of the call before it.
#[derive(Debug)]
pub(crate) struct PingValues<'a> {
    pub(crate) view: &'a PingView<'a>,
    pub(crate) context: &'a PingContext<'a>,
}

impl Values for PingValues<'_> {
    fn value(&self, source: &Source) -> Option<Scalar<'_>> {
        let context = self.context;
        match source {
            Source::Field(at) => self.view.value(*at).map(Scalar::from),
            Source::Anonymised(at, how) => self.view.anonymised(*at, *how).map(Scalar::from),
            Source::PingId => Some(Scalar::borrowed(context.ping_id)),
            Source::Alias => Some(Scalar::borrowed(context.source_alias)),
            Source::Now => Some(Scalar::Moment(context.now)),
            Source::Floor => context.floor.map(amount),
            Source::TimeLeftMillis => Some(millis(context.time_left)),
            Source::TimeLeftSeconds => Some(seconds(context.time_left)),
            Source::CallbackUrl => context.callback_url.map(Scalar::borrowed),
            Source::Pre(name) => context.pre.get(name).map(Scalar::borrowed),
            Source::Token(name) => context.auth.get(name).map(Scalar::borrowed),
            // Load refuses these in a ping; what is fixed is in the template itself.
            Source::Ping(_)
            | Source::Post(_)
            | Source::Price
            | Source::LeadId
            | Source::IdempotencyKey
            | Source::BrandIds
            | Source::BrandNames
            | Source::Brand(_)
            | Source::Secret(_)
            | Source::Fixed(_)
            | Source::Let(_)
            | Source::Absent => None,
        }
    }
}

/// An amount as digits.
pub(crate) fn amount(money: Money) -> Scalar<'static> {
    Scalar::owned(money.amount_text())
}

/// Whole milliseconds.
pub(crate) fn millis(left: Duration) -> Scalar<'static> {
    Scalar::Integer(i64::try_from(left.as_millis()).unwrap_or(i64::MAX))
}

/// Whole seconds: what has begun and is not over does not count.
pub(crate) fn seconds(left: Duration) -> Scalar<'static> {
    Scalar::Integer(i64::try_from(left.as_secs()).unwrap_or(i64::MAX))
}
