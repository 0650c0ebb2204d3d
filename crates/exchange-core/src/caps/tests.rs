//! Counting, and that counting never passes a cap.

use exchange_model::reason::CapKind;
use ping_tree::CapAmount;
use proptest::prelude::*;

use super::*;

const QUARTERS: i64 = 200;

fn quarter(number: i64) -> Timestamp {
    Timestamp::from_unix_millis(number * 15 * 60 * 1_000)
}

fn window(start: i64, length: i64) -> Window {
    Window { start: quarter(start), end: quarter(start + length) }
}

fn cents(minor: i64) -> MinorUnits {
    MinorUnits::new(minor)
}

fn leads(kind: CapKind, window: Window, most: u32) -> CapLimit {
    CapLimit { kind, window, limit: CapAmount::Leads(most) }
}

/// Adds up a list of reservations the slow way.
fn recount(kept: &[(Timestamp, MinorUnits)], window: Window) -> Tally {
    let mut sum = Tally::default();
    for (_, price) in kept.iter().filter(|(at, _)| window.contains(step_of(*at))) {
        add(&mut sum, *price);
    }
    sum
}

#[test]
fn a_lead_counts_from_its_reservation_until_it_is_released() {
    let mut usage = Usage::new();
    let day = window(0, 96);
    usage.reserve(quarter(3), cents(1_200));
    assert_eq!(usage.used(day), Tally { leads: 1, spend: cents(1_200) });
    assert_eq!(usage.has_room(&[leads(CapKind::Day, day, 1)], cents(1)), Err(CapKind::Day));
    usage.release(quarter(3), cents(1_200));
    assert_eq!(usage.used(day), Tally::default());
    assert_eq!(usage.has_room(&[leads(CapKind::Day, day, 1)], cents(1)), Ok(()));
}

#[test]
fn the_first_full_cap_is_named() {
    let mut usage = Usage::new();
    let (hour, day) = (window(4, 4), window(0, 96));
    usage.reserve(quarter(5), cents(500));
    let spend = |most| CapLimit {
        kind: CapKind::DaySpend,
        window: day,
        limit: CapAmount::Spend(cents(most)),
    };
    assert_eq!(usage.has_room(&[leads(CapKind::Hour, hour, 2), spend(999)], cents(500)), {
        Err(CapKind::DaySpend)
    });
    assert_eq!(usage.has_room(&[leads(CapKind::Hour, hour, 2), spend(1_000)], cents(500)), Ok(()));
}

#[test]
fn old_steps_are_forgotten_and_their_release_changes_nothing() {
    let mut usage = Usage::new();
    usage.reserve(quarter(0), cents(1));
    usage.reserve(quarter(0).after(KEPT).after(STEP), cents(2));
    usage.release(quarter(0), cents(1));
    assert_eq!(usage.steps.len(), 1);
}

proptest! {
    #[test]
    fn the_count_is_what_a_recount_finds(
        script in prop::collection::vec((0_i64..QUARTERS * 15, 1_i64..5_000, any::<bool>(), 0_i64..QUARTERS, 1_i64..100), 1..200)
    ) {
        let mut usage = Usage::new();
        let mut kept: Vec<(Timestamp, MinorUnits)> = Vec::new();
        for (minute, price, release, start, length) in script {
            let at = Timestamp::from_unix_millis(minute * 60 * 1_000);
            if release && !kept.is_empty() {
                let index = usize::try_from(price).unwrap() % kept.len();
                let (at, price) = kept.swap_remove(index);
                usage.release(at, price);
            } else {
                usage.reserve(at, cents(price));
                kept.push((at, cents(price)));
            }
            // One window that stays, one that moves: both the kept and the fresh sum are asked.
            for window in [window(0, QUARTERS), window(start, length)] {
                prop_assert_eq!(usage.used(window), recount(&kept, window));
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
        let spend = CapLimit { kind: CapKind::DaySpend, window: day, limit: CapAmount::Spend(cents(most_spend)) };
        let caps = [leads(CapKind::Hour, hour, most), spend];
        let mut usage = Usage::new();
        let mut kept: Vec<(Timestamp, MinorUnits)> = Vec::new();
        for (minute, price, release) in script {
            let at = Timestamp::from_unix_millis(minute * 60 * 1_000);
            if release && !kept.is_empty() {
                let (at, price) = kept.remove(0);
                usage.release(at, price);
            } else if usage.has_room(&caps, cents(price)).is_ok() {
                usage.reserve(at, cents(price));
                kept.push((at, cents(price)));
            }
            prop_assert!(recount(&kept, hour).leads <= most);
            prop_assert!(recount(&kept, day).spend <= cents(most_spend));
        }
    }
}
