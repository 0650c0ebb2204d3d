//! XML bodies and SOAP envelopes.

use std::fmt::Write as _;
use std::sync::Arc;

use exchange_model::document::{Entry, Node, NodeKind, Table};
use exchange_model::{Findings, TableReader};

use super::{BodyReader, guarded};
use crate::body::{Content, Element, Text, XmlDocument};
use crate::template::{Escape, Template};

/// The `xml` table of a stage.
#[derive(Clone, Debug, Default)]
pub(in crate::compile) struct XmlOptions {
    head: String,
    keep_empty: bool,
    ascii: bool,
}

/// Encodings that agree with ASCII: what is outside is written as character references.
const ENCODINGS: &[(&str, bool)] =
    &[("utf-8", false), ("iso-8859-1", true), ("windows-1252", true), ("us-ascii", true)];

impl XmlOptions {
    /// Reads `xml = { declaration = true, encoding = "...", instructions = [...], empty = "..." }`.
    /// An envelope is declared unless it says otherwise.
    pub(in crate::compile) fn read(
        table: &mut TableReader<'_>,
        declared: bool,
        findings: &mut Findings,
    ) -> Option<Self> {
        let Some(mut xml) = table.table("xml", findings) else {
            return Some(Self::declared(declared, "utf-8", false));
        };
        let says = xml.boolean("declaration", findings).map(|says| says.value);
        let lower = |text: &str| {
            let text = text.to_ascii_lowercase();
            let known = ENCODINGS.iter().find(|(name, _)| *name == text).copied();
            known.ok_or("one of utf-8, iso-8859-1, windows-1252, us-ascii")
        };
        let named = xml.node("encoding").is_some();
        let encoding = xml.parsed("encoding", "\"utf-8\"", lower, findings);
        let (name, ascii) = encoding.as_ref().map_or(("utf-8", false), |found| found.value);
        let empty = xml.one_of("empty", &[("omit", false), ("keep", true)], findings);
        let mut options = Self::declared(says.unwrap_or(declared || named), name, ascii);
        options.keep_empty = empty.is_some_and(|empty| empty.value);
        for instruction in xml.strings("instructions", findings).unwrap_or_default() {
            if instruction.value.contains("?>") || instruction.value.starts_with("xml ") {
                let message = "this is no processing instruction".to_owned();
                let help = "write what stands between `<?` and `?>`, like 'adf version=\"1.0\"'";
                findings.error("bad_value", instruction.place, message, help.to_owned());
                return None;
            }
            write!(options.head, "<?{}?>", instruction.value).expect("a string takes all");
        }
        xml.finish(findings);
        Some(options)
    }

    fn declared(declared: bool, encoding: &str, ascii: bool) -> Self {
        let mut head = String::new();
        if declared {
            write!(head, "<?xml version=\"1.0\" encoding=\"{encoding}\"?>")
                .expect("a string takes all");
        }
        Self { head, keep_empty: false, ascii }
    }

    pub(in crate::compile) fn document(&self, root: Element) -> XmlDocument {
        XmlDocument {
            head: self.head.as_str().into(),
            root,
            keep_empty: self.keep_empty,
            ascii: self.ascii,
        }
    }
}

/// Puts elements into a SOAP envelope of this namespace.
pub(in crate::compile) fn envelope(
    namespace: &str,
    header: Option<Vec<Element>>,
    body: Vec<Element>,
) -> Element {
    let mut parts = Vec::with_capacity(2);
    parts.extend(header.map(|header| Element::parent("soap:Header", header)));
    parts.push(Element::parent("soap:Body", body));
    let mut envelope = Element::parent("soap:Envelope", parts);
    let namespace = Text::Template(Template::fixed(namespace).escaped(Escape::Xml));
    envelope.attributes.push(("xmlns:soap".into(), namespace));
    envelope
}

impl BodyReader<'_, '_> {
    pub(super) fn root(&mut self, node: &Node) -> Option<Element> {
        let table = self.table(node)?;
        let mut roots = self.children(table)?;
        match (roots.pop(), roots.is_empty()) {
            (Some(root), true) if !root.each && root.guard.is_none() => Some(root),
            _ => {
                let help = "put everything under one key: that is the root element";
                self.refuse(node, "an XML body has exactly one root element", help);
                None
            }
        }
    }

    /// The elements of a table that has no attributes.
    pub(super) fn children(&mut self, table: &Table) -> Option<Vec<Element>> {
        let mut elements = Vec::new();
        for entry in &table.entries {
            self.element_or_list(entry, &mut elements)?;
        }
        Some(elements)
    }

    fn element_or_list(&mut self, entry: &Entry, into: &mut Vec<Element>) -> Option<()> {
        if entry.key == "#elements" {
            return self.in_order(&entry.value, into);
        }
        self.repeated(entry, into)
    }

    /// `#elements`: tables of elements one after the other, where names come again in between.
    fn in_order(&mut self, node: &Node, into: &mut Vec<Element>) -> Option<()> {
        let NodeKind::Array(items) = &node.kind else {
            let help = "write \"#elements\" = [{ key = \"zip\" }, { string = \"{{ zip }}\" }]";
            self.refuse(node, "`#elements` is a list of tables", help);
            return None;
        };
        for item in items {
            let inside = self.deeper(item, |reader| {
                let table = reader.table(item)?;
                reader.children(table)
            });
            into.extend(inside?);
        }
        Some(())
    }

    /// A list repeats the element.
    fn repeated(&mut self, entry: &Entry, into: &mut Vec<Element>) -> Option<()> {
        let items = match &entry.value.kind {
            NodeKind::Array(items) => items.as_slice(),
            _ => std::slice::from_ref(&entry.value),
        };
        for item in items {
            into.push(self.deeper(item, |reader| reader.element(&entry.key, item))?);
        }
        Some(())
    }

    fn element(&mut self, name: &str, node: &Node) -> Option<Element> {
        if !self.xml_name(name, node) {
            return None;
        }
        let mut element = Element::parent(name, Vec::new());
        match &node.kind {
            NodeKind::Table(table) => self.element_of_table(&mut element, table, node)?,
            NodeKind::String(text) => {
                let place = self.place(node);
                let template = self.scope.template(text, &place, self.findings)?;
                element.content = match template.sole_lead() {
                    Some(fields) => Content::Lead(Arc::clone(fields)),
                    None => Content::Text(self.text(node, Escape::Xml)?),
                };
            }
            _ => element.content = Content::Text(self.text(node, Escape::Xml)?),
        }
        Some(element)
    }

    /// `@name` is an attribute, `#text` or `#cdata` the text beside attributes, the rest are
    /// elements.
    fn element_of_table(
        &mut self,
        element: &mut Element,
        table: &Table,
        node: &Node,
    ) -> Option<()> {
        let special = self.special(table, node)?;
        let content = if special.value.is_some() || special.document.is_some() {
            self.value_of_element(&special, element)
        } else {
            self.parts(&special.rest, element, node)
        };
        self.leave(&special);
        element.content = content?;
        element.each = special.each;
        element.guard = special.guard;
        Some(())
    }

    fn value_of_element(
        &mut self,
        special: &super::Special<'_>,
        element: &mut Element,
    ) -> Option<Content> {
        if let Some(value) = special.value {
            let name = element.name.clone();
            let inner = self.deeper(value, |reader| reader.element(&name, value))?;
            element.attributes = inner.attributes;
            if inner.guard.is_some() || inner.each {
                let help = "write `$if` and `$each` once, beside `$value`";
                self.refuse(value, "a condition inside a condition", help);
                return None;
            }
            return Some(inner.content);
        }
        let (format, document) = special.document?;
        let body = self.deeper(document, |reader| reader.document(format, document))?;
        Some(Content::Text(guarded(None, Text::Document(Box::new(body)))))
    }

    fn parts(&mut self, entries: &[&Entry], element: &mut Element, node: &Node) -> Option<Content> {
        let mut elements = Vec::new();
        let mut text = None;
        for entry in entries {
            if let Some(attribute) = entry.key.strip_prefix('@') {
                if !self.xml_name(attribute, &entry.value) {
                    return None;
                }
                let value = self.text(&entry.value, Escape::Xml)?;
                element.attributes.push((attribute.into(), value));
            } else if entry.key == "#text" && text.is_none() {
                text = Some(Content::Text(self.text(&entry.value, Escape::Xml)?));
            } else if entry.key == "#cdata" && text.is_none() {
                text = Some(Content::CData(self.text(&entry.value, Escape::None)?));
            } else {
                self.element_or_list(entry, &mut elements)?;
            }
        }
        match text {
            Some(text) if elements.is_empty() => Some(text),
            Some(_) => {
                let help = "use `template` instead";
                self.refuse(node, "text and elements cannot be mixed", help);
                None
            }
            None if elements.is_empty() && !element.attributes.is_empty() => {
                Some(Content::Attributes)
            }
            None => Some(Content::Elements(elements)),
        }
    }

    fn xml_name(&mut self, name: &str, node: &Node) -> bool {
        let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':');
        let good = starts && name.chars().all(fits);
        if !good {
            let message = format!("`{name}` cannot be the name of an XML element or attribute");
            let help = "names start with a letter and go on with letters, digits, `_ - . :`";
            self.refuse(node, &message, help);
        }
        good
    }
}
