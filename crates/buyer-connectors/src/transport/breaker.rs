//! Leaving a failing buyer alone for a while, and coming back carefully.
//!
//! A pure state machine: time is an argument. One [`Breaker`] per buyer opens after
//! [`FAILURES_IN_A_ROW`] failures, or when fewer than half of at least [`SAMPLE_MIN`] calls of the
//! last [`WINDOW_SECONDS`] seconds succeeded. It stays open for [`PAUSE`], longer each time in a
//! row, then lets one call through; that call decides.
//!
//! A buyer that is back gets its pings back by and by: [`SHARES`] of them, each share until
//! [`STEP_SUCCESSES`] calls were answered or [`STEP_SPAN`] has passed without a failure. Which
//! pings follows from their leads, so that whoever plans an auction and whoever sends agree. One
//! failure on the way opens it again. Posts are not counted out: whoever was pinged may buy.
//!
//! > When most buyers fail at once it is our network, not theirs: nobody is left alone then.

use std::collections::BTreeMap;
use std::time::Duration;

use exchange_model::{BuyerId, LeadId};

/// Failures in a row that open a breaker.
pub(super) const FAILURES_IN_A_ROW: u32 = 5;
/// Calls within the window before their share counts.
pub(super) const SAMPLE_MIN: u32 = 20;
/// Length of the window.
pub(super) const WINDOW_SECONDS: u64 = 10;
/// How long a breaker stays open the first time.
pub(super) const PAUSE: Duration = Duration::from_secs(30);
/// Most times the pause grows.
const PAUSES_MAX: u32 = 10;
/// A probe whose end nobody has told is given up.
const PROBE_MAX: Duration = Duration::from_secs(120);
/// How many of a hundred pings a buyer gets that is coming back, step by step; then all.
const SHARES: [u8; 3] = [10, 25, 50];
/// Answered calls that end a step.
const STEP_SUCCESSES: u32 = 5;
/// A step without a failure ends after this.
const STEP_SPAN: Duration = Duration::from_secs(10);
/// How many buyers must have been called lately before a share of them means anything.
const PANIC_BUYERS_MIN: usize = 3;
/// Trips within this span are one event.
const PANIC_SPAN: Duration = Duration::from_secs(10);
/// Buyers called within this span are counted.
const ACTIVE_SPAN: Duration = Duration::from_secs(60);

/// What a breaker does with calls.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum BreakerState {
    /// Every call is made.
    #[default]
    Closed,
    /// No call is made.
    Open,
    /// One call is made to see.
    HalfOpen,
    /// A growing share of pings is made.
    Returning,
}

impl BreakerState {
    /// The name in logs and metrics.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
            Self::Returning => "returning",
        }
    }
}

/// Whether a call may be made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Admission {
    /// It may.
    Call,
    /// It may, and it decides about the breaker.
    Probe,
    /// It may not.
    Refused,
}

/// How a call ended, as far as the buyer's health is concerned. A refusal is a success.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Health {
    /// The buyer answered.
    Good,
    /// It did not, or it failed.
    Bad,
    /// It says nothing about the buyer.
    Unsaid,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Closed { since: Duration },
    Open { until: Duration },
    HalfOpen { probe: Option<Duration> },
    Returning { step: usize, since: Duration, good: u32 },
}

impl State {
    /// What it has become by itself.
    fn at(self, now: Duration) -> Self {
        let Self::Returning { step, since, .. } = self else { return self };
        let spans = now.saturating_sub(since).as_secs().checked_div(STEP_SPAN.as_secs());
        let left = SHARES.len().saturating_sub(step);
        let ended = usize::try_from(spans.unwrap_or(0)).map_or(left, |spans| spans.min(left));
        if ended == 0 {
            return self;
        }
        let took = STEP_SPAN.saturating_mul(u32::try_from(ended).unwrap_or(u32::MAX));
        Self::step(step.saturating_add(ended), since.saturating_add(took))
    }

    /// The beginning of a step; after the last one it is closed.
    fn step(step: usize, since: Duration) -> Self {
        if step < SHARES.len() {
            Self::Returning { step, since, good: 0 }
        } else {
            Self::Closed { since }
        }
    }
}

/// A lead's place among a hundred: the same whenever and wherever it is worked out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Turn(u8);

impl Turn {
    /// The place of a lead in the order of this buyer.
    pub(super) fn of(lead: LeadId, buyer: &BuyerId) -> Self {
        Self(u8::try_from(lead.place_among(100, buyer.as_str())).unwrap_or(0))
    }
}

/// Successes and failures of one second.
#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    second: u64,
    good: u32,
    bad: u32,
}

/// One buyer's breaker. `now` is the time since any fixed moment.
#[derive(Clone, Debug)]
pub(super) struct Breaker {
    state: State,
    in_a_row: u32,
    /// How often it has opened without a calm time between.
    opens: u32,
    window: [Bucket; 10],
    called: Duration,
}

impl Breaker {
    pub(super) fn new(now: Duration) -> Self {
        Self {
            state: State::Closed { since: now },
            in_a_row: 0,
            opens: 0,
            window: [Bucket::default(); 10],
            called: now,
        }
    }

    /// What it does with calls at this moment.
    pub(super) fn state(&self, now: Duration) -> BreakerState {
        match self.state.at(now) {
            State::Closed { .. } => BreakerState::Closed,
            State::Open { until } if now < until => BreakerState::Open,
            State::Open { .. } | State::HalfOpen { .. } => BreakerState::HalfOpen,
            State::Returning { .. } => BreakerState::Returning,
        }
    }

    /// What it would say to a call; `turn` is a ping's, and nothing for a post.
    pub(super) fn look(&self, now: Duration, turn: Option<Turn>) -> Admission {
        match self.state.at(now) {
            State::Closed { .. } => Admission::Call,
            State::Open { until } if now < until => Admission::Refused,
            State::HalfOpen { probe: Some(since) } if now.saturating_sub(since) < PROBE_MAX => {
                Admission::Refused
            }
            State::Open { .. } | State::HalfOpen { .. } => Admission::Probe,
            State::Returning { step, .. } => match (turn, SHARES.get(step)) {
                (Some(Turn(place)), Some(share)) if place >= *share => Admission::Refused,
                _ => Admission::Call,
            },
        }
    }

    pub(super) fn admit(&mut self, now: Duration, turn: Option<Turn>) -> Admission {
        self.called = now;
        self.state = self.state.at(now);
        let admission = self.look(now, turn);
        if admission == Admission::Probe {
            self.state = State::HalfOpen { probe: Some(now) };
        }
        admission
    }

    /// Takes in how a call ended that was admitted so. Whether it should open now.
    pub(super) fn record(&mut self, now: Duration, admitted: Admission, health: Health) -> bool {
        self.state = self.state.at(now);
        if let State::Returning { .. } = self.state {
            return self.on_the_way_back(now, health);
        }
        if let State::HalfOpen { .. } = self.state {
            return match (admitted, health) {
                (Admission::Probe, Health::Good) => {
                    self.forget();
                    self.state = State::step(0, now);
                    false
                }
                (Admission::Probe, Health::Bad) => true,
                (Admission::Probe, Health::Unsaid) => {
                    self.state = State::HalfOpen { probe: None };
                    false
                }
                _ => false,
            };
        }
        let State::Closed { .. } = self.state else { return false };
        match health {
            Health::Unsaid => return false,
            Health::Good => self.in_a_row = 0,
            Health::Bad => self.in_a_row = self.in_a_row.saturating_add(1),
        }
        self.count(now, health);
        let (good, bad) = self.within(now);
        let total = good.saturating_add(bad);
        let share = total >= SAMPLE_MIN && good.saturating_mul(2) < total;
        health == Health::Bad && (self.in_a_row >= FAILURES_IN_A_ROW || share)
    }

    /// The end of a call while a share of pings is made. Whether it should open again.
    fn on_the_way_back(&mut self, now: Duration, health: Health) -> bool {
        if let (State::Returning { step, good, .. }, Health::Good) = (&mut self.state, health) {
            *good = good.saturating_add(1);
            if *good >= STEP_SUCCESSES {
                self.state = State::step(step.saturating_add(1), now);
            }
        }
        health == Health::Bad
    }

    /// Opens it.
    pub(super) fn open(&mut self, now: Duration) {
        let last_pause = self.pause();
        let calm = match self.state {
            State::Closed { since } => now.saturating_sub(since) > last_pause,
            State::Open { .. } | State::HalfOpen { .. } | State::Returning { .. } => false,
        };
        if calm {
            self.opens = 0;
        }
        self.opens = self.opens.saturating_add(1).min(PAUSES_MAX);
        self.state = State::Open { until: now.saturating_add(self.pause()) };
        self.forget();
    }

    /// Closes it and forgets what was.
    pub(super) fn close(&mut self, now: Duration) {
        self.state = State::Closed { since: now };
        self.forget();
    }

    fn pause(&self) -> Duration {
        PAUSE.saturating_mul(self.opens.max(1))
    }

    fn forget(&mut self) {
        self.in_a_row = 0;
        self.window = [Bucket::default(); 10];
    }

    fn count(&mut self, now: Duration, health: Health) {
        let second = now.as_secs();
        let at = usize::try_from(second % WINDOW_SECONDS).unwrap_or(0);
        let Some(bucket) = self.window.get_mut(at) else { return };
        if bucket.second != second {
            *bucket = Bucket { second, ..Bucket::default() };
        }
        let counter = if health == Health::Good { &mut bucket.good } else { &mut bucket.bad };
        *counter = counter.saturating_add(1);
    }

    /// Successes and failures within the window.
    fn within(&self, now: Duration) -> (u32, u32) {
        let oldest = now.as_secs().saturating_sub(WINDOW_SECONDS - 1);
        let fresh = self.window.iter().filter(|bucket| bucket.second >= oldest);
        fresh.fold((0, 0), |(good, bad): (u32, u32), bucket| {
            (good.saturating_add(bucket.good), bad.saturating_add(bucket.bad))
        })
    }
}

/// What is worth a line in the log.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Change {
    /// The buyer is left alone.
    Opened,
    /// Its probe was answered: a growing share of pings is made.
    Returning,
    /// It is called again as ever.
    Closed,
    /// Most buyers fail: our network is to blame.
    Panic,
}

/// The breakers of all buyers.
#[derive(Debug, Default)]
pub(super) struct Panel {
    buyers: BTreeMap<BuyerId, Breaker>,
    /// Who should have opened lately, and when.
    trips: BTreeMap<BuyerId, Duration>,
    /// Nobody is left alone before this moment.
    panic_until: Option<Duration>,
}

impl Panel {
    pub(super) fn state(&self, buyer: &BuyerId, now: Duration) -> BreakerState {
        self.buyers.get(buyer).map(|breaker| breaker.state(now)).unwrap_or_default()
    }

    /// Whether most buyers failed at once a moment ago.
    pub(super) fn is_panic(&self, now: Duration) -> bool {
        self.panic_until.is_some_and(|until| now < until)
    }

    /// What a call would be told now.
    pub(super) fn look(&self, buyer: &BuyerId, now: Duration, turn: Option<Turn>) -> Admission {
        self.buyers.get(buyer).map_or(Admission::Call, |breaker| breaker.look(now, turn))
    }

    pub(super) fn admit(
        &mut self,
        buyer: &BuyerId,
        now: Duration,
        turn: Option<Turn>,
    ) -> Admission {
        if let Some(breaker) = self.buyers.get_mut(buyer) {
            return breaker.admit(now, turn);
        }
        self.buyers.insert(buyer.clone(), Breaker::new(now));
        Admission::Call
    }

    pub(super) fn record(
        &mut self,
        buyer: &BuyerId,
        now: Duration,
        admitted: Admission,
        health: Health,
    ) -> Option<Change> {
        let breaker = self.buyers.get_mut(buyer)?;
        let before = breaker.state(now);
        if !breaker.record(now, admitted, health) {
            return match (before, breaker.state(now)) {
                (BreakerState::HalfOpen, BreakerState::Returning) => Some(Change::Returning),
                (BreakerState::Returning, BreakerState::Closed) => Some(Change::Closed),
                _ => None,
            };
        }
        self.trips.insert(buyer.clone(), now);
        if self.most_have_tripped(now) {
            return self.panic(now);
        }
        let panic = self.is_panic(now);
        let breaker = self.buyers.get_mut(buyer)?;
        if panic {
            breaker.close(now);
            return None;
        }
        breaker.open(now);
        Some(Change::Opened)
    }

    fn most_have_tripped(&mut self, now: Duration) -> bool {
        self.trips.retain(|_, at| now.saturating_sub(*at) < PANIC_SPAN);
        let is_active = |b: &&Breaker| now.saturating_sub(b.called) < ACTIVE_SPAN;
        let active = self.buyers.values().filter(is_active).count();
        active >= PANIC_BUYERS_MIN && self.trips.len().saturating_mul(2) > active
    }

    /// Everybody is called again.
    fn panic(&mut self, now: Duration) -> Option<Change> {
        let news = !self.is_panic(now);
        self.panic_until = Some(now.saturating_add(PAUSE));
        self.buyers.values_mut().for_each(|breaker| breaker.close(now));
        news.then_some(Change::Panic)
    }
}

#[cfg(test)]
mod tests;
