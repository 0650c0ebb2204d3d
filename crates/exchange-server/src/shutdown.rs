//! Being told to stop: SIGTERM, or Ctrl-C on a terminal.
//!
//! The first time the exchange drains: not ready, no new leads, auctions finish, the store is
//! flushed. The second time it ends at once; what was acknowledged is on disk either way.

use std::io;

/// Resolves when the process is told to stop.
///
/// # Errors
/// When signals cannot be listened to.
#[cfg(unix)]
pub async fn asked() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _signal = terminate.recv() => {}
        _signal = interrupt.recv() => {}
    }
    Ok(())
}

/// Resolves when the process is told to stop.
///
/// # Errors
/// When signals cannot be listened to.
#[cfg(not(unix))]
pub async fn asked() -> io::Result<()> {
    tokio::signal::ctrl_c().await
}
