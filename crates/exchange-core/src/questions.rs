//! When a buyer is asked what became of a post, and how: the ways of its connector in their order.
//!
//! Each way has a turn: one repetition of the post, the ladder of `status`, a while of listening,
//! one cancellation. A turn that gave nothing passes to the next, so a `void` comes only after
//! everything that stands before it. After the auction the ways are tried again and again, with
//! growing pauses; within it each has one turn.

use std::time::Duration;

use exchange_model::Timestamp;
use exchange_model::outcome::Resolver;

use crate::auction::Ways;
use crate::resolution::{PAUSE_FIRST, PAUSE_MAX};

/// How long a buyer's call is waited for before the way after `callback` is tried.
pub const CALLBACK_TURN: Duration = Duration::from_mins(5);

/// The questions about one post.
#[derive(Clone, Debug)]
pub(crate) struct Questions {
    ways: Ways,
    since: Timestamp,
    at: usize,
    due: Option<Timestamp>,
    out: bool,
    first_round: bool,
    /// The pause before the next round; nothing within an auction.
    pause: Option<Duration>,
}

impl Questions {
    /// Within the auction: one turn each, the first at once unless the buyer is still deciding.
    pub(crate) fn once(now: Timestamp, ways: Ways, pending: bool) -> Self {
        let delay = if pending { PAUSE_FIRST } else { Duration::ZERO };
        Self::new(now, now, ways, None, delay)
    }

    /// After the auction, for an outcome that is unknown `since` then.
    pub(crate) fn again(now: Timestamp, since: Timestamp, ways: Ways) -> Self {
        Self::new(now, since, ways, Some(PAUSE_FIRST), PAUSE_FIRST)
    }

    fn new(
        now: Timestamp,
        since: Timestamp,
        ways: Ways,
        pause: Option<Duration>,
        delay: Duration,
    ) -> Self {
        let mut questions =
            Self { ways, since, at: 0, due: None, out: false, first_round: true, pause };
        if questions.asks_from(0) {
            questions.turn(0, now, delay);
        }
        questions
    }

    /// When the next question is due; nothing while one is out, and when none is left.
    pub(crate) const fn due(&self) -> Option<Timestamp> {
        self.due
    }

    /// Whether the buyer may call us.
    pub(crate) fn listens(&self) -> bool {
        self.ways.listens()
    }

    /// The question that is due.
    pub(crate) fn ask(&mut self, now: Timestamp) -> Option<Resolver> {
        while self.due.is_some_and(|due| due <= now) {
            match self.ways.resolve.get(self.at) {
                Some(Resolver::Callback) | None => {
                    self.turn(self.at.saturating_add(1), now, Duration::ZERO);
                }
                Some(how) => {
                    self.due = None;
                    self.out = true;
                    return Some(*how);
                }
            }
        }
        None
    }

    /// The question that is out told nothing; nothing happens when none is.
    pub(crate) fn nothing(&mut self, now: Timestamp) {
        if !std::mem::take(&mut self.out) {
            return;
        }
        if self.ways.resolve.get(self.at) == Some(&Resolver::Status)
            && self.first_round
            && let Some(pause) = self.ladder(now)
        {
            self.due = Some(now.after(pause));
            return;
        }
        self.turn(self.at.saturating_add(1), now, Duration::ZERO);
    }

    /// No more questions.
    pub(crate) fn stop(&mut self) {
        self.due = None;
    }

    /// Whether another way would be asked after the one whose turn it is.
    pub(crate) fn is_last(&self) -> bool {
        !self.asks_from(self.at.saturating_add(1))
    }

    fn asks_from(&self, at: usize) -> bool {
        self.ways.resolve.iter().skip(at).any(|how| *how != Resolver::Callback)
    }

    fn ladder(&self, now: Timestamp) -> Option<Duration> {
        self.ways.poll.pause(now.since(self.since))
    }

    /// Gives the turn to the way at this place, or starts the next round.
    fn turn(&mut self, at: usize, now: Timestamp, delay: Duration) {
        self.at = at;
        self.due = match self.ways.resolve.get(at) {
            Some(Resolver::Callback) if !self.first_round || self.is_last() => {
                return self.turn(at.saturating_add(1), now, delay);
            }
            Some(Resolver::Callback) => Some(now.max(self.since.after(CALLBACK_TURN))),
            Some(Resolver::Status) if self.first_round => {
                Some(now.after(self.ladder(now).unwrap_or(delay)))
            }
            Some(Resolver::Status | Resolver::Repost | Resolver::Void) => Some(now.after(delay)),
            None => match self.pause {
                None => None,
                Some(pause) => return self.next_round(now, pause),
            },
        };
    }

    fn next_round(&mut self, now: Timestamp, pause: Duration) {
        self.first_round = false;
        self.pause = Some(pause.saturating_mul(2).min(PAUSE_MAX));
        self.turn(0, now, pause);
    }
}

#[cfg(test)]
mod tests {
    use exchange_model::{PollSchedule, PollStep};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn ways(resolve: &[Resolver]) -> Ways {
        let step = |every, until| PollStep { every: SECOND * every, until: SECOND * until };
        Ways { resolve: resolve.into(), poll: PollSchedule::new(vec![step(1, 3), step(5, 12)]) }
    }

    /// The first questions, with the seconds at which they are asked; each tells nothing at once.
    fn asked(resolve: &[Resolver], count: usize) -> Vec<(u64, &'static str)> {
        let start = Timestamp::default();
        let mut questions = Questions::again(start, start, ways(resolve));
        let mut asked = Vec::new();
        while let Some(now) = questions.due().filter(|_| asked.len() < count) {
            if let Some(how) = questions.ask(now) {
                asked.push((now.since(start).as_secs(), how.code()));
                questions.nothing(now);
            }
        }
        asked
    }

    #[test]
    fn each_way_has_its_turn_and_then_all_are_tried_again_with_growing_pauses() {
        use Resolver::{Repost, Status, Void};
        assert_eq!(
            asked(&[Status, Repost, Void], 12),
            [
                (1, "status"),
                (2, "status"),
                (3, "status"),
                (8, "status"),
                (13, "status"),
                (13, "repost"),
                (13, "void"),
                (14, "status"),
                (14, "repost"),
                (14, "void"),
                (16, "status"),
                (16, "repost"),
            ]
        );
    }

    #[test]
    fn a_void_waits_for_the_call_that_stands_before_it() {
        use Resolver::{Callback, Void};
        assert_eq!(asked(&[Callback, Void], 3), [(300, "void"), (301, "void"), (303, "void")]);
        assert_eq!(asked(&[Callback], 1), []);
        assert_eq!(asked(&[], 1), []);
    }

    #[test]
    fn an_answer_that_nobody_asked_for_moves_nothing() {
        let now = Timestamp::default();
        for list in [&[][..], &[Resolver::Callback], &[Resolver::Repost, Resolver::Void]] {
            let mut questions = Questions::again(now, now, ways(list));
            let due = questions.due();
            questions.nothing(now);
            assert_eq!(questions.due(), due);
        }
    }

    #[test]
    fn within_an_auction_each_way_has_one_turn() {
        use Resolver::{Repost, Void};
        let now = Timestamp::default();
        let mut questions = Questions::once(now, ways(&[Repost, Void]), false);
        assert_eq!(questions.ask(now), Some(Repost));
        questions.nothing(now);
        assert_eq!(questions.ask(now), Some(Void));
        questions.nothing(now);
        assert_eq!(questions.due(), None);
        let waits = Questions::once(now, ways(&[Repost]), true);
        assert_eq!(waits.due(), Some(now.after(PAUSE_FIRST)), "the buyer is still deciding");
    }
}
