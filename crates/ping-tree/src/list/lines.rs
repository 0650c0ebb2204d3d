//! The lines of a list that hold a value.

use std::ops::Range;

use exchange_model::FieldType;

use crate::list::LINES_MAX;

/// Whether a list has more lines than we read.
pub(super) fn too_many(text: &str) -> bool {
    text.bytes().filter(|byte| *byte == b'\n').nth(LINES_MAX.saturating_sub(1)).is_some()
}

/// Each value as written with its bytes in the file. A comment behind a value is cut off where `#`
/// can be no part of a value: in free text and addresses it can.
pub(super) fn values<'t>(
    text: &'t str,
    kind: &FieldType,
) -> impl Iterator<Item = (&'t str, Range<usize>)> {
    let free = matches!(
        kind,
        FieldType::Text { .. } | FieldType::Url | FieldType::Email | FieldType::Enum(_)
    );
    let mut start = 0_usize;
    text.split('\n').filter_map(move |line| {
        let span = start..start.saturating_add(line.len());
        start = span.end.saturating_add(1);
        let line = line.trim();
        let value = match line.split_once('#') {
            Some((before, _)) if before.is_empty() || !free => before.trim_end(),
            _ => line,
        };
        (!value.is_empty()).then_some((value, span))
    })
}
