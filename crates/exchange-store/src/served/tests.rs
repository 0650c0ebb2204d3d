//! Counting what tiers gave, and taking it back.

use exchange_model::LeadId;

use super::*;

fn quarter(number: i64) -> Timestamp {
    Timestamp::from_unix_millis(number * 15 * 60 * 1_000)
}

fn member(tier: &str) -> TierMembership {
    let campaign = "acme/auto".parse().unwrap();
    TierMembership { tree: "main".to_owned(), tier: tier.to_owned(), campaign }
}

/// A post whose lead was taken in and posted at one moment.
fn post(number: u8, at: Timestamp) -> ServedPost {
    let attempt = AttemptId::new(LeadId::from_bytes([number; 16]), 1);
    ServedPost { attempt, by: member("first"), taken_in: at, prepared_at: at }
}

fn prepared(counts: &mut TierCount, post: &ServedPost) {
    counts.change(post, None, Some(AttemptState::Prepared));
}

fn becomes(counts: &mut TierCount, post: &ServedPost, state: AttemptState) {
    counts.change(post, Some(AttemptState::Prepared), Some(state));
}

fn delivered(counts: &mut TierCount, since: i64) -> u32 {
    counts.record(quarter(since), quarter(100)).delivered
}

fn last(counts: &mut TierCount) -> Option<Timestamp> {
    counts.record(quarter(0), quarter(100)).last
}

#[test]
fn a_post_under_way_counts_and_is_given_back_when_it_is_refused_or_not_sent() {
    let mut counts = TierCount::default();
    let (first, second) = (post(1, quarter(1)), post(2, quarter(2)));
    for state in [AttemptState::Rejected, AttemptState::NotSent, AttemptState::LateAcceptConflict] {
        let mut counts = TierCount::default();
        prepared(&mut counts, &first);
        assert_eq!((delivered(&mut counts, 0), last(&mut counts)), (1, Some(quarter(1))));
        becomes(&mut counts, &first, state);
        assert_eq!((delivered(&mut counts, 0), last(&mut counts)), (0, None), "{state:?}");
    }
    prepared(&mut counts, &first);
    becomes(&mut counts, &first, AttemptState::Accepted);
    prepared(&mut counts, &second);
    becomes(&mut counts, &second, AttemptState::Unknown);
    assert_eq!((delivered(&mut counts, 0), last(&mut counts)), (2, Some(quarter(2))));
    counts.change(&second, Some(AttemptState::Unknown), Some(AttemptState::Rejected));
    assert_eq!((delivered(&mut counts, 0), last(&mut counts)), (1, Some(quarter(1))));
}

#[test]
fn what_failed_is_as_if_it_had_not_been() {
    let mut counts = TierCount::default();
    let (first, second) = (post(1, quarter(1)), post(2, quarter(2)));
    prepared(&mut counts, &first);
    becomes(&mut counts, &first, AttemptState::Accepted);
    prepared(&mut counts, &second);
    let before = counts.record(quarter(0), quarter(100));
    let into = AttemptState::Accepted;
    let bought = counts.change(&second, Some(AttemptState::Prepared), Some(into));
    counts.undo(&second, (Some(AttemptState::Prepared), into), bought);
    assert_eq!(counts.record(quarter(0), quarter(100)), before);
    becomes(&mut counts, &second, AttemptState::NotSent);
    assert_eq!(last(&mut counts), Some(quarter(1)), "the sale before is remembered");
}

#[test]
fn a_window_begins_with_its_quarter_of_an_hour() {
    let mut counts = TierCount::default();
    for number in 0..4 {
        prepared(&mut counts, &post(number, quarter(i64::from(number))));
    }
    assert_eq!([0, 2, 1, 4, 3].map(|since| delivered(&mut counts, since)), [4, 2, 3, 0, 1]);
    let inside = quarter(2).after(Duration::from_secs(60));
    assert_eq!(counts.record(inside, quarter(100)).delivered, 2);
}

#[test]
fn the_accept_rate_is_of_the_posts_that_were_answered() {
    let mut counts = TierCount::default();
    let states = [AttemptState::Accepted, AttemptState::LateAcceptConflict, AttemptState::Rejected];
    for (number, state) in (1..).zip(states.into_iter().chain([AttemptState::Unknown])) {
        let post = post(number, quarter(1));
        prepared(&mut counts, &post);
        becomes(&mut counts, &post, state);
    }
    let answers = counts.record(quarter(0), quarter(100)).answers;
    assert_eq!(answers, Chance { accepted: 2_000, posts: 3_000 });
}

#[test]
fn who_was_served_too_long_ago_was_never_served() {
    let mut counts = TierCount::default();
    let old = post(1, quarter(1));
    prepared(&mut counts, &old);
    becomes(&mut counts, &old, AttemptState::Accepted);
    let edge = quarter(1).after(SERVED_KEPT);
    assert_eq!(counts.record(edge, edge).last, Some(quarter(1)));
    let over = edge.after(Duration::from_secs(1));
    assert_eq!(counts.record(over, over).last, None);
    prepared(&mut counts, &post(2, over.after(STEP)));
    assert_eq!(counts.steps.len(), 1, "old steps are forgotten");
}

#[test]
fn a_usable_bid_is_the_first_of_its_quarter_of_an_hour_once() {
    let mut counts = TierCount::default();
    prepared(&mut counts, &post(1, quarter(1)));
    assert!(counts.qualify(quarter(1), 1) && !counts.qualify(quarter(1), 1));
    assert!(counts.qualify(quarter(2), 3));
    assert_eq!(counts.record(quarter(1), quarter(100)).qualified, 5);
    counts.disqualify(quarter(1));
    assert_eq!(counts.record(quarter(1), quarter(100)).qualified, 4);
}

#[test]
fn one_tier_does_not_count_for_another() {
    let book = ServedBook::default();
    book.change(&post(1, quarter(1)), None, Some(AttemptState::Prepared));
    book.qualify(&member("first"), quarter(1), 1);
    let of = |member: &TierMembership| book.record(member, quarter(0), quarter(100));
    assert_eq!((of(&member("first")).delivered, of(&member("first")).qualified), (1, 1));
    assert_eq!(of(&member("second")), TierRecord::default());
    let other = TierMembership { tree: "other".to_owned(), ..member("first") };
    assert_eq!(of(&other), TierRecord::default());
}

/// Numbers that look random and are the same each time.
fn numbers() -> impl Iterator<Item = i64> {
    let next = |seed: &u64| {
        Some(seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407))
    };
    std::iter::successors(Some(7), next).map(|seed| i64::try_from(seed >> 33).unwrap())
}

#[test]
fn the_sum_that_is_kept_is_what_a_recount_finds() {
    let states = [AttemptState::Accepted, AttemptState::Rejected, AttemptState::Unknown];
    let mut numbers = numbers();
    let mut draw = |below: i64| numbers.next().unwrap() % below;
    let mut counts = TierCount::default();
    let mut kept: Vec<i64> = Vec::new();
    for number in 0..=250 {
        let (at, since) = (draw(300), draw(300));
        let state = states[usize::try_from(draw(3)).unwrap()];
        let post = post(number, quarter(at));
        prepared(&mut counts, &post);
        becomes(&mut counts, &post, state);
        if state != AttemptState::Rejected {
            kept.push(at);
        }
        let expected = kept.iter().filter(|at| **at >= since).count();
        let found = counts.record(quarter(since), quarter(300)).delivered;
        assert_eq!(usize::try_from(found).unwrap(), expected);
    }
}
