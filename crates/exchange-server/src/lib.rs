//! The edge: seller and operator APIs, auction driver, command line and wiring. Binary: rialto.
//!
//! Everything that reads time, opens a listener or reads a file of settings is here, and nothing
//! that decides: who is asked, who wins and what is booked is settled in the crates below.

pub mod app;
pub mod auction_driver;
pub mod auth;
pub mod callbacks;
mod calls;
pub mod cli;
pub mod clock;
pub mod diff;
pub mod exchange;
pub mod health;
pub mod intake;
pub mod key_ring;
pub mod late;
mod lint;
pub mod listen;
pub mod load;
pub mod metrics;
mod notify;
pub mod operator_api;
pub mod random;
pub mod rates;
pub mod reload;
pub mod repeats;
pub mod resolver;
pub mod running;
pub mod scores;
pub mod seller_api;
pub mod settings;
pub mod shutdown;
pub mod snapshot;
pub mod standing;
pub mod telemetry;
pub mod waiting;
