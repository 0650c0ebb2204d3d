//! The edge: seller and operator APIs, auction driver, command line and wiring. Binary: rialto.
//!
//! Everything that reads time, opens a listener or reads a file of settings is here, and nothing
//! that decides: who is asked, who wins and what is booked is settled in the crates below.

pub mod app;
pub mod auth;
pub mod clock;
pub mod exchange_key;
pub mod load;
pub mod random;
pub mod settings;
