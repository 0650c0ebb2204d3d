//! Values of one field as an operator writes them.

use std::collections::BTreeSet;

use exchange_model::document::{Node, NodeKind};
use exchange_model::finding::nearest;
use exchange_model::vertical::normalise;
use exchange_model::{Field, FieldType, Findings, TableReader, Value};

use crate::filter::Set;
use crate::filter::read::Asked;

/// Most values written in one list of a filter; longer ones belong in a file.
const VALUES_MAX: usize = 10_000;

/// A value or a list of values; never an empty list.
pub(super) fn set(
    asked: &Asked<'_>,
    node: &Node,
    table: &TableReader<'_>,
    findings: &mut Findings,
) -> Option<Set> {
    let nodes = match &node.kind {
        NodeKind::Array(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    if nodes.is_empty() || nodes.len() > VALUES_MAX {
        let message = format!("`{}` lists {} values", asked.field.name, nodes.len());
        let help = format!("write 1 to {VALUES_MAX} values, or use in_file");
        findings.error("bad_value_count", table.place(node.span.clone()), message, help);
        return None;
    }
    let mut seen = BTreeSet::new();
    let mut read = Vec::with_capacity(nodes.len());
    for node in nodes {
        let Some(value) = value(asked.field, &asked.field.name, node, table, findings) else {
            continue;
        };
        warn_of(&value, &mut seen, node, table, findings);
        read.push(value);
    }
    if read.len() == nodes.len() { Set::of(&asked.field.kind, read) } else { None }
}

/// Values that say nothing: one that stands there already, and the empty text.
fn warn_of(
    value: &Value,
    seen: &mut BTreeSet<String>,
    node: &Node,
    table: &TableReader<'_>,
    findings: &mut Findings,
) {
    let shown = value.to_string();
    if shown.is_empty() {
        let message = "an empty value never comes: an empty field is absent".to_owned();
        let help = "remove it, or write `{ present = false }` for an absent field".to_owned();
        findings.warning("empty_value", table.place(node.span.clone()), message, help);
    } else if seen.contains(&shown) {
        let message = format!("`{shown}` is in this list already");
        let place = table.place(node.span.clone());
        findings.warning("duplicate_value", place, message, "remove one".to_owned());
    }
    seen.insert(shown);
}

/// One value of `field`, written under `key`.
pub(super) fn value(
    field: &Field,
    key: &str,
    node: &Node,
    table: &TableReader<'_>,
    findings: &mut Findings,
) -> Option<Value> {
    let Some(text) = text_for(&field.kind, node) else {
        let own = key != field.name;
        let right = corrected(&field.kind, node, own);
        let right = right.unwrap_or_else(|| example(&field.kind, own).to_owned());
        table.wrong_type(node, key, &right, findings);
        return None;
    };
    match normalise(&field.kind, &text) {
        Ok(value) => Some(value),
        Err(refused) => {
            let help = match &field.kind {
                FieldType::Enum(words) => match nearest(&text, words.iter().map(String::as_str)) {
                    Some(near) => format!("did you mean \"{near}\"? Write {}", refused.wanted),
                    None => format!("write {}", refused.wanted),
                },
                FieldType::UsZip if text.ends_with('*') => {
                    "put it into a list file: prefixes may stand there, and use in_file".to_owned()
                }
                _ => format!("write {}", refused.wanted),
            };
            let message = format!("`{}` can never be `{text}`", field.name);
            findings.error("never_matches", table.place(node.span.clone()), message, help);
            None
        }
    }
}

/// The text of a node that has the shape values of this type are written in. Codes such as zips
/// are strings, so that a leading zero is never lost.
fn text_for(kind: &FieldType, node: &Node) -> Option<String> {
    match (kind, &node.kind) {
        (FieldType::Boolean, NodeKind::Boolean(yes)) => Some(yes.to_string()),
        (FieldType::Integer { .. } | FieldType::Decimal, NodeKind::Integer(number)) => {
            Some(number.to_string())
        }
        (FieldType::Decimal, NodeKind::Float(text) | NodeKind::String(text))
        | (FieldType::Date, NodeKind::Datetime(text) | NodeKind::String(text)) => {
            Some(text.clone())
        }
        (
            FieldType::Boolean | FieldType::Integer { .. } | FieldType::Decimal | FieldType::Date,
            _,
        ) => None,
        (_, NodeKind::String(text)) => Some(text.clone()),
        _ => None,
    }
}

/// What was probably meant, in the shape of its type: `["02134"]` for 2134.
fn corrected(kind: &FieldType, node: &Node, alone: bool) -> Option<String> {
    let text = match (&node.kind, kind) {
        (NodeKind::Integer(number), FieldType::UsZip) => format!("{number:05}"),
        (NodeKind::Integer(number), _) => number.to_string(),
        (NodeKind::Float(text) | NodeKind::String(text) | NodeKind::Datetime(text), _) => {
            text.clone()
        }
        (NodeKind::Boolean(yes), _) => yes.to_string(),
        (NodeKind::Array(_) | NodeKind::Table(_), _) => return None,
    };
    Some(match normalise(kind, &text).ok()? {
        Value::Text(text) if alone => format!("\"{text}\""),
        Value::Text(text) => format!("[\"{text}\"]"),
        Value::Decimal(number) => format!("\"{number}\""),
        value @ (Value::Integer(_) | Value::Boolean(_) | Value::Date(_)) => value.to_string(),
    })
}

/// A value of this type as it is written; as a bound (`alone`) or as a whole test.
pub(super) fn example(kind: &FieldType, alone: bool) -> &'static str {
    match kind {
        FieldType::Boolean => "true",
        FieldType::Integer { .. } if alone => "18",
        FieldType::Integer { .. } => "{ min = 1, max = 9 }",
        FieldType::Decimal if alone => "\"0.5\"",
        FieldType::Decimal => "{ min = \"0.5\" }",
        FieldType::Date if alone => "2020-01-01",
        FieldType::Date => "{ min = 2020-01-01 }",
        FieldType::UsZip => "[\"78701\"]",
        FieldType::UsState => "[\"TX\", \"OK\"]",
        _ => "[\"...\"]",
    }
}
