//! The syntax of placeholders, without their meaning.

use std::ops::Range;

/// A piece of a text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Piece<'t> {
    /// Outside of braces.
    Literal(&'t str),
    /// Between `{{` and `}}`.
    Placeholder(PlaceholderText<'t>),
}

/// A placeholder as written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct PlaceholderText<'t> {
    /// Bytes of the text, braces included.
    pub(crate) span: Range<usize>,
    /// Before the first `|`.
    pub(crate) source: &'t str,
    /// The filters, in order.
    pub(crate) filters: Vec<FilterCall<'t>>,
}

/// A filter as written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct FilterCall<'t> {
    pub(crate) name: &'t str,
    pub(crate) argument: Option<&'t str>,
}

/// Splits a text into its pieces.
///
/// # Errors
/// The bytes that are wrong, and why.
pub(crate) fn pieces(text: &str) -> Result<Vec<Piece<'_>>, (Range<usize>, &'static str)> {
    let mut found = Vec::new();
    let mut done = 0;
    while let Some(rest) = text.get(done..).filter(|rest| !rest.is_empty()) {
        let Some((before, after)) = rest.split_once("{{") else {
            found.push(Piece::Literal(rest));
            break;
        };
        if !before.is_empty() {
            found.push(Piece::Literal(before));
        }
        let start = done.saturating_add(before.len());
        let Some(length) = end_of_placeholder(after) else {
            return Err((start..text.len(), "`{{` has no `}}`"));
        };
        let end = start.saturating_add(length).saturating_add(4);
        let inside = after.get(..length).unwrap_or("");
        found.push(Piece::Placeholder(placeholder(inside, start..end)?));
        done = end;
    }
    Ok(found)
}

/// The bytes before `}}`, quoted arguments skipped.
fn end_of_placeholder(text: &str) -> Option<usize> {
    let mut quoted = false;
    let mut last = '\0';
    for (at, character) in text.char_indices() {
        match character {
            '\'' => quoted = !quoted,
            '}' if !quoted && last == '}' => return at.checked_sub(1),
            _ => {}
        }
        last = if quoted { '\0' } else { character };
    }
    None
}

fn placeholder(
    inside: &str,
    span: Range<usize>,
) -> Result<PlaceholderText<'_>, (Range<usize>, &'static str)> {
    let mut parts = split_unquoted(inside).into_iter().map(str::trim);
    let source = parts.next().unwrap_or("");
    if source.is_empty() {
        return Err((span, "an empty placeholder"));
    }
    let filters: Option<Vec<_>> = parts.map(filter).collect();
    match filters {
        Some(filters) => Ok(PlaceholderText { span, source, filters }),
        None => Err((span, "a filter is a name, or a name with one quoted argument")),
    }
}

/// Splits at every `|` outside of quotes.
fn split_unquoted(text: &str) -> Vec<&str> {
    let mut quoted = false;
    text.split(|character| {
        quoted ^= character == '\'';
        character == '|' && !quoted
    })
    .collect()
}

/// `name` or `name('argument')`.
fn filter(text: &str) -> Option<FilterCall<'_>> {
    let is_name = |name: &str| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    let (name, argument) = match text.split_once('(') {
        None => (text, None),
        Some((name, rest)) => {
            let quoted = rest.trim().strip_suffix(')')?.trim();
            let argument = quoted.strip_prefix('\'')?.strip_suffix('\'')?;
            (name.trim(), Some(argument))
        }
    };
    is_name(name).then_some(FilterCall { name, argument })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_splits_into_literals_and_placeholders() {
        let read = pieces("a {{ zip }}b{{ d | date('%m|}}') | upper }}").unwrap();
        let names: Vec<String> = read.iter().map(|piece| format!("{piece:?}")).collect();
        assert_eq!(names.len(), 4);
        assert_eq!(read[0], Piece::Literal("a "));
        let Piece::Placeholder(last) = &read[3] else { panic!("a placeholder") };
        assert_eq!(last.source, "d");
        assert_eq!(last.filters[0], FilterCall { name: "date", argument: Some("%m|}}") });
        assert_eq!(last.filters[1], FilterCall { name: "upper", argument: None });
        assert_eq!(last.span, 12..43);
    }

    #[test]
    fn broken_placeholders_say_where() {
        assert_eq!(pieces("ab {{ zip"), Err((3..9, "`{{` has no `}}`")));
        assert_eq!(pieces("{{ }}"), Err((0..5, "an empty placeholder")));
        assert!(pieces("{{ zip | map(x) }}").is_err());
        assert!(pieces("{{ zip | }}").is_err());
    }
}
