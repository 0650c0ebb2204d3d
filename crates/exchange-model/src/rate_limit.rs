//! So many in a second: what a rate allows, and how much of it is used.
//!
//! A [`Bucket`] is one moment in time, whatever the rate and however much comes; it reads no clock.
//! The one rule:
//!
//! > In any stretch of time no more pass than the rate times its length, plus one second's worth.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::Timestamp;

/// Most in a second or minute.
pub const RATE_MAX: u32 = 100_000;

/// The text is no rate.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a rate is 1 to {RATE_MAX} in a second or a minute, like 50/s or 300/m")]
pub struct BadRate;

/// So many in a second, or in a minute.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RateLimit {
    count: u32,
    per: Duration,
}

impl RateLimit {
    /// How many.
    #[must_use]
    pub const fn count(self) -> u32 {
        self.count
    }

    /// In how long: a second or a minute.
    #[must_use]
    pub const fn per(self) -> Duration {
        self.per
    }

    /// The time that each one takes.
    fn interval(self) -> Duration {
        self.per.checked_div(self.count).unwrap_or(self.per)
    }

    /// How far ahead of an even flow a burst may run: one second's worth, and at least one.
    fn ahead(self) -> Duration {
        Duration::from_secs(1).saturating_sub(self.interval())
    }
}

impl FromStr for RateLimit {
    type Err = BadRate;

    fn from_str(text: &str) -> Result<Self, BadRate> {
        let (count, unit) = text.split_once('/').ok_or(BadRate)?;
        let per = match unit {
            "s" => Duration::from_secs(1),
            "m" => Duration::from_mins(1),
            _ => return Err(BadRate),
        };
        let plain = !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit());
        let count = count.parse().ok().filter(|_| plain).ok_or(BadRate)?;
        if (1..=RATE_MAX).contains(&count) { Ok(Self { count, per }) } else { Err(BadRate) }
    }
}

/// `50/s`.
impl fmt::Display for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = if self.per > Duration::from_secs(1) { "m" } else { "s" };
        write!(f, "{}/{unit}", self.count)
    }
}

/// What passed lately: the moment at which an even flow would be through with it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Bucket {
    through: Option<Timestamp>,
}

impl Bucket {
    /// Whether one more may pass now; takes nothing.
    ///
    /// # Errors
    /// How long until one may.
    pub fn look(&self, rate: RateLimit, now: Timestamp) -> Result<(), Duration> {
        let wait = self.through.unwrap_or(now).since(now).saturating_sub(rate.ahead());
        if wait.is_zero() { Ok(()) } else { Err(wait) }
    }

    /// Lets one pass now.
    ///
    /// # Errors
    /// How long until one may; nothing was taken.
    pub fn take(&mut self, rate: RateLimit, now: Timestamp) -> Result<(), Duration> {
        self.look(rate, now)?;
        let begin = self.through.map_or(now, |through| through.max(now));
        self.through = Some(begin.after(round_up(rate.interval())));
        Ok(())
    }
}

/// To whole microseconds, up: a rate may be missed by a hair, and never passed.
fn round_up(span: Duration) -> Duration {
    let micros = u64::try_from(span.as_nanos().div_ceil(1_000)).unwrap_or(u64::MAX);
    Duration::from_micros(micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(text: &str) -> RateLimit {
        text.parse().unwrap()
    }

    fn passed(rate: RateLimit, bucket: &mut Bucket, times: impl Iterator<Item = i64>) -> usize {
        times.filter(|ms| bucket.take(rate, Timestamp::from_unix_millis(*ms)).is_ok()).count()
    }

    #[test]
    fn rates_are_written_and_read() {
        for text in ["1/s", "50/s", "300/m", "100000/s"] {
            assert_eq!(rate(text).to_string(), text);
        }
        for text in ["", "50", "0/s", "50/h", "+5/s", " 5/s", "100001/s", "/s", "5.5/s"] {
            assert_eq!(text.parse::<RateLimit>(), Err(BadRate), "{text}");
        }
    }

    #[test]
    fn a_second_s_worth_passes_at_once_and_no_more() {
        let mut bucket = Bucket::default();
        assert_eq!(passed(rate("5/s"), &mut bucket, std::iter::repeat_n(0, 100)), 5);
        let wait = bucket.look(rate("5/s"), Timestamp::from_unix_millis(0)).unwrap_err();
        assert_eq!(wait, Duration::from_millis(200));
        assert_eq!(passed(rate("5/s"), &mut bucket, std::iter::repeat_n(200, 100)), 1);
        // A long silence saves up one second's worth, not more.
        assert_eq!(passed(rate("5/s"), &mut bucket, std::iter::repeat_n(60_000, 100)), 5);
    }

    #[test]
    fn a_minute_s_rate_passes_them_one_by_one() {
        let mut bucket = Bucket::default();
        assert_eq!(passed(rate("6/m"), &mut bucket, 0..60_000), 6);
        let mut bucket = Bucket::default();
        assert_eq!(passed(rate("6/m"), &mut bucket, std::iter::repeat_n(0, 100)), 1);
    }

    #[test]
    fn over_ten_seconds_no_more_pass_than_the_rate_and_one_second_s_worth() {
        for text in ["1/s", "3/s", "7/s", "50/s", "400/m"] {
            let (rate, mut bucket) = (rate(text), Bucket::default());
            let passed = passed(rate, &mut bucket, (0..10_000).flat_map(|ms| [ms; 3]));
            let (count, seconds) = (u64::from(rate.count()), rate.per().as_secs());
            let passed = u64::try_from(passed).unwrap();
            // Of the even rate over ten seconds, and one second's worth: at least one.
            let (even, second) = (10 * count / seconds, count.div_ceil(seconds));
            assert!((even..=even + second).contains(&passed), "{text}: {passed}");
        }
    }
}
