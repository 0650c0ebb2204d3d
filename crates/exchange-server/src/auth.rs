//! API keys of sellers: making them, and telling whose a request is.
//!
//! A key is `rialto_<live|test>_<id>_<43 base62><6 base62 checksum>`: a double click selects all of
//! it, and a typing error is refused without asking anybody. Only an HMAC of it is stored. An
//! unknown id costs the same as a wrong secret.

use exchange_model::{SourceId, Timestamp};
use exchange_store::ApiKey;
pub use exchange_store::KeyMode;
use exchange_store::vault::DerivedKeys;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// Characters of a key's id.
const ID_LEN: usize = 10;
/// Characters of a key's secret: 256 bits and a little.
const SECRET_LEN: usize = 43;
/// Characters of the checksum.
const CHECKSUM_LEN: usize = 6;
/// Longest text looked at as a key.
const TEXT_MAX: usize = 128;

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A new key: the text to show once, and what to store.
pub struct NewKey {
    /// To be shown once and never stored.
    pub text: Zeroizing<String>,
    /// To be stored.
    pub record: ApiKey,
}

/// Shows the record only.
impl std::fmt::Debug for NewKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewKey").field("record", &self.record).finish_non_exhaustive()
    }
}

/// Whose a request is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Principal {
    /// The key's public part.
    pub key_id: String,
    /// The source.
    pub source: SourceId,
    /// Live or test.
    pub mode: KeyMode,
}

/// Makes a key for a source.
#[must_use]
pub fn issue(source: &SourceId, mode: KeyMode, keys: &DerivedKeys, now: Timestamp) -> NewKey {
    let id = base62::<ID_LEN>();
    let secret = Zeroizing::new(base62::<SECRET_LEN>());
    let body = Zeroizing::new(format!("rialto_{}_{id}_{}", mode.code(), *secret));
    let text = Zeroizing::new(format!("{}{}", *body, checksum(&body)));
    let hash = keys.api_key_hash(text.as_bytes());
    let (source, created_at) = (source.clone(), now);
    let record = ApiKey { id, source, mode, hash, created_at, revoked_at: None };
    NewKey { text, record }
}

/// The public part of a text that has the form and the checksum of a key.
#[must_use]
pub fn key_id(text: &str) -> Option<&str> {
    if text.len() > TEXT_MAX || !text.is_ascii() {
        return None;
    }
    let rest = text.strip_prefix("rialto_")?;
    let rest = rest.strip_prefix("live_").or_else(|| rest.strip_prefix("test_"))?;
    let (id, secret) = rest.split_once('_')?;
    let lengths = id.len() == ID_LEN && secret.len() == SECRET_LEN + CHECKSUM_LEN;
    let (body, sum) = text.split_at_checked(text.len().checked_sub(CHECKSUM_LEN)?)?;
    (lengths && checksum(body) == sum).then_some(id)
}

/// Whose key this text is, given what is stored under its id. A text without a record is compared
/// all the same, so that an unknown id costs what a wrong secret costs.
#[must_use]
pub fn verify(text: &str, record: Option<&ApiKey>, keys: &DerivedKeys) -> Option<Principal> {
    let expected = record.map_or([0; 32], |record| record.hash);
    let same = keys.is_api_key(text.as_bytes(), &expected);
    record.filter(|record| same && record.revoked_at.is_none()).map(|record| Principal {
        key_id: record.id.clone(),
        source: record.source.clone(),
        mode: record.mode,
    })
}

/// Random base62 characters, without bias: bytes from 248 on are drawn again.
fn base62<const LEN: usize>() -> String {
    let mut text = String::with_capacity(LEN);
    while text.len() < LEN {
        let bytes: [u8; 64] = crate::random::bytes();
        let usable = bytes.into_iter().filter(|byte| *byte < 248);
        let digits = usable.filter_map(|byte| BASE62.get(usize::from(byte % 62)));
        text.extend(digits.take(LEN.saturating_sub(text.len())).copied().map(char::from));
    }
    text
}

/// The first 32 bits of the SHA-256 in six base62 digits.
fn checksum(body: &str) -> String {
    let digest = Sha256::digest(body.as_bytes());
    let mut bits = digest.iter().take(4).fold(0_u64, |bits, byte| (bits << 8) | u64::from(*byte));
    let mut digits = [b'0'; CHECKSUM_LEN];
    for digit in digits.iter_mut().rev() {
        let at = usize::try_from(bits % 62).unwrap_or(0);
        *digit = BASE62.get(at).copied().unwrap_or(b'0');
        bits /= 62;
    }
    digits.iter().copied().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use exchange_store::vault::RootKey;

    use super::*;

    #[test]
    fn a_key_is_known_by_its_id_and_proved_by_its_whole_text() {
        let source = "kart/search".parse().unwrap();
        let keys = RootKey::from_bytes([7; 32]).derived();
        let mut new = issue(&source, KeyMode::Test, &keys, Timestamp::default());
        assert_eq!(key_id(&new.text), Some(new.record.id.as_str()));
        assert!(new.text.starts_with("rialto_test_"));
        let principal = verify(&new.text, Some(&new.record), &keys).unwrap();
        assert_eq!((principal.source, principal.mode), (source.clone(), KeyMode::Test));
        assert_eq!(verify(&new.text, None, &keys), None);
        let foreign = RootKey::from_bytes([8; 32]).derived();
        assert_eq!(verify(&new.text, Some(&new.record), &foreign), None);
        let other = issue(&source, KeyMode::Test, &keys, Timestamp::default());
        assert_eq!(verify(&other.text, Some(&new.record), &keys), None);
        new.record.revoked_at = Some(Timestamp::default());
        assert_eq!(verify(&new.text, Some(&new.record), &keys), None);
    }

    #[test]
    fn a_typing_error_is_no_key() {
        let (source, keys) =
            ("kart/search".parse().unwrap(), RootKey::from_bytes([7; 32]).derived());
        let new = issue(&source, KeyMode::Live, &keys, Timestamp::default());
        let swapped = if new.text.ends_with('a') { "b" } else { "a" };
        let (all_but_one, _) = new.text.split_at(new.text.len() - 1);
        let typo = format!("{all_but_one}{swapped}");
        assert_eq!(key_id(&typo), None);
        assert_eq!(key_id("rialto_live_"), None);
        assert_eq!(key_id("é"), None);
    }
}
