//! The only reader of time.
//!
//! A [`Clock`] counts from one reading of the wall by the monotonic clock, so that budgets do not
//! jump when somebody sets the machine's time. It follows the wall slowly ([`Clock::follow_wall`]):
//! cap windows and statements stay on the calendar, and no auction gains or loses its deadline.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use exchange_model::Timestamp;
use tokio::time::Instant;

/// How far one call of [`Clock::follow_wall`] may move the clock.
pub const STEP_MAX: Duration = Duration::from_millis(10);

/// Tells the time and sleeps. Cheap to clone; clones are one clock.
#[derive(Clone, Debug)]
pub struct Clock {
    origin: Instant,
    /// Microseconds since 1970 at `origin`, corrected since.
    wall_at_origin: Arc<AtomicI64>,
    /// Microseconds that this clock is to be ahead of the machine's.
    ahead: i64,
}

impl Clock {
    /// A clock that starts at the machine's time.
    #[must_use]
    pub fn system() -> Self {
        Self::starting_at(wall())
    }

    /// A clock that goes `ahead` of the machine's: the demo runs in business hours.
    #[must_use]
    pub fn ahead_by(ahead: Duration) -> Self {
        let micros = i64::try_from(ahead.as_micros()).unwrap_or(i64::MAX);
        Self { ahead: micros, ..Self::starting_at(wall().after(ahead)) }
    }

    /// A clock that starts at a time of the caller's choice and runs with tokio's time, which a
    /// test may pause.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    pub fn starting_at(start: Timestamp) -> Self {
        Self {
            origin: Instant::now(),
            wall_at_origin: Arc::new(AtomicI64::new(start.unix_micros())),
            ahead: 0,
        }
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        Timestamp::from_unix_micros(self.wall_at_origin.load(Ordering::Relaxed))
            .after(self.origin.elapsed())
    }

    /// Sleeps until this clock shows `at`; not at all when that has passed.
    pub async fn sleep_until(&self, at: Timestamp) {
        tokio::time::sleep(at.since(self.now())).await;
    }

    /// Moves at most [`STEP_MAX`] towards the machine's wall time. To be called once a second;
    /// the answer is how far off the clock still is, in microseconds.
    pub fn follow_wall(&self) -> i64 {
        self.follow(wall())
    }

    fn follow(&self, wall: Timestamp) -> i64 {
        let step = i64::try_from(STEP_MAX.as_micros()).unwrap_or(i64::MAX);
        let shown = wall.unix_micros().saturating_add(self.ahead);
        let off = shown.saturating_sub(self.now().unix_micros());
        let moved = off.clamp(step.saturating_neg(), step);
        self.wall_at_origin.fetch_add(moved, Ordering::Relaxed);
        off.saturating_sub(moved)
    }
}

fn wall() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    let now = std::time::SystemTime::now();
    let since = now.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::default().after(since)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_wall_that_jumps_an_hour_is_followed_in_small_steps() {
        let clock = Clock::starting_at(Timestamp::from_unix_millis(1_000_000));
        let hour_on = clock.now().after(Duration::from_secs(3_600));
        let off = clock.follow(hour_on);
        assert_eq!(clock.now(), Timestamp::from_unix_millis(1_000_010));
        assert_eq!(off, 3_599_990_000);
        clock.follow(Timestamp::default());
        assert_eq!(clock.now(), Timestamp::from_unix_millis(1_000_000));
    }

    #[tokio::test(start_paused = true)]
    async fn sleeping_ends_when_the_clock_shows_the_time() {
        let clock = Clock::starting_at(Timestamp::from_unix_millis(5_000));
        let at = clock.now().after(Duration::from_millis(250));
        clock.sleep_until(at).await;
        assert!(clock.now() >= at);
        clock.sleep_until(Timestamp::default()).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_goes_ahead_stays_ahead() {
        let clock = Clock::ahead_by(Duration::from_secs(86_400));
        let wall = clock.now().before(Duration::from_secs(86_400));
        clock.follow(wall);
        assert_eq!(clock.now(), wall.after(Duration::from_secs(86_400)));
    }
}
