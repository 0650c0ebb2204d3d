//! One buyer's file, compiled without the config around it: for reading recorded replies.
//!
//! What the file refers to and nobody has is stood in for: secrets by a word, a missing vertical by
//! one that knows the fields that most leads have and takes every other for open text.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use buyer_connectors::{CampaignUse, Connector, Secrets, compile};
use exchange_model::document::{FILE_MAX, Node, NodeKind, Table};
use exchange_model::{BuyerId, CampaignId, Document, Findings, SourceFile, Vertical};

use crate::cli::context::absent_secrets;
use crate::cli::explain::unknown;
use crate::cli::failure::Failure;

/// The vertical of a file that is tried alone.
const ANY_VERTICAL: &str = include_str!("any_vertical.toml");
/// Rounds of standing in for what is missing: one thing may hide another.
const ROUNDS: usize = 6;

/// A connector that was compiled alone.
#[derive(Debug)]
pub(crate) struct Alone {
    pub(crate) connector: Arc<Connector>,
    /// The vertical's file; none when it is stood in for.
    pub(crate) vertical_file: Option<PathBuf>,
    pub(crate) vertical: Arc<Vertical>,
}

/// Why there is none.
#[derive(Debug)]
pub(crate) enum NotAlone {
    /// The command line names what is not there.
    Usage(Failure),
    /// The file has mistakes.
    Mistakes(Findings),
}

impl From<Failure> for NotAlone {
    fn from(failure: Failure) -> Self {
        Self::Usage(failure)
    }
}

impl Alone {
    /// Compiles `file`, or `file#connector`.
    pub(crate) fn compile(named: &str, vertical: Option<&Path>) -> Result<Self, NotAlone> {
        let (path, name) = match named.rsplit_once('#') {
            Some((path, name)) if !Path::new(named).exists() => (Path::new(path), Some(name)),
            _ => (Path::new(named), None),
        };
        let document = parsed(path)?;
        let name = chosen(&document.root, name)?;
        let campaign = CampaignTable::of(&document.root, &name);
        let vertical_file = match vertical {
            Some(file) => Some(file.to_owned()),
            None => campaign.vertical_beside(path),
        };
        let lone = Lone { path, document: &document, name: &name, bids: campaign.bids };
        let mut extra = BTreeSet::new();
        let mut secrets = BTreeSet::new();
        for round in 0..=ROUNDS {
            let vertical = match &vertical_file {
                Some(file) => vertical_of(parsed(file)?)?,
                None => any_vertical(&extra)?,
            };
            let (connector, findings) = lone.connector(&vertical, &secrets);
            if let Some(connector) = connector {
                return Ok(Self { connector, vertical_file, vertical });
            }
            let fields = unknown_fields(&findings).filter(|_| vertical_file.is_none());
            let before = (extra.len(), secrets.len());
            extra.extend(fields);
            secrets.extend(absent_secrets(&findings));
            if before == (extra.len(), secrets.len()) || round == ROUNDS {
                return Err(NotAlone::Mistakes(findings));
            }
        }
        Err(NotAlone::Mistakes(Findings::new()))
    }
}

/// What is compiled.
struct Lone<'a> {
    path: &'a Path,
    document: &'a Document,
    name: &'a str,
    /// Whether a bid is read; tried both ways where no campaign says.
    bids: Option<bool>,
}

impl Lone<'_> {
    fn connector(
        &self,
        vertical: &Arc<Vertical>,
        secrets: &BTreeSet<String>,
    ) -> (Option<Arc<Connector>>, Findings) {
        let (connector, findings) = self.compiled(self.bids.unwrap_or(true), vertical, secrets);
        if connector.is_some() || self.bids.is_some() {
            return (connector, findings);
        }
        match self.compiled(false, vertical, secrets) {
            (Some(connector), findings) => (Some(connector), findings),
            (None, _) => (None, findings),
        }
    }

    fn compiled(
        &self,
        bids: bool,
        vertical: &Arc<Vertical>,
        secrets: &BTreeSet<String>,
    ) -> (Option<Arc<Connector>>, Findings) {
        let mut findings = Findings::new();
        let campaign = CampaignId::new(&buyer(&self.document.root), "tried");
        let campaign = campaign.expect("a plain name makes a campaign's id");
        let usage = CampaignUse {
            campaign: campaign.clone(),
            vertical: Arc::clone(vertical),
            connector: self.name.to_owned(),
            place: self.document.reader().own_place(),
            bids,
        };
        let secrets = Secrets::from_pairs(secrets.iter().map(|name| (name.clone(), "stand-in")));
        let folder = self.path.parent().unwrap_or_else(|| Path::new("")).to_owned();
        let beside = move |name: &str| source(&folder.join(name)).ok().map(Arc::new);
        let compiled = compile(self.document, &[usage], &beside, &secrets, &mut findings);
        (compiled.get(&campaign).cloned(), findings)
    }
}

fn source(path: &Path) -> Result<SourceFile, String> {
    let size = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
    if usize::try_from(size).map_or(true, |size| size > FILE_MAX) {
        return Err(format!("larger than {FILE_MAX} bytes"));
    }
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    Ok(SourceFile { path: path.display().to_string(), text })
}

fn parsed(path: &Path) -> Result<Document, NotAlone> {
    let read = source(path);
    let file = read.map_err(|why| Failure::usage(format!("`{}`: {why}", path.display())))?;
    let mut findings = Findings::new();
    Document::parse(Arc::new(file), &mut findings).ok_or(NotAlone::Mistakes(findings))
}

fn vertical_of(document: Document) -> Result<Arc<Vertical>, NotAlone> {
    let mut findings = Findings::new();
    let vertical = Vertical::read(&document, &mut findings).filter(|_| !findings.has_errors());
    vertical.ok_or(NotAlone::Mistakes(findings))
}

/// The stand-in, with these fields too.
fn any_vertical(extra: &BTreeSet<String>) -> Result<Arc<Vertical>, NotAlone> {
    let mut text = ANY_VERTICAL.to_owned();
    for name in extra {
        let kind = if name.contains("date") || name == "dob" { "date" } else { "text" };
        let line = format!(
            "\n[field.{name}]\ntype = \"{kind}\"\nclass = \"open\"\nping = \"optional\"\npost = \"optional\"\n"
        );
        text.write_str(&line).map_err(Failure::failed)?;
    }
    let file = SourceFile { path: "any_vertical.toml".to_owned(), text };
    let mut findings = Findings::new();
    let document = Document::parse(Arc::new(file), &mut findings);
    vertical_of(document.ok_or(NotAlone::Mistakes(findings))?)
}

/// The names of fields that the vertical lacks, as far as they can be names of fields.
fn unknown_fields(findings: &Findings) -> impl Iterator<Item = String> {
    let named = |text: &str| text.split('`').nth(3).map(str::to_owned);
    let plain = |name: &String| {
        name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    let all = findings.sorted().into_iter().filter(|finding| finding.code == "unknown_field");
    let names: Vec<String> = all.filter_map(|finding| named(&finding.message)).collect();
    names.into_iter().filter(plain)
}

/// The connector of this name, or the only one.
fn chosen(root: &Table, name: Option<&str>) -> Result<String, Failure> {
    let tables = match root.get("connector").map(|entry| &entry.value.kind) {
        Some(NodeKind::Table(table)) => table.entries.as_slice(),
        _ => &[],
    };
    let names = || tables.iter().map(|entry| entry.key.as_str());
    match (name, tables) {
        (Some(name), _) if names().any(|known| known == name) => Ok(name.to_owned()),
        (Some(name), _) => Err(unknown("connector", name, names())),
        (None, [only]) => Ok(only.key.clone()),
        (None, []) => Err(Failure::usage("this file has no connector")
            .help("it needs a table like [connector.main]")),
        (None, _) => {
            let names = names().collect::<Vec<_>>().join(", ");
            Err(Failure::usage("which connector?")
                .help(format!("name it behind the file, as FILE#NAME: {names}")))
        }
    }
}

fn buyer(root: &Table) -> BuyerId {
    let id = root.get("id").and_then(|entry| text(&entry.value));
    id.and_then(|id| BuyerId::new(id).ok())
        .unwrap_or_else(|| BuyerId::new("buyer").expect("a plain name is a buyer's id"))
}

fn text(node: &Node) -> Option<&str> {
    match &node.kind {
        NodeKind::String(text) => Some(text),
        _ => None,
    }
}

/// What the first campaign that uses the connector says of it.
#[derive(Debug, Default)]
struct CampaignTable {
    vertical: Option<String>,
    bids: Option<bool>,
}

impl CampaignTable {
    fn of(root: &Table, connector: &str) -> Self {
        let campaigns = match root.get("campaign").map(|entry| &entry.value.kind) {
            Some(NodeKind::Array(items)) => items.as_slice(),
            _ => &[],
        };
        let of_table = |node: &Node| {
            let NodeKind::Table(table) = &node.kind else { return None };
            let named = table.get("connector").and_then(|entry| text(&entry.value));
            (named == Some(connector)).then(|| Self::read(table))
        };
        campaigns.iter().find_map(of_table).unwrap_or_default()
    }

    fn read(table: &Table) -> Self {
        let mode = match table.get("price").map(|entry| &entry.value.kind) {
            Some(NodeKind::Table(price)) => price.get("mode").and_then(|entry| text(&entry.value)),
            _ => None,
        };
        Self {
            vertical: table.get("vertical").and_then(|entry| text(&entry.value)).map(str::to_owned),
            bids: mode.map(|mode| mode == "bid"),
        }
    }

    /// `verticals/<id>.toml`, where the buyer's file lies in a config folder.
    fn vertical_beside(&self, file: &Path) -> Option<PathBuf> {
        let folder = file.parent()?.parent()?;
        let path = folder.join("verticals").join(format!("{}.toml", self.vertical.as_ref()?));
        path.is_file().then_some(path)
    }
}
