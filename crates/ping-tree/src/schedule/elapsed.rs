//! How much of today's open time is over.

use std::time::Duration;

use exchange_model::reason::CapKind;
use exchange_model::{Date, Timestamp};
use jiff::tz::TimeZone;

use super::{OpenRange, Schedule};
use crate::caps::Window;

const MINUTE_MICROS: i64 = 60 * 1_000_000;

/// The open time of one day.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct OpenTime {
    /// What is over of it.
    pub elapsed: Duration,
    /// All of it.
    pub total: Duration,
}

/// A part of a day in which the clocks do not change.
#[derive(Clone, Copy, Debug)]
struct Piece {
    start: Timestamp,
    end: Timestamp,
    /// What the clocks are ahead of UTC.
    ahead: i64,
}

impl Schedule {
    /// The open time of the day that `at` lies in by the clock of `zone`: real time, so that an hour
    /// that the clocks skip is none, and one that they repeat is two.
    #[must_use]
    pub fn open_today(&self, at: Timestamp, zone: &TimeZone) -> OpenTime {
        let today = Window::of(CapKind::Day, at, zone);
        let (date, ranges) = (at.date_in(zone), self.ranges(at.date_in(zone)));
        let (mut elapsed, mut total) = (0_i64, 0_i64);
        for piece in pieces(today, zone) {
            total = total.saturating_add(open_micros(ranges, date, piece));
            let over = Piece { end: piece.end.min(at), ..piece };
            elapsed = elapsed.saturating_add(open_micros(ranges, date, over));
        }
        OpenTime { elapsed: span(elapsed), total: span(total) }
    }
}

/// The day cut where its clocks change.
fn pieces(day: Window, zone: &TimeZone) -> Vec<Piece> {
    let ahead = |at: Timestamp| i64::from(zone.to_offset(at.to_jiff()).seconds()) * 1_000_000;
    let mut pieces = Vec::new();
    let mut start = day.start;
    let changes = zone.following(day.start.to_jiff()).map(|change| change.timestamp());
    for change in changes.map(Timestamp::from_jiff).take_while(|change| *change < day.end) {
        pieces.push(Piece { start, end: change, ahead: ahead(start) });
        start = change;
    }
    pieces.push(Piece { start, end: day.end, ahead: ahead(start) });
    pieces
}

/// How long a piece is open.
fn open_micros(ranges: &[OpenRange], date: Date, piece: Piece) -> i64 {
    let midnight = Timestamp::from_civil_utc(date.at(0, 0, 0, 0)).unix_micros();
    let shown =
        |at: Timestamp| at.unix_micros().saturating_add(piece.ahead).saturating_sub(midnight);
    let (from, to) = (shown(piece.start), shown(piece.end));
    let open = ranges.iter().map(|range| {
        let minute = |minute: u16| i64::from(minute).saturating_mul(MINUTE_MICROS);
        to.min(minute(range.to)).saturating_sub(from.max(minute(range.from))).max(0)
    });
    open.fold(0, i64::saturating_add)
}

fn span(micros: i64) -> Duration {
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}
