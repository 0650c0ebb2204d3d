//! From windows to figures, in whole numbers: nanoseconds, microseconds and thousandths.

use serde::Serialize;

use crate::schedule::{Run, Window};
use crate::sut::Name;

/// The middle of some figures, with their ends.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: u64,
    pub(crate) min: u64,
    pub(crate) max: u64,
}

impl Spread {
    fn of(figures: impl IntoIterator<Item = u64>) -> Self {
        let mut sorted: Vec<u64> = figures.into_iter().collect();
        sorted.sort_unstable();
        let ends = |at: Option<&u64>| at.copied().unwrap_or_default();
        Self { median: median(&sorted), min: ends(sorted.first()), max: ends(sorted.last()) }
    }
}

/// The figures of one system.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figures {
    pub(crate) system: &'static str,
    pub(crate) about: &'static str,
    /// Auctions counted.
    pub(crate) auctions: u64,
    pub(crate) auctions_per_second: Spread,
    /// CPU time of the system's process, per auction, of each block.
    pub(crate) cpu_nanos_per_auction: Spread,
    /// How much of one CPU it used, in thousandths.
    pub(crate) busy_per_mille: Spread,
    /// CPU per auction over that of F-same in the same block, in thousandths.
    pub(crate) cpu_of_same_per_mille: Spread,
    /// CPU per auction over that of F-naive in the same block, in thousandths.
    pub(crate) cpu_of_naive_per_mille: Spread,
    pub(crate) p50_micros: u64,
    pub(crate) p99_micros: u64,
    /// Answers that were not the expected sale.
    pub(crate) other_answers: u64,
    /// Pings that reached the buyers, per thousand auctions.
    pub(crate) pings_per_thousand: u64,
}

/// The figures of every system, in order.
pub(crate) fn figures(run: &Run) -> Vec<Figures> {
    run.names.iter().map(|name| of(run, *name)).collect()
}

/// The microseconds that half of the syncs did not exceed, and that 99 % did not.
pub(crate) fn sync_micros(run: &Run) -> (u64, u64) {
    let mut sorted = run.syncs.clone();
    sorted.sort_unstable();
    (per_mille(&sorted, 500), per_mille(&sorted, 990))
}

/// What others did to the machine, over all windows.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Disturbance {
    /// Windows in the figures.
    pub(crate) windows: usize,
    /// Those of them that were disturbed even after repeating.
    pub(crate) disturbed: usize,
    /// Windows thrown away.
    pub(crate) repeated: usize,
    /// Stolen CPU time in thousandths of the machine's.
    pub(crate) steal_per_mille: Spread,
    /// CPU time of other processes in thousandths of the machine's.
    pub(crate) others_per_mille: Spread,
}

/// What others did meanwhile.
pub(crate) fn disturbance(run: &Run) -> Disturbance {
    let uses = || run.windows.iter().map(|window| window.machine);
    Disturbance {
        windows: run.windows.len(),
        disturbed: uses().filter(|machine| !machine.is_calm()).count(),
        repeated: run.repeated,
        steal_per_mille: Spread::of(uses().map(|machine| machine.steal)),
        others_per_mille: Spread::of(uses().map(|machine| machine.others)),
    }
}

fn of(run: &Run, name: Name) -> Figures {
    let mine = || run.windows.iter().filter(move |window| window.name == name);
    let mut latencies: Vec<u64> =
        mine().flat_map(|window| window.seen.latencies.iter().copied()).collect();
    latencies.sort_unstable();
    let blocks = blocks(run, name);
    let sold_in_all: u64 = mine().map(|window| window.seen.sold_in_all).sum();
    let pings: u64 = mine().map(|window| window.counts.pings).sum();
    Figures {
        system: name.word(),
        about: name.about(),
        auctions: mine().map(|window| window.seen.sold).sum(),
        auctions_per_second: Spread::of(blocks.iter().map(|b| share(b.sold, b.micros, 1_000_000))),
        cpu_nanos_per_auction: Spread::of(blocks.iter().map(Sum::cpu_per_auction)),
        busy_per_mille: Spread::of(blocks.iter().map(|b| share(b.cpu_nanos, b.micros, 1))),
        cpu_of_same_per_mille: ratio(&blocks, &self::blocks(run, Name::Same)),
        cpu_of_naive_per_mille: ratio(&blocks, &self::blocks(run, Name::Naive)),
        p50_micros: per_mille(&latencies, 500),
        p99_micros: per_mille(&latencies, 990),
        other_answers: mine().map(|window| window.seen.other).sum(),
        pings_per_thousand: share(pings, sold_in_all, 1000),
    }
}

/// The windows of one system in one block, added up.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    sold: u64,
    cpu_nanos: u64,
    micros: u64,
}

impl Sum {
    fn cpu_per_auction(&self) -> u64 {
        share(self.cpu_nanos, self.sold, 1)
    }

    fn add(&mut self, window: &Window) {
        self.sold = self.sold.saturating_add(window.seen.sold);
        self.cpu_nanos = self.cpu_nanos.saturating_add(window.seen.cpu_nanos);
        self.micros = self.micros.saturating_add(window.seen.micros);
    }
}

fn blocks(run: &Run, name: Name) -> Vec<Sum> {
    let mut blocks: Vec<Sum> = Vec::new();
    for window in run.windows.iter().filter(|window| window.name == name) {
        if blocks.len() <= window.block {
            blocks.resize_with(window.block.saturating_add(1), Sum::default);
        }
        if let Some(sum) = blocks.get_mut(window.block) {
            sum.add(window);
        }
    }
    blocks
}

/// CPU per auction of `these` over that of `floor`, block by block.
fn ratio(these: &[Sum], floor: &[Sum]) -> Spread {
    let pairs = these.iter().zip(floor);
    Spread::of(
        pairs.map(|(one, other)| share(one.cpu_per_auction(), other.cpu_per_auction(), 1000)),
    )
}

/// `part * unit / whole`, rounded to the nearest; 0 of nothing.
fn share(part: u64, whole: u64, unit: u64) -> u64 {
    let (part, whole) = (u128::from(part) * u128::from(unit), u128::from(whole));
    let rounded = (part + whole / 2).checked_div(whole).unwrap_or_default();
    u64::try_from(rounded).unwrap_or(u64::MAX)
}

/// The middle of sorted figures; of two, the mean.
fn median(sorted: &[u64]) -> u64 {
    let upper = sorted.get(sorted.len() / 2).copied().unwrap_or_default();
    let lower = sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or_default();
    u64::midpoint(lower, upper)
}

/// The figure that `thousandths` of the sorted figures do not exceed.
fn per_mille(sorted: &[u64], thousandths: usize) -> u64 {
    let rank = sorted.len().saturating_mul(thousandths).div_ceil(1000).saturating_sub(1);
    sorted.get(rank).copied().unwrap_or_default()
}
