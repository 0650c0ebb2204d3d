//! From the routing folder to one immutable snapshot, or every mistake at once.
//!
//! The folder is read once. Verticals, routing and connectors are compiled from the same
//! documents; their findings come together. Nothing here opens a socket or a database.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use buyer_connectors::{CampaignUse, Connectors, Secrets};
use exchange_model::{Document, Findings, SourceFile, Vertical, VerticalId};
use ping_tree::{FindList, PriceMode, Routing, Sources, TestFile};

use crate::lint;
use crate::settings::Settings;

mod files;

pub use files::{BESIDE, FILES_MAX, FileSet, LIST_MAX, SECTIONS};

/// Everything an exchange routes by: one immutable snapshot of its config.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The first 12 hexadecimal digits of the SHA-256 of all files; each lead carries it.
    pub version: String,
    /// The kinds of lead.
    pub verticals: BTreeMap<VerticalId, Arc<Vertical>>,
    /// Buyers, campaigns, sources and trees.
    pub routing: Routing,
    /// The dialect of each campaign.
    pub connectors: Connectors,
    /// The operators' own tests, by file.
    pub tests: Vec<(Arc<SourceFile>, TestFile)>,
}

/// Reads the routing folder and the directory of secrets. Without an error among the findings there is an
/// exchange.
#[must_use]
pub fn load(settings: &Settings) -> (Option<Exchange>, Findings) {
    let mut findings = Findings::new();
    let secrets = Secrets::load(&settings.secrets.dir, &mut findings);
    let exchange = load_with(settings, &secrets, &mut findings);
    (exchange, findings)
}

/// The same with secrets that are already in hand.
#[must_use]
pub fn load_with(
    settings: &Settings,
    secrets: &Secrets,
    findings: &mut Findings,
) -> Option<Exchange> {
    let files = FileSet::read(&settings.routing_dir, findings);
    compile(&files, settings, secrets, findings)
}

/// Compiles files that are already read. What is wrong with them is among the findings.
#[must_use]
pub fn compile(
    files: &FileSet,
    settings: &Settings,
    secrets: &Secrets,
    findings: &mut Findings,
) -> Option<Exchange> {
    let folder = Folder::of(files, findings);
    let find_list = |name: &str| folder.others.get(name).cloned();
    let verticals = verticals(&folder.verticals, &find_list, findings);
    let sources = Sources {
        verticals: &verticals,
        buyers: &folder.buyers,
        sellers: &folder.sellers,
        trees: &folder.trees,
        groups: folder.groups.as_ref(),
        lists: &find_list,
    };
    let routing = ping_tree::compile(&sources, findings);
    let connectors = connectors(&folder, &routing, secrets, findings);
    if settings.server.public_url.is_none() {
        nowhere_to_call(&connectors, &routing, findings);
    }
    let tests = folder
        .tests
        .iter()
        .map(|document| (Arc::clone(&document.file), TestFile::read(document, &routing, findings)))
        .collect();
    if findings.has_errors() {
        return None;
    }
    let exchange = Exchange { version: files.version(), verticals, routing, connectors, tests };
    lint::lint(&exchange, files, settings, findings);
    Some(exchange)
}

fn verticals(
    documents: &[Document],
    lists: &FindList<'_>,
    findings: &mut Findings,
) -> BTreeMap<VerticalId, Arc<Vertical>> {
    let mut verticals = BTreeMap::new();
    for document in documents {
        let Some(vertical) = Vertical::read(document, findings) else { continue };
        let vertical = ping_tree::with_score(vertical, document, lists, findings);
        let id = vertical.id().clone();
        if verticals.insert(id.clone(), vertical).is_some() {
            let message = format!("two verticals are called `{id}`");
            let help = "each vertical has a file and an id of its own".to_owned();
            findings.error("duplicate_name", document.reader().own_place(), message, help);
        }
    }
    verticals
}

fn connectors(
    folder: &Folder,
    routing: &Routing,
    secrets: &Secrets,
    findings: &mut Findings,
) -> Connectors {
    let mut all = Connectors::default();
    for document in &folder.buyers {
        let uses: Vec<CampaignUse> = routing
            .campaigns()
            .filter(|campaign| campaign.place.file.path == document.file.path)
            .map(|campaign| CampaignUse {
                campaign: campaign.id.clone(),
                vertical: Arc::clone(&campaign.vertical),
                connector: campaign.connector.clone(),
                place: campaign.connector_place.clone(),
                // With a contract price a reply need not name one.
                bids: matches!(campaign.price, PriceMode::Bid { base: None, .. }),
            })
            .collect();
        let beside = |name: &str| folder.others.get(&format!("buyers/{name}")).cloned();
        all.extend(buyer_connectors::compile(document, &uses, &beside, secrets, findings));
    }
    all
}

/// Connectors that tell buyers an address of ours, which nobody has told us.
fn nowhere_to_call(connectors: &Connectors, routing: &Routing, findings: &mut Findings) {
    for campaign in routing.campaigns() {
        let connector = connectors.get(&campaign.id).filter(|known| known.tells_callback_url());
        let Some(connector) = connector else { continue };
        let message = format!(
            "the connector `{}` uses `{{{{ callback_url }}}}`, and it is not known where buyers reach this exchange",
            connector.name()
        );
        let help = "set `server.public_url` in rialto.toml to where the sellers' listener is seen from outside";
        let place = campaign.connector_place.clone();
        findings.error("no_public_url", place, message, help.to_owned());
    }
}

/// The one file that lies beside the folders.
const GROUPS: &str = "groups.toml";

/// The files of a routing folder, sorted by what they are.
#[derive(Debug, Default)]
struct Folder {
    verticals: Vec<Document>,
    buyers: Vec<Document>,
    sellers: Vec<Document>,
    trees: Vec<Document>,
    groups: Option<Document>,
    tests: Vec<Document>,
    /// Lists and templates, by their path within the folder.
    others: BTreeMap<String, Arc<SourceFile>>,
}

impl Folder {
    fn of(files: &FileSet, findings: &mut Findings) -> Self {
        let mut folder = Self::default();
        for (name, text) in files.iter() {
            let path = files.root.join(name).display().to_string();
            folder.add(name, SourceFile { path, text: text.to_owned() }, findings);
        }
        folder
    }

    fn add(&mut self, name: &str, file: SourceFile, findings: &mut Findings) {
        let file = Arc::new(file);
        if name == GROUPS {
            self.groups = Document::parse(file, findings);
            return;
        }
        let section = name.split('/').next().unwrap_or("");
        let documents = match section {
            "verticals" => &mut self.verticals,
            "buyers" => &mut self.buyers,
            "sellers" => &mut self.sellers,
            "trees" => &mut self.trees,
            _ => &mut self.tests,
        };
        if section != "lists" && Path::new(name).extension().is_some_and(|ext| ext == "toml") {
            documents.extend(Document::parse(file, findings));
        } else {
            self.others.insert(name.to_owned(), file);
        }
    }
}
