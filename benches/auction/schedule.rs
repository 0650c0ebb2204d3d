//! The order of things: blocks in which every system has its turn forwards and backwards.
//!
//! In a block A B C C B A a drift that is even over the block weighs on all alike. The next block
//! begins with another system.

use std::path::Path;
use std::time::Duration;

use crate::buyers::{BUYERS, Counts};
use crate::child::{self, Placement};
use crate::disk;
use crate::machine::{Ticks, Use};
use crate::options::Options;
use crate::sellers::{Numbers, Pressure, Seen, send};
use crate::sut::{Buyers, Name, System, start_all};
use crate::{Ran, say};

/// Sent in a window before counting begins.
const WARM_UP: Duration = Duration::from_secs(1);
/// The window of a smoke run: a few auctions, nothing measured.
const SMOKE_WARM_UP: Duration = Duration::from_millis(100);
const SMOKE_COUNTED: Duration = Duration::from_millis(400);
const SMOKE_SELLERS: usize = 4;
/// How often a disturbed window is sent again before it is taken as it is.
const REPEATS_MAX: usize = 2;
/// Syncs of the disk before each block.
const SYNCS: usize = 100;

/// One window of one system.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    pub(crate) block: usize,
    pub(crate) name: Name,
    pub(crate) seen: Seen,
    /// What reached the buyers.
    pub(crate) counts: Counts,
    /// What the machine did meanwhile.
    pub(crate) machine: Use,
}

impl Window {
    /// Whether every auction asked all buyers and posted once. An expected answer is checked with
    /// each answer.
    pub(crate) fn complete(&self) -> bool {
        let pings = u64::try_from(BUYERS).ok().and_then(|n| n.checked_mul(self.seen.sold_in_all));
        let asked = pings == Some(self.counts.pings) && self.seen.sold_in_all == self.counts.posts;
        asked && self.seen.other == 0 && self.seen.sold > 0
    }
}

/// All that was measured.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) windows: Vec<Window>,
    pub(crate) syncs: Vec<u64>,
    /// Windows that were thrown away because others disturbed them.
    pub(crate) repeated: usize,
    pub(crate) pinned: bool,
    pub(crate) names: Vec<Name>,
}

impl Run {
    /// An error when a system did not do its work.
    pub(crate) fn verdict(&self) -> Ran<()> {
        let Some(bad) = self.windows.iter().find(|window| !window.complete()) else {
            return Ok(());
        };
        let Window { name, seen, counts, .. } = bad;
        let example = seen.example.as_deref().unwrap_or("none");
        Err(format!(
            "{}: {} sold, {} pings and {} posts reached the buyers, {} other answers, one: {example}",
            name.word(), seen.sold_in_all, counts.pings, counts.posts, seen.other
        )
        .into())
    }
}

/// Starts everybody, runs all blocks, ends everybody.
pub(crate) async fn run(options: &Options) -> Ran<Run> {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    std::fs::create_dir_all(scratch)?;
    let pinned = options.pin && child::can_pin() && child::move_over();
    let (others, system) = if pinned {
        (Placement::Others, Placement::System)
    } else {
        (Placement::Free, Placement::Free)
    };
    let buyers = Buyers::start(others)?;
    let systems = start_all(options, system, &buyers.origins, scratch)?;
    let mut desk = Desk {
        options,
        buyers,
        systems,
        numbers: Numbers::default(),
        windows: vec![],
        repeated: 0,
    };
    let mut syncs = Vec::new();
    for block in 0..if options.smoke { 1 } else { options.blocks } {
        syncs.extend(disk::syncs(scratch, SYNCS)?);
        desk.block(block).await?;
    }
    let Desk { systems, windows, repeated, .. } = desk;
    let names = systems.iter().map(|system| system.name).collect();
    Ok(Run { windows, syncs, repeated, pinned, names })
}

struct Desk<'a> {
    options: &'a Options,
    buyers: Buyers,
    systems: Vec<System>,
    numbers: Numbers,
    windows: Vec<Window>,
    repeated: usize,
}

impl Desk<'_> {
    async fn block(&mut self, block: usize) -> Ran<()> {
        let mut turns: Vec<usize> = (0..self.systems.len()).collect();
        turns.rotate_left(block % self.systems.len().max(1));
        if !self.options.smoke {
            turns.extend(turns.clone().into_iter().rev());
        }
        for system in turns {
            let window = self.calm_window(block, system).await?;
            self.windows.push(window);
        }
        if !self.options.smoke {
            say(&format!("block {} of {} done", block.saturating_add(1), self.options.blocks));
        }
        Ok(())
    }

    /// A window that others did not disturb, or the last of a few.
    async fn calm_window(&mut self, block: usize, system: usize) -> Ran<Window> {
        let mut repeats = 0..if self.options.smoke { 0 } else { REPEATS_MAX };
        loop {
            let window = self.window(block, system).await?;
            if window.machine.is_calm() || repeats.next().is_none() {
                return Ok(window);
            }
            self.repeated = self.repeated.saturating_add(1);
        }
    }

    async fn window(&self, block: usize, system: usize) -> Ran<Window> {
        let system = self.systems.get(system).ok_or("a turn is that of a system")?;
        let before = (Counts::ask(self.buyers.counts).await?, Ticks::read()?, self.cpu_nanos()?);
        let seen = send(&system.door, &self.numbers, self.pressure(), || system.cpu_nanos()).await;
        let seen = seen.map_err(|error| format!("{}: {error}", system.name.word()))?;
        let counts = Counts::ask(self.buyers.counts).await?.since(before.0);
        let ours = self.cpu_nanos()?.saturating_sub(before.2);
        let machine = Ticks::read()?.since(before.1, ours);
        let window = Window { block, name: system.name, seen, counts, machine };
        if self.options.smoke {
            let done = if window.complete() { "answers correctly" } else { "does not" };
            say(&format!("{:<14}{done}", system.name.word()));
        }
        Ok(window)
    }

    /// CPU time that all our processes have used, in nanoseconds.
    fn cpu_nanos(&self) -> Ran<u64> {
        let mut all = self.buyers.cpu_nanos()?.saturating_add(child::cpu_nanos("self")?);
        for system in &self.systems {
            all = all.saturating_add(system.cpu_nanos()?);
        }
        Ok(all)
    }

    fn pressure(&self) -> Pressure {
        if self.options.smoke {
            return Pressure {
                sellers: SMOKE_SELLERS,
                warm_up: SMOKE_WARM_UP,
                counted: SMOKE_COUNTED,
            };
        }
        let counted = self.options.window.saturating_sub(WARM_UP);
        Pressure { sellers: self.options.concurrency, warm_up: WARM_UP, counted }
    }
}
