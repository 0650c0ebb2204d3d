//! What a run measured.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::{Answered, Histogram, LoadPlan};

/// What a run measured. Times are in microseconds.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct LoadReport {
    /// Leads sent.
    pub sent: u64,
    /// Leads answered, with any status.
    pub answered: u64,
    /// How often each HTTP status came.
    pub statuses: BTreeMap<u16, u64>,
    /// How often each outcome came: `sold`, `unsold`, ..., or the code of a problem.
    pub outcomes: BTreeMap<String, u64>,
    /// How often there was no answer, by reason.
    pub failures: BTreeMap<&'static str, u64>,
    /// Half of the answers took no longer.
    pub p50_us: u64,
    /// 95 % of the answers took no longer.
    pub p95_us: u64,
    /// 99 % of the answers took no longer.
    pub p99_us: u64,
    /// The slowest answer.
    pub max_us: u64,
    /// The budget of the plan.
    pub budget_us: u64,
    /// Answers that came after the budget.
    pub late: u64,
    /// How long after the budget the latest answer came; 0 where none was late.
    pub latest_us: u64,
    /// The longest a lead was sent after it was due: the generator's own fault.
    pub lag_max_us: u64,
    /// From the first lead due to the last answer.
    pub elapsed_us: u64,
    /// Every answer's latency.
    #[serde(skip)]
    pub latencies: Histogram,
}

impl LoadReport {
    pub(crate) fn new(plan: &LoadPlan) -> Self {
        Self {
            sent: 0,
            answered: 0,
            statuses: BTreeMap::new(),
            outcomes: BTreeMap::new(),
            failures: BTreeMap::new(),
            p50_us: 0,
            p95_us: 0,
            p99_us: 0,
            max_us: 0,
            budget_us: micros(plan.budget),
            late: 0,
            latest_us: 0,
            lag_max_us: 0,
            elapsed_us: 0,
            latencies: Histogram::default(),
        }
    }

    /// Answers per second, rounded down.
    #[must_use]
    pub fn answers_per_second(&self) -> u64 {
        let per_second = u128::from(self.answered) * 1_000_000;
        let rate = per_second.checked_div(u128::from(self.elapsed_us)).unwrap_or(0);
        u64::try_from(rate).unwrap_or(u64::MAX)
    }

    pub(crate) fn note(&mut self, answered: &Answered) {
        self.sent += 1;
        self.lag_max_us = self.lag_max_us.max(micros(answered.lag));
        let answer = match &answered.answer {
            Ok(answer) => answer,
            Err(failure) => {
                *self.failures.entry(failure.code()).or_default() += 1;
                return;
            }
        };
        self.answered += 1;
        *self.statuses.entry(answer.status.as_u16()).or_default() += 1;
        let outcome = answer.outcome().unwrap_or_else(|| "unreadable".to_owned());
        *self.outcomes.entry(outcome).or_default() += 1;
        self.latencies.record(answered.took);
        let over = micros(answered.took).saturating_sub(self.budget_us);
        self.late += u64::from(over > 0);
        self.latest_us = self.latest_us.max(over);
    }

    pub(crate) fn finish(&mut self, elapsed: Duration) {
        self.p50_us = micros(self.latencies.per_mille(500));
        self.p95_us = micros(self.latencies.per_mille(950));
        self.p99_us = micros(self.latencies.per_mille(990));
        self.max_us = micros(self.latencies.max());
        self.elapsed_us = micros(elapsed);
    }
}

impl fmt::Display for LoadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let elapsed = Millis(self.elapsed_us);
        let rate = self.answers_per_second();
        writeln!(f, "{} sent, {} answered in {elapsed}, {rate}/s", self.sent, self.answered)?;
        writeln!(f, "outcomes  {}", Counts(&self.outcomes))?;
        writeln!(f, "statuses  {}", Counts(&self.statuses))?;
        if !self.failures.is_empty() {
            writeln!(f, "failures  {}", Counts(&self.failures))?;
        }
        let [p50, p95, p99, max] = [self.p50_us, self.p95_us, self.p99_us, self.max_us].map(Millis);
        writeln!(f, "latency   p50 {p50}  p95 {p95}  p99 {p99}  max {max}")?;
        let (budget, latest) = (Millis(self.budget_us), Millis(self.latest_us));
        writeln!(f, "budget    {budget}: {} late, the latest by {latest}", self.late)?;
        write!(f, "generator at most {} behind schedule", Millis(self.lag_max_us))
    }
}

/// Microseconds, shown as milliseconds with three decimals.
struct Millis(u64);

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03} ms", self.0 / 1000, self.0 % 1000)
    }
}

struct Counts<'a, K>(&'a BTreeMap<K, u64>);

impl<K: fmt::Display> fmt::Display for Counts<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, (name, count)) in self.0.iter().enumerate() {
            let gap = if nth == 0 { "" } else { "  " };
            write!(f, "{gap}{name} {count}")?;
        }
        Ok(())
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
