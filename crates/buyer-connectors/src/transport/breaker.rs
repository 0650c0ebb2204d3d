//! Leaving a failing buyer alone for a while, and coming back carefully.
//!
//! A pure state machine: time is an argument. One [`Breaker`] per buyer opens after
//! [`FAILURES_IN_A_ROW`] failures, or when fewer than half of at least [`SAMPLE_MIN`] calls of the
//! last [`WINDOW_SECONDS`] seconds succeeded. It stays open for [`PAUSE`], longer each time in a
//! row, then lets one call through; that call decides.
//!
//! > When most buyers fail at once it is our network, not theirs: nobody is left alone then.

use std::collections::BTreeMap;
use std::time::Duration;

use exchange_model::BuyerId;

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
}

impl BreakerState {
    /// The name in logs and metrics.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
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
        match self.state {
            State::Closed { .. } => BreakerState::Closed,
            State::Open { until } if now < until => BreakerState::Open,
            State::Open { .. } | State::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }

    pub(super) fn admit(&mut self, now: Duration) -> Admission {
        self.called = now;
        match self.state {
            State::Closed { .. } => Admission::Call,
            State::Open { until } if now < until => Admission::Refused,
            State::HalfOpen { probe: Some(since) } if now.saturating_sub(since) < PROBE_MAX => {
                Admission::Refused
            }
            State::Open { .. } | State::HalfOpen { .. } => {
                self.state = State::HalfOpen { probe: Some(now) };
                Admission::Probe
            }
        }
    }

    /// Takes in how a call ended that was admitted so. Whether it should open now.
    pub(super) fn record(&mut self, now: Duration, admitted: Admission, health: Health) -> bool {
        if let State::HalfOpen { .. } = self.state {
            return match (admitted, health) {
                (Admission::Probe, Health::Good) => {
                    self.close(now);
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

    /// Opens it.
    pub(super) fn open(&mut self, now: Duration) {
        let last_pause = self.pause();
        let calm = match self.state {
            State::Closed { since } => now.saturating_sub(since) > last_pause,
            State::Open { .. } | State::HalfOpen { .. } => false,
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
    /// It is called again.
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

    pub(super) fn admit(&mut self, buyer: &BuyerId, now: Duration) -> Admission {
        if let Some(breaker) = self.buyers.get_mut(buyer) {
            return breaker.admit(now);
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
            let closed = breaker.state(now) == BreakerState::Closed;
            return (before != BreakerState::Closed && closed).then_some(Change::Closed);
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
