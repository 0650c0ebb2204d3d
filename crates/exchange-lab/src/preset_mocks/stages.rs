//! Which stage of a preset a request is for.
//!
//! Known marks decide first ([`Preset::told_by`]); else the address: the fixed pieces of each
//! stage's URL must stand in the request's path in their order, and the address with most fixed
//! characters wins.

use std::collections::BTreeMap;

use buyer_connectors::Preset;
use exchange_model::document::{NodeKind, Table};
use exchange_model::{Document, Findings};

/// Most bases that a preset may stand on.
const BASES_MAX: usize = 8;
/// Stages that send a request, the ones that carry a lead before those that ask about one.
const STAGES: [&str; 8] =
    ["ping", "post", "status", "void", "confirm", "pre_ping", "pre_post", "token"];

/// How a preset's calls are told apart.
#[derive(Clone, Debug)]
pub(crate) struct Stages {
    marks: BTreeMap<String, String>,
    addresses: Vec<Address>,
}

/// The address of a stage.
#[derive(Clone, Debug)]
struct Address {
    stage: &'static str,
    /// The fixed pieces of the path.
    pieces: Vec<String>,
    /// Whether the last piece ends it.
    closed: bool,
}

impl Stages {
    pub(crate) fn of(preset: &Preset) -> Self {
        let urls = urls(preset);
        let addresses = STAGES
            .into_iter()
            .filter_map(|stage| urls.get(stage).map(|url| Address::of(stage, url)))
            .collect();
        Self { marks: preset.told_by(), addresses }
    }

    /// The stage of a request with this path and this text (target, body).
    pub(crate) fn stage(&self, path: &str, text: &str) -> Option<&str> {
        let marked = self.marks.iter().find(|(_, mark)| text.contains(mark.as_str()));
        if let Some((stage, _)) = marked {
            return Some(stage);
        }
        let fits = self.addresses.iter().filter(|address| address.fits(path));
        let unmarked = fits.filter(|address| !self.marks.contains_key(address.stage));
        // `max_by_key` takes the last of equals; the first is meant.
        unmarked.rev().max_by_key(|address| address.weight()).map(|address| address.stage)
    }

    /// The stages that have an address.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.addresses.iter().map(|address| address.stage).collect()
    }
}

impl Address {
    fn of(stage: &'static str, url: &str) -> Self {
        let mut pieces = Vec::new();
        let mut rest = path_of(url);
        let mut closed = true;
        while let Some((fixed, after)) = rest.split_once("{{") {
            pieces.push(fixed.to_owned());
            rest = after.split_once("}}").map_or("", |(_, rest)| rest);
            closed = false;
        }
        if !rest.is_empty() {
            pieces.push(rest.to_owned());
            closed = true;
        }
        pieces.retain(|piece| !piece.is_empty());
        Self { stage, pieces, closed }
    }

    fn fits(&self, path: &str) -> bool {
        let mut rest = path;
        for piece in &self.pieces {
            let Some((_, after)) = rest.split_once(piece.as_str()) else { return false };
            rest = after;
        }
        let ends = self.pieces.last().is_none_or(|last| path.ends_with(last.as_str()));
        !self.closed || ends
    }

    fn weight(&self) -> usize {
        self.pieces.iter().map(String::len).sum()
    }
}

/// The path of a URL template, without scheme, host and query.
fn path_of(url: &str) -> &str {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let after_host = |rest: &'_ str| rest.find('/').map_or(rest.len(), |slash| slash);
    match url.split_once("://") {
        Some((_, rest)) => rest.get(after_host(rest)..).unwrap_or_default(),
        None => url,
    }
}

/// The URL of each stage, those of the base and of `like` included.
fn urls(preset: &Preset) -> BTreeMap<String, String> {
    let mut urls = BTreeMap::new();
    let mut like = BTreeMap::new();
    let mut next = Some(*preset);
    for _ in 0..BASES_MAX {
        let Some(preset) = next else { break };
        let mut findings = Findings::new();
        if let Some(document) = Document::parse(preset.file(), &mut findings)
            && let Some(connector) = table(&document.root, "connector")
        {
            for stage in STAGES {
                let Some(stage_table) = table(connector, stage) else { continue };
                note(stage, "url", stage_table, &mut urls);
                note(stage, "like", stage_table, &mut like);
            }
        }
        next = preset.base().copied();
    }
    for (stage, other) in like {
        if let Some(url) = urls.get(&other).cloned() {
            urls.entry(stage).or_insert(url);
        }
    }
    urls
}

fn note(stage: &str, key: &str, table: &Table, into: &mut BTreeMap<String, String>) {
    if let Some(NodeKind::String(text)) = table.get(key).map(|entry| &entry.value.kind) {
        into.entry(stage.to_owned()).or_insert_with(|| text.clone());
    }
}

fn table<'a>(table: &'a Table, key: &str) -> Option<&'a Table> {
    match &table.get(key)?.value.kind {
        NodeKind::Table(inner) => Some(inner),
        _ => None,
    }
}
