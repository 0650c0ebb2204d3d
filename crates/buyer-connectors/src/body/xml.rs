//! XML documents.

use super::{Guard, Text, each_brand};
use crate::template::{Escape, LeadFields, See, Seen, Source, Values, visit_lead};

/// A document with what stands before its root.
#[derive(Debug)]
pub(crate) struct XmlDocument {
    /// Declaration and instructions.
    pub(crate) head: Box<str>,
    pub(crate) root: Element,
    /// Whether elements without a value are sent.
    pub(crate) keep_empty: bool,
    /// Whether everything outside of ASCII is written as a character reference, because the
    /// declared encoding is not UTF-8.
    pub(crate) ascii: bool,
}

/// An XML element.
#[derive(Debug)]
pub(crate) struct Element {
    pub(crate) name: Box<str>,
    pub(crate) attributes: Vec<(Box<str>, Text)>,
    pub(crate) content: Content,
    pub(crate) guard: Option<Guard>,
    /// Whether it is repeated for each bid.
    pub(crate) each: bool,
}

/// What an element holds.
#[derive(Debug)]
pub(crate) enum Content {
    /// Text.
    Text(Text),
    /// Text in a CDATA section.
    CData(Text),
    /// Elements.
    Elements(Vec<Element>),
    /// Nothing: all is said in attributes.
    Attributes,
    /// One element per field of the lead.
    Lead(LeadFields),
}

impl XmlDocument {
    pub(super) fn push(&self, values: &dyn Values, out: &mut String) {
        let start = out.len();
        out.push_str(&self.head);
        self.root.push(values, self.keep_empty, out);
        if self.ascii {
            let document = out.split_off(start);
            push_ascii(&document, out);
        }
    }

    pub(super) fn visit(&self, see: See<'_>) {
        see(Seen::Text(&self.head));
        self.root.visit(see);
    }
}

impl Element {
    /// An element that holds elements and nothing else.
    pub(crate) fn parent(name: &str, elements: Vec<Self>) -> Self {
        Self {
            name: name.into(),
            attributes: Vec::new(),
            content: Content::Elements(elements),
            guard: None,
            each: false,
        }
    }

    pub(super) fn visit(&self, see: See<'_>) {
        self.guard.iter().for_each(|guard| guard.visit(see));
        see(Seen::Text(&self.name));
        for (name, value) in &self.attributes {
            see(Seen::Text(name));
            value.visit(see);
        }
        match &self.content {
            Content::Text(text) | Content::CData(text) => text.visit(see),
            Content::Elements(elements) => elements.iter().for_each(|e| e.visit(see)),
            Content::Attributes => {}
            Content::Lead(fields) => visit_lead(fields, see),
        }
    }

    fn push(&self, values: &dyn Values, keep_empty: bool, out: &mut String) {
        if self.each {
            each_brand(values, |values| self.push_one(values, keep_empty, out));
        } else {
            self.push_one(values, keep_empty, out);
        }
    }

    fn push_one(&self, values: &dyn Values, keep_empty: bool, out: &mut String) {
        if self.guard.as_ref().is_some_and(|guard| !guard.holds(values)) {
            return;
        }
        let start = out.len();
        out.push('<');
        out.push_str(&self.name);
        let attributes = self.push_attributes(values, out);
        out.push('>');
        let present = match &self.content {
            Content::Text(text) => text.push(values, Escape::Xml, out),
            Content::CData(text) => push_cdata(text, values, out),
            Content::Elements(elements) => {
                elements.iter().for_each(|e| e.push(values, keep_empty, out));
                true
            }
            Content::Attributes => attributes,
            Content::Lead(fields) => {
                push_lead(fields, values, out);
                true
            }
        };
        if !present && !keep_empty {
            out.truncate(start);
            return;
        }
        close(&self.name, out);
    }

    /// Says whether there was one.
    fn push_attributes(&self, values: &dyn Values, out: &mut String) -> bool {
        let mut any = false;
        for (name, text) in &self.attributes {
            let start = out.len();
            for piece in [" ", name, "=\""] {
                out.push_str(piece);
            }
            if text.push(values, Escape::Xml, out) {
                out.push('"');
                any = true;
            } else {
                out.truncate(start);
            }
        }
        any
    }
}

fn close(name: &str, out: &mut String) {
    for piece in ["</", name, ">"] {
        out.push_str(piece);
    }
}

/// Text as it is; the only thing that would end the section is cut in two.
fn push_cdata(text: &Text, values: &dyn Values, out: &mut String) -> bool {
    let mut inside = String::new();
    if !text.push(values, Escape::None, &mut inside) {
        return false;
    }
    out.push_str("<![CDATA[");
    let allowed = |c: &char| {
        *c >= ' ' && !matches!(c, '\u{fffe}' | '\u{ffff}') || matches!(c, '\n' | '\r' | '\t')
    };
    let inside: String = inside.chars().filter(allowed).collect();
    out.push_str(&inside.replace("]]>", "]]]]><![CDATA[>"));
    out.push_str("]]>");
    true
}

fn push_lead(fields: &LeadFields, values: &dyn Values, out: &mut String) {
    for (name, at) in fields.iter() {
        if let Some(value) = values.value(&Source::Field(*at)) {
            for piece in ["<", name, ">"] {
                out.push_str(piece);
            }
            value.push(Escape::Xml, out);
            close(name, out);
        }
    }
}

/// Appends the document with character references, which a CDATA section is left for.
pub(crate) fn push_ascii(document: &str, out: &mut String) {
    let mut rest = document;
    while let Some((before, after)) = rest.split_once("<![CDATA[") {
        push_references(before, ("", ""), out);
        let (inside, after) = after.split_once("]]>").unwrap_or((after, ""));
        out.push_str("<![CDATA[");
        push_references(inside, ("]]>", "<![CDATA["), out);
        out.push_str("]]>");
        rest = after;
    }
    push_references(rest, ("", ""), out);
}

fn push_references(text: &str, (before, after): (&str, &str), out: &mut String) {
    for character in text.chars() {
        if character.is_ascii() {
            out.push(character);
        } else {
            out.push_str(before);
            out.push_str("&#");
            out.push_str(&u32::from(character).to_string());
            out.push(';');
            out.push_str(after);
        }
    }
}
