//! How long a buyer takes to answer pings, learned from its last answers.
//!
//! A pure, bounded memory: time is an argument. The last [`KEPT`] answers of the last [`WINDOW`]
//! count alike; what is older is forgotten. A ping that is never answered counts as one that takes
//! the ceiling, so that a buyer that slows down is noticed, unless it was cut earlier than most
//! answers come: then it says nothing.
//!
//! > The wait is never longer than the ceiling, and the ceiling itself while little is known: at
//! > first, after a quiet time, and after [`PATIENCE`] unanswered pings in a row.

use std::time::Duration;

/// Most answers that are remembered.
const KEPT: usize = 100;
/// How long an answer is remembered.
const WINDOW: Duration = Duration::from_secs(600);
/// Fewer answers than this teach nothing.
const SAMPLES_MIN: usize = 20;
/// Unanswered pings in a row after which the learned wait is not trusted.
const PATIENCE: u32 = 2;

/// How long the answers of a buyer take.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Typical {
    /// Half of them take at most this.
    pub p50: Duration,
    /// Of a hundred, 95 take at most this.
    pub p95: Duration,
}

/// The bounds between which a wait is learned.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) least: Duration,
    pub(super) ceiling: Duration,
}

/// One ping's end.
#[derive(Clone, Copy, Debug)]
struct Sample {
    at: Duration,
    took: Duration,
}

/// The memory of one connector. `now` is the time since any fixed moment.
#[derive(Clone, Debug, Default)]
pub(super) struct Latency {
    samples: Vec<Sample>,
    /// Where the next sample goes, once there are [`KEPT`].
    next: usize,
    unanswered: u32,
    typical: Option<Typical>,
    newest: Duration,
}

impl Latency {
    /// What it has learned, if enough.
    pub(super) fn typical(&self, now: Duration) -> Option<Typical> {
        self.typical.filter(|_| now.saturating_sub(self.newest) < WINDOW)
    }

    /// How long its next answer is waited for.
    pub(super) fn wait(&self, now: Duration, bounds: Bounds) -> Duration {
        let Some(typical) = self.typical(now).filter(|_| self.unanswered < PATIENCE) else {
            return bounds.ceiling;
        };
        let learned = typical.p95.saturating_mul(3).checked_div(2).unwrap_or(bounds.ceiling);
        learned.max(bounds.least).min(bounds.ceiling)
    }

    /// It answered, after this long.
    pub(super) fn answered(&mut self, now: Duration, took: Duration) {
        self.unanswered = 0;
        self.keep(now, took);
    }

    /// It had not answered when nobody read any longer.
    pub(super) fn unanswered(&mut self, now: Duration, read_for: Duration, ceiling: Duration) {
        let enough = self.typical(now).map_or(ceiling, |typical| typical.p95);
        if read_for >= enough.min(ceiling) {
            self.unanswered = self.unanswered.saturating_add(1);
            self.keep(now, ceiling.max(read_for));
        }
    }

    fn keep(&mut self, now: Duration, took: Duration) {
        let sample = Sample { at: now, took };
        match self.samples.get_mut(self.next) {
            Some(oldest) => *oldest = sample,
            None => self.samples.push(sample),
        }
        self.next = self.next.saturating_add(1).checked_rem(KEPT).unwrap_or(0);
        self.newest = now;
        self.typical = self.learned(now);
    }

    fn learned(&self, now: Duration) -> Option<Typical> {
        let fresh = self.samples.iter().filter(|sample| now.saturating_sub(sample.at) < WINDOW);
        let mut took: Vec<Duration> = fresh.map(|sample| sample.took).collect();
        if took.len() < SAMPLES_MIN {
            return None;
        }
        took.sort_unstable();
        Some(Typical { p50: rank(&took, 50), p95: rank(&took, 95) })
    }
}

/// The value that so many of a hundred do not exceed.
fn rank(sorted: &[Duration], of_hundred: usize) -> Duration {
    let at = sorted.len().saturating_mul(of_hundred).div_ceil(100).saturating_sub(1);
    sorted.get(at).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;
