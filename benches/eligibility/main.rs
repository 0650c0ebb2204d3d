//! What it costs to find out whose filters accept a lead, beside asking every campaign.
//!
//! The subject is the index that a tree is given when config is loaded; the floor is a scan of every
//! campaign, compiled for the purpose. Both look at the same campaigns in the same process, in turn,
//! and must name the same ones; so must the campaigns' own filters, asked one by one.
//!
//! > Absolute figures belong to one machine on one day; what travels is the ratio. The floor is
//! > also measured against itself, and what that ratio strays from one is the noise.

mod chance;
mod ground;
mod measure;
mod report;
mod scan;
mod words;

use std::error::Error;
use std::io::Write as _;
use std::process::ExitCode;

use ground::{Ground, Size};
use measure::{Effort, Figures, measured};

/// What goes wrong in a benchmark is told to a person and ends the run.
type Ran<T> = Result<T, Box<dyn Error + Send + Sync>>;

const HELP: &str = "\
Microseconds of CPU to find who accepts a lead, beside a scan of every campaign.

cargo bench -p exchange-benches --bench eligibility -- [OPTIONS]

  --smoke        only whether index and scan name the same campaigns, with short lists
  --campaigns N  only this many [default: 10, 100, 1000 and 10000 in turn]
  --zips N       zips in each campaign's list [default: 5000]
  --blocks B     blocks; in each the index stands between two windows of the scan [default: 40]
  --window MS    how long a window is about [default: 10]
  --json         print JSON instead of a table";

const CAMPAIGNS: &[usize] = &[10, 100, 1_000, 10_000];
const TESTS: &[usize] = &[5, 20];
const SMOKE: &[usize] = &[10, 300];

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            drop(writeln!(std::io::stderr().lock(), "error: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run() -> Ran<()> {
    let (mut effort, mut json, mut smoke) = (Effort::default(), false, false);
    let (mut zips, mut only) = (5_000, None);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut number = || words.next().and_then(|text| text.parse().ok()).filter(|n| *n > 0);
        let missing = || format!("`{word}` needs a whole number");
        match word.as_str() {
            // Cargo says so when it runs a benchmark.
            "--bench" => {}
            "--smoke" => smoke = true,
            "--json" => json = true,
            "--campaigns" => only = Some(usize::try_from(number().ok_or_else(missing)?)?),
            "--zips" => zips = usize::try_from(number().ok_or_else(missing)?)?,
            "--blocks" => effort.blocks = number().ok_or_else(missing)?,
            "--window" => effort.window_ms = number().ok_or_else(missing)?,
            "--help" | "-h" => return print(HELP),
            _ => return Err(format!("`{word}` is no option\n\n{HELP}").into()),
        }
    }
    if smoke {
        return smoked();
    }
    let counts = only.map_or_else(|| CAMPAIGNS.to_vec(), |only| vec![only]);
    let mut figures: Vec<Figures> = Vec::new();
    for tests in TESTS {
        for campaigns in &counts {
            let ground = Ground::new(Size { campaigns: *campaigns, tests: *tests, zips })?;
            ground.check()?;
            figures.push(measured(&ground, effort)?);
        }
    }
    print(&if json { report::as_json(effort, &figures) } else { report::table(effort, &figures) })
}

fn smoked() -> Ran<()> {
    let mut found = 0;
    for campaigns in SMOKE {
        for tests in TESTS {
            let ground = Ground::new(Size { campaigns: *campaigns, tests: *tests, zips: 200 })?;
            found += ground.check()?;
        }
    }
    if found == 0 {
        return Err("nobody accepted any lead: the check checked nothing".into());
    }
    print("index, scan and filters name the same campaigns; nothing was measured")
}

fn print(text: &str) -> Ran<()> {
    Ok(writeln!(std::io::stdout().lock(), "{}", text.trim_end())?)
}
