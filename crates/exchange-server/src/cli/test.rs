//! `rialto test`: the operators' own tests, on scripted buyers and a scripted clock.

use std::path::{Path, PathBuf};

use clap::Args;
use exchange_core::operator_test::{self, CaseResult};
use ping_tree::TestCase;
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure, Ran};
use crate::cli::journey;
use crate::cli::output::{DIM, GREEN, Output, RED, painted};
use crate::clock::Clock;
use crate::exchange::delivery_of;
use crate::load::Exchange;

/// Options of `rialto test`.
#[derive(Args, Debug)]
pub(crate) struct Test {
    /// Test files of the config folder; without any, all of them
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
}

#[derive(Debug, Serialize)]
struct Report {
    passed: usize,
    failed: usize,
    tests: Vec<JsonCase>,
}

#[derive(Debug, Serialize)]
struct JsonCase {
    name: String,
    place: String,
    passed: bool,
    mismatches: Vec<JsonMismatch>,
}

#[derive(Debug, Serialize)]
struct JsonMismatch {
    place: String,
    message: String,
}

/// Runs the tests and prints what came of each.
pub(crate) fn run(options: &Test, context: &Context) -> Ran {
    let clock = Clock::system();
    let began = clock.now();
    let exchange = context.exchange()?;
    let cases = chosen(&options.files, &exchange)?;
    let results: Vec<CaseResult> = cases
        .into_iter()
        .map(|case| {
            operator_test::run(case, |campaign| delivery_of(&exchange.connectors, campaign))
        })
        .collect();
    let failed = results.iter().filter(|result| !result.passed()).count();
    let passed = results.len().saturating_sub(failed);
    if context.out.json {
        let tests = results.iter().map(json).collect();
        context.out.json(&Report { passed, failed, tests })?;
    } else {
        print(&results, context.out)?;
        let millis = clock.now().since(began).as_millis();
        let failing = if failed == 0 {
            "0 failed".to_owned()
        } else {
            painted(RED, format!("{failed} failed"))
        };
        context.out.data(format!("{passed} passed, {failing} ({millis} ms)"))?;
    }
    if failed == 0 { Ok(Exit::Done) } else { Err(Failure::silent(Exit::Failed)) }
}

/// The cases of these files, or of all.
fn chosen<'a>(files: &[PathBuf], exchange: &'a Exchange) -> Result<Vec<&'a TestCase>, Failure> {
    let known = |wanted: &Path| exchange.tests.iter().any(|(file, _)| is_at(&file.path, wanted));
    if let Some(stranger) = files.iter().find(|wanted| !known(wanted)) {
        let message = format!("`{}` is no test file of this config folder", stranger.display());
        return Err(Failure::usage(message).help("tests are in tests/*.toml of the folder"));
    }
    let wanted = |path: &str| files.is_empty() || files.iter().any(|file| is_at(path, file));
    let tests = exchange.tests.iter().filter(|(file, _)| wanted(&file.path));
    Ok(tests.flat_map(|(_, file)| &file.cases).collect())
}

fn is_at(path: &str, wanted: &Path) -> bool {
    match (Path::new(path).canonicalize(), wanted.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => Path::new(path) == wanted,
    }
}

fn print(results: &[CaseResult], out: Output) -> std::io::Result<()> {
    let width = results.iter().map(|result| result.name.chars().count()).max().unwrap_or(0);
    for result in results {
        let word = if result.passed() { painted(GREEN, "pass") } else { painted(RED, "FAIL") };
        let place = painted(DIM, result.place.file_line());
        out.data(format!("{word}  {:width$}  {place}", result.name))?;
        for mismatch in &result.mismatches {
            out.data(format!("      {}: {}", mismatch.place.file_line(), mismatch.message))?;
        }
        if !result.passed() {
            for line in journey::brief(&result.journey) {
                out.data(format!("      {} {line}", painted(DIM, "|")))?;
            }
        }
    }
    Ok(())
}

fn json(result: &CaseResult) -> JsonCase {
    let mismatches = result.mismatches.iter().map(|mismatch| JsonMismatch {
        place: mismatch.place.file_line(),
        message: mismatch.message.clone(),
    });
    JsonCase {
        name: result.name.clone(),
        place: result.place.file_line(),
        passed: result.passed(),
        mismatches: mismatches.collect(),
    }
}
