//! What the connectors promise, shown on the sample exchange, on fixtures and on loopback peers.

mod findings;
mod fixtures;
mod hostile;
mod sample;
mod tls;
mod transport;
mod world;
