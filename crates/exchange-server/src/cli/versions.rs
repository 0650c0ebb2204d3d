//! `rialto versions`: every config that was routed by.

use clap::{Args, Subcommand};
use exchange_store::operators::ConfigVersion;
use serde_json::json;

use crate::cli::books::Books;
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure, Ran};
use crate::cli::output::{BOLD, painted};
use crate::operator_api::config::version_json;

/// Most versions in the list.
const LISTED_MAX: u32 = 1_000;
/// Changed files named in one line.
const NAMED_MAX: usize = 4;

/// Options of `rialto versions`.
#[derive(Args, Debug)]
pub(crate) struct Versions {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List the versions, newest first
    List,
    /// The files of one version, or the text of one of them
    Show(Show),
}

#[derive(Args, Debug)]
struct Show {
    /// Its number
    version: u64,
    /// A file of it, like buyers/acme.toml: its text is printed
    file: Option<String>,
}

/// Runs `rialto versions`.
pub(crate) fn run(options: &Versions, context: &Context) -> Ran {
    match &options.what {
        None | Some(What::List) => list(context),
        Some(What::Show(show)) => one(show, context),
    }
}

fn list(context: &Context) -> Ran {
    let versions = Books::open(context)?.store().versions(LISTED_MAX).blocking_wait()?;
    if context.out.json {
        context.out.json(&versions.iter().map(version_json).collect::<Vec<_>>())?;
        return Ok(Exit::Done);
    }
    for version in &versions {
        context.out.data(line(version))?;
    }
    if versions.is_empty() {
        context.out.note("no config was applied yet; `rialto serve` applies the first");
    }
    Ok(Exit::Done)
}

fn line(version: &ConfigVersion) -> String {
    let (label, at) = (painted(BOLD, version.label()), version.applied_at);
    let cause = match version.again_of {
        Some(of) => format!("{} to {of}", version.cause.code()),
        None => version.cause.code().to_owned(),
    };
    let dropped = if version.kept { "" } else { "  (files not kept)" };
    format!("{label}  {at}  {cause:12} {:12} {}{dropped}", version.actor, changed(version))
}

fn changed(version: &ConfigVersion) -> String {
    let named = version.changes.iter().take(NAMED_MAX);
    let mut text: Vec<String> =
        named.map(|change| format!("{} {}", change.file, change.how)).collect();
    let more = version.changes.len().saturating_sub(NAMED_MAX);
    if more > 0 {
        text.push(format!("{more} more"));
    }
    text.join(", ")
}

fn one(show: &Show, context: &Context) -> Ran {
    let number = show.version;
    let found = Books::open(context)?.store().version(number).blocking_wait()?;
    let Some((version, files)) = found else {
        return Err(Failure::failed(format!("there is no version {number}"))
            .help("`rialto versions` shows them"));
    };
    if let Some(wanted) = &show.file {
        let text = files.iter().find(|(name, _)| name == wanted).map(|(_, text)| text);
        let text = text.ok_or_else(|| {
            Failure::failed(format!("version {number} has no file `{wanted}`"))
                .help(format!("`rialto versions show {number}` lists its files"))
        })?;
        context.out.raw(text)?;
        return Ok(Exit::Done);
    }
    if context.out.json {
        let mut shown = version_json(&version);
        if let Some(members) = shown.as_object_mut() {
            let names: Vec<&String> = files.iter().map(|(name, _)| name).collect();
            members.insert("files".to_owned(), json!(names));
        }
        context.out.json(&shown)?;
        return Ok(Exit::Done);
    }
    context.out.data(line(&version))?;
    for (name, text) in &files {
        context.out.data(format!("{:>9}  {name}", text.len()))?;
    }
    if !version.kept {
        context.out.note("its files are not kept any more: it cannot be applied again");
    }
    Ok(Exit::Done)
}
