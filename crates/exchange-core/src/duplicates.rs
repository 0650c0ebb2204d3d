//! Which claims a lead makes on a person, so that the same person is not sold twice.
//!
//! A claim is a keyed hash within a scope; it is taken in commit A and released when the lead ends
//! unsold. An absent value makes no claim, so empty never matches empty.

use exchange_model::pii::{Fingerprint, FingerprintKey};
use exchange_model::{Lead, Timestamp};
use ping_tree::Source;

/// One keyed hash that must be free within its window.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Claim {
    /// The seller's source whose window this is, and the field.
    pub scope: String,
    /// The keyed hash of the normalised value.
    pub fingerprint: Fingerprint,
    /// Older claims than this do not count.
    pub since: Timestamp,
}

/// The claims of a lead under its source's rule.
#[must_use]
pub fn claims(lead: &Lead, source: &Source, key: &FingerprintKey, at: Timestamp) -> Vec<Claim> {
    let Some(rule) = &source.duplicates else { return Vec::new() };
    rule.on
        .iter()
        .filter_map(|field| {
            Some(Claim {
                scope: format!("{}:{field}", source.id),
                fingerprint: lead.contact().fingerprint(lead.vertical(), field, key)?,
                since: at.before(rule.window),
            })
        })
        .collect()
}
