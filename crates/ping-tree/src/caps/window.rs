//! The stretches of time that caps count in.

use exchange_model::reason::CapKind;
use exchange_model::{Date, Timestamp};
use jiff::ToSpan as _;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Windows of an hour and more begin and end on multiples of this many microseconds (15 minutes)
/// since the epoch, so that counters kept in such steps add up to any window of any zone in use.
const STEP_MICROS: i64 = 15 * 60 * 1_000_000;
const SECOND_MICROS: i64 = 1_000_000;

/// Before every lead.
pub const BEGINNING: Timestamp = Timestamp::from_unix_micros(i64::MIN);
/// After every lead.
pub const END: Timestamp = Timestamp::from_unix_micros(i64::MAX);

/// A stretch of time: from `start`, up to but not including `end`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Window {
    /// First moment inside.
    pub start: Timestamp,
    /// First moment after it.
    pub end: Timestamp,
}

impl Window {
    /// Whether `at` lies inside.
    #[must_use]
    pub fn contains(&self, at: Timestamp) -> bool {
        self.start <= at && at < self.end
    }

    /// The second, hour, day, week or month by the wall clock of `zone` that `now` lies in; of
    /// anything else, all time.
    ///
    /// It is what people there would call that hour or day: a day of 23 or 25 hours when the clocks
    /// change, and when they go back, one long hour that the clock shows twice.
    #[must_use]
    pub fn of(kind: CapKind, now: Timestamp, zone: &TimeZone) -> Self {
        let civil = zone.to_datetime(now.to_jiff());
        let (start, end) = match kind {
            CapKind::Second => return second(now),
            CapKind::Hour | CapKind::HourSpend => {
                let start = civil.date().at(civil.hour(), 0, 0, 0);
                (start, start.saturating_add(1.hour()))
            }
            CapKind::Day | CapKind::DaySpend | CapKind::Pace => {
                let start = civil.start_of_day();
                (start, start.saturating_add(1.day()))
            }
            CapKind::Week | CapKind::WeekSpend => {
                let past = i64::from(civil.weekday().to_monday_zero_offset());
                let start = civil.start_of_day().saturating_sub(past.days());
                (start, start.saturating_add(1.week()))
            }
            CapKind::Month | CapKind::MonthSpend => {
                let start = civil.first_of_month().start_of_day();
                (start, start.saturating_add(1.month()))
            }
            CapKind::Total | CapKind::TotalSpend | CapKind::Open => {
                return Self { start: BEGINNING, end: END };
            }
        };
        Self { start: instant(start, zone).min(now), end: instant(end, zone) }
    }
}

fn second(now: Timestamp) -> Window {
    let start = floor(now, SECOND_MICROS);
    Window {
        start,
        end: Timestamp::from_unix_micros(start.unix_micros().saturating_add(SECOND_MICROS)),
    }
}

/// The first moment of a day by the clock of `zone`.
#[must_use]
pub fn date_start(date: Date, zone: &TimeZone) -> Timestamp {
    instant(date.at(0, 0, 0, 0), zone)
}

/// The first moment at which the clocks of `zone` show `civil` or, where they skip it, something
/// later; on a whole step.
fn instant(civil: DateTime, zone: &TimeZone) -> Timestamp {
    let moment = match zone.to_ambiguous_timestamp(civil).compatible() {
        Ok(moment) => Timestamp::from_jiff(moment),
        Err(_beyond_the_calendar) => Timestamp::from_jiff(jiff::Timestamp::MAX),
    };
    floor(moment, STEP_MICROS)
}

fn floor(at: Timestamp, step: i64) -> Timestamp {
    let micros = at.unix_micros();
    Timestamp::from_unix_micros(micros.saturating_sub(micros.rem_euclid(step)))
}
