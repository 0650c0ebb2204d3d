//! CPU time per lead, of the index and of the scan in turn.

use rustix::time::{ClockId, clock_gettime};

use crate::Ran;
use crate::ground::{Ground, Size};

/// Most leads in a window.
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

/// What a case costs. Times per lead are picoseconds, times of building nanoseconds, ratios
/// thousandths.
#[derive(Clone, Debug)]
pub(crate) struct Figures {
    pub(crate) size: Size,
    /// Campaigns that accept ten leads.
    pub(crate) accepting: usize,
    pub(crate) subject: Spread,
    pub(crate) floor: Spread,
    /// Every campaign's own filter.
    pub(crate) filters: Spread,
    /// The whole plan of a lead, gates and reasons included.
    pub(crate) plan: Spread,
    /// The scan over the index: how often the index goes into it.
    pub(crate) of_subject: Spread,
    /// The scan over itself: how far the same differs from the same.
    pub(crate) noise: Spread,
    pub(crate) compiled_in: u64,
    pub(crate) indexed_in: u64,
    pub(crate) bytes: usize,
}

/// Measures one case.
///
/// The index stands between two windows of the scan, so that a change of the machine's speed shows
/// in the noise and cancels in the ratio.
pub(crate) fn measured(ground: &Ground, effort: Effort) -> Ran<Figures> {
    let index = |at: usize| ground.lead(at).map_or(0, |lead| ground.indexed(lead));
    let scan = |at: usize| ground.lead(at).map_or(0, |lead| ground.scanned(lead));
    let filters = |at: usize| ground.lead(at).map_or(0, |lead| ground.asked(lead));
    let plan = |at: usize| ground.lead(at).map_or(0, |lead| ground.planned(lead));
    let calls = calls_in(&index, effort.window_ms)?;
    let floor_calls = calls_in(&scan, effort.window_ms)?;
    let filter_calls = calls_in(&filters, effort.window_ms)?;
    let plan_calls = calls_in(&plan, effort.window_ms)?;
    let (mut subjects, mut floors) = (Vec::new(), Vec::new());
    let (mut each, mut plans) = (Vec::new(), Vec::new());
    let (mut ratios, mut noises) = (Vec::new(), Vec::new());
    for _ in 0..effort.blocks {
        let before = per_call(&scan, floor_calls)?;
        let subject = per_call(&index, calls)?.max(1);
        let after = per_call(&scan, floor_calls)?;
        each.push(per_call(&filters, filter_calls)?);
        plans.push(per_call(&plan, plan_calls)?);
        let floor = before.midpoint(after);
        subjects.push(subject);
        floors.push(floor);
        ratios.push(floor.saturating_mul(1000) / subject);
        noises.push(after.saturating_mul(1000) / before.max(1));
    }
    Ok(Figures {
        size: ground.size,
        accepting: ground.accepting()?,
        subject: Spread::of(subjects),
        floor: Spread::of(floors),
        filters: Spread::of(each),
        plan: Spread::of(plans),
        of_subject: Spread::of(ratios),
        noise: Spread::of(noises),
        compiled_in: ground.compiled_in,
        indexed_in: ground.indexed_in,
        bytes: ground.bytes(),
    })
}

/// How many leads fill a window; those that find out are the warm-up.
fn calls_in(call: &dyn Fn(usize) -> usize, window_ms: u64) -> Ran<u64> {
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

/// Picoseconds of CPU per lead.
fn per_call(call: &dyn Fn(usize) -> usize, calls: u64) -> Ran<u64> {
    let began = cpu_nanos()?;
    for at in 0..usize::try_from(calls)? {
        std::hint::black_box(call(std::hint::black_box(at)));
    }
    let took = cpu_nanos()?.saturating_sub(began);
    Ok(took.saturating_mul(1000) / calls.max(1))
}

/// CPU time of this thread.
pub(crate) fn cpu_nanos() -> Ran<u64> {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let (seconds, nanos) = (u64::try_from(time.tv_sec)?, u64::try_from(time.tv_nsec)?);
    Ok(seconds.saturating_mul(1_000_000_000).saturating_add(nanos))
}
