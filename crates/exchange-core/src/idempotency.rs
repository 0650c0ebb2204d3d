//! Same request, same answer.
//!
//! A key belongs to a source. The same key with the same body joins the running auction or gets
//! the stored answer; with another body it is refused. Validation failures are not stored.

/// Longest key, in bytes.
pub const KEY_MAX: usize = 255;

/// SHA-256 of a request's method, path and body.
pub type BodyFingerprint = [u8; 32];

/// A seller's own name for a request.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RequestName(String);

impl RequestName {
    /// From the `Idempotency-Key` header, quoted (RFC 8941 string) or bare.
    #[must_use]
    pub fn from_header(value: &str) -> Option<Self> {
        let value = value.trim();
        let bare = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).unwrap_or(value);
        let printable = bare.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
        let fits = !bare.is_empty() && bare.len() <= KEY_MAX;
        (fits && printable).then(|| Self(format!("key:{bare}")))
    }

    /// A key from the seller's own lead id, already hashed: the id itself may identify a person.
    #[must_use]
    pub fn from_seller_lead_id(hashed_hex: &str) -> Self {
        Self(format!("lead:{hashed_hex}"))
    }

    /// The post of a ping is named by the ping.
    #[must_use]
    pub fn from_ping(ping: exchange_model::PingId) -> Self {
        Self(format!("ping:{ping}"))
    }

    /// The text that is stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What to do with a request whose key is known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Seen {
    /// Same body: give the same answer, now or when it is there.
    Same,
    /// Another body: refuse.
    Reused,
}

/// Compares a request with the one that used its key first.
#[must_use]
pub fn compare(first: &BodyFingerprint, again: &BodyFingerprint) -> Seen {
    if first == again { Seen::Same } else { Seen::Reused }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_and_bare_keys_are_the_same_key() {
        assert_eq!(RequestName::from_header("\"a b\""), RequestName::from_header("a b"));
        assert_eq!(RequestName::from_header(""), None);
        assert_eq!(RequestName::from_header(&"x".repeat(256)), None);
        assert_eq!(RequestName::from_header("é"), None);
    }
}
