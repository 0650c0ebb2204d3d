//! What is tested: a campaign's connector, with the secrets and the lead of the test.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use buyer_connectors::{CampaignUse, Connector, Secrets, compile, compile_for_test};
use exchange_model::document::FILE_MAX;
use exchange_model::lead::{IntakeFields, intake};
use exchange_model::timestamp::Date;
use exchange_model::{Document, Findings, Lead, LeadId, SourceFile, Stage, Vertical};
use ping_tree::{Campaign, PriceMode};

use crate::cli::context::absent_secrets;
use crate::cli::diagnostics::{self, Look};
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::Output;

/// Rounds of standing in for absent secrets: one may hide another.
const ROUNDS: usize = 4;
/// Largest file of a lead, in bytes.
const LEAD_MAX: u64 = 1024 * 1024;

/// Which secrets are used.
pub(crate) enum Keys<'a> {
    /// A word in place of each: for looking, and for mocks.
    StandIns,
    /// Those of the folder.
    Real(&'a Path),
}

/// A connector, and the secrets it was compiled with: what must not be shown.
#[derive(Debug)]
pub(crate) struct Stand {
    pub(crate) connector: Arc<Connector>,
    pub(crate) secrets: Secrets,
}

impl Stand {
    /// Compiles the connector of a campaign; `overlay` merges what it says under `test`. Mistakes
    /// are printed.
    pub(crate) fn of(
        campaign: &Campaign,
        keys: &Keys<'_>,
        overlay: bool,
        out: Output,
    ) -> Result<Self, Failure> {
        let mut names = BTreeSet::new();
        for _ in 0..=ROUNDS {
            let mut findings = Findings::new();
            let secrets = match keys {
                Keys::StandIns => stand_ins(&names),
                Keys::Real(folder) => Secrets::load(folder, &mut findings),
            };
            if let Some(connector) = compiled(campaign, &secrets, overlay, &mut findings) {
                return Ok(Self { connector, secrets });
            }
            let before = names.len();
            names.extend(absent_secrets(&findings));
            if matches!(keys, Keys::Real(_)) || names.len() == before {
                diagnostics::print(&findings, Look::Full, out)?;
                break;
            }
        }
        Err(Failure::silent(Exit::BadConfig))
    }
}

/// A word that is recognised wherever it stands, and cannot be a part of anything else.
fn stand_ins(names: &BTreeSet<String>) -> Secrets {
    Secrets::from_pairs(names.iter().map(|name| (name.clone(), format!("zz-stand-in-{name}-zz"))))
}

fn compiled(
    campaign: &Campaign,
    secrets: &Secrets,
    overlay: bool,
    findings: &mut Findings,
) -> Option<Arc<Connector>> {
    let file = Arc::clone(&campaign.place.file);
    let folder = Path::new(&file.path).parent().unwrap_or_else(|| Path::new("")).to_owned();
    let document = Document::parse(file, findings)?;
    let usage = CampaignUse {
        campaign: campaign.id.clone(),
        vertical: Arc::clone(&campaign.vertical),
        connector: campaign.connector.clone(),
        place: campaign.connector_place.clone(),
        bids: matches!(campaign.price, PriceMode::Bid { .. }),
    };
    let beside = move |name: &str| beside(&folder.join(name));
    let compile = if overlay { compile_for_test } else { compile };
    let connectors = compile(&document, &[usage], &beside, secrets, findings);
    connectors.get(&campaign.id).cloned()
}

fn beside(path: &Path) -> Option<Arc<SourceFile>> {
    let size = usize::try_from(std::fs::metadata(path).ok()?.len()).ok()?;
    if size > FILE_MAX {
        return None;
    }
    let text = std::fs::read_to_string(path).ok()?;
    Some(Arc::new(SourceFile { path: path.display().to_string(), text }))
}

/// The lead of the test: the file's, or the vertical's example.
pub(crate) fn lead(
    file: Option<&Path>,
    vertical: &Arc<Vertical>,
    id: LeadId,
    today: Date,
) -> Result<Lead, Failure> {
    let fields = match file {
        Some(file) => fields_of(file)?,
        None => examples(vertical),
    };
    let from = IntakeFields {
        stage: Stage::Post,
        fields: &fields,
        sealed: Vec::new(),
        pinged: None,
        ping_counts: false,
        today,
    };
    let taken = intake(id, vertical, from).map_err(|wrong| {
        let each = wrong.iter().map(|w| format!("`{}` {}: {}", w.field, w.code, w.detail));
        Failure::usage(each.collect::<Vec<_>>().join("\n"))
            .help(format!("the fields are in verticals/{}.toml", vertical.id()))
    })?;
    Ok(taken.lead)
}

fn examples(vertical: &Vertical) -> Vec<(String, String)> {
    let sent = vertical.fields().filter(|(_, field)| field.derived.is_none());
    sent.filter_map(|(_, field)| Some((field.name.clone(), field.example.as_ref()?.to_string())))
        .collect()
}

/// `{"zip": "78701", ...}`, as a seller posts it.
fn fields_of(file: &Path) -> Result<Vec<(String, String)>, Failure> {
    let bad = |why: String| Failure::usage(format!("`{}`: {why}", file.display()));
    let size = std::fs::metadata(file).map_err(|error| bad(error.to_string()))?.len();
    if size > LEAD_MAX {
        return Err(bad(format!("larger than {LEAD_MAX} bytes")));
    }
    let text = std::fs::read_to_string(file).map_err(|error| bad(error.to_string()))?;
    let read: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| bad(error.to_string()))?;
    let serde_json::Value::Object(fields) = read else {
        return Err(bad("that is no JSON object of fields".to_owned()));
    };
    let texts = fields.into_iter().map(|(name, value)| match value {
        serde_json::Value::String(text) => Ok((name, text)),
        serde_json::Value::Number(number) => Ok((name, number.to_string())),
        serde_json::Value::Bool(yes) => Ok((name, yes.to_string())),
        serde_json::Value::Null => Ok((name, String::new())),
        _ => Err(bad(format!("`{name}` is no plain value"))),
    });
    texts.collect()
}
