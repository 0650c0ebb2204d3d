//! The systems that are measured, each started and ready.

use std::net::SocketAddr;
use std::path::Path;

use crate::Ran;
use crate::buyers::{BEST_BID_CENTS, BUYERS};
use crate::child::{Child, Placement};
use crate::floor::Kind;
use crate::options::Options;
use crate::rialto::Rialto;
use crate::sellers::Door;

/// A system by name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Name {
    /// The floor on our own transport.
    Same,
    /// The same once more: the control.
    SameAgain,
    /// The floor on the usual client.
    Naive,
    /// The exchange.
    Durable,
    /// The exchange, its store on a memory file system.
    NoSync,
}

impl Name {
    /// Its name in tables.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Same => "F-same",
            Self::SameAgain => "F-same (A/A)",
            Self::Naive => "F-naive",
            Self::Durable => "X-durable",
            Self::NoSync => "X-nosync",
        }
    }

    /// What it is.
    pub(crate) const fn about(self) -> &'static str {
        match self {
            Self::Same => "bare fan-out on our own transport",
            Self::SameAgain => "the same program once more: how far the same differs from the same",
            Self::Naive => "bare fan-out with reqwest, join_all and a timeout per ping",
            Self::Durable => "rialto with its store on disk",
            Self::NoSync => "rialto with its store in memory (tmpfs), where a sync costs nothing",
        }
    }
}

/// A running system.
#[derive(Debug)]
pub(crate) struct System {
    pub(crate) name: Name,
    pub(crate) door: Door,
    child: Child,
    /// Its files, removed with it.
    _home: Option<tempfile::TempDir>,
}

impl System {
    /// CPU time it has used so far, in nanoseconds.
    pub(crate) fn cpu_nanos(&self) -> Ran<u64> {
        self.child.cpu_nanos()
    }
}

/// The ten buyers, running.
#[derive(Debug)]
pub(crate) struct Buyers {
    pub(crate) origins: Vec<SocketAddr>,
    /// Where they tell their counts.
    pub(crate) counts: SocketAddr,
    child: Child,
}

impl Buyers {
    pub(crate) fn start(placement: Placement) -> Ran<Self> {
        let (child, addresses) = Child::start_self(placement, &["--serve-buyers"])?;
        let addresses = addresses.split(',').map(str::parse).collect::<Result<Vec<_>, _>>()?;
        let (origins, counts) = addresses.split_at_checked(BUYERS).ok_or("buyers are missing")?;
        let counts = *counts.first().ok_or("nobody counts")?;
        Ok(Self { origins: origins.to_vec(), counts, child })
    }

    /// CPU time they have used so far, in nanoseconds.
    pub(crate) fn cpu_nanos(&self) -> Ran<u64> {
        self.child.cpu_nanos()
    }
}

/// Starts every system that can be measured here.
pub(crate) fn start_all(
    options: &Options,
    placement: Placement,
    buyers: &[SocketAddr],
    scratch: &Path,
) -> Ran<Vec<System>> {
    let floor = |name, kind| floor(name, kind, placement, buyers);
    let mut systems = vec![
        floor(Name::Same, Kind::Same)?,
        floor(Name::SameAgain, Kind::Same)?,
        floor(Name::Naive, Kind::Naive)?,
    ];
    if options.floors {
        return Ok(systems);
    }
    let rialto = Rialto::find(options)?;
    systems.push(exchange(Name::Durable, &rialto, placement, buyers, scratch)?);
    if let Some(memory) = memory_folder() {
        systems.push(exchange(Name::NoSync, &rialto, placement, buyers, memory)?);
    }
    Ok(systems)
}

fn floor(name: Name, kind: Kind, placement: Placement, buyers: &[SocketAddr]) -> Ran<System> {
    let list = buyers.iter().map(SocketAddr::to_string).collect::<Vec<_>>().join(",");
    let (child, ready) = Child::start_self(placement, &["--serve-floor", kind.name(), &list])?;
    let sold = vec![
        r#""status":"sold""#.to_owned(),
        format!(r#""buyer":{}"#, BUYERS - 1),
        format!(r#""cents":{BEST_BID_CENTS}"#),
    ];
    let door = Door { address: ready.parse()?, key: "none".to_owned(), sold };
    Ok(System { name, door, child, _home: None })
}

fn exchange(
    name: Name,
    rialto: &Rialto,
    placement: Placement,
    buyers: &[SocketAddr],
    folder: &Path,
) -> Ran<System> {
    let home = tempfile::Builder::new().prefix("rialto-bench-").tempdir_in(folder)?;
    let (child, door) = rialto.start(placement, home.path(), buyers)?;
    Ok(System { name, door, child, _home: Some(home) })
}

/// A file system in memory, where there is one.
fn memory_folder() -> Option<&'static Path> {
    let mounts = std::fs::read_to_string("/proc/mounts").ok()?;
    mounts.lines().any(|line| line.starts_with("tmpfs /dev/shm ")).then_some(Path::new("/dev/shm"))
}
