//! From what a buyer's file writes to what its connectors are: `extends`, `without`, `like`, `test`
//! and `rules_first` are worked out here, on the tables themselves, and nothing after this knows
//! that a connector had a base.
//!
//! Every value keeps the place where it was written, in the buyer's file or in a preset.

use std::collections::{BTreeMap, BTreeSet};

use exchange_model::document::{Entry, Node, NodeKind, Table};
use exchange_model::finding::nearest;
use exchange_model::{Document, Findings, Place, TableReader};

use crate::presets::{Preset, need, presets};
use crate::secrets::Secrets;

mod like;
mod merge;
#[cfg(test)]
mod tests;

/// Longest chain of connectors that extend each other.
const CHAIN_MAX: usize = 8;
/// Keys of a connector that are used up here.
const USED_UP: [&str; 3] = ["extends", "without", "test"];

/// What a connector is compiled for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Purpose {
    /// Leads.
    Live,
    /// Calls that the buyer is to take for tests: with what the connector says under `test`.
    Test,
}

/// A buyer's file with its connectors worked out.
pub(super) struct Extended {
    /// The file, and the tables of the presets it uses.
    pub(super) document: Document,
    /// Connectors that others extend: used, though no campaign may name them.
    pub(super) bases: BTreeSet<String>,
    /// Connectors whose mistakes are reported already; to compile them would only find more.
    pub(super) broken: BTreeSet<String>,
    /// Whether a connector says anything under `test`.
    pub(super) has_test: bool,
}

/// Works out the connectors of a file. `used` are those that campaigns name: they alone must have
/// all that their presets need.
pub(super) fn extended(
    document: &Document,
    used: &BTreeSet<&str>,
    purpose: Purpose,
    secrets: &Secrets,
    findings: &mut Findings,
) -> Extended {
    let own = connectors(&document.root);
    let mut extender = Extender {
        own: &own,
        done: Extended {
            document: document.clone(),
            bases: BTreeSet::new(),
            broken: BTreeSet::new(),
            has_test: false,
        },
        presets: BTreeMap::new(),
        secrets,
        purpose,
        findings,
    };
    let mut finished = BTreeMap::new();
    for name in own.keys() {
        if let Some(table) = extender.connector(name, used.contains(name.as_str())) {
            finished.insert(name.clone(), table);
        }
    }
    let mut done = extender.done;
    put_back(&mut done.document.root, finished);
    done
}

/// The connectors of a file: each name, where it stands, its table.
fn connectors(root: &Table) -> BTreeMap<String, (Entry, Table)> {
    let Some(NodeKind::Table(all)) = root.get("connector").map(|entry| &entry.value.kind) else {
        return BTreeMap::new();
    };
    let tables = all.entries.iter().filter_map(|entry| match &entry.value.kind {
        NodeKind::Table(table) => Some((entry.key.clone(), (entry.clone(), table.clone()))),
        _ => None,
    });
    tables.collect()
}

fn put_back(root: &mut Table, mut finished: BTreeMap<String, Table>) {
    let connector = root.entries.iter_mut().find(|entry| entry.key == "connector");
    let Some(NodeKind::Table(all)) = connector.map(|entry| &mut entry.value.kind) else { return };
    for entry in &mut all.entries {
        if let Some(table) = finished.remove(&entry.key) {
            entry.value.kind = NodeKind::Table(table);
        }
    }
}

/// A connector with its base below it.
#[derive(Clone, Default)]
struct Built {
    table: Table,
    /// What `without` has named.
    removals: Vec<Removal>,
    /// What the presets below it need.
    needs: Vec<Needed>,
    /// What is laid over it for a test.
    test: Table,
}

#[derive(Clone)]
struct Removal {
    path: String,
    place: Place,
    found: bool,
}

#[derive(Clone)]
struct Needed {
    preset: &'static str,
    /// The connector's key: `vars` or `secrets`.
    key: &'static str,
    name: String,
    text: String,
}

/// The parts of a preset's file.
#[derive(Clone)]
struct PresetTables {
    connector: Table,
    needs: Vec<Needed>,
}

struct Extender<'a, 'f> {
    own: &'a BTreeMap<String, (Entry, Table)>,
    done: Extended,
    presets: BTreeMap<&'static str, PresetTables>,
    secrets: &'a Secrets,
    purpose: Purpose,
    findings: &'f mut Findings,
}

impl Extender<'_, '_> {
    /// A connector as the rest of the compiler is to see it.
    fn connector(&mut self, name: &str, used: bool) -> Option<Table> {
        let (entry, table) = self.own.get(name)?;
        let built = self.built(table, Some(name), &mut vec![format!("connector {name}")]);
        let Some(Built { mut table, removals, needs, test }) = built else {
            self.done.broken.insert(name.to_owned());
            return None;
        };
        self.done.has_test |= !test.entries.is_empty();
        if self.purpose == Purpose::Test {
            table = merge::merged(table, test);
        }
        like::filled(&mut table, &self.done.document.sources, self.findings);
        merge::join_rules(&mut table);
        let before = table.clone();
        for removal in removals {
            let found = merge::remove(&mut table, &removal.path) || removal.found;
            if !found {
                not_there(&before, &removal, self.findings);
            }
        }
        if used {
            let place = self.done.document.sources.place(entry.key_span.clone());
            self.check_needs(&mut table, &needs, &place);
        }
        Some(table)
    }

    /// Lays a connector's table over its base. `name` is its own, if it is of the buyer's file.
    fn built(
        &mut self,
        table: &Table,
        name: Option<&str>,
        chain: &mut Vec<String>,
    ) -> Option<Built> {
        let sources = self.done.document.sources.clone();
        let mut reader = TableReader::new(&sources, table, 0..0);
        let extends = reader.string("extends", "\"generic_json\"", self.findings);
        let without = reader.strings("without", self.findings).unwrap_or_default();
        let test = reader.table("test", self.findings).map(|test| test.raw().clone());
        if extends.is_none() && table.get("extends").is_some() {
            return None;
        }
        let mut base = match extends {
            Some(extends) => self.base(extends.value, name, &extends.place, chain)?,
            None => Built::default(),
        };
        let mut own = table.clone();
        own.entries.retain(|entry| !USED_UP.contains(&entry.key.as_str()));
        base.removals.retain(|removal| !merge::has(&own, &removal.path));
        for path in without {
            let found = merge::remove(&mut base.table, path.value)
                || removed_test(&mut base.test, path.value);
            // What the connector writes itself it wants; then only the base's is gone.
            if !merge::has(&own, path.value) {
                let removal = Removal { path: path.value.to_owned(), place: path.place, found };
                base.removals.push(removal);
            }
        }
        base.table = merge::merged(base.table, own);
        if let Some(test) = test {
            base.test = merge::merged(base.test, test);
        }
        Some(base)
    }

    /// What a connector extends: another of its file, else a preset.
    fn base(
        &mut self,
        wanted: &str,
        name: Option<&str>,
        place: &Place,
        chain: &mut Vec<String>,
    ) -> Option<Built> {
        // A connector may be called as its preset is.
        let own = self.own.get(wanted).filter(|_| name.is_some() && name != Some(wanted));
        let link = match own {
            Some(_) => format!("connector {wanted}"),
            None => format!("preset {wanted}"),
        };
        if chain.contains(&link) || chain.len() >= CHAIN_MAX {
            let message = format!("`{wanted}` extends itself, through {}", chain.join(", "));
            let help = "a base has a base of its own, or none".to_owned();
            self.findings.error("extends_cycle", place.clone(), message, help);
            return None;
        }
        chain.push(link);
        if let Some((_, table)) = own {
            self.done.bases.insert(wanted.to_owned());
            return self.built(table, Some(wanted), chain);
        }
        let Some(preset) = Preset::named(wanted) else {
            self.unknown_base(wanted, name, place);
            return None;
        };
        let PresetTables { connector, needs } = self.preset(preset)?;
        let mut built = self.built(&connector, None, chain)?;
        built.needs.extend(needs);
        Some(built)
    }

    fn unknown_base(&mut self, wanted: &str, name: Option<&str>, place: &Place) {
        let own = self.own.keys().map(String::as_str).filter(|own| Some(*own) != name);
        let shipped = presets().iter().map(|preset| preset.name);
        let help = match nearest(wanted, own.chain(shipped)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`rialto connector presets` lists what is shipped".to_owned(),
        };
        let message = format!("there is no preset and no connector called `{wanted}`");
        self.findings.error("unknown_base", place.clone(), message, help);
    }

    /// Reads a preset's file into the document, once.
    fn preset(&mut self, preset: &'static Preset) -> Option<PresetTables> {
        if let Some(tables) = self.presets.get(preset.name) {
            return Some(tables.clone());
        }
        let file = preset.file();
        let root = self.done.document.parse_further(&file, self.findings)?;
        let mut tables = PresetTables { connector: Table::default(), needs: Vec::new() };
        for entry in root.entries {
            let NodeKind::Table(table) = entry.value.kind else { continue };
            match entry.key.as_str() {
                "connector" => tables.connector = table,
                "needs" => tables.needs.extend(needed(preset.name, "vars", &table)),
                "secrets" => tables.needs.extend(needed(preset.name, "secrets", &table)),
                "map" | "range" => words(&mut self.done.document.root, &entry.key, table),
                _ => {}
            }
        }
        self.presets.insert(preset.name, tables.clone());
        Some(tables)
    }

    /// Reports what a preset needs and nobody gives. Its example takes the place of a missing var,
    /// so that the templates which use it are not reported as well.
    fn check_needs(&mut self, table: &mut Table, needs: &[Needed], place: &Place) {
        let mut examples = Table::default();
        for Needed { preset, key, name, text } in needs {
            let given = merge::has(table, &format!("{key}.{name}"));
            if given || (*key == "secrets" && self.secrets.get(name).is_some()) {
                continue;
            }
            let need = need(name.clone(), text);
            let message = format!("preset `{preset}` needs `{key}.{name}`: {}", need.what);
            let help = match misnamed(table, key, name, needs) {
                Some(near) => format!("did you mean it by `{near}`? It is called `{name}`"),
                None => format!("add `{key} = {{ {name} = \"{}\" }}`", need.example),
            };
            self.findings.error("preset_needs", place.clone(), message, help);
            if *key == "vars" {
                examples.entries.push(text_entry(name, need.example));
            }
        }
        if !examples.entries.is_empty() {
            let vars = Entry { value: table_node(examples), ..text_entry("vars", String::new()) };
            *table = merge::merged(Table { entries: vec![vars] }, std::mem::take(table));
        }
    }
}

/// A given name that nothing needs and that is close to the one that is missing.
fn misnamed<'t>(table: &'t Table, key: &str, name: &str, needs: &[Needed]) -> Option<&'t str> {
    let NodeKind::Table(given) = &table.get(key)?.value.kind else { return None };
    let is_needed = |word: &str| needs.iter().any(|need| need.key == key && need.name == word);
    let words = given.entries.iter().map(|entry| entry.key.as_str());
    nearest(name, words.filter(|word| !is_needed(word)))
}

/// An entry that stands in no file.
fn text_entry(key: &str, text: String) -> Entry {
    Entry {
        key: key.to_owned(),
        key_span: 0..0,
        value: Node { kind: NodeKind::String(text), span: 0..0 },
    }
}

fn table_node(table: Table) -> Node {
    Node { kind: NodeKind::Table(table), span: 0..0 }
}

/// Puts a preset's maps or ranges below those of the file.
fn words(root: &mut Table, key: &str, preset: Table) {
    if let Some(entry) = root.entries.iter_mut().find(|entry| entry.key == key) {
        if let NodeKind::Table(own) = &mut entry.value.kind {
            *own = merge::words(preset, std::mem::take(own));
        }
        return;
    }
    let span = preset.entries.first().map_or(0..0, |entry| entry.key_span.clone());
    let value = Node { kind: NodeKind::Table(preset), span: span.clone() };
    root.entries.push(Entry { key: key.to_owned(), key_span: span, value });
}

/// Removes `test`, or a key below it.
fn removed_test(test: &mut Table, path: &str) -> bool {
    match path.strip_prefix("test.") {
        Some(below) => merge::remove(test, below),
        None if path == "test" && !test.entries.is_empty() => {
            *test = Table::default();
            true
        }
        None => false,
    }
}

fn needed(preset: &'static str, key: &'static str, table: &Table) -> Vec<Needed> {
    let texts = table.entries.iter().filter_map(|entry| match &entry.value.kind {
        NodeKind::String(text) => Some((entry.key.clone(), text.clone())),
        _ => None,
    });
    texts.map(|(name, text)| Needed { preset, key, name, text }).collect()
}

fn not_there(table: &Table, removal: &Removal, findings: &mut Findings) {
    let paths = merge::paths(table);
    let help = match nearest(&removal.path, paths.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "name a key of the base, like `ping.body.sub_id`".to_owned(),
    };
    let message = format!("the base has no `{}`", removal.path);
    findings.error("unknown_without", removal.place.clone(), message, help);
}
