//! The stretch of time a cap counts in, through every change of the clocks.

use exchange_model::Timestamp;
use exchange_model::reason::CapKind;
use jiff::tz::TimeZone;
use ping_tree::Window;
use proptest::prelude::{Strategy as _, prop_assert, proptest};

use crate::exchange::time;

fn window(kind: CapKind, zone: &str, at: &str) -> String {
    let window = Window::of(kind, time(at), &TimeZone::get(zone).unwrap());
    let minutes = window.end.since(window.start).as_secs() / 60;
    format!("{} {}:{:02}", window.start, minutes / 60, minutes % 60)
}

#[test]
fn days_follow_the_clocks_of_new_york() {
    let day = |at| window(CapKind::Day, "America/New_York", at);
    assert_eq!(day("2026-11-23T12:00:00-05:00"), "2026-11-23T05:00:00.000Z 24:00");
    assert_eq!(day("2026-03-08T12:00:00-04:00"), "2026-03-08T05:00:00.000Z 23:00");
    assert_eq!(day("2026-11-01T12:00:00-05:00"), "2026-11-01T04:00:00.000Z 25:00");
}

#[test]
fn an_hour_that_the_clock_shows_twice_is_one_hour() {
    let hour = |at| window(CapKind::Hour, "America/New_York", at);
    for at in ["2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z"] {
        assert_eq!(hour(at), "2026-11-01T05:00:00.000Z 2:00", "{at}");
    }
    assert_eq!(hour("2026-03-08T06:59:59Z"), "2026-03-08T06:00:00.000Z 1:00");
    assert_eq!(hour("2026-03-08T07:00:00Z"), "2026-03-08T07:00:00.000Z 1:00");
}

#[test]
fn lord_howe_moves_its_clocks_by_half_an_hour() {
    let zone = "Australia/Lord_Howe";
    let day = |at| window(CapKind::Day, zone, at);
    assert_eq!(day("2026-04-05T12:00:00+10:30"), "2026-04-04T13:00:00.000Z 24:30");
    assert_eq!(day("2026-10-04T12:00:00+11:00"), "2026-10-03T13:30:00.000Z 23:30");
    let hour = |at| window(CapKind::Hour, zone, at);
    assert_eq!(hour("2026-04-05T01:45:00+10:30"), "2026-04-04T14:00:00.000Z 1:30");
    assert_eq!(hour("2026-10-04T02:45:00+11:00"), "2026-10-03T15:30:00.000Z 0:30");
}

#[test]
fn zones_off_by_three_quarters_of_an_hour_keep_their_own_hours() {
    let at = "2026-11-23T12:10:00Z";
    assert_eq!(window(CapKind::Hour, "Asia/Kathmandu", at), "2026-11-23T11:15:00.000Z 1:00");
    assert_eq!(window(CapKind::Day, "Asia/Kathmandu", at), "2026-11-22T18:15:00.000Z 24:00");
    assert_eq!(window(CapKind::Day, "Pacific/Chatham", at), "2026-11-23T10:15:00.000Z 24:00");
    assert_eq!(window(CapKind::Month, "Asia/Kathmandu", at), "2026-10-31T18:15:00.000Z 720:00");
}

const ZONES: &[&str] = &[
    "America/New_York",
    "America/Chicago",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Pacific/Chatham",
    "America/St_Johns",
    "America/Santiago",
    "Africa/Casablanca",
    "Asia/Beirut",
    "UTC",
];

/// What follows the calendar, not the second and not all time.
const CALENDAR: &[CapKind] = &[
    CapKind::Hour,
    CapKind::Day,
    CapKind::Week,
    CapKind::Month,
    CapKind::HourSpend,
    CapKind::DaySpend,
    CapKind::WeekSpend,
    CapKind::MonthSpend,
    CapKind::Pace,
];

#[test]
fn a_week_begins_on_monday_and_changes_its_length_with_the_clocks() {
    let week = |at| window(CapKind::Week, "America/New_York", at);
    assert_eq!(week("2026-11-25T12:00:00-05:00"), "2026-11-23T05:00:00.000Z 168:00");
    assert_eq!(week("2026-11-23T00:00:00-05:00"), "2026-11-23T05:00:00.000Z 168:00");
    assert_eq!(week("2026-11-22T23:59:59-05:00"), "2026-11-16T05:00:00.000Z 168:00");
    assert_eq!(week("2026-10-28T12:00:00-04:00"), "2026-10-26T04:00:00.000Z 169:00");
    assert_eq!(week("2026-03-04T12:00:00-05:00"), "2026-03-02T05:00:00.000Z 167:00");
}

#[test]
fn a_second_is_the_one_of_the_clock_and_all_time_is_all_time() {
    let at = time("2026-11-23T12:00:00.999-05:00");
    let second = Window::of(CapKind::Second, at, &TimeZone::UTC);
    assert_eq!(
        (second.start, second.end),
        (time("2026-11-23T17:00:00Z"), time("2026-11-23T17:00:01Z"))
    );
    let total = Window::of(CapKind::Total, at, &TimeZone::UTC);
    assert!(total.contains(at) && total.contains(Timestamp::from_unix_micros(i64::MIN)));
}

proptest! {
    /// Whatever the zone and the moment, windows tile time: the moment lies inside its window, the
    /// last moment of the window has the same one, the first after it has the next one.
    #[test]
    fn windows_tile_time_on_quarter_hours(
        zone in (0..ZONES.len()).prop_map(|at| TimeZone::get(ZONES[at]).unwrap()),
        seconds in 1_262_304_000_i64..2_208_988_800,
        kind in (0..CALENDAR.len()).prop_map(|at| CALENDAR[at]),
    ) {
        let now = Timestamp::from_unix_millis(seconds * 1_000);
        let window = Window::of(kind, now, &zone);
        prop_assert!(window.contains(now));
        for edge in [window.start, window.end] {
            prop_assert!(edge.unix_micros() % (900 * 1_000_000) == 0);
        }
        let last = window.end.before(std::time::Duration::from_micros(1));
        prop_assert!(Window::of(kind, last, &zone) == window);
        prop_assert!(Window::of(kind, window.start, &zone) == window);
        prop_assert!(Window::of(kind, window.end, &zone).start == window.end);
    }
}
