//! Contact data at rest: sealed under a key of the lead's own.
//!
//! XChaCha20-Poly1305 with the lead's id as associated data, so that one lead's box cannot be
//! passed off as another's. Destroying the key is erasing the contact.

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305};
use zeroize::Zeroizing;

use crate::id::LeadId;
use crate::lead::Contact;
use crate::pii::Pii;
use crate::vertical::{FieldClass, Vertical};

/// Length of a lead's data key, in bytes.
pub const DATA_KEY_LEN: usize = 32;
/// Length of the nonce that stands before the sealed bytes.
pub const NONCE_LEN: usize = 24;

/// Why a box does not open.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum VaultError {
    /// Not sealed with this key for this lead, or altered since.
    #[error("the sealed contact data does not open with its key")]
    Sealed,
    /// Opened, but not what we once wrote.
    #[error("the contact data is not in a form this version reads")]
    Format,
}

impl Contact {
    /// Seals everything under `key`. `nonce` must be random and new.
    ///
    /// # Errors
    /// [`VaultError::Sealed`] when the cipher refuses, which it does only for absurd lengths.
    pub fn seal(
        &self,
        lead: LeadId,
        vertical: &Vertical,
        key: &[u8; DATA_KEY_LEN],
        nonce: [u8; NONCE_LEN],
    ) -> Result<Vec<u8>, VaultError> {
        let plain = Zeroizing::new(self.plain(vertical));
        let aad = lead.to_bytes();
        let payload = Payload { msg: &plain, aad: &aad };
        let boxed = XChaCha20Poly1305::new(key.into())
            .encrypt(&nonce.into(), payload)
            .map_err(|_opaque| VaultError::Sealed)?;
        let mut sealed = nonce.to_vec();
        sealed.extend(boxed);
        Ok(sealed)
    }

    /// Opens what [`Contact::seal`] made. Fields that left the vertical since become extras.
    ///
    /// # Errors
    /// [`VaultError`].
    pub fn unseal(
        lead: LeadId,
        vertical: &Vertical,
        key: &[u8; DATA_KEY_LEN],
        sealed: &[u8],
    ) -> Result<Self, VaultError> {
        let (nonce, boxed) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(VaultError::Sealed)?;
        let aad = lead.to_bytes();
        let plain = XChaCha20Poly1305::new(key.into())
            .decrypt(&(*nonce).into(), Payload { msg: boxed, aad: &aad })
            .map(Zeroizing::new)
            .map_err(|_opaque| VaultError::Sealed)?;
        Self::from_plain(vertical, &plain)
    }

    /// A JSON list of name and text pairs.
    fn plain(&self, vertical: &Vertical) -> Vec<u8> {
        let fields = vertical
            .fields()
            .filter_map(|(at, field)| Some((field.name.as_str(), self.get(at)?.inner().as_str())));
        let extras = self.extras.iter().map(|(name, text)| (name.as_str(), text.inner().as_str()));
        let pairs: Vec<(&str, &str)> = fields.chain(extras).collect();
        serde_json::to_vec(&pairs).expect("texts always serialise")
    }

    fn from_plain(vertical: &Vertical, plain: &[u8]) -> Result<Self, VaultError> {
        let pairs: Vec<(String, String)> =
            serde_json::from_slice(plain).map_err(|_opaque| VaultError::Format)?;
        let mut contact = Self::empty(vertical);
        for (name, text) in pairs {
            let at = vertical.index(&name).filter(|at| {
                vertical.field(*at).class != FieldClass::Open && contact.get(*at).is_none()
            });
            match at {
                Some(at) => contact.set(at, Pii::new(text)),
                None => contact.extras.push((name, Pii::new(text))),
            }
        }
        Ok(contact)
    }
}
