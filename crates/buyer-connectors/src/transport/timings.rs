//! How long the steps of an exchange took.

use std::time::Duration;

use tokio::time::Instant;

/// The moment, for measuring spans. No timestamp is made from it.
#[expect(
    clippy::disallowed_methods,
    reason = "sockets need timeouts and idle ages; the span never becomes a timestamp"
)]
pub(super) fn now() -> Instant {
    Instant::now()
}

/// When the steps of an exchange were done, each counted from its start.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Timings {
    /// A connection was there (pooled or new); nothing when none came.
    pub connected: Option<Duration>,
    /// Whether that connection had carried a request before.
    pub reused: bool,
    /// The request was handed to the connection.
    pub sent: Option<Duration>,
    /// The reply's head was read.
    pub first_byte: Option<Duration>,
    /// The exchange was over, one way or another.
    pub done: Duration,
}
