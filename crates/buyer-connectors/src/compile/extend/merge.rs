//! One table laid over another.
//!
//! Tables are merged key by key, in the order of the base; everything else is replaced. Two things
//! are not only that: keys that exclude each other replace each other, so that a base's
//! `price = { at = ... }` does not stand in the way of `price = { header = ... }`; and
//! `rules_first` is kept apart until the rules it goes before are known.

use exchange_model::document::{Entry, Node, NodeKind, Table};

/// Of these one may stand in a table.
const EXCLUSIVE: [&[&str]; 2] =
    [&["at", "key", "column", "header"], &["body", "template", "template_file"]];
/// Tables whose keys are the buyer's words, not ours.
const FOREIGN: [&str; 7] = ["body", "headers", "query", "vars", "secrets", "map", "contains"];
/// Goes before `rules`.
const FIRST: &str = "rules_first";
const RULES: &str = "rules";

/// `over` laid over `base`.
pub(super) fn merged(base: Table, over: Table) -> Table {
    table(base, over, false)
}

/// The same of tables whose keys are the buyer's words.
pub(super) fn words(base: Table, over: Table) -> Table {
    table(base, over, true)
}

fn table(mut base: Table, over: Table, foreign: bool) -> Table {
    if !foreign {
        excluded(&mut base, &over);
        if over.get(RULES).is_some() {
            base.entries.retain(|entry| entry.key != FIRST);
        }
    }
    for entry in over.entries {
        match base.entries.iter_mut().find(|known| known.key == entry.key) {
            Some(known) => lay(known, entry, foreign),
            None => base.entries.push(entry),
        }
    }
    base
}

/// Removes from the base what cannot stand beside a key of `over`.
fn excluded(base: &mut Table, over: &Table) {
    for group in EXCLUSIVE {
        let named = |entry: &&Entry| {
            let table = matches!(entry.value.kind, NodeKind::Table(_));
            group.contains(&entry.key.as_str()) && (!table || entry.key == "body")
        };
        if let Some(chosen) = over.entries.iter().find(named) {
            base.entries
                .retain(|entry| entry.key == chosen.key || !group.contains(&entry.key.as_str()));
        }
    }
}

fn lay(known: &mut Entry, over: Entry, foreign: bool) {
    let foreign = foreign || FOREIGN.contains(&over.key.as_str());
    let base = std::mem::replace(&mut known.value.kind, NodeKind::Boolean(false));
    known.key_span = over.key_span;
    known.value = match (base, over.value.kind) {
        (NodeKind::Table(base), NodeKind::Table(own)) if !other_scheme(&over.key, &base, &own) => {
            let kind = NodeKind::Table(table(base, own, foreign));
            Node { kind, span: over.value.span }
        }
        (NodeKind::Array(base), NodeKind::Array(mut own)) if over.key == FIRST => {
            own.extend(base);
            Node { kind: NodeKind::Array(own), span: over.value.span }
        }
        (_, kind) => Node { kind, span: over.value.span },
    };
}

/// Another way to be known by a buyer has nothing in common with the base's.
fn other_scheme(key: &str, base: &Table, own: &Table) -> bool {
    let scheme = |table: &Table| match table.get("scheme").map(|entry| &entry.value.kind) {
        Some(NodeKind::String(scheme)) => Some(scheme.clone()),
        _ => None,
    };
    key == "auth" && scheme(own).is_some() && scheme(own) != scheme(base)
}

/// Puts `rules_first` before `rules` in every table below.
pub(super) fn join_rules(table: &mut Table) {
    if let Some(at) = table.entries.iter().position(|entry| entry.key == FIRST) {
        let first = table.entries.remove(at);
        put_first(table, first);
    }
    for entry in &mut table.entries {
        if let (NodeKind::Table(inner), false) =
            (&mut entry.value.kind, FOREIGN.contains(&entry.key.as_str()))
        {
            join_rules(inner);
        }
    }
}

fn put_first(table: &mut Table, first: Entry) {
    let rules = table.entries.iter_mut().find(|entry| entry.key == RULES);
    match (first.value.kind, rules.map(|rules| &mut rules.value.kind)) {
        (NodeKind::Array(mut own), Some(NodeKind::Array(rules))) => {
            own.append(rules);
            *rules = own;
        }
        // Alone they are the rules; of a wrong type they are reported as such.
        (kind, None) => {
            let value = Node { kind, span: first.value.span };
            table.entries.push(Entry { key: RULES.to_owned(), value, ..first });
        }
        (kind, Some(rules)) => *rules = kind,
    }
}

/// Whether a dotted path leads to a key; keys may hold dots themselves.
pub(super) fn has(table: &Table, path: &str) -> bool {
    if table.get(path).is_some() {
        return true;
    }
    splits(path).any(|(head, rest)| match table.get(head).map(|entry| &entry.value.kind) {
        Some(NodeKind::Table(inner)) => has(inner, rest),
        _ => false,
    })
}

/// Removes the key at a dotted path; whether it was there.
pub(super) fn remove(table: &mut Table, path: &str) -> bool {
    let before = table.entries.len();
    table.entries.retain(|entry| entry.key != path);
    if table.entries.len() < before {
        return true;
    }
    splits(path).any(|(head, rest)| {
        let inner = table.entries.iter_mut().find(|entry| entry.key == head);
        match inner.map(|entry| &mut entry.value.kind) {
            Some(NodeKind::Table(inner)) => remove(inner, rest),
            _ => false,
        }
    })
}

fn splits(path: &str) -> impl Iterator<Item = (&str, &str)> {
    path.match_indices('.').filter_map(|(dot, _)| Some((path.get(..dot)?, path.get(dot + 1..)?)))
}

/// Every dotted path below a table.
pub(super) fn paths(table: &Table) -> Vec<String> {
    let mut all = Vec::new();
    collect(table, "", &mut all);
    all
}

fn collect(table: &Table, before: &str, all: &mut Vec<String>) {
    for entry in &table.entries {
        let path = format!("{before}{}", entry.key);
        if let NodeKind::Table(inner) = &entry.value.kind {
            collect(inner, &format!("{path}."), all);
        }
        all.push(path);
    }
}
