//! What it costs to write a ping and a post and to read a reply, beside floors of the same process.
//!
//! Each figure is CPU time of this thread per call. Beside it stands a floor, measured in turn with
//! it: for a request the formatting machinery writing the same bytes, for a reply the bare parser of
//! its format reading the same bytes, which is what an adapter written by hand could not avoid.
//!
//! > Absolute figures belong to one machine on one day; what travels is the ratio. The floor is
//! > also measured against itself, and what that ratio strays from one is the noise.

mod buyers;
mod cases;
mod ground;
mod measure;
mod report;

use std::error::Error;
use std::io::Write as _;
use std::process::ExitCode;

use cases::cases;
use ground::Ground;
use measure::{Effort, measured};

/// What goes wrong in a benchmark is told to a person and ends the run.
type Ran<T> = Result<T, Box<dyn Error + Send + Sync>>;

const HELP: &str = "\
Microseconds of CPU to write a request and to read a reply, beside floors.

cargo bench -p exchange-benches --bench connectors -- [OPTIONS]

  --smoke      only whether every case gives the answer it should
  --blocks B   blocks; in each the case and its floor have a window in turn [default: 40]
  --window MS  how long a window is about [default: 10]
  --json       print JSON instead of a table";

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
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut number = || words.next().and_then(|text| text.parse().ok()).filter(|n| *n > 0);
        match word.as_str() {
            // Cargo says so when it runs a benchmark.
            "--bench" => {}
            "--smoke" => smoke = true,
            "--json" => json = true,
            "--blocks" => effort.blocks = number().ok_or("`--blocks` needs a whole number")?,
            "--window" => effort.window_ms = number().ok_or("`--window` needs milliseconds")?,
            "--help" | "-h" => return print(HELP),
            _ => return Err(format!("`{word}` is no option\n\n{HELP}").into()),
        }
    }
    let ground = Ground::new()?;
    let cases = cases(&ground)?;
    if smoke {
        return print(&format!("{} cases give their answers; nothing was measured", cases.len()));
    }
    let figures = cases.iter().map(|case| measured(case, effort)).collect::<Ran<Vec<_>>>()?;
    print(&if json { report::as_json(effort, &figures) } else { report::table(effort, &figures) })
}

fn print(text: &str) -> Ran<()> {
    Ok(writeln!(std::io::stdout().lock(), "{}", text.trim_end())?)
}
