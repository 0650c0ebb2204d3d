//! `min` and `max` of one field.

use exchange_model::document::{Node, NodeKind, Spanned};
use exchange_model::{FieldType, Findings, Place, TableReader, Value};

use crate::filter::Range;
use crate::filter::read::{Asked, values};

/// The range of a table that has `min` or `max`.
pub(super) fn range(
    asked: &Asked<'_>,
    inner: &mut TableReader<'_>,
    findings: &mut Findings,
) -> Option<Range> {
    let (min, max) = (inner.node("min"), inner.node("max"));
    let place = inner.place(min.or(max)?.span.clone());
    if !has_order(&asked.field.kind) {
        let name = &asked.field.name;
        let message = format!("`{name}` has no order, so min and max mean nothing");
        let help = format!("write `{name} = {}`", values::example(&asked.field.kind, false));
        findings.error("no_order", place, message, help);
        return None;
    }
    let min = bound(asked, ("min", min), inner, findings);
    let max = bound(asked, ("max", max), inner, findings);
    let range = Range::between(min?, max?)?;
    checked(asked, Spanned { value: range, place }, findings)
}

fn has_order(kind: &FieldType) -> bool {
    matches!(kind, FieldType::Integer { .. } | FieldType::Decimal | FieldType::Date)
}

/// A bound that is not written, or can be read; nothing when it cannot. A whole number may lie
/// outside what the vertical allows: it then does not limit on that side.
fn bound(
    asked: &Asked<'_>,
    (key, node): (&str, Option<&Node>),
    table: &TableReader<'_>,
    findings: &mut Findings,
) -> Option<Option<Value>> {
    let Some(node) = node else { return Some(None) };
    match (&asked.field.kind, &node.kind) {
        (FieldType::Integer { .. }, NodeKind::Integer(number)) => {
            Some(Some(Value::Integer(*number)))
        }
        _ => values::value(asked.field, key, node, table, findings).map(Some),
    }
}

/// Reports a range that no lead can lie in.
fn checked(asked: &Asked<'_>, range: Spanned<Range>, findings: &mut Findings) -> Option<Range> {
    let name = &asked.field.name;
    let (message, help) = if range.value.is_empty() {
        (format!("no `{name}` is {}", range.value), "write min below max".to_owned())
    } else if let (FieldType::Integer { min, max }, Range::Integer(low, high)) =
        (&asked.field.kind, &range.value)
        && (low.is_some_and(|low| low > *max) || high.is_some_and(|high| high < *min))
    {
        (format!("`{name}` is never {}", range.value), format!("it is from {min} to {max}"))
    } else {
        return Some(range.value);
    };
    never(range.place, message, help, findings);
    None
}

fn never(place: Place, message: String, help: String, findings: &mut Findings) {
    findings.error("never_matches", place, message, help);
}
