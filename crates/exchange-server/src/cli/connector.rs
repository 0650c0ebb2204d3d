//! `rialto connector`: the shipped presets, and reply rules tried on recorded replies.

use buyer_connectors::{Need, Preset, presets};
use clap::Subcommand;
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::explain::unknown;
use crate::cli::failure::{Exit, Ran};
use crate::cli::output::{BOLD, DIM, Output, painted};

mod alone;
mod recorded;
mod trying;

/// What to do with connectors.
#[derive(Debug, Subcommand)]
pub(crate) enum Connector {
    /// Read recorded replies by a buyer's file and say what each means, and why
    #[command(before_help = "\
Examples:
  rialto connector try --connector acme.toml --ping-reply bid.json nobid.json
  rialto connector try --connector acme.toml#main --ping-reply bid.json --post-reply sold.json dup.json
  rialto connector try --connector acme.toml --post-reply busy.html --status 503

A reply is a file of the body alone, or with status line and headers as `curl -i` records it. The status
may stand in the name, as in sold.201.json; the name's end tells the content type. Only the buyer's
file is needed: request templates, credentials and the campaign are not looked at.")]
    Try(trying::Try),
    /// List the presets that a connector can extend
    #[command(before_help = "\
Examples:
  rialto connector presets
  rialto connector presets --json")]
    Presets,
    /// Print a preset's file: what it sends, how it reads, and how such a buyer answers
    #[command(before_help = "\
Examples:
  rialto connector show generic_json
  rialto connector show generic_json > config/buyers/acme.toml    to change more than a few lines")]
    Show {
        /// The preset
        name: String,
    },
}

/// Runs `rialto connector`.
pub(crate) fn run(command: &Connector, context: &Context) -> Ran {
    match command {
        Connector::Try(options) => trying::run(options, context),
        Connector::Presets => list(context.out),
        Connector::Show { name } => show(name, context.out),
    }
}

#[derive(Debug, Serialize)]
struct JsonPreset {
    name: &'static str,
    title: &'static str,
    extends: Option<&'static str>,
    vars: Vec<JsonNeed>,
    secrets: Vec<JsonNeed>,
    examples: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct JsonNeed {
    name: String,
    example: String,
    what: String,
}

impl From<Need> for JsonNeed {
    fn from(need: Need) -> Self {
        Self { name: need.name, example: need.example, what: need.what }
    }
}

fn json(preset: &'static Preset) -> JsonPreset {
    let (vars, secrets) = needs(preset);
    JsonPreset {
        name: preset.name,
        title: preset.title,
        extends: preset.base().map(|base| base.name),
        vars: vars.into_iter().map(JsonNeed::from).collect(),
        secrets: secrets.into_iter().map(JsonNeed::from).collect(),
        examples: preset.examples().len(),
        text: None,
    }
}

/// The vars and secrets that a file must give, those of the bases included.
fn needs(preset: &'static Preset) -> (Vec<Need>, Vec<Need>) {
    let bases: Vec<&Preset> =
        std::iter::successors(Some(preset), |preset| preset.base()).take(BASES_MAX).collect();
    let vars = bases.iter().flat_map(|preset| preset.needs()).collect();
    let secrets = bases.iter().flat_map(|preset| preset.secrets()).collect();
    (vars, secrets)
}

/// Most bases that are looked through.
const BASES_MAX: usize = 8;

fn list(out: Output) -> Ran {
    if out.json {
        out.json(&presets().iter().map(json).collect::<Vec<_>>())?;
        return Ok(Exit::Done);
    }
    let width = presets().iter().map(|preset| preset.name.len()).max().unwrap_or(0);
    for preset in presets() {
        out.data(format!(
            "{}  {}",
            painted(BOLD, format!("{:width$}", preset.name)),
            preset.title
        ))?;
        let (vars, secrets) = needs(preset);
        let names = |needs: Vec<Need>| {
            needs.into_iter().map(|need| need.name).collect::<Vec<_>>().join(", ")
        };
        for (label, names) in [("vars", names(vars)), ("secrets", names(secrets))] {
            if !names.is_empty() {
                out.data(format!("{:width$}  {}", "", painted(DIM, format!("{label}: {names}"))))?;
            }
        }
    }
    out.note("to see one: rialto connector show NAME; to use one: extends = \"NAME\"");
    Ok(Exit::Done)
}

fn show(name: &str, out: Output) -> Ran {
    let Some(preset) = Preset::named(name) else {
        return Err(unknown("preset", name, presets().iter().map(|preset| preset.name)));
    };
    if out.json {
        out.json(&JsonPreset { text: Some(preset.text), ..json(preset) })?;
    } else {
        out.raw(preset.text)?;
    }
    Ok(Exit::Done)
}
