//! The chain of record hashes.
//!
//! Every transaction's hash covers the one before, so an edit, a deletion or a swap anywhere
//! changes every hash after it. It proves that the books were not changed since somebody else saw
//! the latest hash; it does not prove who wrote them.
//!
//! The hash is SHA-256 over the previous hash followed by the record's canonical bytes, which depend
//! on nothing but the list below. Integers are big-endian. A *text* is its length in bytes as a
//! `u32`, then the bytes; an *option* is one byte 0, or one byte 1 and then the text.
//!
//! 1. text `rialto-ledger-1`
//! 2. texts: key, kind's code, currency
//! 3. `i64` microseconds: effective at, recorded at
//! 4. options: lead, attempt, both as printed
//! 5. texts: actor, memo
//! 6. `u32` number of entries; then for each: texts account code, layer's code, side's code; `i64`
//!    minor units

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::entry::{Entry, Transaction};

const FORMAT: &str = "rialto-ledger-1";

/// The hash of one record, which covers every record before it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct RecordHash([u8; 32]);

/// What the first record follows.
pub const GENESIS: RecordHash = RecordHash([0; 32]);

impl RecordHash {
    /// From stored bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes to store.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 32] {
        self.0
    }
}

/// 64 digits of lower-case hexadecimal.
impl fmt::Display for RecordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// The text is no record hash.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a record hash is 64 hexadecimal digits")]
pub struct BadRecordHash;

impl FromStr for RecordHash {
    type Err = BadRecordHash;

    fn from_str(text: &str) -> Result<Self, BadRecordHash> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_not_hex| BadRecordHash)?;
        Ok(Self(bytes))
    }
}

/// The hash of `record` when it follows the record hashed as `previous`.
#[must_use]
pub fn link(previous: &RecordHash, record: &Transaction) -> RecordHash {
    let mut hash = Sha256::new();
    hash.update(previous.0);
    hash.update(canonical_bytes(record));
    RecordHash(hash.finalize().into())
}

/// The bytes that are hashed, as the module's list says.
#[must_use]
pub fn canonical_bytes(record: &Transaction) -> Vec<u8> {
    let header = record.header();
    let mut bytes = Canonical(Vec::new());
    bytes.text(FORMAT);
    bytes.text(&header.key);
    bytes.text(header.kind.code());
    bytes.text(header.currency.as_str());
    bytes.integer(header.stamp.effective_at.unix_micros());
    bytes.integer(header.stamp.recorded_at.unix_micros());
    bytes.option(header.lead.map(|lead| lead.to_string()));
    bytes.option(header.attempt.map(|attempt| attempt.to_string()));
    bytes.text(&header.stamp.actor);
    bytes.text(&header.memo);
    bytes.length(record.entries().len());
    record.entries().iter().for_each(|entry| bytes.entry(entry));
    bytes.0
}

struct Canonical(Vec<u8>);

impl Canonical {
    fn length(&mut self, length: usize) {
        let length = u32::try_from(length).expect("texts and entries are bounded far below 4 GiB");
        self.0.extend(length.to_be_bytes());
    }

    fn text(&mut self, text: &str) {
        self.length(text.len());
        self.0.extend(text.as_bytes());
    }

    fn integer(&mut self, integer: i64) {
        self.0.extend(integer.to_be_bytes());
    }

    fn option(&mut self, text: Option<String>) {
        self.0.push(u8::from(text.is_some()));
        if let Some(text) = text {
            self.text(&text);
        }
    }

    fn entry(&mut self, entry: &Entry) {
        self.text(&entry.account.to_string());
        self.text(entry.layer.code());
        self.text(entry.side.code());
        self.integer(entry.minor.get());
    }
}

#[cfg(test)]
mod tests;
