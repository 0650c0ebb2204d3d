//! Request bodies, compiled: trees in the shape of the buyer's specification, or literal texts.

use crate::template::{
    Escape, LeadFields, Placeholder, Source, Template, Values, push_json_string, push_lead_json,
};

/// A compiled body.
#[derive(Debug)]
pub(crate) enum Body {
    /// None.
    Empty,
    /// A literal text with values escaped for its format.
    Text(Template, Escape),
    /// A JSON document.
    Json(Json),
    /// Names and values of a form or query, in order.
    Form(Vec<(Box<str>, Template)>),
    /// An XML document.
    Xml(Element),
}

/// A JSON value. Keys and fixed values are rendered at load.
#[derive(Debug)]
pub(crate) enum Json {
    /// Fixed JSON text.
    Fixed(Box<str>),
    /// One placeholder and nothing else: the value keeps its type, or is left out.
    Value(Placeholder),
    /// Text with placeholders.
    Text(Template),
    /// The lead's fields.
    Lead(LeadFields),
    /// A list.
    List(Vec<Self>),
    /// Keys, quoted and escaped, and their values.
    Object(Vec<(Box<str>, Self)>),
}

/// An XML element.
#[derive(Debug)]
pub(crate) struct Element {
    pub(crate) name: Box<str>,
    pub(crate) attributes: Vec<(Box<str>, Template)>,
    pub(crate) content: Content,
}

/// What an element holds.
#[derive(Debug)]
pub(crate) enum Content {
    /// Text.
    Text(Template),
    /// Elements.
    Elements(Vec<Element>),
    /// One element per field of the lead.
    Lead(LeadFields),
}

impl Body {
    /// The whole body.
    pub(crate) fn render(&self, values: &dyn Values) -> String {
        let mut out = String::new();
        match self {
            Self::Empty => {}
            Self::Text(template, escape) => template.render(values, *escape, &mut out),
            Self::Json(json) => {
                if !json.push(values, &mut out) {
                    out.push_str("null");
                }
            }
            Self::Form(pairs) => push_form(pairs, values, &mut out),
            Self::Xml(root) => root.push(values, &mut out),
        }
        out
    }
}

impl Body {
    /// Whether any placeholder is as `wanted`.
    pub(crate) fn any_placeholder(&self, wanted: &dyn Fn(&Placeholder) -> bool) -> bool {
        match self {
            Self::Empty => false,
            Self::Text(template, _) => template.any_placeholder(wanted),
            Self::Json(json) => json.any_placeholder(wanted),
            Self::Form(pairs) => pairs.iter().any(|(_, value)| value.any_placeholder(wanted)),
            Self::Xml(root) => root.any_placeholder(wanted),
        }
    }
}

impl Json {
    fn any_placeholder(&self, wanted: &dyn Fn(&Placeholder) -> bool) -> bool {
        match self {
            Self::Fixed(_) | Self::Lead(_) => false,
            Self::Value(placeholder) => wanted(placeholder),
            Self::Text(template) => template.any_placeholder(wanted),
            Self::List(items) => items.iter().any(|item| item.any_placeholder(wanted)),
            Self::Object(entries) => entries.iter().any(|(_, v)| v.any_placeholder(wanted)),
        }
    }

    /// Appends the value; says whether there was one.
    fn push(&self, values: &dyn Values, out: &mut String) -> bool {
        match self {
            Self::Fixed(text) => out.push_str(text),
            Self::Value(placeholder) => {
                let Some(value) = placeholder.evaluate(values) else { return false };
                value.push_json(out);
            }
            Self::Text(template) => {
                out.push('"');
                template.render(values, Escape::Json, out);
                out.push('"');
            }
            Self::Lead(fields) => push_lead_json(fields, values, out),
            Self::List(items) => push_list(items, values, out),
            Self::Object(entries) => push_object(entries, values, out),
        }
        true
    }

    /// Quotes and escapes a key.
    pub(crate) fn key(name: &str) -> Box<str> {
        let mut out = String::new();
        push_json_string(name, &mut out);
        out.into()
    }
}

fn push_list(items: &[Json], values: &dyn Values, out: &mut String) {
    out.push('[');
    let mut separator = "";
    for item in items {
        let before = out.len();
        out.push_str(separator);
        if item.push(values, out) {
            separator = ",";
        } else {
            out.truncate(before);
        }
    }
    out.push(']');
}

fn push_object(entries: &[(Box<str>, Json)], values: &dyn Values, out: &mut String) {
    out.push('{');
    let mut separator = "";
    for (key, value) in entries {
        let before = out.len();
        out.push_str(separator);
        out.push_str(key);
        out.push(':');
        if value.push(values, out) {
            separator = ",";
        } else {
            out.truncate(before);
        }
    }
    out.push('}');
}

/// Appends `a=b&c=d`; a pair whose only placeholder is absent is left out.
fn push_form(pairs: &[(Box<str>, Template)], values: &dyn Values, out: &mut String) {
    for (name, template) in pairs {
        let Some(value) = present(template, values) else { continue };
        if !out.is_empty() {
            out.push('&');
        }
        Escape::Form.push(name, out);
        out.push('=');
        Escape::Form.push(&value, out);
    }
}

/// The text, or nothing when it is one placeholder that has no value.
fn present(template: &Template, values: &dyn Values) -> Option<String> {
    match template.sole_placeholder() {
        Some(placeholder) => placeholder.evaluate(values).map(|value| value.text().into_owned()),
        None => Some(template.plain(values)),
    }
}

impl Element {
    fn any_placeholder(&self, wanted: &dyn Fn(&Placeholder) -> bool) -> bool {
        let inside = match &self.content {
            Content::Text(template) => template.any_placeholder(wanted),
            Content::Elements(elements) => elements.iter().any(|e| e.any_placeholder(wanted)),
            Content::Lead(_) => false,
        };
        inside || self.attributes.iter().any(|(_, value)| value.any_placeholder(wanted))
    }

    fn push(&self, values: &dyn Values, out: &mut String) {
        let text = match &self.content {
            Content::Text(template) => match present(template, values) {
                Some(text) => text,
                None if self.attributes.is_empty() => return,
                None => String::new(),
            },
            Content::Elements(_) | Content::Lead(_) => String::new(),
        };
        open(&self.name, &self.attributes, values, out);
        match &self.content {
            Content::Text(_) => Escape::Xml.push(&text, out),
            Content::Elements(elements) => elements.iter().for_each(|e| e.push(values, out)),
            Content::Lead(fields) => push_lead_xml(fields, values, out),
        }
        close(&self.name, out);
    }
}

fn open(name: &str, attributes: &[(Box<str>, Template)], values: &dyn Values, out: &mut String) {
    out.push('<');
    out.push_str(name);
    for (attribute, template) in attributes {
        let Some(value) = present(template, values) else { continue };
        out.push(' ');
        out.push_str(attribute);
        out.push_str("=\"");
        Escape::Xml.push(&value, out);
        out.push('"');
    }
    out.push('>');
}

fn close(name: &str, out: &mut String) {
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}

fn push_lead_xml(fields: &LeadFields, values: &dyn Values, out: &mut String) {
    for (name, at) in fields.iter() {
        if let Some(value) = values.value(&Source::Field(*at)) {
            open(name, &[], values, out);
            Escape::Xml.push(&value.text(), out);
            close(name, out);
        }
    }
}
