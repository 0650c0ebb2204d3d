//! When a campaign takes leads, by the wall clock of its buyer's zone.
//!
//! Hours are civil times: `08:00-20:00` means what the clock on the buyer's wall shows, through every
//! change of the clocks. Without hours a campaign is always open.

use exchange_model::{Date, Place, Timestamp};
use jiff::ToSpan as _;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;

mod elapsed;
mod read;

pub use elapsed::OpenTime;
pub(crate) use read::schedule as read_schedule;

/// Minutes of a day.
pub(crate) const DAY_MINUTES: u16 = 24 * 60;
/// How far ahead the next opening is looked for, in days.
const HORIZON_DAYS: u16 = 400;
/// After this many days of unbroken opening, it is called always open.
const ALWAYS_DAYS: u16 = 8;

/// Open from one minute of the day up to another.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct OpenRange {
    /// First minute inside, from midnight.
    pub from: u16,
    /// First minute after it; 1440 is midnight.
    pub to: u16,
}

/// One day of the week.
#[derive(Clone, Debug, Default)]
pub struct DayHours {
    /// When it is open, in order, not touching each other.
    pub ranges: Vec<OpenRange>,
    /// Where this day's hours are written.
    pub place: Option<Place>,
}

/// When a campaign takes leads.
#[derive(Clone, Debug, Default)]
pub struct Schedule {
    week: Option<Box<[DayHours; 7]>>,
    closed: Vec<(Date, Place)>,
    place: Option<Place>,
}

/// Why a schedule is closed.
#[derive(Clone, Debug)]
pub struct Closed {
    /// The day it is, there.
    pub date: Date,
    /// Whether the whole date is closed.
    pub whole_day: bool,
    /// The line that decided.
    pub place: Option<Place>,
}

impl Schedule {
    /// A week from Monday on (none: open every day), the dates closed in spite of it, and where it
    /// is written.
    #[must_use]
    pub fn new(
        week: Option<[DayHours; 7]>,
        mut closed: Vec<(Date, Place)>,
        place: Option<Place>,
    ) -> Self {
        closed.sort_by_key(|(date, _)| *date);
        Self { week: week.map(Box::new), closed, place }
    }

    /// Whether it is open at this moment.
    #[must_use]
    pub fn is_open(&self, at: Timestamp, zone: &TimeZone) -> bool {
        if self.week.is_none() && self.closed.is_empty() {
            return true;
        }
        let civil = zone.to_datetime(at.to_jiff());
        if self.closing(civil.date()).is_some() {
            return false;
        }
        let minute = minute_of(civil.time());
        self.day(civil.weekday()).is_none_or(|day| {
            day.ranges.iter().any(|range| range.from <= minute && minute < range.to)
        })
    }

    /// Why it is closed at this moment; nothing while it is open.
    #[must_use]
    pub fn closed_at(&self, at: Timestamp, zone: &TimeZone) -> Option<Closed> {
        if self.is_open(at, zone) {
            return None;
        }
        let date = at.date_in(zone);
        if let Some((_, place)) = self.closing(date) {
            return Some(Closed { date, whole_day: true, place: Some(place.clone()) });
        }
        let day = self.day(date.weekday()).and_then(|day| day.place.clone());
        Some(Closed { date, whole_day: false, place: day.or_else(|| self.place.clone()) })
    }

    /// The moment at which it closes, when open now, or opens, when closed now. Nothing when it
    /// stays as it is for as long as anybody plans.
    #[must_use]
    pub fn next_change(&self, at: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let civil = zone.to_datetime(at.to_jiff());
        let (mut date, mut minute) = (civil.date(), minute_of(civil.time()));
        let open = self.is_open(at, zone);
        for _ in 0..if open { ALWAYS_DAYS } else { HORIZON_DAYS } {
            let change = if open { self.closes(date, minute) } else { self.opens(date, minute) };
            if let Some(change) = change {
                return moment(date, change, zone, at);
            }
            (date, minute) = (date.saturating_add(1.day()), 0);
        }
        None
    }

    /// Whether there is no moment at all at which it opens.
    #[must_use]
    pub fn never_opens(&self) -> bool {
        self.week.as_ref().is_some_and(|week| week.iter().all(|day| day.ranges.is_empty()))
    }

    /// Where it is written, if anywhere.
    #[must_use]
    pub fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }

    fn day(&self, weekday: Weekday) -> Option<&DayHours> {
        let index = usize::try_from(weekday.to_monday_zero_offset()).ok()?;
        self.week.as_ref().and_then(|week| week.get(index))
    }

    fn closing(&self, date: Date) -> Option<&(Date, Place)> {
        self.closed
            .binary_search_by_key(&date, |(day, _)| *day)
            .ok()
            .and_then(|at| self.closed.get(at))
    }

    /// The ranges of one date; a date without hours of its own is one range.
    fn ranges(&self, date: Date) -> &[OpenRange] {
        const WHOLE: &[OpenRange] = &[OpenRange { from: 0, to: DAY_MINUTES }];
        if self.closing(date).is_some() {
            return &[];
        }
        self.day(date.weekday()).map_or(WHOLE, |day| day.ranges.as_slice())
    }

    /// The minute of `date` at which what is open at `minute` closes, unless it runs past midnight.
    fn closes(&self, date: Date, minute: u16) -> Option<u16> {
        let range =
            self.ranges(date).iter().find(|range| range.from <= minute && minute < range.to);
        match range {
            None => Some(minute),
            Some(range) if range.to < DAY_MINUTES => Some(range.to),
            Some(_) => None,
        }
    }

    /// The next minute of `date` from `minute` on at which something opens.
    fn opens(&self, date: Date, minute: u16) -> Option<u16> {
        self.ranges(date).iter().map(|range| range.from).find(|from| *from >= minute)
    }
}

fn minute_of(time: jiff::civil::Time) -> u16 {
    let hour = u16::try_from(time.hour()).unwrap_or(0);
    hour.saturating_mul(60).saturating_add(u16::try_from(time.minute()).unwrap_or(0))
}

/// The moment after `now` at which the clocks show this minute; when they go back and show it
/// twice, the first that is still to come.
fn moment(date: Date, minute: u16, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
    let civil = date.at(0, 0, 0, 0).checked_add(i64::from(minute).minutes()).ok()?;
    let shown = zone.to_ambiguous_timestamp(civil);
    let first = shown.compatible().ok().map(Timestamp::from_jiff)?;
    if first > now { Some(first) } else { shown.later().ok().map(Timestamp::from_jiff) }
}
