//! Texts with placeholders, compiled to segments.
//!
//! `{{ birth_date | year }}` is a source and a chain of filters. Parsing happens once, at load;
//! rendering copies literals and looks values up, nothing else.

use std::borrow::Cow;
use std::sync::Arc;

use exchange_model::FieldIdx;

mod dictionary;
mod escape;
mod filter;
mod parse;
mod scalar;
mod source;

pub(crate) use dictionary::{Ranges, Words};
pub(crate) use escape::{Escape, push_json_string};
pub(crate) use filter::{Arg, Coding, DateForm, Digest, Filter, Operation, PhoneForm, zone};
pub(crate) use parse::{Argument, FilterCall, Piece, PlaceholderText, filter_calls, pieces};
pub(crate) use scalar::Scalar;
pub(crate) use source::{BrandPart, BrandValues, NoValues, See, Seen, Source, Values, joined};

/// The fields that `{{ lead }}` carries, by name.
pub(crate) type LeadFields = Arc<[(Box<str>, FieldIdx)]>;

/// A source and what is done with it.
#[derive(Clone, Debug)]
pub(crate) struct Placeholder {
    pub(crate) source: Source,
    pub(crate) filters: Vec<Filter>,
}

impl Placeholder {
    /// The value after every filter; nothing when it is absent and no filter supplies one.
    pub(crate) fn evaluate<'v>(&'v self, values: &'v dyn Values) -> Option<Scalar<'v>> {
        let first = self.source.value(values);
        self.filters.iter().fold(first, |value, filter| filter.apply(value, values))
    }

    /// Shows its source and its arguments.
    pub(crate) fn visit(&self, see: See<'_>) {
        self.source.visit(see);
        self.filters.iter().for_each(|filter| filter.visit(see));
    }

    /// The value, when it is the same for every request.
    pub(crate) fn fixed(&self) -> Option<Scalar<'_>> {
        let mut fixed = true;
        self.visit(&mut |seen| {
            fixed &= !matches!(seen, Seen::Source(source) if !source.is_fixed());
        });
        if fixed { self.evaluate(&NoValues) } else { None }
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
    /// A text without placeholders.
    pub(crate) fn fixed(text: &str) -> Self {
        Self { segments: vec![Segment::Literal(text.into())] }
    }

    /// A placeholder and nothing else.
    pub(crate) fn sole(source: Source) -> Self {
        Self { segments: vec![Segment::Value(Placeholder { source, filters: Vec::new() })] }
    }

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

    /// Shows its pieces. Those of `{{ lead }}` are fields as they are.
    pub(crate) fn visit(&self, see: See<'_>) {
        for segment in &self.segments {
            match segment {
                Segment::Literal(text) => see(Seen::Text(text)),
                Segment::Value(placeholder) => placeholder.visit(see),
                Segment::Lead(fields) => visit_lead(fields, see),
            }
        }
    }

    /// Whether it writes a secret.
    pub(crate) fn holds_secret(&self) -> bool {
        let mut secret = false;
        self.visit(&mut |seen| {
            secret |= matches!(seen, Seen::Source(Source::Secret(_) | Source::Token(_)));
        });
        secret
    }

    /// Whether it writes what a lead has brought, or a buyer's answer about one.
    pub(crate) fn holds_lead(&self) -> bool {
        let mut lead = false;
        self.visit(&mut |seen| {
            lead |= matches!(
                seen,
                Seen::Source(Source::Field(_) | Source::Anonymised(..) | Source::Pre(_))
            );
        });
        lead
    }

    /// The same where literals are already in the form of their surroundings: what is fixed becomes
    /// a literal.
    pub(crate) fn folded(self, escape: Escape) -> Self {
        self.prepared(Escape::None, escape)
    }

    /// The same where what is fixed is part of the text as it is.
    pub(crate) fn folded_as_is(self) -> Self {
        self.prepared(Escape::None, Escape::None)
    }

    /// The same where the whole text is one value: literals are escaped too.
    pub(crate) fn escaped(self, escape: Escape) -> Self {
        self.prepared(escape, escape)
    }

    fn prepared(self, literals: Escape, values: Escape) -> Self {
        let mut segments: Vec<Segment> = Vec::with_capacity(self.segments.len());
        for segment in self.segments {
            let (text, escape) = match &segment {
                Segment::Literal(text) => (Cow::Borrowed(&**text), literals),
                Segment::Value(placeholder) => match placeholder.fixed() {
                    Some(value) => (Cow::Owned(value.text().into_owned()), values),
                    None => {
                        segments.push(segment);
                        continue;
                    }
                },
                Segment::Lead(_) => {
                    segments.push(segment);
                    continue;
                }
            };
            let mut joined = match segments.pop() {
                Some(Segment::Literal(before)) => String::from(before),
                other => {
                    segments.extend(other);
                    String::new()
                }
            };
            escape.push(&text, &mut joined);
            segments.push(Segment::Literal(joined.into()));
        }
        Self { segments }
    }

    /// Appends the text with its values; says whether there was one. A text that is one
    /// placeholder is absent when its value is, elsewhere an absent value is empty.
    pub(crate) fn push(&self, values: &dyn Values, escape: Escape, out: &mut String) -> bool {
        if let Some(placeholder) = self.sole_placeholder() {
            let Some(value) = placeholder.evaluate(values) else { return false };
            value.push(escape, out);
            return true;
        }
        self.render(values, escape, out);
        true
    }

    /// The text as one value: absent where it is one placeholder whose value is.
    pub(crate) fn value<'v>(&'v self, values: &'v dyn Values) -> Option<Scalar<'v>> {
        if let Some(placeholder) = self.sole_placeholder() {
            return placeholder.evaluate(values);
        }
        let mut out = String::new();
        self.render(values, Escape::None, &mut out);
        Some(Scalar::owned(out))
    }

    /// Appends the text with its values. An absent value is empty.
    pub(crate) fn render(&self, values: &dyn Values, escape: Escape, out: &mut String) {
        for segment in &self.segments {
            match segment {
                Segment::Literal(text) => out.push_str(text),
                Segment::Value(placeholder) => {
                    if let Some(value) = placeholder.evaluate(values) {
                        value.push(escape, out);
                    }
                }
                Segment::Lead(fields) => push_lead_json(fields, values, out),
            }
        }
    }
}

/// Shows the fields of `{{ lead }}`.
pub(crate) fn visit_lead(fields: &LeadFields, see: See<'_>) {
    for (name, at) in fields.iter() {
        see(Seen::Text(name));
        see(Seen::Source(&Source::Field(*at)));
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
