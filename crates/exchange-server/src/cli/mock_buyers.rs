//! `rialto mock-buyers`: the sample's buyers, or buyers that play shipped presets, as a process of
//! their own.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use buyer_connectors::{Preset, presets};
use clap::Args;
use exchange_lab::mock_buyers::{RunOptions, run_forever, write_sample_secrets};
use exchange_lab::preset_mocks::{Happened, Listener, Part, PresetMock, read_script};
use exchange_model::document::FILE_MAX;
use exchange_model::{Document, Findings, SourceFile};
use serde::Serialize;

use crate::cli::block_on;
use crate::cli::context::Context;
use crate::cli::diagnostics::{self, Look};
use crate::cli::explain::unknown;
use crate::cli::failure::{Exit, Failure, Ran};
use crate::cli::output::{BOLD, DIM, Output, painted};

/// What stands behind the options: the form of a script.
pub(crate) const SCRIPT: &str = r#"A script:
  seed = 7                                        # makes bids, rates and pauses; the same each time
  [[buyer]]
  preset = "leadspedia"                           # see `rialto connector presets`
  name = "sunbelt"                                # in the log; the preset's where it is left out
  port = 9101                                     # a free one where it is left out
  bid = { from = "8.00", to = "25.00" }           # or bid = "12.50"
  latency = { from = "20ms", to = "180ms" }       # or latency = "40ms"
  no_bid = "20%"
  reject = "5%"                                   # of the posts; a person's second lead is a duplicate
  pending = "5%"                                  # answered when it is asked for, ...
  pending_asks = 2                                # ... after so many times "not yet"
  counter = { share = "10%", price = "7.50" }     # "would buy at 7.50"
  repeats = "same"                                # the same post again: "same" answer, or "duplicate"
  [buyer.faults]                                  # hang reset truncate drip lost garbage html empty huge 500 502 503
  ping = { hang = "1%", drip = "2%" }
  post = { lost = "1%", 503 = "2%" }              # lost: bought, and the answer never sent"#;

/// Options of `rialto mock-buyers`.
#[derive(Args, Debug)]
pub(crate) struct Mock {
    /// Play this preset: bids 12.50 on everything and buys each person once
    #[arg(long, value_name = "NAME[:PORT]")]
    preset: Vec<String>,
    /// Play the buyers of a script
    #[arg(long, value_name = "FILE.toml", conflicts_with = "preset")]
    script: Option<PathBuf>,
    /// Where each of the sample's buyers keeps the book of what it bought
    #[arg(long, value_name = "DIR", default_value = "var/mock-buyers")]
    books: PathBuf,
    /// Write the sample's throw-away secrets here, for an exchange to use
    #[arg(long, value_name = "DIR")]
    secrets: Option<PathBuf>,
    /// The sample's buyers misbehave now and then: slow, cut, lost and wrong answers
    #[arg(long)]
    faults: bool,
    /// Makes the bids and the faults
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Runs until interrupted.
pub(crate) fn run(options: &Mock, context: &Context) -> Ran {
    let parts = match &options.script {
        Some(file) => scripted(file, context.out)?,
        None => named(&options.preset, options.seed)?,
    };
    if !parts.is_empty() {
        block_on(play(parts, context.out))?;
        return Ok(Exit::Done);
    }
    if let Some(dir) = &options.secrets {
        write_sample_secrets(dir)?;
    }
    let run =
        RunOptions { seed: options.seed, books: options.books.clone(), faults: options.faults };
    block_on(async { run_forever(run).await.map_err(Failure::from) })?;
    Ok(Exit::Done)
}

/// `leadspedia` or `leadspedia:9101`.
fn named(texts: &[String], seed: u64) -> Result<Vec<Part>, Failure> {
    let mut parts = Vec::with_capacity(texts.len());
    for text in texts {
        let (name, port) = text.split_once(':').map_or((text.as_str(), "0"), |pair| pair);
        let port = port.parse().map_err(|_no_port| {
            Failure::usage(format!("`{text}`: that is no port"))
                .help("write --preset leadspedia:9101")
        })?;
        let preset = Preset::named(name)
            .ok_or_else(|| unknown("preset", name, presets().iter().map(|preset| preset.name)))?;
        parts.push(Part { port, seed, ..Part::new(preset) });
    }
    Ok(parts)
}

fn scripted(file: &Path, out: Output) -> Result<Vec<Part>, Failure> {
    let unreadable = |why: String| Failure::usage(format!("`{}`: {why}", file.display()));
    let size = std::fs::metadata(file).map_err(|error| unreadable(error.to_string()))?.len();
    if usize::try_from(size).map_or(true, |size| size > FILE_MAX) {
        return Err(unreadable(format!("larger than {FILE_MAX} bytes")));
    }
    let text = std::fs::read_to_string(file).map_err(|error| unreadable(error.to_string()))?;
    let source = SourceFile { path: file.display().to_string(), text };
    let mut findings = Findings::new();
    let parts = Document::parse(Arc::new(source), &mut findings)
        .map(|document| read_script(&document, &mut findings));
    if findings.has_errors() {
        diagnostics::print(&findings, Look::Full, out)?;
        return Err(Failure::silent(Exit::BadConfig));
    }
    Ok(parts.unwrap_or_default())
}

#[derive(Debug, Serialize)]
struct Ready<'a> {
    mocks: Vec<ReadyMock<'a>>,
}

#[derive(Debug, Serialize)]
struct ReadyMock<'a> {
    name: &'a str,
    address: String,
}

async fn play(parts: Vec<Part>, out: Output) -> Result<(), Failure> {
    let listener: Listener = Arc::new(move |happened| tell(&happened, out));
    let mut mocks = Vec::with_capacity(parts.len());
    for part in parts {
        let (name, port) = (part.name.clone(), part.port);
        let mock = PresetMock::start(part, Arc::clone(&listener)).await;
        mocks.push(mock.map_err(|error| Failure::failed(format!("{name}, port {port}: {error}")))?);
    }
    announce(&mocks, out)?;
    tokio::signal::ctrl_c().await?;
    for mock in mocks {
        mock.shutdown().await;
    }
    Ok(())
}

fn announce(mocks: &[PresetMock], out: Output) -> std::io::Result<()> {
    let ready = mocks.iter().map(|mock| (mock.name(), mock.addr().to_string()));
    if out.json {
        let mocks = ready.map(|(name, address)| ReadyMock { name, address }).collect();
        return out.json_line(&Ready { mocks });
    }
    for (name, address) in ready {
        out.data(format!("{}  http://{address}", painted(BOLD, name)))?;
    }
    out.note("every request is told in a line; Ctrl-C ends it");
    Ok(())
}

/// One request in one line. A reader that has gone stops no mock.
fn tell(happened: &Happened, out: Output) {
    if out.json {
        drop(out.json_line(happened));
        return;
    }
    let Happened { buyer, stage, outcome, price, note, status, after } = happened;
    let price = price.as_ref().map(|price| format!(" {price}")).unwrap_or_default();
    let note = note.as_ref().map(|note| format!(", {note}")).unwrap_or_default();
    let status = if *status == 0 { String::new() } else { format!(", {status}") };
    let after = painted(DIM, format!("{} ms", after.as_millis()));
    drop(out.data(format!("{buyer}  {stage:8}  {outcome}{price}{status}{note}  {after}")));
}
