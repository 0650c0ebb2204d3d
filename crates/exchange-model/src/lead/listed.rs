//! Contact values as suppression lists keep them: a keyed hash, never the value.
//!
//! A list may come as MD5, SHA-1 or SHA-256 of normalised values, so a value is looked for in each
//! of these forms. What is kept is the form's digest once more hashed under the exchange's own key:
//! who takes the database without the key cannot try all phone numbers.

use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use crate::lead::Contact;
use crate::pii::FingerprintKey;
use crate::vertical::{Field, FieldClass, FieldType, Vertical};

/// How the values of a list were hashed before they came here.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum HashForm {
    /// MD5.
    Md5,
    /// SHA-1.
    Sha1,
    /// SHA-256; also what raw values are turned into.
    Sha256,
}

impl HashForm {
    /// Every form.
    pub const ALL: [Self; 3] = [Self::Md5, Self::Sha1, Self::Sha256];

    /// `md5`, `sha1` or `sha256`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
        }
    }

    /// The form of this name.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.code() == code)
    }

    /// Length of a digest, in bytes.
    #[must_use]
    pub const fn digest_len(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    /// The digest of a normalised value.
    #[must_use]
    pub fn digest(self, value: &str) -> Vec<u8> {
        match self {
            Self::Md5 => md5::Md5::digest(value.as_bytes()).to_vec(),
            Self::Sha1 => Sha1::digest(value.as_bytes()).to_vec(),
            Self::Sha256 => Sha256::digest(value.as_bytes()).to_vec(),
        }
    }
}

/// One entry of a suppression list: the first 16 bytes of a keyed hash.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ListHash([u8; 16]);

impl ListHash {
    /// The entry of a digest of values of this kind ([`list_kind`]).
    #[must_use]
    pub fn new(key: &FingerprintKey, kind: &str, form: HashForm, digest: &[u8]) -> Self {
        let whole = key.digest(&["suppression", kind, form.code()], digest);
        let (kept, _rest) = whole.split_first_chunk::<16>().expect("a digest has 32 bytes");
        Self(*kept)
    }

    /// What was kept before.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// What kind of value a field holds, to a list: every phone is a phone and every e-mail address an
/// e-mail address, whatever the field is called; other values count for the field of that name.
#[must_use]
pub fn list_kind(field: &Field) -> &str {
    match field.kind {
        FieldType::UsPhone => "us_phone",
        FieldType::Email => "email",
        _ => &field.name,
    }
}

impl Contact {
    /// Every entry of a list that would name this person. Absent values name nobody.
    #[must_use]
    pub fn listed_as(&self, vertical: &Vertical, key: &FingerprintKey) -> Vec<ListHash> {
        let contact = vertical.fields().filter(|(_, field)| field.class == FieldClass::Contact);
        let sent = contact.filter_map(|(at, field)| Some((field, self.get(at)?)));
        let entries = sent.flat_map(|(field, value)| {
            HashForm::ALL
                .map(|form| ListHash::new(key, list_kind(field), form, &form.digest(value.inner())))
        });
        entries.collect()
    }
}
