//! How much a campaign takes: leads or money, per hour, day or month of its buyer's zone.
//!
//! A cap counts what was bought and what is reserved by posts under way. This module only says
//! which stretch of time a cap covers; the counts come from whoever keeps them.

use exchange_model::reason::CapKind;
use exchange_model::{MinorUnits, Place, Timestamp};
use jiff::ToSpan as _;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

mod read;

pub(crate) use read::caps as read_caps;

/// Windows begin and end on multiples of this many microseconds (15 minutes) since the epoch, so
/// that counters kept in such steps add up to any window of any zone in use.
const STEP_MICROS: i64 = 15 * 60 * 1_000_000;

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

    /// The hour, day or month by the wall clock of `zone` that `now` lies in.
    ///
    /// It is what people there would call that hour or day: a day of 23 or 25 hours when the clocks
    /// change, and when they go back, one long hour that the clock shows twice.
    #[must_use]
    pub fn of(kind: CapKind, now: Timestamp, zone: &TimeZone) -> Self {
        let civil = zone.to_datetime(now.to_jiff());
        let (start, end) = match kind {
            CapKind::Hour | CapKind::HourSpend => {
                let start = civil.date().at(civil.hour(), 0, 0, 0);
                (start, start.saturating_add(1.hour()))
            }
            CapKind::Day | CapKind::DaySpend => {
                let start = civil.start_of_day();
                (start, start.saturating_add(1.day()))
            }
            CapKind::Month | CapKind::MonthSpend => {
                let start = civil.first_of_month().start_of_day();
                (start, start.saturating_add(1.month()))
            }
        };
        Self { start: instant(start, zone).min(now), end: instant(end, zone) }
    }
}

/// The first moment at which the clocks of `zone` show `civil` or, where they skip it, something
/// later; on a whole step.
fn instant(civil: DateTime, zone: &TimeZone) -> Timestamp {
    let moment = match zone.to_ambiguous_timestamp(civil).compatible() {
        Ok(moment) => Timestamp::from_jiff(moment),
        Err(_beyond_the_calendar) => Timestamp::from_jiff(jiff::Timestamp::MAX),
    };
    let micros = moment.unix_micros();
    Timestamp::from_unix_micros(micros.saturating_sub(micros.rem_euclid(STEP_MICROS)))
}

/// What was bought and what is reserved within one window.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    /// Leads.
    pub leads: u32,
    /// Their prices together.
    pub spend: MinorUnits,
}

/// How much a cap allows within its window.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CapAmount {
    /// This many leads.
    Leads(u32),
    /// This much money.
    Spend(MinorUnits),
}

impl CapAmount {
    /// Whether a lead at `price` still fits beside what is used.
    #[must_use]
    pub fn has_room(self, used: Tally, price: MinorUnits) -> bool {
        match self {
            Self::Leads(most) => used.leads < most,
            Self::Spend(most) => used.spend.checked_add(price).is_some_and(|sum| sum <= most),
        }
    }
}

/// One cap as it stands at one moment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CapLimit {
    /// Which.
    pub kind: CapKind,
    /// The stretch of time it counts in.
    pub window: Window,
    /// How much it allows.
    pub limit: CapAmount,
}

/// One cap as written.
#[derive(Clone, Debug)]
pub struct Cap {
    /// Which.
    pub kind: CapKind,
    /// How much it allows.
    pub limit: CapAmount,
    /// Where it is written.
    pub place: Place,
}

/// A campaign's caps, short windows first. None: as much as there is.
#[derive(Clone, Debug, Default)]
pub struct Caps {
    caps: Vec<Cap>,
}

impl Caps {
    /// These caps, put in the order they are checked.
    #[must_use]
    pub fn new(mut caps: Vec<Cap>) -> Self {
        caps.sort_by_key(|cap| cap.kind);
        Self { caps }
    }

    /// Every cap.
    pub fn iter(&self) -> impl Iterator<Item = &Cap> {
        self.caps.iter()
    }

    /// Every cap with the window that `now` lies in.
    pub fn at<'a>(
        &'a self,
        now: Timestamp,
        zone: &'a TimeZone,
    ) -> impl Iterator<Item = CapLimit> + 'a {
        self.caps.iter().map(move |cap| CapLimit {
            kind: cap.kind,
            window: Window::of(cap.kind, now, zone),
            limit: cap.limit,
        })
    }
}
