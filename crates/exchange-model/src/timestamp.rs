//! Points in time, as an integer that can be built, stored and replayed.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A day of the calendar, without a time zone.
pub use jiff::civil::Date;
/// A day and a time of day, without a time zone.
pub use jiff::civil::DateTime;

/// Microseconds since 1970-01-01T00:00:00Z.
///
/// `std::time::Instant` cannot be built, so a test cannot script it and a record cannot hold it.
/// Only the server's clock turns the machine's time into this type.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From microseconds since the epoch.
    #[must_use]
    pub const fn from_unix_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// From milliseconds since the epoch, saturating.
    #[must_use]
    pub const fn from_unix_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1_000))
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub const fn unix_micros(self) -> i64 {
        self.0
    }

    /// Milliseconds since the epoch, rounded down.
    #[must_use]
    pub const fn unix_millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// Seconds since the epoch, rounded down.
    #[must_use]
    pub const fn unix_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// This moment plus `span`, saturating.
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }

    /// This moment minus `span`, saturating.
    #[must_use]
    pub fn before(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }

    /// How long after `earlier` this moment is; zero when it is not.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The same moment for calendar arithmetic. Moments outside jiff's years -9999..=9999 clamp.
    #[must_use]
    pub fn to_jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_microsecond(self.0).unwrap_or(if self.0 < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        })
    }

    /// From jiff, losing nanoseconds.
    #[must_use]
    pub fn from_jiff(at: jiff::Timestamp) -> Self {
        Self(at.as_microsecond())
    }

    /// The day and the time of day of this moment in UTC.
    #[must_use]
    pub fn civil_utc(self) -> DateTime {
        jiff::tz::TimeZone::UTC.to_datetime(self.to_jiff())
    }

    /// The moment that this is in UTC. A day and time outside of what a timestamp holds clamp.
    #[must_use]
    pub fn from_civil_utc(at: DateTime) -> Self {
        let clamped = if at.year() < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
        Self::from_jiff(jiff::tz::TimeZone::UTC.to_timestamp(at).unwrap_or(clamped))
    }

    /// The calendar day of this moment in `zone`.
    #[must_use]
    pub fn date_in(self, zone: &jiff::tz::TimeZone) -> Date {
        zone.to_datetime(self.to_jiff()).date()
    }
}

/// RFC 3339 in UTC with milliseconds: `2026-11-23T16:15:00.250Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.to_jiff())
    }
}

/// RFC 3339 with any offset.
impl FromStr for Timestamp {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Self, jiff::Error> {
        text.parse().map(Self::from_jiff)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_and_reads_rfc_3339() {
        let at: Timestamp = "2026-11-23T10:15:00.250-06:00".parse().unwrap();
        assert_eq!(at.to_string(), "2026-11-23T16:15:00.250Z");
        assert_eq!(at.after(Duration::from_millis(750)).since(at), Duration::from_millis(750));
        assert_eq!(at.since(at.after(Duration::from_secs(1))), Duration::ZERO);
    }
}
