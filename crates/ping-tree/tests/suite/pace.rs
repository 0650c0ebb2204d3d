//! Even pacing: a day's cap spread over the hours that are really open.

use exchange_model::{MinorUnits, Place, Timestamp};
use jiff::tz::TimeZone;
use ping_tree::schedule::{DayHours, OpenRange, Schedule};
use ping_tree::{CapAmount, pace};
use proptest::prelude::*;

use crate::exchange::time;

const HOUR: i64 = 3_600;

fn every_day(ranges: &[(u16, u16)]) -> Schedule {
    let ranges = ranges.iter().map(|(from, to)| OpenRange { from: *from, to: *to }).collect();
    let day = DayHours { ranges, place: None::<Place> };
    Schedule::new(Some(std::array::from_fn(|_| day.clone())), Vec::new(), None)
}

fn leads(schedule: &Schedule, zone: &str, at: &str, most: u32) -> u32 {
    let zone = TimeZone::get(zone).unwrap();
    match pace(CapAmount::Leads(most), schedule.open_today(time(at), &zone)) {
        CapAmount::Leads(leads) => leads,
        CapAmount::Spend(_) => unreachable!(),
    }
}

#[test]
fn ten_open_hours_give_a_tenth_each_and_one_in_advance() {
    let hours = every_day(&[(8 * 60, 18 * 60)]);
    let at =
        |clock: &str| leads(&hours, "America/Chicago", &format!("2026-11-23T{clock}-06:00"), 100);
    assert_eq!(
        ["07:00", "08:00", "09:00", "12:30", "17:00", "18:00", "23:00"]
            .map(|clock| at(&format!("{clock}:00"))),
        [10, 10, 20, 55, 100, 100, 100]
    );
}

#[test]
fn a_break_counts_for_nothing() {
    let hours = every_day(&[(8 * 60, 12 * 60), (13 * 60, 17 * 60)]);
    let at =
        |clock: &str| leads(&hours, "America/Chicago", &format!("2026-11-23T{clock}-06:00"), 80);
    assert_eq!(["12:00:00", "12:30:00", "13:00:00", "14:00:00"].map(at), [50, 50, 50, 60]);
}

#[test]
fn a_small_cap_is_rounded_up_to_a_lead() {
    let always = Schedule::default();
    let at = |clock: &str| leads(&always, "UTC", &format!("2026-11-23T{clock}:00Z"), 2);
    assert_eq!(["00:00", "10:59", "11:01", "23:59"].map(at), [1, 1, 2, 2]);
}

#[test]
fn the_hour_that_comes_twice_is_two_hours() {
    let always = Schedule::default();
    // 25 hours on that day: one lead an hour.
    let at = |moment| leads(&always, "America/New_York", moment, 25);
    assert_eq!(at("2026-11-01T01:00:00-04:00"), 2);
    assert_eq!(at("2026-11-01T01:00:00-05:00"), 3);
    assert_eq!(at("2026-11-01T23:00:00-05:00"), 25);
    // 23 hours when one is skipped.
    let at = |moment| leads(&always, "America/New_York", moment, 23);
    assert_eq!(at("2026-03-08T01:00:00-05:00"), 2);
    assert_eq!(at("2026-03-08T03:00:00-04:00"), 3);
}

#[test]
fn money_is_paced_like_leads() {
    let open = every_day(&[(0, 600)]).open_today(time("2026-11-23T04:00:00Z"), &TimeZone::UTC);
    let spend = |minor| CapAmount::Spend(MinorUnits::new(minor));
    assert_eq!(pace(spend(100_000), open), spend(50_000));
}

/// Days on which the clocks change, and one on which they do not.
const DAYS: &[(&str, &str)] = &[
    ("America/New_York", "2026-11-01T12:00:00-05:00"),
    ("America/New_York", "2026-03-08T12:00:00-04:00"),
    ("America/Chicago", "2026-11-23T12:00:00-06:00"),
    ("Australia/Lord_Howe", "2026-04-05T12:00:00+10:30"),
    ("Australia/Lord_Howe", "2026-10-04T12:00:00+11:00"),
    ("America/Santiago", "2026-09-06T12:00:00-03:00"),
];

proptest! {
    /// Against every minute of the day, looked at one by one.
    #[test]
    fn what_is_open_is_what_the_clock_on_the_wall_says_minute_by_minute(
        day in 0..DAYS.len(),
        edges in prop::collection::btree_set(0_u16..1_441, 0..7),
        most in 1_u32..1_000,
    ) {
        let (zone, noon) = DAYS[day];
        let zone = TimeZone::get(zone).unwrap();
        let edges: Vec<u16> = edges.into_iter().collect();
        let ranges: Vec<(u16, u16)> = edges.chunks_exact(2).map(|two| (two[0], two[1])).collect();
        let hours = every_day(&ranges);
        let date = time(noon).date_in(&zone);
        let minutes: Vec<Timestamp> = (-20 * 60..20 * 60)
            .map(|minute| Timestamp::from_unix_micros(time(noon).unix_micros() + minute * 60_000_000))
            .filter(|at| at.date_in(&zone) == date)
            .collect();
        let open = minutes.iter().filter(|at| hours.is_open(**at, &zone)).count();
        let (mut before, mut last) = (0_usize, 0);
        for at in minutes {
            let found = hours.open_today(at, &zone);
            prop_assert_eq!(found.total.as_secs(), 60 * u64::try_from(open).unwrap());
            prop_assert_eq!(found.elapsed.as_secs(), 60 * u64::try_from(before).unwrap());
            let CapAmount::Leads(leads) = pace(CapAmount::Leads(most), found) else { unreachable!() };
            let (seconds, total) = (i64::try_from(60 * before).unwrap(), i64::try_from(60 * open).unwrap());
            let exact = i64::from(most) * (seconds + HOUR);
            prop_assert!(leads <= most && leads >= last);
            prop_assert!(i64::from(leads) * total < exact + total || leads == most);
            prop_assert!(i64::from(leads) * total >= exact.min(i64::from(most) * total));
            before += usize::from(hours.is_open(at, &zone));
            last = leads;
        }
        prop_assert_eq!(before, open);
    }
}
