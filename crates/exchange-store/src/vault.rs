//! The keys, and contact data sealed under them.
//!
//! Every lead has a data key of its own, drawn at random. Its contact data is sealed under that
//! key; the key is kept wrapped under the [`RootKey`], in a table of its own. Destroying the
//! wrapped key makes every copy of the sealed data worthless: that is what erasing means here.
//!
//! > Contact data is stored in one table, sealed, and nowhere else.

use std::fmt;

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305};
use exchange_model::lead::{DATA_KEY_LEN, NONCE_LEN, VaultError};
use exchange_model::pii::FingerprintKey;
use exchange_model::{CampaignId, Contact, Lead, LeadId, SourceId, Vertical};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::error::StoreError;
use crate::intake::IdempotencyKey;

mod root_file;

pub use root_file::RootKeyError;
pub(crate) use root_file::{private, sync_directory};

type Secret = Zeroizing<[u8; DATA_KEY_LEN]>;

/// The key that wraps every lead's key, and from which the others are derived.
#[derive(Clone)]
pub struct RootKey(Secret);

impl RootKey {
    /// From 32 secret bytes, for tests and throw-away databases.
    #[must_use]
    pub fn from_bytes(bytes: [u8; DATA_KEY_LEN]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// A new random key that lives as long as the process, for throw-away databases.
    ///
    /// # Errors
    /// [`RootKeyError::NoRandom`].
    pub fn throw_away() -> Result<Self, RootKeyError> {
        random().map(|key| Self(Zeroizing::new(key)))
    }

    /// The keys that serve one purpose each.
    #[must_use]
    pub fn derived(&self) -> DerivedKeys {
        DerivedKeys {
            fingerprints: FingerprintKey::new(self.derive("contact-fingerprint")),
            bodies: Zeroizing::new(self.derive("request-body")),
            idempotency: Zeroizing::new(self.derive("idempotency-key")),
            api_keys: Zeroizing::new(self.derive("api-key")),
            callbacks: Zeroizing::new(self.derive("buyer-callback")),
            root_check: self.derive("root-check"),
        }
    }

    fn derive(&self, label: &str) -> [u8; 32] {
        keyed_hash(&self.0, &[b"rialto-1", label.as_bytes()])
    }

    /// Seals a lead's contact data under a new key, and wraps that key.
    pub(crate) fn seal(&self, lead: &Lead) -> Result<Vaulted, StoreError> {
        let key: Secret = Zeroizing::new(random()?);
        let sealed = lead.contact().seal(lead.id(), lead.vertical(), &key, random()?)?;
        let wrapped_key = self.wrap(lead.id(), &key)?;
        Ok(Vaulted { sealed, wrapped_key })
    }

    fn wrap(&self, lead: LeadId, key: &Secret) -> Result<Vec<u8>, StoreError> {
        let nonce: [u8; NONCE_LEN] = random()?;
        let payload = Payload { msg: key.as_slice(), aad: &lead.to_bytes() };
        let boxed = self.cipher().encrypt(&nonce.into(), payload);
        let boxed = boxed.map_err(|_opaque| VaultError::Sealed)?;
        Ok([nonce.as_slice(), &boxed].concat())
    }

    /// Unwraps a lead's key, to open its contact data later.
    pub(crate) fn sealed_contact(
        &self,
        lead: LeadId,
        boxed: Vaulted,
    ) -> Result<SealedContact, VaultError> {
        let (nonce, wrapped) =
            boxed.wrapped_key.split_first_chunk::<NONCE_LEN>().ok_or(VaultError::Sealed)?;
        let payload = Payload { msg: wrapped, aad: &lead.to_bytes() };
        let key = self.cipher().decrypt(&(*nonce).into(), payload).map(Zeroizing::new);
        let key = key.map_err(|_opaque| VaultError::Sealed)?;
        let key = key.as_slice().try_into().map_err(|_length| VaultError::Format)?;
        Ok(SealedContact { lead, key: Zeroizing::new(key), sealed: boxed.sealed })
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.0).into())
    }
}

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// What the two tables of the vault hold for one lead.
#[derive(Clone)]
pub(crate) struct Vaulted {
    /// Nonce and ciphertext.
    pub(crate) sealed: Vec<u8>,
    /// Nonce and wrapped data key.
    pub(crate) wrapped_key: Vec<u8>,
}

/// One lead's contact data, still sealed, with the key that opens it.
#[derive(Clone)]
pub struct SealedContact {
    lead: LeadId,
    key: Secret,
    sealed: Vec<u8>,
}

impl SealedContact {
    /// Opens it; what comes out is guarded by its own types.
    ///
    /// # Errors
    /// [`VaultError`].
    pub fn open(&self, vertical: &Vertical) -> Result<Contact, VaultError> {
        Contact::unseal(self.lead, vertical, &self.key, &self.sealed)
    }
}

impl fmt::Debug for SealedContact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[sealed]")
    }
}

/// Bytes of the signature in an address that buyers call: 160 bits.
pub const CALLBACK_SIGNATURE_LEN: usize = 20;

/// Keys derived from the root key, one for each purpose.
#[derive(Clone)]
pub struct DerivedKeys {
    fingerprints: FingerprintKey,
    bodies: Secret,
    idempotency: Secret,
    api_keys: Secret,
    callbacks: Secret,
    root_check: [u8; 32],
}

impl DerivedKeys {
    /// The key for fingerprints of contact values.
    #[must_use]
    pub fn fingerprints(&self) -> &FingerprintKey {
        &self.fingerprints
    }

    /// The keyed hash by which a repeated request is recognised.
    #[must_use]
    pub fn body_fingerprint(&self, body: &[u8]) -> [u8; 32] {
        keyed_hash(&self.bodies, &[body])
    }

    /// The keyed hash of the secret part of an API key.
    #[must_use]
    pub fn api_key_hash(&self, secret: &[u8]) -> [u8; 32] {
        keyed_hash(&self.api_keys, &[secret])
    }

    /// Whether this is the secret part that made the hash, in constant time.
    #[must_use]
    pub fn is_api_key(&self, secret: &[u8], hash: &[u8; 32]) -> bool {
        mac(&self.api_keys, &[secret]).verify_slice(hash).is_ok()
    }

    /// What makes the address of one buyer's callback about one lead or post impossible to guess.
    #[must_use]
    pub fn callback_signature(
        &self,
        campaign: &CampaignId,
        about: &str,
    ) -> [u8; CALLBACK_SIGNATURE_LEN] {
        let whole = keyed_hash(&self.callbacks, &[campaign.as_str().as_bytes(), about.as_bytes()]);
        let (kept, _cut) = whole
            .split_first_chunk::<CALLBACK_SIGNATURE_LEN>()
            .expect("the hash is longer than what is kept of it");
        *kept
    }

    /// Whether this is that signature, in constant time.
    #[must_use]
    pub fn is_callback_signature(
        &self,
        campaign: &CampaignId,
        about: &str,
        signature: &[u8; CALLBACK_SIGNATURE_LEN],
    ) -> bool {
        let parts = [campaign.as_str().as_bytes(), about.as_bytes()];
        mac(&self.callbacks, &parts).verify_truncated_left(signature).is_ok()
    }

    pub(crate) fn idempotency_hash(&self, source: &SourceId, key: &IdempotencyKey) -> [u8; 32] {
        let parts = [source.as_str(), key.kind().code(), key.text()].map(str::as_bytes);
        keyed_hash(&self.idempotency, &parts)
    }

    /// Says which root key a database was made with, and nothing about it.
    pub(crate) fn root_check(&self) -> &[u8; 32] {
        &self.root_check
    }
}

impl fmt::Debug for DerivedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

fn keyed_hash(key: &Secret, parts: &[&[u8]]) -> [u8; 32] {
    mac(key, parts).finalize().into_bytes().into()
}

/// Each part is preceded by its length, so that no two lists of parts read alike.
fn mac(key: &Secret, parts: &[&[u8]]) -> Hmac<Sha256> {
    let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key.as_slice())
        .expect("HMAC takes a key of any length");
    for part in parts {
        let length = u64::try_from(part.len()).expect("lengths fit 64 bits");
        mac.update(&length.to_be_bytes());
        mac.update(part);
    }
    mac
}

fn random<const N: usize>() -> Result<[u8; N], RootKeyError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_os_error| RootKeyError::NoRandom)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
