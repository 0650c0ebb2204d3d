//! `rialto ledger`: are the books sound, and the books for another program.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;
use settlement_ledger::Transaction;
use settlement_ledger::export::{StoredBalance, hledger};
use settlement_ledger::verify::VerifyReport;

use crate::cli::books::Books;
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure, Ran};
use crate::cli::output::{GREEN, RED, painted};

/// What to do with the ledger.
#[derive(Debug, Subcommand)]
pub(crate) enum Ledger {
    /// Recompute everything from the entries: sums, balances, holds, the chain of records
    Verify,
    /// Write the books as a journal for another program
    Export(Export),
}

/// Options of `rialto ledger export`.
#[derive(Args, Debug)]
pub(crate) struct Export {
    /// The kind of journal
    #[arg(long, value_enum, default_value_t = Format::Hledger)]
    format: Format,
    /// The file to write; without it, standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Kinds of journals.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// hledger and ledger
    Hledger,
}

#[derive(Debug, Serialize)]
struct JsonReport {
    sound: bool,
    transactions: u64,
    findings: Vec<JsonFinding>,
    left_out: u64,
}

#[derive(Debug, Serialize)]
struct JsonFinding {
    code: &'static str,
    message: String,
}

/// Runs `rialto ledger`.
pub(crate) fn run(command: &Ledger, context: &Context) -> Ran {
    let books = Books::open(context)?;
    match command {
        Ledger::Verify => verify(&books, context),
        Ledger::Export(options) => export(options, &books, context),
    }
}

fn verify(books: &Books, context: &Context) -> Ran {
    let report = books.store().verify().blocking_wait()?;
    if context.out.json {
        context.out.json(&json(&report))?;
    } else {
        let word = if report.sound() { painted(GREEN, "ok ") } else { painted(RED, "bad") };
        context.out.data(format!("{word}   {report}"))?;
    }
    if report.sound() { Ok(Exit::Done) } else { Err(Failure::silent(Exit::Failed)) }
}

fn json(report: &VerifyReport) -> JsonReport {
    let findings = report.findings.iter();
    JsonReport {
        sound: report.sound(),
        transactions: report.transactions,
        findings: findings
            .map(|found| JsonFinding { code: found.code(), message: found.to_string() })
            .collect(),
        left_out: report.left_out,
    }
}

fn export(options: &Export, books: &Books, context: &Context) -> Ran {
    let Format::Hledger = options.format;
    let balances = books.store().balances().blocking_wait()?;
    let transactions: Vec<Transaction> = books
        .store()
        .all_transactions()
        .map(|stored| stored.map(|stored| stored.transaction))
        .collect::<Result<_, _>>()?;
    let stored: Vec<StoredBalance> = balances
        .into_iter()
        .filter_map(|balance| StoredBalance::settled(balance.key, balance.minor))
        .collect();
    let mut journal = String::new();
    hledger(&mut journal, &transactions, &stored, &context.time_zone()?)
        .map_err(Failure::failed)?;
    match &options.out {
        None => context.out.raw(&journal)?,
        Some(file) => {
            std::fs::write(file, &journal)
                .map_err(|error| Failure::failed(format!("{}: {error}", file.display())))?;
            let count = transactions.len();
            context.out.note(format!("{count} transactions read, {} written", file.display()));
        }
    }
    Ok(Exit::Done)
}
