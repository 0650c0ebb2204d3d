//! From a seller's flat fields to a lead, or every mistake at once.

use std::sync::Arc;

use crate::id::LeadId;
use crate::lead::Lead;
use crate::pii::Pii;
use crate::reason::Invalid;
use crate::timestamp::Date;
use crate::vertical::{Check, Field, FieldClass, FieldIdx, Need, Stage, Vertical, normalise};

/// Most unknown fields kept with a lead.
const EXTRAS_MAX: usize = 50;
/// Longest unknown field kept, in bytes.
const EXTRA_TEXT_MAX: usize = 2_048;

/// One field that is wrong. It never holds the value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FieldError {
    /// The field.
    pub field: String,
    /// Why.
    pub code: Invalid,
    /// What is wanted, for people.
    pub detail: String,
}

/// A seller's fields as texts, and which request they belong to.
#[derive(Debug)]
pub struct IntakeFields<'a> {
    /// Ping or post.
    pub stage: Stage,
    /// Names and texts; an empty text counts as absent.
    pub fields: &'a [(String, String)],
    /// Kept sealed with the lead, beside the vertical's fields (sub-ids, the seller's own id).
    pub sealed: Vec<(String, String)>,
    /// What was pinged: missing fields are taken from it, differing ones refused.
    pub pinged: Option<&'a Lead>,
    /// Whether what was pinged counts where the post says otherwise; else that is a fault.
    pub ping_counts: bool,
    /// The day of intake, for derived fields.
    pub today: Date,
}

/// A lead, and the names of the fields that the vertical does not know.
#[derive(Debug)]
pub struct Intaken {
    /// The lead.
    pub lead: Lead,
    /// Unknown fields: kept sealed, never pinged.
    pub unknown: Vec<String>,
}

/// Checks and normalises a seller's fields.
///
/// # Errors
/// Every field that is wrong, in the order of the vertical.
pub fn intake(
    id: LeadId,
    vertical: &Arc<Vertical>,
    from: IntakeFields<'_>,
) -> Result<Intaken, Vec<FieldError>> {
    let mut lead = Lead::blank(id, vertical);
    let mut errors = Vec::new();
    for (at, field) in vertical.fields().filter(|(_, field)| field.derived.is_none()) {
        let is_frozen = from.ping_counts && from.pinged.is_some_and(|p| keeps(p, at, field));
        let sent = from
            .fields
            .iter()
            .find(|(name, text)| !is_frozen && *name == field.name && !text.trim().is_empty());
        match sent {
            Some((_, text)) => accept(&mut lead, at, field, text, &mut errors),
            None => take_pinged(&mut lead, at, from.pinged),
        }
        if sent.is_none() {
            check_need(&lead, at, field, from.stage, &mut errors);
        }
        if !is_frozen {
            check_pinged(&lead, at, field, from.pinged, &mut errors);
        }
    }
    let unknown = unknown_fields(vertical, from.fields);
    keep_extras(&mut lead, &unknown, &from, &mut errors);
    if !errors.is_empty() {
        return Err(errors);
    }
    errors.extend(lead.failed_checks(from.today).map(|check| poor(vertical, check)));
    if !errors.is_empty() {
        return Err(errors);
    }
    lead.derive(from.today);
    Ok(Intaken { lead, unknown })
}

/// What is told about a check that does not hold; never the value.
fn poor(vertical: &Vertical, check: &Check) -> FieldError {
    FieldError {
        field: vertical.field(check.blamed()).name.clone(),
        code: Invalid::BadValue,
        detail: check.why(vertical),
    }
}

fn accept(lead: &mut Lead, at: FieldIdx, field: &Field, text: &str, errors: &mut Vec<FieldError>) {
    match normalise(&field.kind, text) {
        Ok(value) => lead.set(at, value),
        Err(bad) => errors.push(FieldError {
            field: field.name.clone(),
            code: bad.code,
            detail: format!("expected {}", bad.wanted),
        }),
    }
}

fn take_pinged(lead: &mut Lead, at: FieldIdx, pinged: Option<&Lead>) {
    let Some(pinged) = pinged else { return };
    if let Some(value) = pinged.attributes.get(at) {
        lead.attributes.set(at, value.clone());
    } else if let Some(value) = pinged.contact.get(at) {
        lead.contact.set(at, value.clone());
    }
}

/// Whether a field stays as the ping said it, whatever the post says: a field that buyers would
/// have bid on stays absent as well, unless a post needs it.
fn keeps(pinged: &Lead, at: FieldIdx, field: &Field) -> bool {
    was_pinged(pinged, at)
        || field.class == FieldClass::Open && field.ping != Need::No && field.post != Need::Required
}

fn was_pinged(pinged: &Lead, at: FieldIdx) -> bool {
    pinged.attributes.get(at).is_some() || pinged.contact.get(at).is_some()
}

fn check_need(
    lead: &Lead,
    at: FieldIdx,
    field: &Field,
    stage: Stage,
    errors: &mut Vec<FieldError>,
) {
    let need = match stage {
        Stage::Ping => field.ping,
        Stage::Post => field.post,
    };
    let present = lead.attributes.get(at).is_some() || lead.contact.get(at).is_some();
    if need == Need::Required && !present {
        errors.push(FieldError {
            field: field.name.clone(),
            code: Invalid::MissingField,
            detail: "this field is required".to_owned(),
        });
    }
}

fn check_pinged(
    lead: &Lead,
    at: FieldIdx,
    field: &Field,
    pinged: Option<&Lead>,
    errors: &mut Vec<FieldError>,
) {
    let Some(pinged) = pinged else { return };
    let same = match field.class {
        FieldClass::Open => pinged.attributes.get(at) == lead.attributes.get(at),
        FieldClass::Contact | FieldClass::Secret => pinged.contact.get(at) == lead.contact.get(at),
    };
    // A field that the ping left out was not part of what buyers bid on only if it is contact.
    let frozen =
        was_pinged(pinged, at) || field.class == FieldClass::Open && field.ping != Need::No;
    if frozen && !same {
        errors.push(FieldError {
            field: field.name.clone(),
            code: Invalid::PingMismatch,
            detail: "differs from what was pinged; ping again to change it".to_owned(),
        });
    }
}

fn unknown_fields(vertical: &Vertical, fields: &[(String, String)]) -> Vec<String> {
    fields
        .iter()
        .filter(|(name, _)| {
            vertical.index(name).is_none_or(|at| vertical.field(at).derived.is_some())
        })
        .map(|(name, _)| name.clone())
        .collect()
}

fn keep_extras(
    lead: &mut Lead,
    unknown: &[String],
    from: &IntakeFields<'_>,
    errors: &mut Vec<FieldError>,
) {
    if unknown.len() > EXTRAS_MAX {
        errors.push(FieldError {
            field: String::new(),
            code: Invalid::TooLarge,
            detail: format!("at most {EXTRAS_MAX} fields that the vertical does not know"),
        });
        return;
    }
    let extras = from.fields.iter().filter(|(name, _)| unknown.contains(name));
    for (name, text) in extras.chain(&from.sealed) {
        if text.len() > EXTRA_TEXT_MAX {
            errors.push(FieldError {
                field: name.clone(),
                code: Invalid::TooLarge,
                detail: format!("at most {EXTRA_TEXT_MAX} bytes"),
            });
        } else {
            lead.contact.extras.push((name.clone(), Pii::new(text.clone())));
        }
    }
}
