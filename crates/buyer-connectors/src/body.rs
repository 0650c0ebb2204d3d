//! Request bodies, compiled: trees in the shape of the buyer's specification, or literal texts.
//!
//! What has no value is left out, and what a body says in itself is escaped for its place: a
//! document inside a value is written first and escaped like any other text.

use crate::template::{BrandValues, Escape, Placeholder, See, Seen, Template, Values};

mod form;
mod json;
mod multipart;
mod xml;

pub(crate) use form::{Form, Pair};
pub(crate) use json::Json;
pub(crate) use multipart::content_type as multipart_type;
pub(crate) use xml::{Content, Element, XmlDocument};

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
    Form(Form),
    /// The same, one part for each.
    Multipart(Form),
    /// An XML document.
    Xml(XmlDocument),
}

impl Body {
    /// Appends the whole body.
    pub(crate) fn render(&self, values: &dyn Values, out: &mut String) {
        match self {
            Self::Empty => {}
            Self::Text(template, escape) => template.render(values, *escape, out),
            Self::Json(json) => {
                if !json.push(values, out) {
                    out.push_str("null");
                }
            }
            Self::Form(form) => form.push(values, out),
            Self::Multipart(form) => multipart::push(form, values, out),
            Self::Xml(document) => document.push(values, out),
        }
    }

    /// Shows its pieces.
    pub(crate) fn visit(&self, see: See<'_>) {
        match self {
            Self::Empty => {}
            Self::Text(template, _) => template.visit(see),
            Self::Json(json) => json.visit(see),
            Self::Form(form) | Self::Multipart(form) => form.visit(see),
            Self::Xml(document) => document.visit(see),
        }
    }
}

/// `$if` and `$is`: whether a part is written.
#[derive(Debug)]
pub(crate) struct Guard {
    pub(crate) value: Placeholder,
    /// The words that it must be one of; without them it must be there and not no.
    pub(crate) is: Option<Vec<Box<str>>>,
}

impl Guard {
    pub(crate) fn holds(&self, values: &dyn Values) -> bool {
        let Some(value) = self.value.evaluate(values) else { return false };
        match &self.is {
            None => value.is_truthy(),
            Some(words) => {
                let text = value.text();
                words.iter().any(|word| **word == *text)
            }
        }
    }

    fn visit(&self, see: See<'_>) {
        self.value.visit(see);
        self.is.iter().flatten().for_each(|word| see(Seen::Text(word)));
    }
}

/// A text of a form, an attribute or an element.
#[derive(Debug)]
pub(crate) enum Text {
    /// A template; one whose only placeholder is absent is absent.
    Template(Template),
    /// Only where the guard holds.
    Guarded(Guard, Box<Self>),
    /// The text of another document.
    Document(Box<Body>),
}

impl Text {
    /// Appends the text; says whether there was one. Templates are prepared for this escape.
    pub(crate) fn push(&self, values: &dyn Values, escape: Escape, out: &mut String) -> bool {
        match self {
            Self::Template(template) => template.push(values, escape, out),
            Self::Guarded(guard, inner) => guard.holds(values) && inner.push(values, escape, out),
            Self::Document(body) => {
                let mut document = String::new();
                body.render(values, &mut document);
                escape.push(&document, out);
                true
            }
        }
    }

    /// What it is to a receiver of parts, where it is a document.
    pub(crate) fn media_type(&self) -> Option<&'static str> {
        match self {
            Self::Template(_) => None,
            Self::Guarded(_, inner) => inner.media_type(),
            Self::Document(body) => match &**body {
                Body::Json(_) => Some("application/json"),
                Body::Xml(_) => Some("application/xml"),
                _ => None,
            },
        }
    }

    pub(crate) fn visit(&self, see: See<'_>) {
        match self {
            Self::Template(template) => template.visit(see),
            Self::Guarded(guard, inner) => {
                guard.visit(see);
                inner.visit(see);
            }
            Self::Document(body) => body.visit(see),
        }
    }
}

/// Does something once per bid, with that bid's values.
fn each_brand(values: &dyn Values, mut write: impl FnMut(&dyn Values)) {
    for brand in values.brands() {
        write(&BrandValues { outer: values, brand });
    }
}
