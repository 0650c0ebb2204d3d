//! JSON documents.

use super::{Body, Guard, each_brand};
use crate::template::{
    Escape, LeadFields, Placeholder, See, Seen, Template, Values, push_json_string, push_lead_json,
    visit_lead,
};

/// A JSON value. Keys and fixed values are rendered at load.
#[derive(Debug)]
pub(crate) enum Json {
    /// Fixed JSON text.
    Fixed(Box<str>),
    /// One placeholder and nothing else: the value keeps its type, or is left out.
    Value(Placeholder),
    /// Text with placeholders, literals escaped.
    Text(Template),
    /// The lead's fields.
    Lead(LeadFields),
    /// A list.
    List(Vec<Self>),
    /// Keys, quoted and escaped with their colon, and their values.
    Object(Vec<(Box<str>, Self)>),
    /// Only where the guard holds.
    Guarded(Guard, Box<Self>),
    /// Once per bid: a list, or so many items of the list it stands in.
    Each(Box<Self>),
    /// The text of another document.
    Document(Box<Body>),
}

impl Json {
    /// Appends the value; says whether there was one.
    pub(super) fn push(&self, values: &dyn Values, out: &mut String) -> bool {
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
            Self::Guarded(guard, inner) => return guard.holds(values) && inner.push(values, out),
            Self::Each(_) => {
                if values.brands().is_empty() {
                    return false;
                }
                push_list(std::slice::from_ref(self), values, out);
            }
            Self::Document(body) => {
                let mut document = String::new();
                body.render(values, &mut document);
                push_json_string(&document, out);
            }
        }
        true
    }

    pub(super) fn visit(&self, see: See<'_>) {
        match self {
            Self::Fixed(text) => see(Seen::Text(text)),
            Self::Value(placeholder) => placeholder.visit(see),
            Self::Text(template) => template.visit(see),
            Self::Lead(fields) => visit_lead(fields, see),
            Self::List(items) => items.iter().for_each(|item| item.visit(see)),
            Self::Object(entries) => {
                for (key, value) in entries {
                    see(Seen::Text(key));
                    value.visit(see);
                }
            }
            Self::Guarded(guard, inner) => {
                guard.visit(see);
                inner.visit(see);
            }
            Self::Each(inner) => inner.visit(see),
            Self::Document(body) => body.visit(see),
        }
    }

    /// Text as fixed JSON.
    pub(crate) fn fixed(text: &str) -> Self {
        let mut out = String::new();
        push_json_string(text, &mut out);
        Self::Fixed(out.into())
    }

    /// A key with its colon.
    pub(crate) fn key(name: &str) -> Box<str> {
        let mut out = String::new();
        push_json_string(name, &mut out);
        out.push(':');
        out.into()
    }
}

fn push_list(items: &[Json], values: &dyn Values, out: &mut String) {
    out.push('[');
    let mut separator = "";
    for item in items {
        if let Json::Each(inner) = item {
            each_brand(values, |values| push_item(inner, values, &mut separator, out));
        } else {
            push_item(item, values, &mut separator, out);
        }
    }
    out.push(']');
}

fn push_item(item: &Json, values: &dyn Values, separator: &mut &str, out: &mut String) {
    let before = out.len();
    out.push_str(separator);
    if item.push(values, out) {
        *separator = ",";
    } else {
        out.truncate(before);
    }
}

fn push_object(entries: &[(Box<str>, Json)], values: &dyn Values, out: &mut String) {
    out.push('{');
    let mut separator = "";
    for (key, value) in entries {
        let before = out.len();
        out.push_str(separator);
        out.push_str(key);
        if value.push(values, out) {
            separator = ",";
        } else {
            out.truncate(before);
        }
    }
    out.push('}');
}
