//! Auctions per second and CPU per auction at ten buyers, beside two floors, in one run.
//!
//! Four kinds of system answer the same sellers and call the same ten buyers: a bare fan-out on our
//! own transport ([`same`]), a bare fan-out as it is usually written ([`naive`]), and the real
//! `rialto` binary with its store on a disk and on a memory file system ([`rialto`]). Each is a
//! process of its own, the buyers are another, and this process is the sellers.
//!
//! Absolute figures belong to one machine on one day. What travels is the ratio to the floors,
//! which were measured in the same seconds.
//!
//! > A figure is printed only with what may spoil it: the floor against itself, what other
//! > processes used, and how long this disk takes to sync.

mod buyers;
mod child;
mod clock;
mod disk;
mod floor;
mod machine;
mod naive;
mod options;
mod report;
mod rialto;
mod same;
mod schedule;
mod sellers;
mod summary;
mod sut;
mod wire;

use std::error::Error;
use std::io::Write as _;
use std::process::ExitCode;

use options::{HELP, Options, Role};

/// What goes wrong in a benchmark is told to a person and ends the run.
type Ran<T> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> ExitCode {
    match Role::read(std::env::args().skip(1)).and_then(play) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn play(role: Role) -> Ran<()> {
    match role {
        Role::Help => print(HELP),
        Role::Buyers => buyers::run(),
        Role::Floor(kind, buyers) => floor::run(kind, &buyers),
        Role::Measure(options) => measure(&options),
    }
}

fn measure(options: &Options) -> Ran<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let run = runtime.block_on(async {
        tokio::select! {
            run = schedule::run(options) => run,
            stopped = interrupted() => stopped,
        }
    })?;
    print(&report::written(options, &run))?;
    run.verdict()
}

/// Waits to be stopped; the systems then end with their guards.
async fn interrupted<T>() -> Ran<T> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed?,
        _received = terminate.recv() => {}
    }
    Err("interrupted".into())
}

fn print(text: &str) -> Ran<()> {
    Ok(writeln!(std::io::stdout().lock(), "{}", text.trim_end())?)
}

/// Tells a person how far it is. Nobody may be listening.
fn say(text: &str) {
    drop(writeln!(std::io::stderr().lock(), "{text}"));
}
