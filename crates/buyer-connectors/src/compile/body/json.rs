//! JSON bodies.

use std::sync::Arc;

use exchange_model::document::{Entry, Node, NodeKind, Table};

use super::BodyReader;
use super::special::own_name;
use crate::body::Json;
use crate::template::{Escape, Segment, Template};

impl BodyReader<'_, '_> {
    pub(super) fn json(&mut self, node: &Node) -> Option<Json> {
        match &node.kind {
            NodeKind::String(text) => {
                let place = self.place(node);
                let template = self.scope.template(text, &place, self.findings)?;
                self.json_text(template, node)
            }
            NodeKind::Integer(number) => Some(Json::Fixed(number.to_string().into())),
            NodeKind::Float(digits) => self.json_number(digits, node),
            NodeKind::Boolean(yes) => Some(Json::Fixed(yes.to_string().into())),
            NodeKind::Datetime(text) => Some(Json::fixed(text)),
            NodeKind::Array(items) => self.deeper(node, |reader| {
                let read: Vec<Option<Json>> = items.iter().map(|item| reader.json(item)).collect();
                read.into_iter().collect::<Option<Vec<_>>>().map(Json::List)
            }),
            NodeKind::Table(table) => self.deeper(node, |reader| reader.json_table(table, node)),
        }
    }

    fn json_table(&mut self, table: &Table, node: &Node) -> Option<Json> {
        let special = self.special(table, node)?;
        let inner = match (special.value, special.document) {
            (Some(value), _) => self.json(value),
            (None, Some((format, document))) => self
                .deeper(document, |reader| reader.document(format, document))
                .map(|body| Json::Document(Box::new(body))),
            (None, None) => self.object(&special.rest),
        };
        self.leave(&special);
        let inner = inner?;
        let inner = match special.guard {
            Some(guard) => Json::Guarded(guard, Box::new(inner)),
            None => inner,
        };
        Some(if special.each { Json::Each(Box::new(inner)) } else { inner })
    }

    fn object(&mut self, entries: &[&Entry]) -> Option<Json> {
        let mut read = Vec::with_capacity(entries.len());
        let mut complete = true;
        for entry in entries {
            match self.json(&entry.value) {
                Some(value) => read.push((Json::key(own_name(&entry.key)), value)),
                None => complete = false,
            }
        }
        complete.then_some(Json::Object(read))
    }

    fn json_text(&mut self, template: Template, node: &Node) -> Option<Json> {
        if let Some(placeholder) = template.sole_placeholder() {
            if let Some(value) = placeholder.fixed() {
                let mut out = String::new();
                value.push_json(&mut out);
                return Some(Json::Fixed(out.into()));
            }
            return Some(Json::Value(placeholder.clone()));
        }
        if let Some(fields) = template.sole_lead() {
            return Some(Json::Lead(Arc::clone(fields)));
        }
        if template.segments.iter().any(|segment| matches!(segment, Segment::Lead(_))) {
            let message = "`lead` is an object and cannot stand inside a text".to_owned();
            let help = "write \"{{ lead }}\" and nothing else".to_owned();
            let place = self.place(node);
            self.findings.error("lead_not_here", place, message, help);
            return None;
        }
        let template = template.escaped(Escape::Json);
        Some(match template.literal() {
            Some(text) => Json::Fixed(format!("\"{text}\"").into()),
            None => Json::Text(template),
        })
    }

    fn json_number(&mut self, digits: &str, node: &Node) -> Option<Json> {
        if serde_json::from_str::<serde_json::Number>(digits).is_err() {
            let help = "write digits with an optional point, or a string";
            self.refuse(node, "JSON has no such number", help);
            return None;
        }
        Some(Json::Fixed(digits.into()))
    }
}
