//! Which fields a stage may carry beyond what the templates name.

use std::sync::Arc;

use exchange_model::document::NodeKind;
use exchange_model::finding::nearest;
use exchange_model::vertical::Need;
use exchange_model::{FieldClass, FieldIdx, Findings, Place, TableReader, Vertical};

use crate::template::LeadFields;

/// `fields = [...]` of a post: what `{{ lead }}` carries. Without it, every field that sellers may
/// send in a post and that may leave.
pub(super) fn carried(
    table: &mut TableReader<'_>,
    vertical: &Vertical,
    findings: &mut Findings,
) -> Option<LeadFields> {
    let Some(names) = table.strings("fields", findings) else {
        let all = vertical.fields().filter(|(_, field)| {
            field.class != FieldClass::Secret && field.post != Need::No && field.derived.is_none()
        });
        return Some(all.map(|(at, field)| (field.name.as_str().into(), at)).collect());
    };
    let mut fields = Vec::with_capacity(names.len());
    let mut complete = true;
    for name in names {
        match known(name.value, &name.place, vertical, findings) {
            Some(at) if vertical.field(at).class == FieldClass::Secret => {
                let message = format!("`{}` is of class secret and never leaves", name.value);
                findings.error("secret_field", name.place, message, "leave it out".to_owned());
                complete = false;
            }
            Some(at) => fields.push((name.value.into(), at)),
            None => complete = false,
        }
    }
    complete.then(|| Arc::from(fields))
}

/// `allow_hashed = { phone = "why" }` of a ping.
pub(super) fn hashed(
    table: &mut TableReader<'_>,
    vertical: &Vertical,
    findings: &mut Findings,
) -> Vec<FieldIdx> {
    let Some(reasons) = table.table("allow_hashed", findings) else { return Vec::new() };
    let mut fields = Vec::new();
    for entry in &reasons.raw().entries {
        let place = reasons.place(entry.key_span.clone());
        let known = known(&entry.key, &place, vertical, findings);
        match &entry.value.kind {
            NodeKind::String(why) if !why.trim().is_empty() => fields.extend(known),
            _ => {
                let message = format!("a hash of `{}` needs a written reason", entry.key);
                let help = format!("write `{} = \"why, and who agreed\"`", entry.key);
                let place = reasons.place(entry.value.span.clone());
                findings.error("no_reason", place, message, help);
            }
        }
    }
    fields
}

fn known(
    name: &str,
    place: &Place,
    vertical: &Vertical,
    findings: &mut Findings,
) -> Option<FieldIdx> {
    let at = vertical.index(name);
    if at.is_none() {
        let help = match nearest(name, vertical.names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the fields are in the vertical `{}`", vertical.id()),
        };
        let message = format!("vertical `{}` has no field `{name}`", vertical.id());
        findings.error("unknown_field", place.clone(), message, help);
    }
    at
}
