//! What the connectors promise, shown on the sample exchange, on fixtures and on loopback peers.

mod auth;
mod breaker;
mod calls;
mod dialects;
mod filters;
mod findings;
mod fixtures;
mod fuzz;
mod hostile;
mod mutations;
mod native;
mod one_buyer;
mod presets;
mod privacy;
mod requests;
mod sample;
mod singling;
mod tls;
mod transport;
mod unseen;
mod world;
