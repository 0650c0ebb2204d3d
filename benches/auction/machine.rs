//! What the machine was doing meanwhile, for ourselves and for others.

use crate::Ran;

/// The machine's CPU counters, in ticks.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ticks {
    busy: u64,
    idle: u64,
    steal: u64,
}

/// What a machine did in a period, in thousandths of all its CPU time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Use {
    /// Time that the host gave to other machines.
    pub(crate) steal: u64,
    /// Time used by processes that do not belong to the benchmark.
    pub(crate) others: u64,
}

/// More steal than this disturbs a window.
const STEAL_MAX: u64 = 10;
/// More use by others than this disturbs a window. Some of it is the kernel's, on our behalf.
const OTHERS_MAX: u64 = 80;

impl Use {
    /// Whether nobody disturbed us.
    pub(crate) fn is_calm(self) -> bool {
        self.steal <= STEAL_MAX && self.others <= OTHERS_MAX
    }
}

impl Ticks {
    pub(crate) fn read() -> Ran<Self> {
        let stat = std::fs::read_to_string("/proc/stat")?;
        let line = stat.lines().next().ok_or("the machine keeps no counters")?;
        let numbers: Vec<u64> =
            line.split_whitespace().skip(1).map(str::parse).collect::<Result<_, _>>()?;
        let [user, nice, system, idle, wait, interrupts, softirqs, steal, ..] = numbers.as_slice()
        else {
            return Err("the machine's counters are others than known".into());
        };
        let busy = [user, nice, system, interrupts, softirqs].into_iter().sum();
        Ok(Self { busy, idle: idle.saturating_add(*wait), steal: *steal })
    }

    /// The use from `earlier` to now; `ours_nanos` is what the benchmark's processes used.
    pub(crate) fn since(self, earlier: Self, ours_nanos: u64) -> Use {
        let busy = self.busy.saturating_sub(earlier.busy);
        let steal = self.steal.saturating_sub(earlier.steal);
        let idle = self.idle.saturating_sub(earlier.idle);
        let all = busy.saturating_add(steal).saturating_add(idle).max(1);
        let others = busy.saturating_sub(ours_nanos / 10_000_000);
        Use { steal: steal.saturating_mul(1000) / all, others: others.saturating_mul(1000) / all }
    }
}
