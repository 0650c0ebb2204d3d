//! Filters of dates and moments. Moments are in UTC where no zone is named.

use std::fmt::Write as _;

use exchange_model::Timestamp;
use exchange_model::timestamp::{Date, DateTime};
use jiff::Zoned;
use jiff::tz::TimeZone;

use crate::template::scalar::Scalar;

/// A date as a buyer writes it, like `%m/%d/%Y`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct DateForm {
    parts: Vec<Part>,
    zone: TimeZone,
}

/// A zone of the time zone database, like `America/Chicago`.
pub(crate) fn zone(name: &str) -> Option<TimeZone> {
    TimeZone::get(name).ok()
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Part {
    /// A code after `%`.
    Code(Code),
    /// Anything else, as it stands.
    Literal(char),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Code {
    Year,
    ShortYear,
    Month,
    Day,
    DayUnpadded,
    MonthName,
    MonthShort,
    Hour,
    Hour12,
    HalfDay,
    Minute,
    Second,
    Millisecond,
    DayOfYear,
    WeekdayName,
    WeekdayShort,
    Offset,
    OffsetWithColon,
}

/// The codes and what they are.
const CODES: &[(char, Code)] = &[
    ('Y', Code::Year),
    ('y', Code::ShortYear),
    ('m', Code::Month),
    ('d', Code::Day),
    ('e', Code::DayUnpadded),
    ('B', Code::MonthName),
    ('b', Code::MonthShort),
    ('H', Code::Hour),
    ('I', Code::Hour12),
    ('p', Code::HalfDay),
    ('M', Code::Minute),
    ('S', Code::Second),
    ('L', Code::Millisecond),
    ('j', Code::DayOfYear),
    ('A', Code::WeekdayName),
    ('a', Code::WeekdayShort),
    ('z', Code::Offset),
    (':', Code::OffsetWithColon),
];

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

impl DateForm {
    /// What is said when a form holds another code.
    pub(crate) const KNOWN: &'static str =
        "knows %Y, %y, %m, %d, %e, %b, %B, %H, %I, %p, %M, %S, %L, %j, %a, %A, %z, %:z and %%";

    /// Reads a form, of UTC; nothing when it holds an unknown code.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = Vec::new();
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            parts.push(match character {
                '%' => match characters.next()? {
                    '%' => Part::Literal('%'),
                    ':' if characters.next() != Some('z') => return None,
                    code => Part::Code(CODES.iter().find(|(known, _)| *known == code)?.1),
                },
                other => Part::Literal(other),
            });
        }
        Some(Self { parts, zone: TimeZone::UTC })
    }

    /// The same in another zone: moments are shown on its clocks, days stay the days they are.
    pub(crate) fn in_zone(self, zone: TimeZone) -> Self {
        Self { zone, ..self }
    }

    /// On the zone's clocks; a day is its own midnight.
    fn zoned(&self, at: DateTime, is_day: bool) -> Option<Zoned> {
        let zone = self.zone.clone();
        if is_day {
            return at.to_zoned(zone).ok();
        }
        Some(Timestamp::from_civil_utc(at).to_jiff().to_zoned(zone))
    }

    fn write(&self, at: &Zoned) -> String {
        let mut out = String::with_capacity(self.parts.len().saturating_mul(3));
        for part in &self.parts {
            match part {
                Part::Literal(character) => out.push(*character),
                Part::Code(code) => code.write(at, &mut out).expect("a string takes all"),
            }
        }
        out
    }
}

impl Code {
    fn write(self, at: &Zoned, out: &mut String) -> std::fmt::Result {
        let month = usize::from(at.month().unsigned_abs()).saturating_sub(1);
        let month = MONTHS.get(month).copied().unwrap_or("");
        match self {
            Self::Year => write!(out, "{:04}", at.year()),
            Self::ShortYear => write!(out, "{:02}", at.year().rem_euclid(100)),
            Self::Month => write!(out, "{:02}", at.month()),
            Self::Day => write!(out, "{:02}", at.day()),
            Self::DayUnpadded => write!(out, "{}", at.day()),
            Self::MonthName => out.write_str(month),
            Self::MonthShort => out.write_str(month.get(..3).unwrap_or(month)),
            Self::Hour => write!(out, "{:02}", at.hour()),
            Self::Hour12 => {
                write!(out, "{:02}", at.hour().saturating_add(11).rem_euclid(12).saturating_add(1))
            }
            Self::HalfDay => out.write_str(if at.hour() < 12 { "AM" } else { "PM" }),
            Self::Minute => write!(out, "{:02}", at.minute()),
            Self::Second => write!(out, "{:02}", at.second()),
            Self::Millisecond => write!(out, "{:03}", at.millisecond()),
            Self::DayOfYear => write!(out, "{:03}", at.day_of_year()),
            Self::WeekdayName => out.write_str(weekday(at)),
            Self::WeekdayShort => out.write_str(weekday(at).get(..3).unwrap_or("")),
            Self::Offset => write_offset(at, "", out),
            Self::OffsetWithColon => write_offset(at, ":", out),
        }
    }
}

fn weekday(at: &Zoned) -> &'static str {
    const DAYS: [&str; 7] =
        ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
    let index = usize::from(at.weekday().to_monday_zero_offset().unsigned_abs());
    DAYS.get(index).copied().unwrap_or("")
}

/// `-0500`, or `-05:00`.
fn write_offset(at: &Zoned, between: &str, out: &mut String) -> std::fmt::Result {
    let seconds = at.offset().seconds();
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.unsigned_abs() / 60;
    write!(out, "{sign}{:02}{between}{:02}", minutes / 60, minutes % 60)
}

/// The moment that a value is; a day is its midnight.
fn moment(value: &Scalar<'_>) -> Option<DateTime> {
    match value {
        Scalar::Date(date) => Some(midnight(*date)),
        Scalar::Moment(moment) => Some(moment.civil_utc()),
        Scalar::Text(text) => match text.parse::<Date>() {
            Ok(date) if text.len() == 10 => Some(midnight(date)),
            _ => text.parse::<Timestamp>().ok().map(Timestamp::civil_utc),
        },
        Scalar::Integer(_) | Scalar::Number(_) | Scalar::Boolean(_) | Scalar::Null => None,
    }
}

fn is_day(value: &Scalar<'_>) -> bool {
    match value {
        Scalar::Date(_) => true,
        Scalar::Text(text) => text.len() == 10,
        _ => false,
    }
}

fn midnight(date: Date) -> DateTime {
    date.at(0, 0, 0, 0)
}

/// A date in the buyer's form; any other value stays as it is.
pub(super) fn in_form<'v>(value: Scalar<'v>, form: &DateForm) -> Scalar<'v> {
    match moment(&value) {
        Some(at) => match form.zoned(at, is_day(&value)) {
            Some(at) => Scalar::owned(form.write(&at)),
            None => value,
        },
        None => value,
    }
}

/// Seconds since 1970 times `per_second`; any other value stays as it is.
pub(super) fn epoch(value: Scalar<'_>, per_second: i64) -> Scalar<'_> {
    let Some(at) = moment(&value) else { return value };
    let micros = Timestamp::from_civil_utc(at).unix_micros();
    Scalar::Integer(micros.div_euclid(1_000_000_i64.checked_div(per_second).unwrap_or(1_000_000)))
}

/// The year of a date; any other value stays as it is.
pub(super) fn year(value: Scalar<'_>) -> Scalar<'_> {
    match moment(&value) {
        Some(at) => Scalar::Integer(i64::from(at.year())),
        None => value,
    }
}
