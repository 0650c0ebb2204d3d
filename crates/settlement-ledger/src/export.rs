//! Exports: the books in formats that other people's tools check.

mod hledger;

pub use hledger::{ExportError, StoredBalance, hledger};
