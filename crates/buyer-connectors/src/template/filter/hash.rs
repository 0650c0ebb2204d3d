//! Hashes for signatures: of the text as it stands, byte by byte.
//!
//! The hashes by which the trade compares contact data are others: those trim the text and lower
//! its case first.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use md5::{Digest as _, Md5};
use ring::{digest, hmac};

/// A hash.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Digest {
    Md5,
    Sha1,
    Sha256,
    Sha512,
}

/// How its bytes are written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Coding {
    #[default]
    Hex,
    Base64,
    /// Without padding.
    Base64Url,
}

impl Digest {
    /// Every hash, by its word.
    pub(crate) const WORDS: &'static [(&'static str, Self)] = &[
        ("sha256", Self::Sha256),
        ("sha1", Self::Sha1),
        ("sha512", Self::Sha512),
        ("md5", Self::Md5),
    ];

    /// The hash of some bytes.
    pub(crate) fn of(self, text: &[u8]) -> Vec<u8> {
        let with = |how| digest::digest(how, text).as_ref().to_vec();
        match self {
            Self::Md5 => Md5::digest(text).to_vec(),
            Self::Sha1 => with(&digest::SHA1_FOR_LEGACY_USE_ONLY),
            Self::Sha256 => with(&digest::SHA256),
            Self::Sha512 => with(&digest::SHA512),
        }
    }

    /// The HMAC's hash; nothing for MD5.
    pub(crate) const fn keyed_algorithm(self) -> Option<hmac::Algorithm> {
        match self {
            Self::Md5 => None,
            Self::Sha1 => Some(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY),
            Self::Sha256 => Some(hmac::HMAC_SHA256),
            Self::Sha512 => Some(hmac::HMAC_SHA512),
        }
    }

    /// The HMAC of a text; nothing for MD5.
    pub(super) fn keyed(self, key: &str, text: &str) -> Option<Vec<u8>> {
        let key = hmac::Key::new(self.keyed_algorithm()?, key.as_bytes());
        Some(hmac::sign(&key, text.as_bytes()).as_ref().to_vec())
    }
}

impl Coding {
    /// Every coding, by its word.
    pub(crate) const WORDS: &'static [(&'static str, Self)] =
        &[("hex", Self::Hex), ("base64", Self::Base64), ("base64url", Self::Base64Url)];

    /// The bytes as text.
    pub(crate) fn write(self, bytes: &[u8]) -> String {
        match self {
            Self::Hex => hex(bytes),
            Self::Base64 => STANDARD.encode(bytes),
            Self::Base64Url => URL_SAFE_NO_PAD.encode(bytes),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// The same UUID for the same text: of version 8 (RFC 9562), from its SHA-256.
pub(super) fn uuid(text: &str) -> String {
    let hex = hex(&Digest::Sha256.of(text.as_bytes()));
    let at = |range: std::ops::Range<usize>| hex.get(range).unwrap_or("");
    format!("{}-{}-8{}-a{}-{}", at(0..8), at(8..12), at(12..15), at(15..18), at(18..30))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_their_standards() {
        let hex = |how: Digest| Coding::Hex.write(&how.of(b"abc"));
        assert_eq!(hex(Digest::Md5), "900150983cd24fb0d6963f7d28e17f72");
        assert_eq!(hex(Digest::Sha1), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert!(hex(Digest::Sha256).starts_with("ba7816bf8f01cfea"));
        assert!(hex(Digest::Sha512).starts_with("ddaf35a193617aba"));
        let tag = Digest::Sha256.keyed("Jefe", "what do ya want for nothing?").unwrap();
        assert_eq!(Coding::Base64.write(&tag), "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=");
        assert_eq!(Coding::Base64Url.write(&tag), "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM");
        assert_eq!(Digest::Md5.keyed("k", "t"), None);
    }

    #[test]
    fn a_uuid_is_the_same_for_the_same_text() {
        let one = uuid("att_1");
        assert_eq!(one, uuid("att_1"));
        assert_ne!(one, uuid("att_2"));
        let lengths: Vec<usize> = one.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
    }
}
