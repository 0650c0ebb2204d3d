//! `rialto mock-buyers`: the sample's buyers as a process of their own.

use std::path::PathBuf;

use clap::Args;
use exchange_lab::mock_buyers::{RunOptions, run_forever, write_sample_secrets};

use crate::cli::block_on;
use crate::cli::failure::{Exit, Failure, Ran};

/// Options of `rialto mock-buyers`.
#[derive(Args, Debug)]
pub(crate) struct Mock {
    /// Where each buyer keeps the book of what it bought
    #[arg(long, value_name = "DIR", default_value = "var/mock-buyers")]
    books: PathBuf,
    /// Write the sample's throw-away secrets here, for an exchange to use
    #[arg(long, value_name = "DIR")]
    secrets: Option<PathBuf>,
    /// Misbehave now and then: slow, cut, lost and wrong answers
    #[arg(long)]
    faults: bool,
    /// Makes the bids and the faults
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Runs until interrupted.
pub(crate) fn run(options: &Mock) -> Ran {
    if let Some(dir) = &options.secrets {
        write_sample_secrets(dir)?;
    }
    let run =
        RunOptions { seed: options.seed, books: options.books.clone(), faults: options.faults };
    block_on(async { run_forever(run).await.map_err(Failure::from) })?;
    Ok(Exit::Done)
}
