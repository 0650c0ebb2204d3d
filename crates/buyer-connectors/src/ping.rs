//! What a ping is built from: a view without contact data, and the words of the ping itself.
//!
//! Nothing in this file can name contact data or the right to send it.

use std::borrow::Cow;

use exchange_model::PingView;

use crate::template::{Scalar, Source, Values};

/// What a ping may say beside the lead's open fields.
#[derive(Clone, Copy, Debug)]
pub struct PingContext<'a> {
    /// `{{ ping.id }}`: our handle of this ping.
    pub ping_id: &'a str,
    /// `{{ source.alias }}`: what this buyer may know of where the lead comes from.
    pub source_alias: &'a str,
}

/// The values of one ping.
#[derive(Debug)]
pub(crate) struct PingValues<'a> {
    pub(crate) view: &'a PingView<'a>,
    pub(crate) context: &'a PingContext<'a>,
}

impl Values for PingValues<'_> {
    fn value(&self, source: &Source) -> Option<Scalar<'_>> {
        match source {
            Source::Field(at) => self.view.value(*at).map(Scalar::from),
            Source::Anonymised(at, how) => self.view.anonymised(*at, *how).map(Scalar::from),
            Source::PingId => Some(Scalar::Text(Cow::Borrowed(self.context.ping_id))),
            Source::Alias => Some(Scalar::Text(Cow::Borrowed(self.context.source_alias))),
            // Load refuses these in a ping; a secret is in the template itself.
            Source::Token
            | Source::Price
            | Source::LeadId
            | Source::IdempotencyKey
            | Source::Secret(_) => None,
        }
    }
}
