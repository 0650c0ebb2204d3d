//! Sellers' API keys as they are kept: never the key itself.

use exchange_model::{SourceId, Timestamp};

/// Whether leads sent with a key are real.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeyMode {
    /// Real leads, real buyers, real money.
    Live,
    /// Nothing reaches a buyer or the books.
    Test,
}

impl KeyMode {
    /// `live` or `test`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Test => "test",
        }
    }

    /// The mode of this code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        match code {
            "live" => Some(Self::Live),
            "test" => Some(Self::Test),
            _ => None,
        }
    }
}

/// One key of one source.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ApiKey {
    /// The public part, by which it is found.
    pub id: String,
    /// Whose leads it may send.
    pub source: SourceId,
    /// Live or test.
    pub mode: KeyMode,
    /// Keyed hash of the secret part ([`crate::vault::DerivedKeys::api_key_hash`]).
    pub hash: [u8; 32],
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stopped working.
    pub revoked_at: Option<Timestamp>,
}
