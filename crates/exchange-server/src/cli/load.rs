//! `rialto load`: leads at a steady rate, and how late the answers were.
//!
//! Against a URL it measures any exchange. With `--faulty` it brings its own: mock buyers of which
//! a third hang, drip or reset, and an exchange that must answer in time all the same.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use exchange_lab::load::{Answered, BodyFormat, CONCURRENCY_MAX, LEADS_MAX, LoadPlan, LoadReport};
use exchange_lab::mock_buyers::sample_buyers;
use exchange_lab::{BuyerSpec, Fault, FaultPlan, LeadPlan, RequestKind, load};
use exchange_model::document::parse_duration;
use indicatif::ProgressBar;
use serde::Serialize;

use crate::cli::block_on;
use crate::cli::business_hours;
use crate::cli::context::Context;
use crate::cli::demo::micros;
use crate::cli::failure::{Exit, Failure, Ran};
use crate::cli::journey::millis;
use crate::cli::lab::{Closing, Lab};
use crate::cli::output::{GREEN, RED, painted};
use crate::cli::probe::DiskProbe;

/// Every how many buyers one misbehaves.
const FAULTY_EACH: usize = 3;
/// Leads of a run with `--faulty` that names no number.
const FAULTY_LEADS: u64 = 2_000;
/// Leads of a run that names no number.
const LEADS: u64 = 1_000;
/// Most leads under way at once.
const CONCURRENCY: usize = 2_000;

/// Options of `rialto load`.
#[derive(Args, Debug)]
pub(crate) struct Load {
    /// Where leads are posted; plain HTTP
    #[arg(long, required_unless_present = "faulty")]
    url: Option<String>,
    /// A file that holds the key of the source
    #[arg(long, value_name = "FILE", required_unless_present = "faulty")]
    key_file: Option<PathBuf>,
    /// Bring mock buyers, of which a third hang, drip or reset, and an exchange
    #[arg(long, conflicts_with_all = ["url", "key_file"])]
    faulty: bool,
    /// How many leads
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=LEADS_MAX))]
    leads: Option<u64>,
    /// Leads per second
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    rate: u32,
    /// Makes the leads; another seed for another run against the same exchange
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How soon each answer should come; with --faulty, the deadline of the tree
    #[arg(long, default_value = "3s", value_parser = parse_duration)]
    budget: Duration,
    /// Send forms instead of JSON
    #[arg(long)]
    form: bool,
    /// Fail when an answer is later than the budget by more than this
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    max_late: Option<Duration>,
}

#[derive(Debug, Serialize)]
struct FaultyReport<'a> {
    #[serde(flatten)]
    report: &'a LoadReport,
    slowest_disk_sync_us: u64,
    books_sound: bool,
}

/// Runs the load.
pub(crate) fn run(options: &Load, context: &Context) -> Ran {
    match (&options.url, &options.key_file) {
        (Some(url), Some(key_file)) => block_on(against(options, url, key_file, context)),
        _ => block_on(faulty(options, context)),
    }
}

async fn against(options: &Load, url: &str, key_file: &Path, context: &Context) -> Ran {
    let key = std::fs::read_to_string(key_file)
        .map_err(|error| Failure::failed(format!("{}: {error}", key_file.display())))?;
    let total = options.leads.unwrap_or(LEADS);
    let report =
        send(options, Target { url, key: key.trim(), budget: options.budget, total }, context);
    let report = report.await?;
    if context.out.json {
        context.out.json(&report)?;
    } else {
        context.out.data(&report)?;
    }
    Ok(judged(options, &report))
}

async fn faulty(options: &Load, context: &Context) -> Ran {
    let out = context.out;
    let specs = misbehaving(sample_buyers(options.seed));
    let names: Vec<String> = specs.iter().step_by(FAULTY_EACH).map(|s| s.name.clone()).collect();
    let lab = Lab::start(context, specs, business_hours::clock()).await?;
    out.note(format!(
        "every other ping and post is hung, dripped or reset by {}",
        names.join(", ")
    ));
    let probe = DiskProbe::start(lab.dir())?;
    let Some(seller) = lab.sellers.first().cloned() else {
        return Err(Failure::bad_config("no source of the config can post"));
    };
    let total = options.leads.unwrap_or(FAULTY_LEADS);
    let url = lab.url();
    let target = Target { url: &url, key: &seller.key, budget: seller.budget, total };
    let report = send(options, target, context).await?;
    let slowest = probe.stop();
    let closing = lab.stop().await?;
    if out.json {
        let slowest_disk_sync_us = micros(slowest);
        let books_sound = closing.sound();
        out.json(&FaultyReport { report: &report, slowest_disk_sync_us, books_sound })?;
    } else {
        out.data(&report)?;
        out.data(format!(
            "disk      the slowest sync of the run took {}",
            millis(micros(slowest))
        ))?;
        out.data(books(&closing))?;
    }
    Ok(if closing.sound() { judged(options, &report) } else { Exit::Failed })
}

fn books(closing: &Closing) -> String {
    let sound = closing.sound();
    let word = if sound { painted(GREEN, "ok") } else { painted(RED, "BAD") };
    let open: usize = closing.agreements.iter().map(|agreement| agreement.open.0).sum();
    format!(
        "books     {word}: {}; {open} posts still without an answer, their price held",
        closing.verified
    )
}

/// Every third buyer misbehaves at every other ping and post, each in its own way.
fn misbehaving(mut specs: Vec<BuyerSpec>) -> Vec<BuyerSpec> {
    let drip = Fault::Drip { bytes: 1, every: Duration::from_millis(100) };
    let ways = [Fault::Hang, drip, Fault::Reset];
    let chosen = specs.iter_mut().step_by(FAULTY_EACH);
    for (spec, fault) in chosen.zip(ways.into_iter().cycle()) {
        spec.faults = FaultPlan::script(move |kind, nth| match kind {
            RequestKind::Ping | RequestKind::Post if nth % 2 == 0 => fault.clone(),
            RequestKind::Ping | RequestKind::Post | RequestKind::Token => Fault::None,
        });
    }
    specs
}

#[derive(Clone, Copy, Debug)]
struct Target<'a> {
    url: &'a str,
    key: &'a str,
    budget: Duration,
    total: u64,
}

async fn send(
    options: &Load,
    target: Target<'_>,
    context: &Context,
) -> Result<LoadReport, Failure> {
    let bar = context.out.progress(target.total, "leads");
    let tick: ProgressBar = bar.clone();
    let plan = LoadPlan {
        rate_per_second: options.rate,
        total: target.total,
        concurrency: CONCURRENCY.min(CONCURRENCY_MAX),
        budget: target.budget,
        format: if options.form { BodyFormat::Form } else { BodyFormat::Json },
        leads: LeadPlan { seed: options.seed, run: "load".to_owned(), ..LeadPlan::default() },
        on_answer: Some(Arc::new(move |_: &Answered| tick.inc(1))),
        ..LoadPlan::new(target.url, target.key)
    };
    let report = load::run(plan).await.map_err(Failure::usage)?;
    bar.finish_and_clear();
    Ok(report)
}

/// Leads without an answer fail a run, and so do answers later than allowed.
fn judged(options: &Load, report: &LoadReport) -> Exit {
    let late = options.max_late.is_some_and(|most| report.latest_us > micros(most));
    if report.failures.is_empty() && !late { Exit::Done } else { Exit::Failed }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_third_of_the_buyers_misbehave_at_every_other_request() {
        let specs = misbehaving(sample_buyers(1));
        let spoiled = |spec: &&BuyerSpec| {
            spec.faults.fault(RequestKind::Ping, 0) != Fault::None
                && spec.faults.fault(RequestKind::Post, 2) != Fault::None
        };
        assert_eq!(specs.iter().filter(spoiled).count(), specs.len().div_ceil(FAULTY_EACH));
    }
}
