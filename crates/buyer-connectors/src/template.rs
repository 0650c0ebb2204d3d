//! Texts with placeholders, compiled to segments.
//!
//! `{{ birth_date | year }}` is a source and a chain of filters. Parsing happens once, at load;
//! rendering copies literals and looks values up, nothing else.

use std::borrow::Cow;
use std::sync::Arc;

use exchange_model::{Anonymiser, FieldIdx};

use crate::secrets::SecretText;

mod escape;
mod filter;
mod parse;
mod scalar;

pub(crate) use escape::{Escape, push_json_string};
pub(crate) use filter::{Filter, Ranges, Words, parse_date_format};
pub(crate) use parse::{FilterCall, Piece, PlaceholderText, pieces};
pub(crate) use scalar::Scalar;

/// Where a placeholder's value comes from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// A field as it is.
    Field(FieldIdx),
    /// A field after a one-way step.
    Anonymised(FieldIdx, Anonymiser),
    /// `ping.token`.
    Token,
    /// `ping.id`.
    PingId,
    /// `price`.
    Price,
    /// `lead_id`.
    LeadId,
    /// `source.alias`.
    Alias,
    /// `idempotency_key`.
    IdempotencyKey,
    /// `secret.<name>`, looked up at load.
    Secret(Arc<SecretText>),
}

/// What answers for the sources of one request. Secrets are in the template itself.
pub(crate) trait Values {
    /// The value, or nothing when the lead or the request has none.
    fn value(&self, source: &Source) -> Option<Scalar<'_>>;
}

/// The fields that `{{ lead }}` carries, by name.
pub(crate) type LeadFields = Arc<[(Box<str>, FieldIdx)]>;

/// A source and what is done with it.
#[derive(Clone, Debug)]
pub(crate) struct Placeholder {
    pub(crate) source: Source,
    pub(crate) filters: Vec<Filter>,
}

impl Placeholder {
    /// The value after every filter; nothing when it is absent and no filter supplies a default.
    pub(crate) fn evaluate<'v>(&'v self, values: &'v dyn Values) -> Option<Scalar<'v>> {
        let first = match &self.source {
            Source::Secret(text) => Some(Scalar::Text(Cow::Borrowed(text.reveal()))),
            other => values.value(other),
        };
        self.filters.iter().fold(first, |value, filter| filter.apply(value))
    }
}

/// One piece of a compiled template.
#[derive(Clone, Debug)]
pub(crate) enum Segment {
    /// Text as it stands.
    Literal(Box<str>),
    /// A value, escaped for its surroundings.
    Value(Placeholder),
    /// The lead as an object; only in a JSON post.
    Lead(LeadFields),
}

/// A compiled text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Template {
    pub(crate) segments: Vec<Segment>,
}

impl Template {
    /// The only placeholder, when the text is nothing else: such a value keeps its type.
    pub(crate) fn sole_placeholder(&self) -> Option<&Placeholder> {
        match self.segments.as_slice() {
            [Segment::Value(placeholder)] => Some(placeholder),
            _ => None,
        }
    }

    /// The fields of the lead, when the text is `{{ lead }}` and nothing else.
    pub(crate) fn sole_lead(&self) -> Option<&LeadFields> {
        match self.segments.as_slice() {
            [Segment::Lead(fields)] => Some(fields),
            _ => None,
        }
    }

    /// Whether it is the same for every lead.
    pub(crate) fn literal(&self) -> Option<Cow<'_, str>> {
        let mut text = Cow::Borrowed("");
        for segment in &self.segments {
            match segment {
                Segment::Literal(piece) => text += &**piece,
                Segment::Value(_) | Segment::Lead(_) => return None,
            }
        }
        Some(text)
    }

    /// Whether any placeholder is as `wanted`.
    pub(crate) fn any_placeholder(&self, wanted: &dyn Fn(&Placeholder) -> bool) -> bool {
        self.segments.iter().any(|segment| match segment {
            Segment::Value(placeholder) => wanted(placeholder),
            Segment::Literal(_) | Segment::Lead(_) => false,
        })
    }

    /// Whether it says the idempotency key.
    pub(crate) fn mentions_idempotency_key(&self) -> bool {
        self.any_placeholder(&|at| matches!(at.source, Source::IdempotencyKey))
    }

    /// Appends the text with its values. An absent value is empty.
    pub(crate) fn render(&self, values: &dyn Values, escape: Escape, out: &mut String) {
        for segment in &self.segments {
            match segment {
                Segment::Literal(text) => out.push_str(text),
                Segment::Value(placeholder) => {
                    if let Some(value) = placeholder.evaluate(values) {
                        escape.push(&value.text(), out);
                    }
                }
                Segment::Lead(fields) => push_lead_json(fields, values, out),
            }
        }
    }

    /// The text, with its values as they are.
    pub(crate) fn plain(&self, values: &dyn Values) -> String {
        let mut out = String::new();
        self.render(values, Escape::None, &mut out);
        out
    }
}

/// Appends the lead's fields as a JSON object; absent ones are left out.
pub(crate) fn push_lead_json(fields: &LeadFields, values: &dyn Values, out: &mut String) {
    out.push('{');
    let mut separator = "";
    for (name, at) in fields.iter() {
        if let Some(value) = values.value(&Source::Field(*at)) {
            out.push_str(separator);
            push_json_string(name, out);
            out.push(':');
            value.push_json(out);
            separator = ",";
        }
    }
    out.push('}');
}
