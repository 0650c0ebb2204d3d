//! CPU time per call, of a case and of its floor in turn.

use rustix::time::{ClockId, clock_gettime};

use crate::Ran;
use crate::cases::Case;

/// Most calls in a window.
const CALLS_MAX: u64 = 100_000_000;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    pub(crate) blocks: u64,
    pub(crate) window_ms: u64,
}

impl Default for Effort {
    fn default() -> Self {
        Self { blocks: 40, window_ms: 10 }
    }
}

/// The middle of some figures, with their ends.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spread {
    pub(crate) median: u64,
    pub(crate) min: u64,
    pub(crate) max: u64,
}

impl Spread {
    fn of(mut figures: Vec<u64>) -> Self {
        figures.sort_unstable();
        let at = |at: usize| figures.get(at).copied().unwrap_or_default();
        Self {
            median: at(figures.len() / 2),
            min: at(0),
            max: figures.last().copied().unwrap_or(0),
        }
    }
}

/// What a case costs. Times are picoseconds, ratios thousandths.
#[derive(Clone, Debug)]
pub(crate) struct Figures {
    pub(crate) what: String,
    pub(crate) floor_name: &'static str,
    pub(crate) bytes: usize,
    pub(crate) subject: Spread,
    pub(crate) floor: Spread,
    pub(crate) of_floor: Spread,
    /// The floor over itself: how far the same differs from the same.
    pub(crate) noise: Spread,
}

/// Measures one case.
///
/// The case stands between two windows of the floor, so that a change of the machine's speed shows
/// in the noise and cancels in the ratio.
pub(crate) fn measured(case: &Case<'_>, effort: Effort) -> Ran<Figures> {
    let calls = calls_in(&*case.subject, effort.window_ms)?;
    let floor_calls = calls_in(&*case.floor, effort.window_ms)?;
    let (mut subjects, mut floors) = (Vec::new(), Vec::new());
    let (mut ratios, mut noises) = (Vec::new(), Vec::new());
    for _ in 0..effort.blocks {
        let before = per_call(&*case.floor, floor_calls)?;
        let subject = per_call(&*case.subject, calls)?;
        let after = per_call(&*case.floor, floor_calls)?;
        let floor = before.midpoint(after).max(1);
        subjects.push(subject);
        floors.push(floor);
        ratios.push(subject.saturating_mul(1000) / floor);
        noises.push(after.saturating_mul(1000) / before.max(1));
    }
    Ok(Figures {
        what: case.what.clone(),
        floor_name: case.floor_name,
        bytes: case.bytes,
        subject: Spread::of(subjects),
        floor: Spread::of(floors),
        of_floor: Spread::of(ratios),
        noise: Spread::of(noises),
    })
}

/// How many calls fill a window; the calls that find out are the warm-up.
fn calls_in(call: &dyn Fn(), window_ms: u64) -> Ran<u64> {
    let window = window_ms.saturating_mul(1_000_000_000);
    let mut calls = 16_u64;
    loop {
        let took = per_call(call, calls)?.saturating_mul(calls);
        if took >= window / 2 || calls >= CALLS_MAX {
            return Ok(calls);
        }
        calls = calls.saturating_mul(2);
    }
}

/// Picoseconds of CPU per call.
fn per_call(call: &dyn Fn(), calls: u64) -> Ran<u64> {
    let began = cpu_nanos()?;
    for _ in 0..calls {
        call();
    }
    let took = cpu_nanos()?.saturating_sub(began);
    Ok(took.saturating_mul(1000) / calls.max(1))
}

/// CPU time of this thread.
fn cpu_nanos() -> Ran<u64> {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let (seconds, nanos) = (u64::try_from(time.tv_sec)?, u64::try_from(time.tv_nsec)?);
    Ok(seconds.saturating_mul(1_000_000_000).saturating_add(nanos))
}
