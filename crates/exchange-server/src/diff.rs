//! What a change of config does: in words, and over leads that were recorded.
//!
//! [`changes`] compares two sets of files key by key and knows nothing of auctions;
//! [`replay`](replay::replay) asks the auction itself. Neither changes anything.

mod changes;
pub mod habits;
mod list;
pub mod recorded;
pub mod replay;
mod tree;
mod world;

pub use changes::{Change, Kind, changes};
