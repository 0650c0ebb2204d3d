//! The books: accounts, balanced entries, holds, sales, statements and their proofs, as pure rules.
//!
//! State and event go in, entries or a refusal come out. Nothing here does IO, reads a clock or
//! knows that auctions exist; the store applies what comes out inside its own write, so that a
//! balance that was checked is the balance that is changed. One rule holds everywhere:
//!
//! > Nothing is edited. What has been booked is corrected by booking something else.
//!
//! A store needs four steps for every event: read [`Funds`], call the event's
//! function ([`hold::place`], [`sale::book`], [`hold::release`], [`top_up::wire`]), apply
//! [`Transaction::deltas`] to its balances, and append the transaction
//! with [`chain::link`]. The transaction's key is unique in the store: see
//! [`Transaction::same_event`] for what a repeated key means.

#![warn(clippy::arithmetic_side_effects)]

pub mod account;
pub mod balance;
pub mod chain;
pub mod entry;
pub mod error;
pub mod export;
pub mod hold;
pub mod sale;
pub mod statement;
pub mod top_up;
pub mod verify;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod samples;

pub use account::Account;
pub use entry::{Entry, EventKind, Header, Layer, Side, Stamp, Transaction};
pub use error::LedgerError;
pub use hold::{Funds, Hold, HoldRequest, HoldState};
