//! The breaker by script: a time, what is done, what is expected.

use super::*;

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn id(name: &str) -> BuyerId {
    BuyerId::new(name).unwrap()
}

/// A panel and the moment.
struct Script {
    panel: Panel,
    now: Duration,
}

impl Script {
    fn new() -> Self {
        Self { panel: Panel::default(), now: seconds(1_000) }
    }

    fn later(&mut self, span: Duration) -> &mut Self {
        self.now += span;
        self
    }

    fn call(&mut self, buyer: &str, health: Health) -> (Admission, Option<Change>) {
        let admitted = self.panel.admit(&id(buyer), self.now, None);
        if admitted == Admission::Refused {
            return (admitted, None);
        }
        (admitted, self.panel.record(&id(buyer), self.now, admitted, health))
    }

    /// The same end so many times.
    fn calls(&mut self, buyer: &str, health: Health, times: u32) -> Option<Change> {
        (0..times).map(|_| self.call(buyer, health).1).last().flatten()
    }

    fn state(&self, buyer: &str) -> BreakerState {
        self.panel.state(&id(buyer), self.now)
    }
}

#[test]
fn five_failures_in_a_row_open_it_and_a_success_between_does_not() {
    let mut script = Script::new();
    assert_eq!(script.calls("a", Health::Bad, 4), None);
    assert_eq!(script.calls("a", Health::Good, 1), None);
    assert_eq!(script.calls("a", Health::Bad, 4), None);
    assert_eq!(script.calls("a", Health::Unsaid, 3), None);
    assert_eq!(script.state("a"), BreakerState::Closed);
    assert_eq!(script.calls("a", Health::Bad, 1), Some(Change::Opened));
    assert_eq!(script.call("a", Health::Good), (Admission::Refused, None));
    assert_eq!(script.call("b", Health::Good), (Admission::Call, None));
}

#[test]
fn a_buyer_that_flaps_is_judged_by_its_share() {
    let mut script = Script::new();
    // Two failures for each success: never five in a row, a third of them good.
    for _ in 0..6 {
        script.calls("a", Health::Bad, 2);
        assert_eq!(script.calls("a", Health::Good, 1), None);
    }
    assert_eq!(script.calls("a", Health::Bad, 1), None, "19 calls are too few");
    assert_eq!(script.calls("a", Health::Bad, 1), Some(Change::Opened));
    // Half of them good is enough, at any number.
    for _ in 0..200 {
        script.calls("b", Health::Good, 1);
        script.calls("b", Health::Bad, 1);
    }
    assert_eq!(script.state("b"), BreakerState::Closed);
}

#[test]
fn what_is_older_than_the_window_does_not_count() {
    let mut script = Script::new();
    for _ in 0..6 {
        script.calls("a", Health::Bad, 2);
        script.calls("a", Health::Good, 1);
    }
    script.later(seconds(10));
    assert_eq!(script.calls("a", Health::Bad, 4), None);
    assert_eq!(script.state("a"), BreakerState::Closed);
}

#[test]
fn one_probe_decides() {
    let mut script = Script::new();
    script.calls("a", Health::Bad, 5);
    script.later(seconds(30) - Duration::from_millis(1));
    assert_eq!(script.state("a"), BreakerState::Open);
    script.later(Duration::from_millis(1));
    assert_eq!(script.state("a"), BreakerState::HalfOpen);
    let probe = script.panel.admit(&id("a"), script.now, None);
    assert_eq!(probe, Admission::Probe);
    assert_eq!(script.panel.admit(&id("a"), script.now, None), Admission::Refused);
    // The end of a call from before it opened decides nothing.
    let late = script.panel.record(&id("a"), script.now, Admission::Call, Health::Good);
    assert_eq!((late, script.state("a")), (None, BreakerState::HalfOpen));
    let closed = script.panel.record(&id("a"), script.now, probe, Health::Good);
    assert_eq!((closed, script.state("a")), (Some(Change::Returning), BreakerState::Returning));
}

#[test]
fn a_probe_that_says_nothing_is_followed_by_another() {
    let mut script = Script::new();
    script.calls("a", Health::Bad, 5);
    script.later(seconds(30));
    assert_eq!(script.call("a", Health::Unsaid), (Admission::Probe, None));
    assert_eq!(script.panel.admit(&id("a"), script.now, None), Admission::Probe);
    // And one that nobody ends is given up.
    script.later(seconds(119));
    assert_eq!(script.panel.admit(&id("a"), script.now, None), Admission::Refused);
    script.later(seconds(1));
    assert_eq!(script.panel.admit(&id("a"), script.now, None), Admission::Probe);
}

#[test]
fn the_pause_grows_each_time_in_a_row_up_to_ten_times() {
    let mut script = Script::new();
    script.calls("a", Health::Bad, 5);
    for n in 1..=12_u64 {
        let pause = seconds(30 * n.min(10));
        script.later(pause - Duration::from_millis(1));
        assert_eq!(script.state("a"), BreakerState::Open, "{n}");
        script.later(Duration::from_millis(1));
        assert_eq!(script.call("a", Health::Bad), (Admission::Probe, Some(Change::Opened)), "{n}");
    }
    // A buyer that comes back and falls again at once has not started afresh.
    script.later(seconds(300));
    assert_eq!(script.call("a", Health::Good), (Admission::Probe, Some(Change::Returning)));
    script.later(seconds(30));
    assert_eq!(script.state("a"), BreakerState::Closed);
    script.calls("a", Health::Bad, 5);
    script.later(seconds(299));
    assert_eq!(script.state("a"), BreakerState::Open);
    script.later(seconds(1));
    assert_eq!(script.call("a", Health::Good), (Admission::Probe, Some(Change::Returning)));
    // After a calm time it has.
    script.later(seconds(30) + seconds(301));
    script.calls("a", Health::Bad, 5);
    script.later(seconds(30));
    assert_eq!(script.state("a"), BreakerState::HalfOpen);
}

#[test]
fn when_most_buyers_fail_at_once_nobody_is_left_alone() {
    let mut script = Script::new();
    for buyer in ["a", "b", "c", "d"] {
        script.call(buyer, Health::Good);
    }
    assert_eq!(script.calls("a", Health::Bad, 5), Some(Change::Opened));
    assert_eq!(script.calls("b", Health::Bad, 5), Some(Change::Opened));
    script.later(seconds(5));
    assert_eq!(script.calls("c", Health::Bad, 5), Some(Change::Panic));
    assert!(script.panel.is_panic(script.now));
    for buyer in ["a", "b", "c", "d"] {
        assert_eq!(script.state(buyer), BreakerState::Closed);
        // Nor while it lasts, and it is said once.
        assert_eq!(script.calls(buyer, Health::Bad, 5), None);
        assert_eq!(script.state(buyer), BreakerState::Closed);
    }
    script.later(seconds(31));
    assert!(!script.panel.is_panic(script.now));
    assert_eq!(script.calls("a", Health::Bad, 5), Some(Change::Opened));
}

#[test]
fn buyers_that_fail_one_after_the_other_are_no_panic() {
    let mut script = Script::new();
    for buyer in ["a", "b", "c", "d"] {
        script.call(buyer, Health::Good);
    }
    for buyer in ["a", "b", "c", "d"] {
        assert_eq!(script.calls(buyer, Health::Bad, 5), Some(Change::Opened));
        script.later(seconds(10));
    }
    // Two buyers are too few to tell.
    let mut script = Script::new();
    assert_eq!(script.calls("a", Health::Bad, 5), Some(Change::Opened));
    assert_eq!(script.calls("b", Health::Bad, 5), Some(Change::Opened));
}

/// Leads numbered from 0, as pings of buyer `a`: which are let through.
fn pinged(script: &Script, leads: u16) -> Vec<u16> {
    let passes = |lead: &u16| {
        let turn = Turn::of(lead_of(*lead), &id("a"));
        script.panel.look(&id("a"), script.now, Some(turn)) == Admission::Call
    };
    (0..leads).filter(passes).collect()
}

fn lead_of(number: u16) -> LeadId {
    let mut bytes = [7; 16];
    bytes[14..].copy_from_slice(&number.to_be_bytes());
    LeadId::from_bytes(bytes)
}

/// A buyer whose probe was answered.
fn returning() -> Script {
    let mut script = Script::new();
    script.calls("a", Health::Bad, 5);
    script.later(seconds(30));
    assert_eq!(script.call("a", Health::Good), (Admission::Probe, Some(Change::Returning)));
    script
}

#[test]
fn a_buyer_that_is_back_gets_a_tenth_a_quarter_a_half_and_then_all_pings() {
    let mut script = returning();
    let tenth = pinged(&script, 1_000);
    assert!((80..120).contains(&tenth.len()), "{}", tenth.len());
    assert_eq!(script.calls("a", Health::Good, 5), None);
    let quarter = pinged(&script, 1_000);
    assert!((220..280).contains(&quarter.len()), "{}", quarter.len());
    assert!(tenth.iter().all(|lead| quarter.contains(lead)), "the share only grows");
    script.calls("a", Health::Good, 5);
    let half = pinged(&script, 1_000).len();
    assert!((460..540).contains(&half), "{half}");
    assert_eq!(script.calls("a", Health::Good, 5), Some(Change::Closed));
    assert_eq!((pinged(&script, 1_000).len(), script.state("a")), (1_000, BreakerState::Closed));
}

#[test]
fn a_buyer_that_is_seldom_pinged_is_back_after_half_a_minute() {
    let mut script = returning();
    for share in [100, 250, 500] {
        let passed = pinged(&script, 1_000).len();
        assert!(passed.abs_diff(share) < 50, "{passed} for {share}");
        script.later(seconds(10));
    }
    assert_eq!((pinged(&script, 1_000).len(), script.state("a")), (1_000, BreakerState::Closed));
}

#[test]
fn one_failure_on_the_way_back_opens_it_again_and_for_longer() {
    for good in [0, 5, 14] {
        let mut script = returning();
        script.calls("a", Health::Good, good);
        assert_eq!(script.call("a", Health::Bad).1, Some(Change::Opened), "{good}");
        script.later(seconds(59));
        assert_eq!((pinged(&script, 100).len(), script.state("a")), (0, BreakerState::Open));
        script.later(seconds(1));
        assert_eq!(script.state("a"), BreakerState::HalfOpen);
    }
}

#[test]
fn a_post_is_not_counted_out_and_looking_changes_nothing() {
    let mut script = returning();
    let refused = (0..1_000).map(lead_of).find(|lead| {
        let turn = Some(Turn::of(*lead, &id("a")));
        script.panel.look(&id("a"), script.now, turn) == Admission::Refused
    });
    let turn = Some(Turn::of(refused.unwrap(), &id("a")));
    assert_eq!(script.panel.admit(&id("a"), script.now, turn), Admission::Refused);
    assert_eq!(script.panel.admit(&id("a"), script.now, None), Admission::Call);
    // A plan that looks at an open breaker takes nobody's turn to probe.
    script.call("a", Health::Bad);
    script.later(seconds(60));
    assert_eq!(script.panel.look(&id("a"), script.now, turn), Admission::Probe);
    assert_eq!(script.panel.look(&id("a"), script.now, turn), Admission::Probe);
    assert_eq!(script.panel.admit(&id("a"), script.now, turn), Admission::Probe);
    assert_eq!(script.panel.look(&id("a"), script.now, turn), Admission::Refused);
}
