//! Sellers' keys in memory, so that the door asks no disk.
//!
//! The map's guards stay in here: callers pass closures.

use dashmap::DashMap;
use exchange_model::Timestamp;
use exchange_store::ApiKey;

/// Every key, by its public part.
#[derive(Debug, Default)]
pub struct KeyRing(DashMap<String, ApiKey>);

impl KeyRing {
    /// These keys.
    #[must_use]
    pub fn new(keys: Vec<ApiKey>) -> Self {
        Self(keys.into_iter().map(|key| (key.id.clone(), key)).collect())
    }

    /// Looks at the key with this public part; at nothing when there is none.
    pub fn look<T>(&self, id: Option<&str>, look: impl FnOnce(Option<&ApiKey>) -> T) -> T {
        match id.and_then(|id| self.0.get(id)) {
            Some(key) => look(Some(&key)),
            None => look(None),
        }
    }

    /// Adds a key that is stored.
    pub fn add(&self, key: ApiKey) {
        self.0.insert(key.id.clone(), key);
    }

    /// Stops accepting a key.
    pub fn revoke(&self, id: &str, at: Timestamp) {
        if let Some(mut key) = self.0.get_mut(id) {
            key.revoked_at.get_or_insert(at);
        }
    }
}
