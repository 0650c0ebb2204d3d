//! The keys of a body that start with `$`.

use exchange_model::document::{Entry, Node, NodeKind, Table};
use exchange_model::finding::nearest;

use super::{BodyReader, Format};
use crate::body::Guard;

/// Every special key.
const KEYS: &[&str] = &["$if", "$is", "$value", "$each", "$json", "$xml", "$form"];

/// The buyer's own name: `$$type` where the buyer says `$type`.
pub(super) fn own_name(key: &str) -> &str {
    key.strip_prefix('$').filter(|rest| rest.starts_with('$')).unwrap_or(key)
}

/// The special keys of one table, and the rest.
pub(super) struct Special<'n> {
    /// `$if` and `$is`.
    pub(super) guard: Option<Guard>,
    /// `$each`.
    pub(super) each: bool,
    /// `$value`.
    pub(super) value: Option<&'n Node>,
    /// `$json`, `$xml` or `$form`.
    pub(super) document: Option<(Format, &'n Node)>,
    /// The keys that are names of the buyer's.
    pub(super) rest: Vec<&'n Entry>,
    /// Whether `brand.x` was known around the table.
    brand_before: bool,
}

impl BodyReader<'_, '_> {
    /// Splits a table. Until [`BodyReader::leave`], `brand.x` is known inside `$each`.
    pub(super) fn special<'n>(&mut self, table: &'n Table, node: &Node) -> Option<Special<'n>> {
        let brand_before = self.scope.brand;
        let mut special = Special {
            guard: None,
            each: false,
            value: None,
            document: None,
            rest: Vec::new(),
            brand_before,
        };
        if let Some(each) = table.get("$each") {
            special.each = self.each(&each.value)?;
            self.scope.brand = true;
        }
        for entry in &table.entries {
            let document = |format| Some((format, &entry.value));
            match entry.key.as_str() {
                "$if" => special.guard = Some(self.guard(&entry.value, table)?),
                "$is" if table.get("$if").is_some() => {}
                "$each" => {}
                "$value" => special.value = Some(&entry.value),
                "$json" => special.document = document(Format::Json),
                "$xml" => special.document = document(Format::Xml),
                "$form" => special.document = document(Format::Form),
                name if name.starts_with('$') && !name.starts_with("$$") => {
                    self.unknown_key(entry);
                    return None;
                }
                _ => special.rest.push(entry),
            }
        }
        let kinds = [special.value.is_some(), special.document.is_some(), !special.rest.is_empty()];
        let documents = ["$json", "$xml", "$form"];
        let documents = documents.iter().filter(|key| table.get(key).is_some()).count();
        if kinds.iter().filter(|kind| **kind).count() > 1 || documents > 1 {
            let message =
                "`$value`, `$json`, `$xml`, `$form` and names of your own exclude each other";
            self.refuse(node, message, "keep one of them in this table");
            return None;
        }
        Some(special)
    }

    /// Forgets what `$each` has made known.
    pub(super) fn leave(&mut self, special: &Special<'_>) {
        self.scope.brand = special.brand_before;
    }

    fn each(&mut self, node: &Node) -> Option<bool> {
        if !self.scope.call.has_sale() {
            let help = "it belongs into the post; a ping is sent before there are bids";
            self.refuse(node, "`$each` is not known here", help);
            return None;
        }
        match &node.kind {
            NodeKind::String(text) if text == "ping.brands" => Some(true),
            _ => {
                let help = "write \"$each\" = \"ping.brands\"";
                self.refuse(node, "`$each` goes through the bids and nothing else", help);
                None
            }
        }
    }

    fn guard(&mut self, node: &Node, table: &Table) -> Option<Guard> {
        let NodeKind::String(text) = &node.kind else {
            self.refuse(node, "`$if` takes a placeholder", "write \"$if\" = \"{{ field }}\"");
            return None;
        };
        let place = self.place(node);
        let value = self.scope.placeholder(text, &place, self.findings)?;
        let is = match table.get("$is") {
            Some(entry) => Some(self.words(&entry.value)?),
            None => None,
        };
        Some(Guard { value, is })
    }

    /// A text or a list of texts, numbers or yes/no.
    fn words(&mut self, node: &Node) -> Option<Vec<Box<str>>> {
        let items = match &node.kind {
            NodeKind::Array(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        let read: Vec<Option<Box<str>>> = items
            .iter()
            .map(|item| match &item.kind {
                NodeKind::String(text) | NodeKind::Float(text) => Some(text.as_str().into()),
                NodeKind::Integer(number) => Some(number.to_string().into()),
                NodeKind::Boolean(yes) => Some(yes.to_string().into()),
                NodeKind::Datetime(_) | NodeKind::Array(_) | NodeKind::Table(_) => {
                    self.refuse(item, "`$is` takes texts", "write \"$is\" = [\"A\", \"B\"]");
                    None
                }
            })
            .collect();
        read.into_iter().collect()
    }

    fn unknown_key(&mut self, entry: &Entry) {
        let key = entry.key.as_str();
        let (message, help) = match nearest(key, KEYS.iter().copied()) {
            _ if key == "$is" => (
                "`$is` belongs to an `$if`".to_owned(),
                "add \"$if\" = \"{{ field }}\" beside it".to_owned(),
            ),
            Some(near) => {
                (format!("unknown special key `{key}`"), format!("did you mean `{near}`?"))
            }
            None => (
                format!("unknown special key `{key}`"),
                format!("the special keys are {}", KEYS.join(", ")),
            ),
        };
        let place = self.reader.place(entry.key_span.clone());
        self.findings.error("bad_body", place, message, help);
    }
}
