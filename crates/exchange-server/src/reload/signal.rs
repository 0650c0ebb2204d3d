//! SIGHUP: read the files again.

use std::io;
use std::sync::Arc;

use super::Reloader;

/// Who it was, in the record.
#[cfg(unix)]
const ACTOR: &str = "signal";

/// From now on SIGHUP reloads instead of ending the process. The work never ends by itself.
///
/// # Errors
/// When the signal cannot be listened to.
#[cfg(unix)]
pub fn on_hangup(reloader: Arc<Reloader>) -> io::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut hangups = signal(SignalKind::hangup())?;
    Ok(async move {
        while hangups.recv().await.is_some() {
            crate::notify::reloading();
            // What came of it is in the log, the metric and the record.
            let _report = reloader.reload(ACTOR).await;
            crate::notify::ready();
        }
    })
}

/// Where there is no such signal, nothing listens to it.
///
/// # Errors
/// Never.
#[cfg(not(unix))]
pub fn on_hangup(
    _reloader: Arc<Reloader>,
) -> io::Result<impl Future<Output = ()> + Send + 'static> {
    Ok(std::future::ready(()))
}
