//! Contact data that the types will not let out.
//!
//! A [`Pii`] has no `Serialize`, prints as `[redacted]`, is wiped on drop, and is read only with a
//! [`PostPermit`], which exists only once a post's commit A is durable. Everything else that may
//! be done with contact data is a method here that returns no plain value.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroize;

use crate::id::{AttemptId, CampaignId, LeadId};

/// A value of class contact.
#[derive(Clone, Eq, PartialEq)]
pub struct Pii<T: Zeroize>(T);

impl<T: Zeroize> Pii<T> {
    /// Takes charge of the value.
    #[must_use]
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The plain value, for a post that is allowed to leave.
    #[must_use]
    pub fn expose(&self, _permit: &PostPermit) -> &T {
        &self.0
    }

    /// The plain value, for this crate's own one-way uses (sealing, hashing, anonymising).
    pub(crate) fn inner(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> Drop for Pii<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Zeroize> fmt::Debug for Pii<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl<T: Zeroize> fmt::Display for Pii<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Pii<String> {
    /// HMAC-SHA-256 of the value under the exchange's own key: equal values give equal
    /// fingerprints, and nobody without the key can enumerate them.
    #[must_use]
    pub fn fingerprint(&self, key: &FingerprintKey, kind: &str) -> Fingerprint {
        let mut mac = key.mac();
        mac.update(kind.as_bytes());
        mac.update(&[0]);
        mac.update(self.0.as_bytes());
        Fingerprint(mac.finalize().into_bytes().into())
    }
}

/// The exchange's own key for fingerprints of contact data.
#[derive(Clone)]
pub struct FingerprintKey([u8; 32]);

impl FingerprintKey {
    /// Wraps 32 secret bytes.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// HMAC-SHA-256 of parts that cannot run into one another, and the bytes after them.
    pub(crate) fn digest(&self, parts: &[&str], bytes: &[u8]) -> [u8; 32] {
        let mut mac = self.mac();
        for part in parts {
            mac.update(part.as_bytes());
            mac.update(&[0]);
        }
        mac.update(bytes);
        mac.finalize().into_bytes().into()
    }

    fn mac(&self) -> Hmac<Sha256> {
        Hmac::new_from_slice(&self.0).expect("HMAC takes a key of any length")
    }
}

impl fmt::Debug for FingerprintKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl Drop for FingerprintKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// A keyed hash of one contact value.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// What was kept before.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// The right to send one lead's contact data to one campaign, once.
///
/// Only the store makes one, when commit A of the attempt is durable (a tidy test counts the
/// callers of [`PostPermit::issue`]). It is not `Clone`; sending consumes it.
#[derive(Debug)]
pub struct PostPermit {
    attempt: AttemptId,
    campaign: CampaignId,
}

impl PostPermit {
    /// Made by the store when the intent to post is on disk. Nobody else may call this.
    #[must_use]
    pub fn issue(attempt: AttemptId, campaign: CampaignId) -> Self {
        Self { attempt, campaign }
    }

    /// The attempt it allows.
    #[must_use]
    pub fn attempt(&self) -> AttemptId {
        self.attempt
    }

    /// The lead it allows.
    #[must_use]
    pub fn lead(&self) -> LeadId {
        self.attempt.lead()
    }

    /// The campaign it allows.
    #[must_use]
    pub fn campaign(&self) -> &CampaignId {
        &self.campaign
    }
}
