//! A clock for demonstrations: the sample's buyers sleep at night and on Sundays.

use std::time::Duration;

use exchange_model::Timestamp;
use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{ToSpan as _, Zoned};

use crate::clock::Clock;

/// Where most of the sample's buyers are.
const ZONE: &str = "America/Chicago";
/// When a demonstration begins that cannot begin now.
const MORNING: Time = Time::constant(10, 15, 0, 0);
/// Within these hours every buyer of the sample is open on a working day.
const OPEN: (Time, Time) = (Time::constant(9, 0, 0, 0), Time::constant(11, 0, 0, 0));

/// The machine's time while every buyer of the sample is open, else the next working morning.
pub(crate) fn clock() -> Clock {
    Clock::ahead_by(until_open(Clock::system().now()))
}

/// How a moment reads where the sample's buyers are.
pub(crate) fn shown(at: Timestamp) -> String {
    local(at).map_or_else(
        || at.to_string(),
        |local| local.strftime("%A %F %H:%M in Chicago").to_string(),
    )
}

fn local(at: Timestamp) -> Option<Zoned> {
    Some(at.to_jiff().to_zoned(TimeZone::get(ZONE).ok()?))
}

fn until_open(now: Timestamp) -> Duration {
    let Some(local) = local(now) else { return Duration::ZERO };
    if is_working_day(&local) && (OPEN.0..OPEN.1).contains(&local.time()) {
        return Duration::ZERO;
    }
    let days = std::iter::successors(Some(local.clone()), |day| day.checked_add(1.day()).ok());
    days.take(8)
        .filter(is_working_day)
        .filter_map(|day| day.with().time(MORNING).build().ok())
        .find(|morning| *morning > local)
        .map(|morning| Timestamp::from_jiff(morning.timestamp()).since(now))
        .unwrap_or_default()
}

fn is_working_day(day: &Zoned) -> bool {
    !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_demonstration_begins_when_the_samples_buyers_are_awake() {
        let begins = |now: &str| {
            let now: Timestamp = now.parse().unwrap();
            shown(now.after(until_open(now)))
        };
        assert_eq!(begins("2026-11-22T17:00:00Z"), "Monday 2026-11-23 10:15 in Chicago");
        assert_eq!(begins("2026-11-24T03:00:00Z"), "Tuesday 2026-11-24 10:15 in Chicago");
        assert_eq!(begins("2026-11-24T16:30:00Z"), "Tuesday 2026-11-24 10:30 in Chicago");
        assert_eq!(begins("2026-11-27T20:00:00Z"), "Monday 2026-11-30 10:15 in Chicago");
    }
}
