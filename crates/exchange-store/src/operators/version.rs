//! Configs that were routed by, one after the other.

use exchange_model::Timestamp;
use serde::{Deserialize, Serialize};

/// Most bytes of files that are kept over all versions. When a new one brings more, the sets that
/// were applied longest ago are dropped; that they were applied stays on record.
pub const SETS_BYTES_MAX: u64 = 256 * 1_024 * 1_024;

/// Why a config was applied.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cause {
    /// The process began with it.
    Start,
    /// Its files were read again.
    Reload,
    /// It had been applied before and was chosen again.
    Rollback,
}

impl Cause {
    /// `start`, `reload` or `rollback`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Reload => "reload",
            Self::Rollback => "rollback",
        }
    }

    /// The cause of this code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Start, Self::Reload, Self::Rollback].into_iter().find(|cause| cause.code() == code)
    }
}

/// Names and texts of the files of a config, by name.
pub type ConfigFiles = Vec<(String, String)>;

/// How a file differs from the version before.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Change {
    /// Its name, like `buyers/acme.toml`.
    pub file: String,
    /// `added`, `changed` or `removed`.
    pub how: String,
}

/// A config that is about to be routed by.
#[derive(Clone, Debug)]
pub struct NewVersion {
    /// The SHA-256 of all its files, in hexadecimal digits.
    pub set_hash: String,
    /// Names and texts of its files.
    pub files: ConfigFiles,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub cause: Cause,
    /// By whom: `cli anna`, `signal`, `watch`, `start`.
    pub actor: String,
    /// The version that is applied again.
    pub again_of: Option<u64>,
}

/// A config that was routed by.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConfigVersion {
    /// Its number, counted from 1.
    pub number: u64,
    /// The SHA-256 of all its files, in hexadecimal digits.
    pub set_hash: String,
    /// Since when.
    pub applied_at: Timestamp,
    /// Why.
    pub cause: Cause,
    /// By whom.
    pub actor: String,
    /// The version that was applied again.
    pub again_of: Option<u64>,
    /// How its files differ from those of the version before; at most
    /// [`ConfigVersion::CHANGES_MAX`] are named.
    pub changes: Vec<Change>,
    /// Whether its files are still kept.
    pub kept: bool,
}

impl ConfigVersion {
    /// Most changed files that are named.
    pub const CHANGES_MAX: usize = 200;

    /// `v41-1c83e49ab2f0`: number and content, as leads carry it.
    #[must_use]
    pub fn label(&self) -> String {
        let short: String = self.set_hash.chars().take(12).collect();
        format!("v{}-{short}", self.number)
    }
}
