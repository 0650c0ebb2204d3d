//! `rialto audit`: what operators did.

use clap::Args;

use crate::cli::books::Books;
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Ran};
use crate::operator_api::stops::entry_json;

/// Options of `rialto audit`.
#[derive(Args, Debug)]
pub(crate) struct Audit {
    /// How many of the latest
    #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    last: u32,
}

/// Prints the record, the latest last.
pub(crate) fn run(options: &Audit, context: &Context) -> Ran {
    let mut entries = Books::open(context)?.store().audit_log(options.last).blocking_wait()?;
    entries.reverse();
    if context.out.json {
        context.out.json(&entries.iter().map(entry_json).collect::<Vec<_>>())?;
        return Ok(Exit::Done);
    }
    for entry in &entries {
        let action = &entry.action;
        let what = format!("{} {}", action.action, action.subject);
        let what = what.trim_end();
        let detail =
            if action.detail.is_empty() { String::new() } else { format!("  {}", action.detail) };
        context.out.data(format!("{}  {:14} {what}{detail}", action.at, action.actor))?;
    }
    if entries.is_empty() {
        context.out.note("no operator did anything yet");
    }
    Ok(Exit::Done)
}
