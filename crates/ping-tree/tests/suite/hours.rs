//! Hours by the wall clock, and when they change.

use std::time::Duration;

use exchange_model::Timestamp;
use jiff::tz::TimeZone;
use ping_tree::Schedule;
use ping_tree::schedule::{DayHours, OpenRange};
use proptest::collection::btree_set;
use proptest::prelude::{Strategy, prop_assert, prop_assert_eq, proptest};

use crate::exchange::{Files, id, time};

/// Hours of the first campaign of Metro Direct, which is in New York.
fn hours(toml: &str) -> Schedule {
    let from = "hours = { mon-fri = \"09:00-21:00\" }";
    let exchange = Files::base().edited("buyers/metro_direct.toml", from, toml).load();
    assert!(!exchange.findings.has_errors(), "{}", exchange.rendered());
    exchange.routing.campaign(&id("metro_direct/auto")).unwrap().hours.clone()
}

fn new_york() -> TimeZone {
    TimeZone::get("America/New_York").unwrap()
}

#[test]
fn without_hours_it_is_always_open() {
    let always = hours("");
    assert!(always.is_open(time("2026-11-22T04:00:00Z"), &new_york()));
    assert_eq!(always.next_change(time("2026-11-22T04:00:00Z"), &new_york()), None);
}

#[test]
fn closed_dates_alone_leave_the_rest_open() {
    let open = hours("hours = { closed = [2026-12-25] }");
    assert!(open.is_open(time("2026-12-24T23:59:59-05:00"), &new_york()));
    assert!(!open.is_open(time("2026-12-25T00:00:00-05:00"), &new_york()));
    let closes = open.next_change(time("2026-12-24T12:00:00-05:00"), &new_york());
    assert_eq!(closes, Some(time("2026-12-25T00:00:00-05:00")));
}

#[test]
fn hours_may_run_past_midnight_in_two_halves() {
    let late = hours("hours = { fri = \"20:00-24:00\", sat = \"00:00-02:00\" }");
    for (at, open) in [
        ("2026-11-27T19:59:59-05:00", false),
        ("2026-11-27T23:59:59-05:00", true),
        ("2026-11-28T01:59:59-05:00", true),
        ("2026-11-28T02:00:00-05:00", false),
    ] {
        assert_eq!(late.is_open(time(at), &new_york()), open, "{at}");
    }
    let closes = late.next_change(time("2026-11-27T21:00:00-05:00"), &new_york());
    assert_eq!(closes, Some(time("2026-11-28T02:00:00-05:00")));
}

#[test]
fn a_range_of_days_may_run_over_the_end_of_the_week() {
    let weekend = hours("hours = { sat-mon = \"10:00-11:00\" }");
    for (day, open) in [(27, false), (28, true), (29, true), (30, true)] {
        let at = time(&format!("2026-11-{day}T10:30:00-05:00"));
        assert_eq!(weekend.is_open(at, &new_york()), open, "{day}");
    }
}

#[test]
fn the_hour_the_clock_skips_is_not_missed_and_the_one_it_repeats_is_open_twice() {
    let night = hours("hours = { sun = \"01:00-03:30\" }");
    for (at, open) in [
        ("2026-03-08T06:30:00Z", true),
        ("2026-03-08T07:00:00Z", true),
        ("2026-03-08T07:29:59Z", true),
        ("2026-03-08T07:30:00Z", false),
        ("2026-11-01T05:30:00Z", true),
        ("2026-11-01T06:30:00Z", true),
        ("2026-11-01T08:30:00Z", false),
    ] {
        assert_eq!(night.is_open(time(at), &new_york()), open, "{at}");
    }
}

/// A day's hours, from the edges of open and closed stretches in quarters of an hour.
fn day() -> impl Strategy<Value = DayHours> {
    btree_set(16_u16..=96, 0..6).prop_map(|edges| {
        let edges: Vec<u16> = edges.into_iter().map(|edge| edge * 15).collect();
        let ranges =
            edges.chunks_exact(2).map(|pair| OpenRange { from: pair[0], to: pair[1] }).collect();
        DayHours { ranges, place: None }
    })
}

proptest! {
    /// Nothing changes before the next change, and something does at it. (Hours begin after the
    /// small hours, in which clocks change.)
    #[test]
    fn the_next_change_is_where_open_turns_into_closed(
        week in proptest::array::uniform7(day()),
        seconds in 1_767_225_600_i64..1_830_297_600,
        name in proptest::sample::select(vec!["America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]),
    ) {
        let zone = TimeZone::get(name).unwrap();
        let schedule = Schedule::new(Some(week.clone()), Vec::new(), None);
        let now = Timestamp::from_unix_millis(seconds * 1_000);
        let open = schedule.is_open(now, &zone);
        let civil = zone.to_datetime(now.to_jiff());
        let clock = civil.strftime("%H:%M").to_string();
        let today = &week[usize::try_from(civil.weekday().to_monday_zero_offset()).unwrap()];
        let text = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        let obvious = today.ranges.iter().any(|r| text(r.from) <= clock && clock < text(r.to));
        prop_assert_eq!(open, obvious);
        let Some(change) = schedule.next_change(now, &zone) else {
            prop_assert!(schedule.never_opens());
            return Ok(());
        };
        prop_assert!(change > now);
        prop_assert_eq!(schedule.is_open(change, &zone), !open);
        prop_assert_eq!(schedule.is_open(change.before(Duration::from_micros(1)), &zone), open);
        for part in 1..20 {
            let between = now.after(change.since(now) * part / 20);
            prop_assert_eq!(schedule.is_open(between, &zone), open);
        }
    }
}
