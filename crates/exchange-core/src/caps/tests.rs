//! Counting, and that counting never passes a cap.

use exchange_model::LeadId;
use exchange_model::reason::CapKind;
use ping_tree::{CapAmount, CapScope};
use proptest::prelude::*;

use super::*;

const QUARTERS: i64 = 200;

fn quarter(number: i64) -> Timestamp {
    Timestamp::from_unix_millis(number * 15 * 60 * 1_000)
}

fn window(start: i64, length: i64) -> Window {
    Window { start: quarter(start), end: quarter(start + length) }
}

fn since(start: Timestamp) -> Window {
    Window { start, end: END }
}

fn cents(minor: i64) -> MinorUnits {
    MinorUnits::new(minor)
}

fn one(price: i64) -> Tally {
    Tally { leads: 1, spend: cents(price) }
}

fn limit(kind: CapKind, window: Window, limit: CapAmount) -> CapLimit {
    CapLimit { scope: CapScope::Campaign("acme/auto".parse().unwrap()), kind, window, limit }
}

fn leads(kind: CapKind, window: Window, most: u32) -> CapLimit {
    limit(kind, window, CapAmount::Leads(most))
}

fn has_room(usage: &mut Usage, caps: &[CapLimit], price: MinorUnits) -> Result<(), CapName> {
    first_full(caps, price, |cap| usage.used(cap.window))
}

/// Adds up a list of reservations the slow way.
fn recount(kept: &[(Timestamp, MinorUnits)], window: Window) -> Tally {
    let inside = kept.iter().filter(|(at, _)| window.contains(step_of(*at)));
    inside.fold(Tally::default(), |sum, (_, price)| sum.plus(one(price.get())))
}

#[test]
fn a_lead_counts_from_its_reservation_until_it_is_released() {
    let mut usage = Usage::new();
    let day = window(0, 96);
    usage.add(quarter(3), one(1_200));
    assert_eq!(usage.used(day), one(1_200));
    let full = has_room(&mut usage, &[leads(CapKind::Day, day, 1)], cents(1));
    assert_eq!(full, Err(CapKind::Day.into()));
    usage.take_back(quarter(3), one(1_200));
    assert_eq!(usage.used(day), Tally::default());
    assert_eq!(has_room(&mut usage, &[leads(CapKind::Day, day, 1)], cents(1)), Ok(()));
}

#[test]
fn the_first_full_cap_is_named() {
    let mut usage = Usage::new();
    let (hour, day) = (window(4, 4), window(0, 96));
    usage.add(quarter(5), one(500));
    let spend = |most| limit(CapKind::DaySpend, day, CapAmount::Spend(cents(most)));
    let caps = |most| [leads(CapKind::Hour, hour, 2), spend(most)];
    let full = has_room(&mut usage, &caps(999), cents(500));
    assert_eq!(full, Err(CapKind::DaySpend.into()));
    assert_eq!(has_room(&mut usage, &caps(1_000), cents(500)), Ok(()));
}

#[test]
fn what_is_booked_below_the_hold_gives_the_difference_back() {
    let mut usage = Usage::new();
    let day = window(0, 96);
    usage.add(quarter(3), one(1_200));
    assert_eq!(usage.used(day), one(1_200));
    usage.rebook(quarter(3), cents(1_200), cents(900));
    assert_eq!((usage.used(day), usage.used(window(0, 95))), (one(900), one(900)));
}

#[test]
fn a_second_counts_by_itself_and_an_old_one_as_its_quarter_of_an_hour() {
    let mut usage = Usage::new();
    let second = |seconds: i64| {
        let start = Timestamp::from_unix_millis(seconds * 1_000);
        Window { start, end: start.after(Duration::from_secs(1)) }
    };
    let at = |millis| Timestamp::from_unix_millis(millis);
    for millis in [1_000, 1_999, 2_000] {
        usage.add(at(millis), one(5));
    }
    let seen = [1, 2, 3].map(|number| usage.used(second(number)).leads);
    assert_eq!(seen, [2, 1, 0]);
    usage.take_back(at(1_999), one(5));
    assert_eq!(usage.used(second(1)).leads, 1);
    usage.add(at(2_000).after(SECONDS_KEPT), one(5));
    assert_eq!(usage.used(second(1)).leads, 3, "at least what it was");
    assert_eq!(usage.seconds.len(), 2);
}

#[test]
fn old_steps_are_summed_up_and_all_time_forgets_nothing() {
    let mut usage = Usage::new();
    usage.add(quarter(0), one(1));
    usage.add(quarter(1), one(2));
    let later = quarter(1).after(KEPT).after(STEP);
    usage.add(later, one(4));
    assert_eq!(usage.steps.len(), 1);
    assert_eq!(usage.used(since(BEGINNING)), Tally { leads: 3, spend: cents(7) });
    assert_eq!(usage.used(since(later)), one(4));
    // A release of what is summed up is not lost either.
    usage.take_back(quarter(0), one(1));
    assert_eq!(usage.used(since(BEGINNING)), Tally { leads: 2, spend: cents(6) });
}

#[test]
fn a_day_long_past_is_known_once_it_is_added_up_and_stays_known() {
    let mut usage = Usage::new();
    for number in 0..4 {
        usage.add(quarter(number), one(1));
    }
    usage.add(quarter(4).after(KEPT).after(STEP), one(1));
    assert!(!usage.knows(quarter(2)));
    assert_eq!(usage.used(since(quarter(2))).leads, 1, "what is kept of it");
    assert_eq!(usage.kept_from(), quarter(4).after(STEP));
    usage.count_since(quarter(2), Tally { leads: 2, spend: cents(2) });
    assert!(usage.knows(quarter(2)));
    assert_eq!(usage.used(since(quarter(2))).leads, 3);
    usage.add(quarter(9).after(KEPT).after(KEPT), one(1));
    assert_eq!(usage.used(since(quarter(2))).leads, 4, "what is forgotten later is added");
    // Before the first lead, all time is the same.
    assert!(usage.knows(quarter(-5)));
    assert_eq!(usage.used(since(quarter(-5))).leads, 6);
}

#[test]
fn what_a_store_finds_at_its_start_is_where_all_time_begins() {
    let mut usage = Usage::new();
    usage.begin_with(quarter(10), quarter(2), Tally { leads: 7, spend: cents(70) });
    usage.add(quarter(11), one(10));
    assert_eq!(usage.used(since(BEGINNING)).leads, 8);
    assert_eq!(usage.used(since(quarter(2))).leads, 8, "its first lead was not before");
    assert!(!usage.knows(quarter(3)));
}

#[test]
fn a_lead_is_open_until_it_is_finished_or_time_has_passed() {
    let attempt = |number| AttemptId::new(LeadId::from_bytes([number; 16]), 1);
    let mut open = OpenLeads::default();
    for number in 0..5 {
        open.add(quarter(i64::from(number)), attempt(number));
    }
    assert_eq!([0, 3, 5].map(|from| open.since(quarter(from))), [5, 2, 0]);
    assert!(open.remove(quarter(4), attempt(4)) && !open.remove(quarter(4), attempt(4)));
    assert_eq!(open.since(quarter(0)), 4);
    open.add(quarter(3 + 96), attempt(9));
    assert_eq!(open.since(quarter(0)), 2, "a day later only the last of them is kept");
}

proptest! {
    #[test]
    fn the_count_is_what_a_recount_finds(
        script in prop::collection::vec((0_i64..QUARTERS * 15, 1_i64..5_000, 0_u8..3, 0_i64..QUARTERS, 1_i64..100), 1..200),
        spread in 1_i64..60,
    ) {
        let mut usage = Usage::new();
        let mut kept: Vec<(Timestamp, MinorUnits)> = Vec::new();
        for (minute, price, act, start, length) in script {
            // Spread far enough, old steps are summed up in between.
            let at = Timestamp::from_unix_millis(minute * spread * 60 * 1_000);
            let index = usize::try_from(price).unwrap() % kept.len().max(1);
            if act == 0 && !kept.is_empty() {
                let (at, price) = kept.swap_remove(index);
                usage.take_back(at, one(price.get()));
            } else if act == 1 && !kept.is_empty() {
                usage.rebook(kept[index].0, kept[index].1, cents(price));
                kept[index].1 = cents(price);
            } else {
                usage.add(at, one(price));
                kept.push((at, cents(price)));
            }
            prop_assert_eq!(usage.used(since(BEGINNING)), recount(&kept, since(BEGINNING)));
            // One window that stays, one that moves: both the kept and the fresh sum are asked.
            for window in [window(0, QUARTERS), window(start, length)] {
                if usage.knows(window.start) && window.end > usage.kept_from() {
                    prop_assert_eq!(usage.used(window), recount(&kept, window));
                }
            }
        }
    }

    #[test]
    fn what_asks_for_room_first_never_passes_a_cap(
        most in 1_u32..6,
        most_spend in 1_i64..20_000,
        script in prop::collection::vec((0_i64..96 * 15, 1_i64..5_000, any::<bool>()), 1..200)
    ) {
        let (hour, day) = (window(0, 4), window(0, 96));
        let spend = limit(CapKind::DaySpend, day, CapAmount::Spend(cents(most_spend)));
        let caps = [leads(CapKind::Hour, hour, most), spend];
        let mut usage = Usage::new();
        let mut kept: Vec<(Timestamp, MinorUnits)> = Vec::new();
        for (minute, price, release) in script {
            let at = Timestamp::from_unix_millis(minute * 60 * 1_000);
            if release && !kept.is_empty() {
                let (at, price) = kept.remove(0);
                usage.take_back(at, one(price.get()));
            } else if has_room(&mut usage, &caps, cents(price)).is_ok() {
                usage.add(at, one(price));
                kept.push((at, cents(price)));
            }
            prop_assert!(recount(&kept, hour).leads <= most);
            prop_assert!(recount(&kept, day).spend <= cents(most_spend));
        }
    }
}

#[test]
fn a_campaign_and_all_its_groups_may_each_count_since_a_day_of_their_own() {
    let mut usage = Usage::new();
    usage.begin_with(quarter(QUARTERS), quarter(0), one(100));
    let earlier: Vec<Timestamp> = (1..=20).map(quarter).collect();
    let days: Vec<Timestamp> = (10..27).map(quarter).collect();
    for round in [&earlier, &days, &earlier, &days] {
        for day in round {
            if !usage.knows(*day) {
                usage.count_since(*day, one(100));
            }
        }
        for day in round {
            assert_eq!(usage.used(since(*day)), one(100), "all are known at once");
        }
        usage.sums.clear();
    }
}
