//! What operators did: stops, versions of the config, and the record of all of it.
//!
//! A [`Stop`] is runtime state, never written into anybody's files. It needs no timer: whoever asks
//! says which moment is meant, and a stop whose time has passed stops nothing.

mod stop;
mod version;

pub(crate) use stop::StopBook;
pub use stop::{Force, Stop, Stops, Subject, WHY_MAX};
pub use version::{Cause, Change, ConfigFiles, ConfigVersion, NewVersion, SETS_BYTES_MAX};

use exchange_model::Timestamp;

/// Longest detail of an audited action, in bytes; the rest is cut.
pub const DETAIL_MAX: usize = 2_048;
/// Longest name of an operator, in bytes; the rest is cut.
pub const ACTOR_MAX: usize = 128;

/// Something an operator did.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Action {
    /// When.
    pub at: Timestamp,
    /// Who: `cli anna`, `signal`, `watch`.
    pub actor: String,
    /// What: `reload`, `pause`, `key_new`.
    pub action: String,
    /// To whom: `buyer acme_mutual`, `version 41`; empty where nobody is meant.
    pub subject: String,
    /// What else is to be known of it.
    pub detail: String,
}

/// An action with its place in the record.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AuditEntry {
    /// Its number: the record has no gaps and only grows.
    pub number: u64,
    /// What was done.
    pub action: Action,
}

/// The text, cut to so many bytes at the end of a character.
pub(crate) fn cut(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    end.and_then(|end| text.get(..end)).unwrap_or("")
}
