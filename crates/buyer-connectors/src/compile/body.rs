//! From a `body` table, written in the shape of the buyer's specification, to a body.

use exchange_model::document::{Node, NodeKind, Table};
use exchange_model::{Findings, Place, TableReader};

use super::scope::Scope;
use crate::body::{Body, Element, Guard, Text, XmlDocument};
use crate::template::{Escape, Template};

mod form;
mod json;
mod special;
mod xml;

use special::Special;
pub(super) use xml::{XmlOptions, envelope};

/// How a request's body is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Format {
    Json,
    Form,
    Query,
    Xml,
    Soap,
    Multipart,
    Text,
}

/// Deepest nesting of a mapped body.
const DEPTH_MAX: u8 = 32;

/// Compiles what stands under `body`.
pub(super) fn mapped(
    scope: &Scope<'_>,
    format: Format,
    xml: &XmlOptions,
    (reader, node): (&TableReader<'_>, &Node),
    findings: &mut Findings,
) -> Option<Body> {
    let mut reader = BodyReader { scope: scope.clone(), xml, reader, depth: 0, findings };
    reader.document(format, node)
}

/// Compiles the elements inside an envelope's header or body.
pub(super) fn elements(
    scope: &Scope<'_>,
    xml: &XmlOptions,
    (reader, node): (&TableReader<'_>, &Node),
    findings: &mut Findings,
) -> Option<Vec<Element>> {
    let mut reader = BodyReader { scope: scope.clone(), xml, reader, depth: 0, findings };
    let table = reader.table(node)?;
    reader.children(table)
}

/// Compiles the names and values under `query`.
pub(super) fn pairs(
    scope: &Scope<'_>,
    (reader, node): (&TableReader<'_>, &Node),
    findings: &mut Findings,
) -> Option<crate::body::Form> {
    let xml = XmlOptions::default();
    let mut reader = BodyReader { scope: scope.clone(), xml: &xml, reader, depth: 0, findings };
    reader.form(node, Escape::Form)
}

struct BodyReader<'a, 'f> {
    scope: Scope<'a>,
    xml: &'a XmlOptions,
    reader: &'a TableReader<'a>,
    depth: u8,
    findings: &'f mut Findings,
}

impl BodyReader<'_, '_> {
    fn document(&mut self, format: Format, node: &Node) -> Option<Body> {
        match format {
            Format::Json => match &node.kind {
                NodeKind::Table(_) | NodeKind::Array(_) => self.json(node).map(Body::Json),
                _ => {
                    self.refuse(node, "a JSON body is a table or a list", "write `{ ... }`");
                    None
                }
            },
            Format::Form | Format::Query => self.form(node, Escape::Form).map(Body::Form),
            Format::Multipart => self.form(node, Escape::None).map(Body::Multipart),
            Format::Xml | Format::Soap => self.xml_document(node).map(Body::Xml),
            Format::Text => {
                let help = "write `template = '''...'''`";
                self.refuse(node, "a text body is written as `template`", help);
                None
            }
        }
    }

    fn xml_document(&mut self, node: &Node) -> Option<XmlDocument> {
        let root = self.root(node)?;
        Some(self.xml.document(root))
    }

    fn refuse(&mut self, node: &Node, message: &str, help: &str) {
        let place = self.place(node);
        self.findings.error("bad_body", place, message.to_owned(), help.to_owned());
    }

    fn place(&self, node: &Node) -> Place {
        self.reader.place(node.span.clone())
    }

    /// Reads something one level deeper.
    fn deeper<T>(&mut self, node: &Node, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        if self.depth >= DEPTH_MAX {
            self.refuse(node, "the body is nested too deeply", "at most 32 levels");
            return None;
        }
        self.depth = self.depth.saturating_add(1);
        let found = read(self);
        self.depth = self.depth.saturating_sub(1);
        found
    }

    fn table<'n>(&mut self, node: &'n Node) -> Option<&'n Table> {
        let NodeKind::Table(table) = &node.kind else {
            self.refuse(node, "a table belongs here", "write `{ name = \"{{ field }}\" }`");
            return None;
        };
        Some(table)
    }

    /// A text, number or yes/no as a template with its literals escaped.
    fn plain(&mut self, node: &Node, escape: Escape) -> Option<Template> {
        let template = match &node.kind {
            NodeKind::String(text) => {
                let place = self.place(node);
                self.scope.text(text, &place, self.findings)?
            }
            NodeKind::Integer(number) => Template::fixed(&number.to_string()),
            NodeKind::Boolean(yes) => Template::fixed(if *yes { "true" } else { "false" }),
            NodeKind::Float(text) | NodeKind::Datetime(text) => Template::fixed(text),
            NodeKind::Array(_) | NodeKind::Table(_) => {
                let help = "write one text; a form takes a list of texts too, and names like \"a[b]\" or \"a.b\"";
                self.refuse(node, "a table or list cannot stand here", help);
                return None;
            }
        };
        Some(template.escaped(escape))
    }

    /// A text of a form, an attribute or an element; a table where it is guarded or a document.
    fn text(&mut self, node: &Node, escape: Escape) -> Option<Text> {
        let NodeKind::Table(table) = &node.kind else {
            return self.plain(node, escape).map(Text::Template);
        };
        let special = self.special(table, node)?;
        if special.each {
            let help = "repeat the element, or use `ping.brand_ids`";
            self.refuse(node, "an attribute cannot be repeated", help);
            return None;
        }
        self.special_text(special, node, escape)
    }

    /// The text of a table that has nothing but special keys.
    fn special_text(&mut self, special: Special<'_>, node: &Node, escape: Escape) -> Option<Text> {
        if !special.rest.is_empty() {
            let help =
                "a value with a condition is { \"$if\" = \"{{ field }}\", \"$value\" = \"...\" }";
            self.refuse(node, "a table cannot stand here", help);
            return None;
        }
        let text = match (special.value, special.document) {
            (Some(value), None) => self.deeper(value, |reader| reader.text(value, escape))?,
            (None, Some((format, inner))) => Text::Document(Box::new(
                self.deeper(inner, |reader| reader.document(format, inner))?,
            )),
            _ => {
                let help = "add `\"$value\" = \"...\"`, or one of `$json`, `$xml` and `$form`";
                self.refuse(node, "this table has no value", help);
                return None;
            }
        };
        Some(guarded(special.guard, text))
    }
}

fn guarded(guard: Option<Guard>, text: Text) -> Text {
    match guard {
        Some(guard) => Text::Guarded(guard, Box::new(text)),
        None => text,
    }
}
