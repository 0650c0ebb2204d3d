//! `rialto check`: everything wrong with the config, at once.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use exchange_model::{Finding, Findings, Severity, Timestamp};
use exchange_store::operators::Stops;
use serde::Serialize;

use crate::cli::books::Books;
use crate::cli::context::{Context, SETTINGS_FILE, load_without_secrets};
use crate::cli::diagnostics::{self, JsonFinding, Look};
use crate::cli::failure::{Exit, Failure, Ran};
use crate::cli::output::{GREEN, RED, counted, painted};
use crate::cli::stop;
use crate::cli::suppress;
use crate::clock::Clock;
use crate::lint;
use crate::load::{Exchange, SECTIONS, load};
use crate::operator_api::stops::stop_json;
use crate::settings::Settings;

/// Options of `rialto check`.
#[derive(Args, Debug)]
pub(crate) struct Check {
    /// Fail on warnings too
    #[arg(long)]
    deny_warnings: bool,
    /// One line per finding, without graphics
    #[arg(long)]
    plain: bool,
    /// Do not ask for the files of secrets, as on a build server
    #[arg(long)]
    without_secrets: bool,
}

#[derive(Debug, Serialize)]
struct Report<'a> {
    ok: bool,
    errors: usize,
    warnings: usize,
    version: Option<&'a str>,
    findings: Vec<JsonFinding<'a>>,
    /// What operators have stopped, beside what the files say.
    stops: Vec<serde_json::Value>,
}

/// Loads everything and prints what was found.
pub(crate) fn run(options: &Check, context: &Context) -> Ran {
    let clock = Clock::system();
    let began = clock.now();
    // Settings that cannot be used do not hide what is wrong with the routing.
    let (settings, unusable) = match context.settings(&[]) {
        Ok(settings) => (settings, None),
        Err(failure) if context.config.is_dir() => (context.default_settings(), Some(failure)),
        Err(failure) => return Err(failure),
    };
    let (exchange, mut findings) =
        if options.without_secrets { load_without_secrets(&settings) } else { load(&settings) };
    if let Some(exchange) = &exchange {
        suppress::warn_missing(&settings, exchange, &mut findings);
        look_back(&settings, exchange, began, &mut findings);
    }
    for message in unusable.iter().flat_map(|failure| failure.message.lines()) {
        findings.push(of_settings(message));
    }
    let took = clock.now().since(began);
    let (errors, warnings) = diagnostics::counts(&findings);
    let ok = errors == 0 && !(options.deny_warnings && warnings > 0);
    let stops = stops(&settings);
    if context.out.json {
        let stops = stops.at(began).map(stop_json).collect();
        context.out.json(&Report { stops, ..report(ok, exchange.as_ref(), &findings) })?;
    } else {
        let look = if options.plain { Look::Plain } else { Look::Full };
        diagnostics::print(&findings, look, context.out)?;
        let files = files_in(&settings.routing_dir);
        let counts = Counts { files, errors, warnings };
        if !options.without_secrets && findings.sorted().iter().any(|f| f.code == "no_secret") {
            context.out.note("secrets come with the buyers; to check the rest: --without-secrets");
        }
        stop::note_all(&stops, began, context);
        context.out.data(summary(exchange.as_ref().filter(|_| ok), counts, took))?;
    }
    if ok { Ok(Exit::Done) } else { Err(Failure::silent(Exit::BadConfig)) }
}

/// What operators have stopped. A database that cannot be read is no fault of the files.
fn stops(settings: &Settings) -> Arc<Stops> {
    if !settings.store.path.is_file() {
        return Arc::default();
    }
    Books::at(settings).map(|books| books.store().stops()).unwrap_or_default()
}

/// What the records say about the files, where there are any.
fn look_back(settings: &Settings, exchange: &Exchange, now: Timestamp, findings: &mut Findings) {
    if !settings.store.path.is_file() {
        return;
    }
    let Ok(books) = Books::at(settings) else { return };
    lint::records::lint(exchange, &|cap| books.store().used(cap), now, findings);
}

fn of_settings(message: &str) -> Finding {
    Finding {
        severity: Severity::Error,
        code: "bad_setting",
        message: message.to_owned(),
        place: None,
        label: String::new(),
        help: format!("process settings are in {SETTINGS_FILE} and RIALTO__SECTION__KEY variables"),
    }
}

fn report<'a>(ok: bool, exchange: Option<&'a Exchange>, findings: &'a Findings) -> Report<'a> {
    let (errors, warnings) = diagnostics::counts(findings);
    let version = exchange.map(|exchange| exchange.version.as_str());
    let findings = findings.sorted().into_iter().map(JsonFinding::from).collect();
    Report { ok, errors, warnings, version, findings, stops: Vec::new() }
}

#[derive(Clone, Copy, Debug)]
struct Counts {
    files: usize,
    errors: usize,
    warnings: usize,
}

/// `ok    13 files, 8 buyers, 9 campaigns, 1 tree, 13 tests (38 ms), version 1c83e49ab2f0`.
fn summary(exchange: Option<&Exchange>, counts: Counts, took: Duration) -> String {
    let Counts { files, errors, warnings } = counts;
    let files = counted(files, "file");
    let millis = took.as_millis();
    let found = match (errors, warnings) {
        (0, 0) => String::new(),
        (0, _) => counted(warnings, "warning"),
        (_, 0) => counted(errors, "error"),
        (_, _) => format!("{}, {}", counted(errors, "error"), counted(warnings, "warning")),
    };
    let Some(exchange) = exchange else {
        return format!("{}  {files}, {found} ({millis} ms)", painted(RED, "bad"));
    };
    let routing = &exchange.routing;
    let tests = exchange.tests.iter().map(|(_, file)| file.cases.len()).sum();
    let warned = if found.is_empty() { String::new() } else { format!(", {found}") };
    format!(
        "{}    {files}, {}, {}, {}, {}{warned} ({millis} ms), version {}",
        painted(GREEN, "ok"),
        counted(routing.buyers().count(), "buyer"),
        counted(routing.campaigns().count(), "campaign"),
        counted(routing.trees().count(), "tree"),
        counted(tests, "test"),
        exchange.version,
    )
}

/// The routing's files, counted as they lie.
fn files_in(dir: &Path) -> usize {
    let sections = SECTIONS.iter().filter_map(|section| std::fs::read_dir(dir.join(section)).ok());
    sections.flatten().flatten().filter(|entry| entry.path().is_file()).count()
}
