//! The auction as a pure state machine, with caps, duplicates, idempotency and recovery.
//!
//! Nothing here does IO, reads a clock or draws a random number: `now` is an argument, and the
//! same events at the same times give the same commands.

pub mod auction;
pub mod caps;
pub mod duplicates;
pub mod idempotency;
pub mod late_report;
pub mod operator_test;
pub mod price_terms;
mod questions;
pub mod record;
pub mod rehearsal;
pub mod resolution;
pub mod trace;

pub use auction::{Auction, Command, Event};
pub use record::{
    Answer, AttemptOutcome, Commit, Concluded, Durable, Intent, Next, OpenAttempt, Promise, Sale,
};
