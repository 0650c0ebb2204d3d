//! The reply to a call that only fetches values for the next one.

use std::time::Duration;

use exchange_model::outcome::Handles;

use super::RawReply;
use super::basics::{Lifetime, Named, handles};
use super::decode::Decoding;
use super::locator::Scope;
use super::rules::{Outcome, Rules};

/// How such a reply is read.
#[derive(Debug)]
pub(crate) struct ValuesReply {
    pub(super) decoding: Decoding,
    /// Each of them must be there.
    pub(super) values: Named,
    /// What a failure looks like, beside a status that is no success.
    pub(super) rules: Rules,
    pub(super) expires_in: Option<Lifetime>,
}

/// What such a call fetched.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Fetched {
    /// The values by name.
    pub(crate) values: Handles,
    /// How long they are good, where the reply says so.
    pub(crate) expires_in: Option<Duration>,
}

impl ValuesReply {
    /// The values; nothing when the call failed or one of them is not there.
    pub(crate) fn read(&self, reply: &RawReply<'_>) -> Option<Fetched> {
        if !(200..300).contains(&reply.status) {
            return None;
        }
        let document = self.decoding.read(reply).ok()?;
        let scope = Scope::whole(reply, &document);
        let decision = self.rules.decide(&scope).outcome();
        if decision.is_some_and(|outcome| outcome != Outcome::Success) {
            return None;
        }
        let values = handles(&self.values, &scope).ok()?;
        let expires_in = match &self.expires_in {
            None => None,
            Some(lifetime) => lifetime.read(&scope).ok()?,
        };
        (values.0.len() == self.values.len()).then_some(Fetched { values, expires_in })
    }
}
