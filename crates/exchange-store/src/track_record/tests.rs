//! Chances that fade, and posts counted by what became of them.

use std::time::Duration;

use AttemptState::{Accepted, NotSent, Prepared, Rejected, Unknown};

use super::*;

fn campaign() -> CampaignId {
    "acme/auto".parse().unwrap()
}

fn day(number: u64) -> Timestamp {
    Timestamp::from_unix_millis(1_700_000_000_000).after(Duration::from_secs(86_400 * number))
}

fn decided(record: &TrackRecord, at: Timestamp, accepted: usize, rejected: usize) {
    for state in [vec![Accepted; accepted], vec![Rejected; rejected]].concat() {
        record.change(&campaign(), at, None, Some(Prepared));
        record.change(&campaign(), at, Some(Prepared), Some(state));
    }
}

#[test]
fn counts_are_halved_every_seven_days_and_vanish() {
    let record = TrackRecord::default();
    decided(&record, day(0), 6, 2);
    let chance = |after| record.chance(&campaign(), day(after));
    assert_eq!(chance(0), Chance { accepted: 6_000, posts: 8_000 });
    assert_eq!(chance(1), Chance { accepted: 5_434, posts: 7_245 });
    assert_eq!(chance(7), Chance { accepted: 3_000, posts: 4_000 });
    assert_eq!(chance(14), Chance { accepted: 1_500, posts: 2_000 });
    assert_eq!(chance(70), Chance::default());
    decided(&record, day(7), 0, 1);
    assert_eq!(chance(7), Chance { accepted: 3_000, posts: 5_000 });
}

#[test]
fn a_lost_answer_counts_as_neither_until_it_is_known() {
    let record = TrackRecord::default();
    record.change(&campaign(), day(0), None, Some(Prepared));
    record.change(&campaign(), day(0), Some(Prepared), Some(Unknown));
    assert_eq!(record.chance(&campaign(), day(0)), Chance::default());
    record.change(&campaign(), day(0), Some(Unknown), Some(Accepted));
    assert_eq!(record.chance(&campaign(), day(0)), Chance { accepted: 1_000, posts: 1_000 });
    // And what was taken back never was.
    record.change(&campaign(), day(0), Some(Accepted), Some(Unknown));
    record.change(&campaign(), day(0), Some(Unknown), None);
    assert_eq!(record.chance(&campaign(), day(0)), Chance::default());
    assert_eq!(record.posts(&campaign().buyer(), day(0)), PostTally::default());
}

#[test]
fn few_posts_say_little_against_the_mean_of_the_tree() {
    let mean = Chance { accepted: 750_000, posts: 1_000_000 }.share();
    assert_eq!(mean, 750_000);
    assert_eq!(Chance::default().with_mean(mean), 750_000);
    assert_eq!(Chance { accepted: 0, posts: 1_000 }.with_mean(mean), 666_666);
    assert_eq!(Chance { accepted: 0, posts: 92_000 }.with_mean(mean), 60_000);
    assert_eq!(Chance::default().share(), 1_000_000, "nobody has refused anything yet");
}

#[test]
fn a_buyers_week_is_counted_by_the_hour() {
    let record = TrackRecord::default();
    decided(&record, day(0), 3, 1);
    record.change(&campaign(), day(6), None, Some(Prepared));
    record.change(&campaign(), day(6), None, Some(Unknown));
    record.change(&campaign(), day(6), None, Some(NotSent));
    let week = record.posts(&campaign().buyer(), day(0));
    assert_eq!(week, PostTally { wins: 7, posts: 6, accepted: 3, rejected: 1, unknown: 2 });
    let later = record.posts(&campaign().buyer(), day(0).after(Duration::from_secs(3_600)));
    assert_eq!(later, PostTally { wins: 3, posts: 2, accepted: 0, rejected: 0, unknown: 2 });
}
