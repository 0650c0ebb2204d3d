//! What is learned, by scripts of answers.

use super::*;

const BOUNDS: Bounds = Bounds { least: ms(150), ceiling: ms(600) };

const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// A buyer, asked once a second.
#[derive(Default)]
struct Script {
    latency: Latency,
    now: Duration,
}

impl Script {
    /// It answers so many pings after so long, if it is read for that long.
    fn answers(&mut self, times: usize, took: Duration) -> &mut Self {
        for _ in 0..times {
            self.now += ms(1_000);
            let read_for = self.wait() * 2;
            if took < read_for {
                self.latency.answered(self.now, took);
            } else {
                self.latency.unanswered(self.now, read_for, BOUNDS.ceiling);
            }
        }
        self
    }

    fn wait(&self) -> Duration {
        self.latency.wait(self.now, BOUNDS)
    }
}

#[test]
fn a_buyer_that_is_not_known_gets_the_ceiling() {
    let mut script = Script::default();
    assert_eq!(script.wait(), ms(600));
    script.answers(19, ms(200));
    assert_eq!((script.wait(), script.latency.typical(script.now)), (ms(600), None));
    script.answers(1, ms(200));
    assert_eq!(script.wait(), ms(300), "one and a half times what 95 of 100 take");
}

#[test]
fn the_wait_stays_between_its_bounds() {
    assert_eq!(Script::default().answers(30, ms(3)).wait(), ms(150));
    assert_eq!(Script::default().answers(30, ms(590)).wait(), ms(600));
}

#[test]
fn a_buyer_that_gets_faster_is_waited_for_less() {
    let mut script = Script::default();
    script.answers(100, ms(390));
    assert_eq!(script.wait(), ms(585));
    script.answers(94, ms(120));
    assert_eq!(script.wait(), ms(585), "6 of 100 were slow");
    script.answers(1, ms(120));
    assert_eq!(script.wait(), ms(180));
}

#[test]
fn a_buyer_that_gets_slower_within_what_is_read_is_followed() {
    let mut script = Script::default();
    script.answers(100, ms(120));
    assert_eq!(script.wait(), ms(180));
    // Late, but read: six of a hundred are more than five.
    script.answers(5, ms(300));
    assert_eq!(script.wait(), ms(180));
    script.answers(1, ms(300));
    assert_eq!(script.wait(), ms(450));
}

#[test]
fn a_buyer_that_gets_slower_than_what_is_read_is_waited_for_as_long_as_allowed() {
    let mut script = Script::default();
    script.answers(100, ms(100));
    assert_eq!(script.wait(), ms(150));
    // Twice 150 ms is read; 400 ms are not.
    script.answers(1, ms(400));
    assert_eq!(script.wait(), ms(150));
    script.answers(1, ms(400));
    assert_eq!(script.wait(), ms(600), "two in a row");
    script.answers(5, ms(400));
    assert_eq!(script.wait(), ms(600), "its answers are seen again, and are slow");
    script.answers(100, ms(300));
    assert_eq!(script.wait(), ms(450));
}

#[test]
fn a_buyer_of_two_minds_is_waited_for_unless_the_slow_one_is_rare() {
    let mut often = Script::default();
    for _ in 0..10 {
        often.answers(9, ms(60)).answers(1, ms(380));
    }
    assert_eq!(often.wait(), ms(570));
    let mut seldom = Script::default();
    for _ in 0..4 {
        seldom.answers(24, ms(60)).answers(1, ms(280));
    }
    assert_eq!(seldom.wait(), ms(150), "four of a hundred are given up");
    let typical = seldom.latency.typical(seldom.now);
    assert_eq!(typical, Some(Typical { p50: ms(60), p95: ms(60) }));
}

#[test]
fn what_is_old_is_forgotten() {
    let mut script = Script::default();
    script.answers(100, ms(120));
    script.now += ms(599_000);
    assert_eq!(script.wait(), ms(180));
    script.now += ms(1_000);
    assert_eq!((script.wait(), script.latency.typical(script.now)), (ms(600), None));
    script.answers(19, ms(200));
    assert_eq!(script.wait(), ms(600), "it begins anew");
    script.answers(1, ms(200));
    assert_eq!(script.wait(), ms(300));
}

#[test]
fn a_ping_that_was_cut_short_says_nothing() {
    let mut script = Script::default();
    script.answers(100, ms(200));
    for _ in 0..50 {
        script.latency.unanswered(script.now, ms(199), BOUNDS.ceiling);
    }
    assert_eq!(script.wait(), ms(300));
    let mut unknown = Latency::default();
    (0..50).for_each(|_| unknown.unanswered(ms(1), ms(599), BOUNDS.ceiling));
    assert_eq!(unknown.typical(ms(1)), None);
}

#[test]
fn memory_is_bounded() {
    let mut script = Script::default();
    script.answers(10_000, ms(200));
    assert_eq!(script.latency.samples.len(), KEPT);
}
