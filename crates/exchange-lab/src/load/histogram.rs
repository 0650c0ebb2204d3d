//! Latencies, exact to the microsecond.

use std::collections::BTreeMap;
use std::time::Duration;

/// How often each latency occurred. Nothing is rounded into wider buckets, so a percentile is a
/// latency that was really measured.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Histogram {
    counts: BTreeMap<u64, u64>,
    total: u64,
}

impl Histogram {
    /// Adds one latency.
    pub fn record(&mut self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        *self.counts.entry(micros).or_default() += 1;
        self.total += 1;
    }

    /// How many latencies were recorded.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.total
    }

    /// The smallest latency that at least `per_mille` thousandths of all are no longer than;
    /// zero where nothing was recorded.
    #[must_use]
    pub fn per_mille(&self, per_mille: u32) -> Duration {
        let wanted = (u128::from(self.total) * u128::from(per_mille)).div_ceil(1000).max(1);
        let mut seen = 0;
        for (micros, count) in &self.counts {
            seen += u128::from(*count);
            if seen >= wanted {
                return Duration::from_micros(*micros);
            }
        }
        self.max()
    }

    /// The longest latency; zero where nothing was recorded.
    #[must_use]
    pub fn max(&self) -> Duration {
        self.counts
            .last_key_value()
            .map_or(Duration::ZERO, |(micros, _)| Duration::from_micros(*micros))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_measured_values() {
        let mut histogram = Histogram::default();
        for millis in 1..=100 {
            histogram.record(Duration::from_millis(millis));
        }
        assert_eq!(histogram.per_mille(500), Duration::from_millis(50));
        assert_eq!(histogram.per_mille(950), Duration::from_millis(95));
        assert_eq!(histogram.per_mille(990), Duration::from_millis(99));
        assert_eq!(histogram.per_mille(1000), histogram.max());
        assert_eq!(histogram.max(), Duration::from_millis(100));
        assert_eq!(Histogram::default().per_mille(990), Duration::ZERO);
    }
}
