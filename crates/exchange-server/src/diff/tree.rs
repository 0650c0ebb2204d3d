//! Two documents, compared table by table.

use std::ops::Range;

use exchange_model::Document;
use exchange_model::document::{Entry, Node, NodeKind, Table};

use crate::diff::{Change, Kind};

/// Keys that tell the tables of a list apart, the first that is there.
const NAMES: [&str; 4] = ["id", "name", "campaign", "from"];
/// Lists whose order decides something.
const ORDERED: [&str; 3] = ["members", "ties", "resolve"];

/// Every difference, in the order of `after`; what is gone comes after its table's other changes.
pub(super) fn compare(file: &str, before: &Document, after: &Document) -> Vec<Change> {
    let mut found = Found { file, before, after, changes: Vec::new() };
    found.tables(&Path::default(), &before.root, &after.root);
    found.changes
}

/// Where in a file: the tables with names around it, then the keys.
#[derive(Clone, Debug, Default)]
struct Path {
    owner: String,
    keys: String,
}

impl Path {
    fn key(&self, key: &str) -> Self {
        let dot = if self.keys.is_empty() { "" } else { "." };
        Self { owner: self.owner.clone(), keys: format!("{}{dot}{key}", self.keys) }
    }

    /// A table of a list: `campaign auto-tx`.
    fn item(&self, name: &str) -> Self {
        let comma = if self.owner.is_empty() { "" } else { ", " };
        Self { owner: format!("{}{comma}{} {name}", self.owner, self.keys), keys: String::new() }
    }

    fn text(&self) -> String {
        match (self.owner.as_str(), self.keys.as_str()) {
            ("", keys) => keys.to_owned(),
            (owner, "") => owner.to_owned(),
            (owner, keys) => format!("{owner}: {keys}"),
        }
    }
}

struct Found<'a> {
    file: &'a str,
    before: &'a Document,
    after: &'a Document,
    changes: Vec<Change>,
}

impl Found<'_> {
    fn tables(&mut self, path: &Path, before: &Table, after: &Table) {
        for entry in &after.entries {
            let inner = path.key(&entry.key);
            match before.get(&entry.key) {
                Some(old) => self.nodes(&inner, old, entry),
                None => self.added(&inner, &entry.value, &entry.key_span),
            }
        }
        for entry in before.entries.iter().filter(|entry| after.get(&entry.key).is_none()) {
            self.removed(&path.key(&entry.key), &entry.value, &entry.key_span);
        }
    }

    fn nodes(&mut self, path: &Path, before: &Entry, after: &Entry) {
        match (&before.value.kind, &after.value.kind) {
            (NodeKind::Table(old), NodeKind::Table(new)) => self.tables(path, old, new),
            (NodeKind::Array(old), NodeKind::Array(new)) if is_named(old) && is_named(new) => {
                self.items(path, old, new);
            }
            (NodeKind::Array(old), NodeKind::Array(new)) => {
                let place = &after.key_span;
                self.values(path, (old, new), ORDERED.contains(&after.key.as_str()), place);
            }
            _ => {
                let (from, to) = (shown(&before.value), shown(&after.value));
                if from != to {
                    self.note(path, Some(&after.key_span), Kind::Changed { from, to });
                }
            }
        }
    }

    /// Lists of tables with names.
    fn items(&mut self, path: &Path, before: &[Node], after: &[Node]) {
        let find = |nodes: &[Node], name: &str| {
            nodes.iter().position(|node| name_of(node).as_deref() == Some(name))
        };
        for node in after {
            let (Some(name), Some(table)) = (name_of(node), table_of(node)) else { continue };
            let inner = path.item(&name);
            match find(before, &name).and_then(|at| before.get(at)).and_then(table_of) {
                Some(old) => self.tables(&inner, old, table),
                None => self.note(&inner, Some(&node.span), Kind::Added(None)),
            }
        }
        let gone = before.iter().filter_map(name_of).filter(|name| find(after, name).is_none());
        for name in gone.collect::<Vec<_>>() {
            self.note(&path.item(&name), None, Kind::Removed(None));
        }
        self.order_of_items(path, before, after);
    }

    /// Tiers are tried in their order.
    fn order_of_items(&mut self, path: &Path, before: &[Node], after: &[Node]) {
        let names = |nodes: &[Node]| nodes.iter().filter_map(name_of).collect::<Vec<_>>();
        let (old, new) = (names(before), names(after));
        let kept = |these: &[String], those: &[String]| {
            these.iter().filter(|name| those.contains(name)).cloned().collect::<Vec<_>>()
        };
        if path.keys == "tier" && kept(&old, &new) != kept(&new, &old) {
            self.note(path, None, Kind::Reordered { to: new });
        }
    }

    fn values(
        &mut self,
        path: &Path,
        (before, after): (&[Node], &[Node]),
        ordered: bool,
        place: &Range<usize>,
    ) {
        let texts = |nodes: &[Node]| nodes.iter().map(shown).collect::<Vec<_>>();
        let (old, new) = (texts(before), texts(after));
        let missing = |from: &[String], than: &[String]| {
            from.iter().filter(|value| !than.contains(value)).cloned().collect::<Vec<_>>()
        };
        let (added, removed) = (missing(&new, &old), missing(&old, &new));
        if !added.is_empty() || !removed.is_empty() {
            self.note(path, Some(place), Kind::Values { added, removed });
        } else if ordered && old != new {
            self.note(path, Some(place), Kind::Reordered { to: new });
        }
    }

    fn added(&mut self, path: &Path, node: &Node, place: &Range<usize>) {
        match &node.kind {
            NodeKind::Array(items) if is_named(items) => self.items(path, &[], items),
            _ => self.note(path, Some(place), Kind::Added(Some(shown(node)))),
        }
    }

    fn removed(&mut self, path: &Path, node: &Node, place: &Range<usize>) {
        match &node.kind {
            NodeKind::Array(items) if is_named(items) => self.items(path, items, &[]),
            _ => {
                let line = self.before.sources.place(place.clone()).line_column().0;
                self.push(path, Some(line), Kind::Removed(Some(shown(node))));
            }
        }
    }

    fn note(&mut self, path: &Path, place: Option<&Range<usize>>, kind: Kind) {
        let line = place.map(|span| self.after.sources.place(span.clone()).line_column().0);
        self.push(path, line, kind);
    }

    fn push(&mut self, path: &Path, line: Option<usize>, kind: Kind) {
        let file = self.file.to_owned();
        self.changes.push(Change { file, line, what: path.text(), kind });
    }
}

/// Whether a list is one of tables that have names.
fn is_named(nodes: &[Node]) -> bool {
    !nodes.is_empty() && nodes.iter().all(|node| name_of(node).is_some())
}

fn table_of(node: &Node) -> Option<&Table> {
    match &node.kind {
        NodeKind::Table(table) => Some(table),
        _ => None,
    }
}

fn name_of(node: &Node) -> Option<String> {
    let table = table_of(node)?;
    let entry = NAMES.iter().find_map(|key| table.get(key))?;
    match &entry.value.kind {
        NodeKind::String(name) => Some(name.clone()),
        _ => None,
    }
}

/// A value as it would be written in one line, strings without quotes.
fn shown(node: &Node) -> String {
    match &node.kind {
        NodeKind::String(text) | NodeKind::Float(text) | NodeKind::Datetime(text) => text.clone(),
        NodeKind::Integer(number) => number.to_string(),
        NodeKind::Boolean(yes) => yes.to_string(),
        NodeKind::Array(items) => {
            format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(", "))
        }
        NodeKind::Table(table) => {
            let entry = |entry: &Entry| format!("{} = {}", entry.key, shown(&entry.value));
            format!("{{ {} }}", table.entries.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
    }
}
