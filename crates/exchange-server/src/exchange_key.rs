//! The exchange's own key, and the keys derived from it.
//!
//! One file with 64 hexadecimal digits is the root of everything sealed or hashed here: the pepper
//! of API keys, the fingerprints of duplicates, the wrapping of data keys. Losing it loses the
//! contact data for good; keep it apart from the database's backups.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use exchange_model::pii::FingerprintKey;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::{Zeroize as _, Zeroizing};

/// 32 secret bytes. It prints as `[secret]` and is wiped on drop.
#[derive(Clone)]
pub struct ExchangeKey([u8; 32]);

/// Why there is no exchange key.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeKeyError {
    /// The file is absent although a database is there: a new key could not open what it holds.
    #[error("the exchange key `{0}` is missing; the database cannot be read without it")]
    Missing(String),
    /// The file is not 64 hexadecimal digits.
    #[error("the exchange key `{0}` is not 64 hexadecimal digits")]
    NotAKey(String),
    /// The file cannot be read or written.
    #[error("the exchange key `{0}` cannot be read or made")]
    Io(String, #[source] std::io::Error),
}

impl ExchangeKey {
    /// A key of 32 given bytes, for the demo and tests.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads the key; where neither key nor database exists yet, makes one, readable by its owner.
    ///
    /// # Errors
    /// [`ExchangeKeyError`].
    pub fn open(path: &Path, database: &Path) -> Result<Self, ExchangeKeyError> {
        let shown = || path.display().to_string();
        match std::fs::read_to_string(path).map(Zeroizing::new) {
            Ok(text) => Self::read(&text).ok_or_else(|| ExchangeKeyError::NotAKey(shown())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                if database.exists() {
                    return Err(ExchangeKeyError::Missing(shown()));
                }
                Self::make(path).map_err(|error| ExchangeKeyError::Io(shown(), error))
            }
            Err(error) => Err(ExchangeKeyError::Io(shown(), error)),
        }
    }

    fn read(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text.trim(), &mut bytes).ok()?;
        Some(Self(bytes))
    }

    fn make(path: &Path) -> std::io::Result<Self> {
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        let key = Self(crate::random::bytes());
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        let text = Zeroizing::new(hex::encode(key.0));
        writeln!(file, "{}", *text)?;
        file.sync_all()?;
        Ok(key)
    }

    /// The key for one purpose: HMAC-SHA-256 of its name.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        let mut mac = <Hmac<Sha256>>::new_from_slice(&self.0).expect("any length is a key");
        mac.update(purpose.as_bytes());
        mac.finalize().into_bytes().into()
    }

    /// The key for fingerprints of contact data.
    #[must_use]
    pub fn fingerprints(&self) -> FingerprintKey {
        FingerprintKey::new(self.derive("rialto fingerprints v1"))
    }

    /// The pepper under which API keys are hashed.
    #[must_use]
    pub fn pepper(&self) -> [u8; 32] {
        self.derive("rialto api keys v1")
    }

    /// The key under which each lead's data key is wrapped.
    #[must_use]
    pub fn vault(&self) -> [u8; 32] {
        self.derive("rialto vault v1")
    }

    /// The key under which sellers' own lead ids are hashed.
    #[must_use]
    pub fn seller_ids(&self) -> [u8; 32] {
        self.derive("rialto seller lead ids v1")
    }
}

impl std::fmt::Debug for ExchangeKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

impl Drop for ExchangeKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_never_beside_a_database_it_does_not_fit() {
        let dir = tempfile::tempdir().unwrap();
        let (key, database) = (dir.path().join("k/exchange.key"), dir.path().join("rialto.db"));
        let made = ExchangeKey::open(&key, &database).unwrap();
        std::fs::write(&database, "x").unwrap();
        assert_eq!(ExchangeKey::open(&key, &database).unwrap().0, made.0);
        std::fs::remove_file(&key).unwrap();
        let error = ExchangeKey::open(&key, &database).unwrap_err();
        assert!(matches!(error, ExchangeKeyError::Missing(_)));
    }
}
