//! From a `body` table, written in the shape of the buyer's specification, to a body.

use std::sync::Arc;

use exchange_model::document::{Node, NodeKind, Table};
use exchange_model::{Findings, Place, TableReader};

use super::scope::Scope;
use crate::body::{Body, Content, Element, Json};
use crate::template::{Segment, Template};

/// How a request's body is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Format {
    Json,
    Form,
    Xml,
    Query,
    Text,
}

/// Deepest nesting of a mapped body.
const DEPTH_MAX: u8 = 16;

/// Compiles the table under `body`.
pub(super) fn mapped(
    scope: &Scope<'_>,
    format: Format,
    body: &TableReader<'_>,
    findings: &mut Findings,
) -> Option<Body> {
    let mut reader = BodyReader { scope, table: body, findings };
    match format {
        Format::Json => reader.object(body.raw(), 0).map(Body::Json),
        Format::Form | Format::Query => reader.form().map(Body::Form),
        Format::Xml => reader.root().map(Body::Xml),
        Format::Text => {
            reader.refuse(
                body.own_place(),
                "a text body is written as `template`",
                "write `template = '''...'''`",
            );
            None
        }
    }
}

struct BodyReader<'a, 'f> {
    scope: &'a Scope<'a>,
    table: &'a TableReader<'a>,
    findings: &'f mut Findings,
}

impl BodyReader<'_, '_> {
    fn refuse(&mut self, place: Place, message: &str, help: &str) {
        self.findings.error("bad_body", place, message.to_owned(), help.to_owned());
    }

    fn place(&self, node: &Node) -> Place {
        self.table.place(node.span.clone())
    }

    fn too_deep(&mut self, node: &Node, depth: u8) -> bool {
        if depth < DEPTH_MAX {
            return false;
        }
        self.refuse(self.place(node), "the body is nested too deeply", "at most 16 levels");
        true
    }

    fn object(&mut self, table: &Table, depth: u8) -> Option<Json> {
        let mut entries = Vec::with_capacity(table.entries.len());
        let mut complete = true;
        for entry in &table.entries {
            match self.json(&entry.value, depth) {
                Some(value) => entries.push((Json::key(&entry.key), value)),
                None => complete = false,
            }
        }
        complete.then_some(Json::Object(entries))
    }

    fn json(&mut self, node: &Node, depth: u8) -> Option<Json> {
        if self.too_deep(node, depth) {
            return None;
        }
        let deeper = depth.saturating_add(1);
        match &node.kind {
            NodeKind::String(text) => {
                let place = self.place(node);
                let template = self.scope.template(text, &place, self.findings)?;
                self.json_text(template, place)
            }
            NodeKind::Integer(number) => Some(Json::Fixed(number.to_string().into())),
            NodeKind::Float(digits) => self.json_number(digits, node),
            NodeKind::Boolean(yes) => Some(Json::Fixed(yes.to_string().into())),
            NodeKind::Datetime(text) => Some(Json::Fixed(Json::key(text))),
            NodeKind::Array(items) => {
                let read: Vec<Option<Json>> =
                    items.iter().map(|item| self.json(item, deeper)).collect();
                read.into_iter().collect::<Option<Vec<_>>>().map(Json::List)
            }
            NodeKind::Table(table) => self.object(table, deeper),
        }
    }

    fn json_text(&mut self, template: Template, place: Place) -> Option<Json> {
        if let Some(placeholder) = template.sole_placeholder() {
            return Some(Json::Value(placeholder.clone()));
        }
        if let Some(fields) = template.sole_lead() {
            return Some(Json::Lead(Arc::clone(fields)));
        }
        if template.segments.iter().any(|segment| matches!(segment, Segment::Lead(_))) {
            let message = "`lead` is an object and cannot stand inside a text".to_owned();
            let help = "write \"{{ lead }}\" and nothing else".to_owned();
            self.findings.error("lead_not_here", place, message, help);
            return None;
        }
        Some(match template.literal() {
            Some(text) => Json::Fixed(Json::key(&text)),
            None => Json::Text(template),
        })
    }

    fn json_number(&mut self, digits: &str, node: &Node) -> Option<Json> {
        if serde_json::from_str::<serde_json::Number>(digits).is_err() {
            let help = "write digits with an optional point, or a string";
            self.refuse(self.place(node), "JSON has no such number", help);
            return None;
        }
        Some(Json::Fixed(digits.into()))
    }

    /// A value that becomes text.
    fn plain(&mut self, node: &Node) -> Option<Template> {
        let fixed = |text: String| Some(Template { segments: vec![Segment::Literal(text.into())] });
        match &node.kind {
            NodeKind::String(text) => self.scope.text(text, &self.place(node), self.findings),
            NodeKind::Integer(number) => fixed(number.to_string()),
            NodeKind::Boolean(yes) => fixed(yes.to_string()),
            NodeKind::Float(text) | NodeKind::Datetime(text) => fixed(text.clone()),
            NodeKind::Array(_) | NodeKind::Table(_) => {
                let help = "a form is flat: one text, or a list of texts, per name";
                self.refuse(self.place(node), "a table cannot stand here", help);
                None
            }
        }
    }

    fn form(&mut self) -> Option<Vec<(Box<str>, Template)>> {
        let mut pairs = Vec::new();
        let mut complete = true;
        for entry in &self.table.raw().entries {
            let values = match &entry.value.kind {
                NodeKind::Array(items) => items.as_slice(),
                _ => std::slice::from_ref(&entry.value),
            };
            for value in values {
                match self.plain(value) {
                    Some(template) => pairs.push((entry.key.as_str().into(), template)),
                    None => complete = false,
                }
            }
        }
        complete.then_some(pairs)
    }

    fn root(&mut self) -> Option<Element> {
        let [entry] = self.table.raw().entries.as_slice() else {
            let help = "put everything under one key: that is the root element";
            self.refuse(self.table.own_place(), "an XML body has exactly one root element", help);
            return None;
        };
        self.element(&entry.key, &entry.value, 0)
    }

    fn element(&mut self, name: &str, node: &Node, depth: u8) -> Option<Element> {
        if self.too_deep(node, depth) || !self.xml_name(name, node) {
            return None;
        }
        let name = name.into();
        if let NodeKind::Table(table) = &node.kind {
            return self.element_of_table(name, table, depth);
        }
        if let NodeKind::String(text) = &node.kind {
            let place = self.place(node);
            let template = self.scope.template(text, &place, self.findings)?;
            if let Some(fields) = template.sole_lead() {
                let content = Content::Lead(Arc::clone(fields));
                return Some(Element { name, attributes: Vec::new(), content });
            }
        }
        let content = Content::Text(self.plain(node)?);
        Some(Element { name, attributes: Vec::new(), content })
    }

    /// `@name` is an attribute, `#text` the text beside attributes, the rest are elements.
    fn element_of_table(&mut self, name: Box<str>, table: &Table, depth: u8) -> Option<Element> {
        let mut attributes = Vec::new();
        let mut elements = Vec::new();
        let mut text = None;
        for entry in &table.entries {
            if let Some(attribute) = entry.key.strip_prefix('@') {
                if !self.xml_name(attribute, &entry.value) {
                    return None;
                }
                attributes.push((attribute.into(), self.plain(&entry.value)?));
            } else if entry.key == "#text" {
                text = Some(self.plain(&entry.value)?);
            } else {
                self.elements(&entry.key, &entry.value, depth, &mut elements)?;
            }
        }
        let content = match text {
            Some(template) if elements.is_empty() => Content::Text(template),
            Some(_) => {
                let place = self.table.own_place();
                self.refuse(place, "text and elements cannot be mixed", "use `template` instead");
                return None;
            }
            None => Content::Elements(elements),
        };
        Some(Element { name, attributes, content })
    }

    /// A list repeats the element.
    fn elements(
        &mut self,
        name: &str,
        node: &Node,
        depth: u8,
        into: &mut Vec<Element>,
    ) -> Option<()> {
        let items = match &node.kind {
            NodeKind::Array(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        for item in items {
            into.push(self.element(name, item, depth.saturating_add(1))?);
        }
        Some(())
    }

    fn xml_name(&mut self, name: &str, node: &Node) -> bool {
        let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':');
        let good = starts && name.chars().all(fits);
        if !good {
            let message = format!("`{name}` cannot be the name of an XML element or attribute");
            let help = "names start with a letter and go on with letters, digits, `_ - . :`";
            self.refuse(self.place(node), &message, help);
        }
        good
    }
}
