//! Where the config that is routed by comes from: the files on disk, or the store.

use std::fmt;

/// Where it comes from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Basis {
    /// The folder, as it was read last without an error.
    Folder,
    /// The store: at the start the folder could not be used.
    LastGood {
        /// The version whose files are used.
        of: u64,
        /// Errors in the folder.
        errors: usize,
    },
    /// The store: an operator chose an earlier version.
    RolledBack {
        /// The version whose files are used.
        of: u64,
    },
}

impl Basis {
    /// Whether the files on disk may say something else.
    #[must_use]
    pub const fn is_folder(&self) -> bool {
        matches!(self, Self::Folder)
    }
}

impl fmt::Display for Basis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder => f.write_str("as the files on disk"),
            Self::LastGood { of, errors } => write!(
                f,
                "NOT as the files on disk: they have {errors} errors, version {of} of the store is used"
            ),
            Self::RolledBack { of } => write!(
                f,
                "NOT as the files on disk: rolled back to version {of}; the next reload applies the files"
            ),
        }
    }
}
