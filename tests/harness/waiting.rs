//! Waiting: polling with a deadline.

use std::future::Future;
use std::time::{Duration, Instant};

/// How long anything may take on a busy machine before a test gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// The moment, for measuring how long something took.
#[expect(clippy::disallowed_methods, reason = "a test measures the exchange from outside")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Looks again and again until there is something, for at most [`PATIENCE`].
pub(crate) async fn eventually<T, F>(what: &str, mut look: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let began = now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "waited {PATIENCE:?} for {what}");
        tokio::time::sleep(PAUSE).await;
    }
}

/// Fails when it takes longer than `limit`.
pub(crate) async fn within<T>(limit: Duration, what: &str, act: impl Future<Output = T>) -> T {
    let done = tokio::time::timeout(limit, act).await;
    done.unwrap_or_else(|_elapsed| panic!("{what} took longer than {limit:?}"))
}
