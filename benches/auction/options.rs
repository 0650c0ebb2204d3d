//! What the command line asks for.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::Ran;
use crate::floor::Kind;

pub(crate) const HELP: &str = "\
Auctions per second and CPU per auction at ten buyers, beside two floors.

cargo bench -p exchange-benches --bench auction -- [OPTIONS]

  --smoke           a few seconds: only whether every system answers correctly
  --seconds S       length of a window; its first second is not counted [default: 4]
  --blocks B        blocks; in each every system has two windows [default: 6]
  --concurrency N   sellers that wait for an answer before they send again [default: 32]
  --floors          only the floors: no rialto is built or started
  --rialto PATH     measure this binary instead of building one
  --no-pin          leave it to the scheduler which CPU does what
  --json            print JSON instead of a table";

/// Most sellers: two connections each must fit an ordinary limit of open files.
const CONCURRENCY_MAX: usize = 400;
const SECONDS_MAX: u64 = 600;
const BLOCKS_MAX: usize = 1000;

/// What this process is.
#[derive(Debug)]
pub(crate) enum Role {
    /// Somebody asks what there is.
    Help,
    /// The ten buyers.
    Buyers,
    /// A bare fan-out to these buyers.
    Floor(Kind, Vec<SocketAddr>),
    /// The sellers, and the one that starts all others.
    Measure(Options),
}

/// How to measure.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub(crate) struct Options {
    pub(crate) smoke: bool,
    pub(crate) json: bool,
    pub(crate) pin: bool,
    pub(crate) window: Duration,
    pub(crate) blocks: usize,
    pub(crate) concurrency: usize,
    pub(crate) floors: bool,
    pub(crate) rialto: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            smoke: false,
            json: false,
            pin: true,
            window: Duration::from_secs(4),
            blocks: 6,
            concurrency: 32,
            floors: false,
            rialto: None,
        }
    }
}

impl Role {
    /// Reads the arguments after the program's name.
    pub(crate) fn read(mut words: impl Iterator<Item = String>) -> Ran<Self> {
        let mut options = Options::default();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("`{word}` needs a value"));
            match word.as_str() {
                // Cargo says so when it runs a benchmark.
                "--bench" => {}
                "--help" | "-h" => return Ok(Self::Help),
                "--serve-buyers" => return Ok(Self::Buyers),
                "--serve-floor" => {
                    return Ok(Self::Floor(value()?.parse()?, addresses(&value()?)?));
                }
                "--smoke" => options.smoke = true,
                "--json" => options.json = true,
                "--no-pin" => options.pin = false,
                "--floors" => options.floors = true,
                "--seconds" => {
                    options.window = Duration::from_secs(within(&value()?, 2, SECONDS_MAX)?);
                }
                "--blocks" => options.blocks = within(&value()?, 1, BLOCKS_MAX)?,
                "--concurrency" => options.concurrency = within(&value()?, 1, CONCURRENCY_MAX)?,
                "--rialto" => options.rialto = Some(PathBuf::from(value()?)),
                _ => return Err(format!("`{word}` is no option\n\n{HELP}").into()),
            }
        }
        Ok(Self::Measure(options))
    }
}

fn within<T>(text: &str, least: T, most: T) -> Ran<T>
where
    T: std::str::FromStr + PartialOrd + std::fmt::Display,
{
    let number = text.parse().ok().filter(|number| (&least..=&most).contains(&number));
    number.ok_or_else(|| format!("`{text}` is no whole number from {least} to {most}").into())
}

fn addresses(list: &str) -> Ran<Vec<SocketAddr>> {
    Ok(list.split(',').map(str::parse).collect::<Result<_, _>>()?)
}
