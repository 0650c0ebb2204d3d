//! `rialto diff`: what the config folder says differently, and what that would have done.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use buyer_connectors::Secrets;
use clap::Args;
use exchange_model::document::parse_duration;
use exchange_model::{Findings, Timestamp};
use serde_json::json;

use crate::cli::books::Books;
use crate::cli::context::{Context, absent_secrets};
use crate::cli::diagnostics::{self, Look};
use crate::cli::failure::{Exit, Failure, Ran};
use crate::cli::output::{BOLD, DIM, counted, painted};
use crate::clock::Clock;
use crate::diff::{Change, changes};
use crate::load::{Exchange, FileSet, compile};
use crate::settings::Settings;

mod replayed;

/// Options of `rialto diff`.
#[derive(Args, Debug)]
pub(crate) struct Diff {
    /// What to compare the config folder with: a folder, or the number of a version; without it, what is live
    #[arg(value_name = "FOLDER|VERSION")]
    against: Option<String>,
    /// Sell the recorded leads of this time again, by both: 24h, 7d
    #[arg(long, value_name = "SPAN", value_parser = parse_duration)]
    replay: Option<Duration>,
    /// When that time ends; without it, now
    #[arg(long, value_name = "TIME", requires = "replay")]
    until: Option<Timestamp>,
    /// Most leads that are sold again
    #[arg(long, value_name = "COUNT", default_value_t = 100_000, requires = "replay")]
    leads: u32,
    /// Exit with 1 when there is a difference
    #[arg(long)]
    exit_code: bool,
}

/// One side of the comparison.
struct Side {
    /// How it is called.
    name: String,
    files: FileSet,
}

/// Compares and prints.
pub(crate) fn run(options: &Diff, context: &Context) -> Ran {
    let settings = context.settings(&[])?;
    let after = folder(&settings.routing_dir, context)?;
    let before = against(options.against.as_deref(), &settings, context)?;
    let found = changes(&before.files, &after.files);
    let exchange = compiled(&after, &settings, context)?;
    let untested = untested(&found, &exchange);
    let replayed = match options.replay {
        Some(span) => {
            let until = options.until.unwrap_or_else(|| Clock::system().now());
            let old = compiled(&before, &settings, context)?;
            let asked = replayed::Asked { from: until.before(span), until, leads: options.leads };
            Some(replayed::replayed((&old, &exchange), &asked, context)?)
        }
        None => None,
    };
    if context.out.json {
        let changes: Vec<_> = found.iter().map(json_change).collect();
        context.out.json(&json!({
            "before": { "name": before.name, "version": before.files.version() },
            "after": { "name": after.name, "version": after.files.version() },
            "changes": changes,
            "untested_buyers": untested,
            "replay": replayed.as_ref().map(replayed::Compared::json),
        }))?;
    } else {
        context.out.raw(&words(&before, &after, &found, &untested))?;
        if let Some(replayed) = &replayed {
            context.out.raw(&replayed.words())?;
        }
    }
    let differs = options.exit_code && !found.is_empty();
    Ok(if differs { Exit::Failed } else { Exit::Done })
}

fn folder(dir: &Path, context: &Context) -> Result<Side, Failure> {
    let mut findings = Findings::new();
    let files = FileSet::read(dir, &mut findings);
    if findings.has_errors() {
        diagnostics::print(&findings, Look::Full, context.out)?;
        return Err(Failure::silent(Exit::BadConfig));
    }
    Ok(Side { name: dir.display().to_string(), files })
}

/// A folder, a version by its number, or the latest version.
fn against(named: Option<&str>, settings: &Settings, context: &Context) -> Result<Side, Failure> {
    if let Some(dir) = named.map(PathBuf::from).filter(|dir| dir.is_dir()) {
        return folder(&dir, context);
    }
    let books = Books::at(settings)?;
    let number = match named {
        Some(text) => text.parse().map_err(|_not_a_number| {
            Failure::usage(format!("`{text}` is no folder and no version"))
                .help("versions are numbers: see `rialto versions`")
        })?,
        None => latest(&books)?,
    };
    let (version, files) = books
        .store()
        .version(number)
        .blocking_wait()?
        .ok_or_else(|| Failure::failed(format!("there is no version {number}")))?;
    if files.is_empty() {
        let message = format!("the files of version {number} are no longer kept");
        return Err(Failure::failed(message).help("compare with a folder, or a newer version"));
    }
    let files = FileSet::of(&settings.routing_dir, files);
    Ok(Side { name: format!("version {}", version.number), files })
}

fn latest(books: &Books) -> Result<u64, Failure> {
    let versions = books.store().versions(1).blocking_wait()?;
    let latest = versions.first().map(|version| version.number);
    latest.ok_or_else(|| {
        Failure::failed("no version was ever live")
            .help("`rialto serve` makes the first; or name a folder to compare with")
    })
}

/// Secrets do not matter here: each is given a stand-in.
fn compiled(side: &Side, settings: &Settings, context: &Context) -> Result<Exchange, Failure> {
    let mut stand_ins: Vec<(String, &str)> = Vec::new();
    loop {
        let mut findings = Findings::new();
        let secrets = Secrets::from_pairs(stand_ins.iter().cloned());
        let exchange = compile(&side.files, settings, &secrets, &mut findings);
        let absent = absent_secrets(&findings);
        let known = |name: &String| stand_ins.iter().any(|(known, _)| known == name);
        if let Some(exchange) = exchange {
            return Ok(exchange);
        }
        if absent.is_empty() || absent.iter().all(known) {
            diagnostics::print(&findings, Look::Full, context.out)?;
            context.out.note(format!("{} cannot be used", side.name));
            return Err(Failure::silent(Exit::BadConfig));
        }
        stand_ins.extend(absent.into_iter().map(|name| (name, "stand-in")));
    }
}

/// Buyers whose file changed and that no test names.
fn untested(found: &[Change], exchange: &Exchange) -> Vec<String> {
    let changed: BTreeSet<&str> = found.iter().map(|change| change.file.as_str()).collect();
    let cases = || exchange.tests.iter().flat_map(|(_file, tests)| &tests.cases);
    let touched = |buyer: &exchange_model::BuyerId| {
        cases().any(|case| case.bids.keys().any(|campaign| campaign.buyer() == *buyer))
    };
    let of_file = |buyer: &ping_tree::Buyer| {
        changed
            .iter()
            .any(|file| file.starts_with("buyers/") && buyer.place.file.path.ends_with(file))
    };
    let buyers = exchange.routing.buyers().filter(|buyer| of_file(buyer) && !touched(&buyer.id));
    buyers.map(|buyer| buyer.id.to_string()).collect()
}

fn json_change(change: &Change) -> serde_json::Value {
    json!({
        "file": change.file, "line": change.line, "what": change.what, "change": change.kind.to_string(),
    })
}

fn words(before: &Side, after: &Side, found: &[Change], untested: &[String]) -> String {
    let mut text = format!(
        "{} ({}) -> {} ({}): {}\n",
        before.name,
        before.files.version(),
        after.name,
        after.files.version(),
        counted(found.len(), "difference")
    );
    let width = found.iter().map(|change| change.what.chars().count()).max().unwrap_or(0).min(48);
    let mut file = "";
    for change in found {
        if change.file != file {
            file = &change.file;
            text.push_str(&painted(BOLD, file));
            text.push('\n');
        }
        let line = change.line.map_or(String::new(), |line| format!(":{line}"));
        let line = painted(DIM, format!("{line:>5}"));
        text.push_str(&format!("{line}  {:width$}  {}\n", change.what, change.kind));
    }
    for buyer in untested {
        text.push_str(&format!("no test touches {buyer}\n"));
    }
    text
}
