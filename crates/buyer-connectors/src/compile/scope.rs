//! The texts of one stage, and what they may say.

use std::ops::Range;
use std::sync::Arc;

use exchange_model::{FieldIdx, Findings, Place};

use super::shared::Shared;
use crate::call::Call;
use crate::template::{LeadFields, Piece, Placeholder, PlaceholderText, Segment, Template, pieces};

/// The surroundings of the templates of one stage.
#[derive(Clone)]
pub(super) struct Scope<'a> {
    pub(super) call: Call,
    pub(super) shared: &'a Shared<'a>,
    /// Contact fields whose hash may be pinged, with a written reason.
    pub(super) hashed: Vec<FieldIdx>,
    /// What `{{ lead }}` carries.
    pub(super) lead: LeadFields,
    /// Whether it is inside `$each`, so that `brand.x` is known.
    pub(super) brand: bool,
    /// How many `let` texts are around.
    pub(super) lets: u8,
}

impl Scope<'_> {
    /// Compiles one text; `place` is the text's own.
    pub(super) fn template(
        &self,
        text: &str,
        place: &Place,
        findings: &mut Findings,
    ) -> Option<Template> {
        let read = match pieces(text) {
            Ok(read) => read,
            Err((span, why)) => {
                let help = "write \"{{ field }}\" or \"{{ field | filter }}\"".to_owned();
                findings.error("bad_template", within(place, text, span), why.to_owned(), help);
                return None;
            }
        };
        let segments: Vec<Option<Segment>> = read
            .iter()
            .map(|piece| match piece {
                Piece::Literal(text) => Some(Segment::Literal((*text).into())),
                Piece::Placeholder(placeholder) => {
                    let place = within(place, text, placeholder.span.clone());
                    self.segment(placeholder, &place, findings)
                }
            })
            .collect();
        segments.into_iter().collect::<Option<Vec<_>>>().map(|segments| Template { segments })
    }

    /// The same, where an object cannot stand.
    pub(super) fn text(
        &self,
        text: &str,
        place: &Place,
        findings: &mut Findings,
    ) -> Option<Template> {
        let template = self.template(text, place, findings)?;
        if template.segments.iter().any(|segment| matches!(segment, Segment::Lead(_))) {
            let message = "`lead` is an object and cannot stand inside a text".to_owned();
            let help = "name the fields one by one, or send it in a JSON body".to_owned();
            findings.error("lead_not_here", place.clone(), message, help);
            return None;
        }
        Some(template)
    }

    /// Compiles a text that is one placeholder and nothing else.
    pub(super) fn placeholder(
        &self,
        text: &str,
        place: &Place,
        findings: &mut Findings,
    ) -> Option<Placeholder> {
        let template = self.text(text.trim(), place, findings)?;
        let found = template.sole_placeholder().cloned();
        if found.is_none() {
            let message = "this is one placeholder and nothing else".to_owned();
            let help = "write \"{{ field }}\"".to_owned();
            findings.error("bad_template", place.clone(), message, help);
        }
        found
    }

    fn segment(
        &self,
        text: &PlaceholderText<'_>,
        place: &Place,
        findings: &mut Findings,
    ) -> Option<Segment> {
        if text.source == "lead" {
            return self.whole_lead(text, place, findings);
        }
        let (source, rest) = self.first_step(text, place, findings)?;
        let filters: Vec<_> = rest.iter().map(|call| self.filter(call, place, findings)).collect();
        let filters = filters.into_iter().collect::<Option<Vec<_>>>()?;
        Some(Segment::Value(Placeholder { source, filters }))
    }

    fn whole_lead(
        &self,
        text: &PlaceholderText<'_>,
        place: &Place,
        findings: &mut Findings,
    ) -> Option<Segment> {
        if !self.call.carries_contact() {
            self.not_known("lead", place, findings);
            return None;
        }
        if let Some(filter) = text.filters.first() {
            super::filters::bad(filter.name, "does not work on the whole lead", place, findings);
            return None;
        }
        Some(Segment::Lead(Arc::clone(&self.lead)))
    }
}

/// Marks a placeholder of a long text itself, and a short text as a whole.
fn within(place: &Place, text: &str, span: Range<usize>) -> Place {
    let narrowed = || {
        let raw = place.file.text.get(place.span.clone())?;
        if !raw.contains('\n') {
            return None;
        }
        let wanted = text.get(span.clone())?;
        let start = place.span.start.saturating_add(raw.find(wanted)?);
        Some(start..start.saturating_add(wanted.len()))
    };
    let span = narrowed().unwrap_or_else(|| place.span.clone());
    Place { file: Arc::clone(&place.file), span }
}
