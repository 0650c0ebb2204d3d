//! The syntax of placeholders, without their meaning.

use std::borrow::Cow;
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
    pub(crate) arguments: Vec<Argument<'t>>,
}

/// An argument as written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Argument<'t> {
    /// Between single quotes; a quote inside is doubled.
    Text(Cow<'t, str>),
    /// Digits, with an optional sign and point.
    Number(&'t str),
    /// The name of a source.
    Name(&'t str),
}

/// What is wrong, and where.
type Broken = (Range<usize>, &'static str);

/// Most filters of one placeholder, and most arguments of one filter.
const PARTS_MAX: usize = 16;

/// Splits a text into its pieces.
///
/// # Errors
/// The bytes that are wrong, and why.
pub(crate) fn pieces(text: &str) -> Result<Vec<Piece<'_>>, Broken> {
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

fn placeholder(inside: &str, span: Range<usize>) -> Result<PlaceholderText<'_>, Broken> {
    let mut parts = split_unquoted(inside, '|').into_iter().map(str::trim);
    let source = parts.next().unwrap_or("");
    if source.is_empty() {
        return Err((span, "an empty placeholder"));
    }
    if !is_source(source) {
        return Err((span, "a placeholder starts with the name of a field or another source"));
    }
    match calls(parts) {
        Ok(filters) => Ok(PlaceholderText { span, source, filters }),
        Err(why) => Err((span, why)),
    }
}

/// Reads filters without a source: `trim | upper`.
///
/// # Errors
/// Why these are none.
pub(crate) fn filter_calls(text: &str) -> Result<Vec<FilterCall<'_>>, &'static str> {
    calls(split_unquoted(text, '|').into_iter().map(str::trim))
}

fn calls<'t>(parts: impl Iterator<Item = &'t str>) -> Result<Vec<FilterCall<'t>>, &'static str> {
    match parts.map(filter).collect::<Option<Vec<_>>>() {
        Some(filters) if filters.len() <= PARTS_MAX => Ok(filters),
        Some(_) => Err("a placeholder has at most 16 filters"),
        None => Err(
            "a filter is a name, or a name with arguments: text in single quotes, numbers, names",
        ),
    }
}

/// Splits at every `separator` outside of quotes.
fn split_unquoted(text: &str, separator: char) -> Vec<&str> {
    let mut quoted = false;
    text.split(|character| {
        quoted ^= character == '\'';
        character == separator && !quoted
    })
    .collect()
}

/// `name` or `name('argument', 2, other.source)`.
fn filter(text: &str) -> Option<FilterCall<'_>> {
    let is_name = |name: &str| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    let (name, arguments) = match text.split_once('(') {
        None => (text, Vec::new()),
        Some((name, rest)) => {
            let inside = rest.trim_end().strip_suffix(')')?;
            let read: Option<Vec<_>> =
                split_unquoted(inside, ',').into_iter().map(argument).collect();
            (name.trim_end(), read?)
        }
    };
    (is_name(name) && arguments.len() <= PARTS_MAX).then_some(FilterCall { name, arguments })
}

fn argument(text: &str) -> Option<Argument<'_>> {
    let text = text.trim();
    if let Some(quoted) = text.strip_prefix('\'') {
        let inside = quoted.strip_suffix('\'')?;
        // A quote inside is doubled: what is left without the pairs has none.
        if inside.replace("''", "").contains('\'') {
            return None;
        }
        let text = if inside.contains('\'') {
            Cow::Owned(inside.replace("''", "'"))
        } else {
            Cow::Borrowed(inside)
        };
        return Some(Argument::Text(text));
    }
    if is_number(text) {
        return Some(Argument::Number(text));
    }
    is_source(text).then_some(Argument::Name(text))
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    [whole, fraction]
        .iter()
        .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
}

fn is_source(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
        && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Argument<'_> {
        Argument::Text(Cow::Borrowed(text))
    }

    #[test]
    fn a_text_splits_into_literals_and_placeholders() {
        let read = pieces("a {{ zip }}b{{ d | date('%m|}}') | upper }}").unwrap();
        assert_eq!(read.len(), 4);
        assert_eq!(read[0], Piece::Literal("a "));
        let Piece::Placeholder(last) = &read[3] else { panic!("a placeholder") };
        assert_eq!(last.source, "d");
        assert_eq!(last.filters[0], FilterCall { name: "date", arguments: vec![text("%m|}}")] });
        assert_eq!(last.filters[1], FilterCall { name: "upper", arguments: Vec::new() });
        assert_eq!(last.span, 12..43);
    }

    #[test]
    fn arguments_are_texts_numbers_and_names() {
        let read = pieces("{{ a | if(home.owner, 'it''s, yes', -1.5) }}").unwrap();
        let [Piece::Placeholder(read)] = read.as_slice() else { panic!("a placeholder") };
        assert_eq!(
            read.filters[0].arguments,
            [
                Argument::Name("home.owner"),
                Argument::Text(Cow::Owned("it's, yes".into())),
                Argument::Number("-1.5")
            ]
        );
        let read = pieces("{{ a | default('') }}").unwrap();
        let [Piece::Placeholder(read)] = read.as_slice() else { panic!("a placeholder") };
        assert_eq!(read.filters[0].arguments, [text("")]);
    }

    #[test]
    fn broken_placeholders_say_where() {
        assert_eq!(pieces("ab {{ zip"), Err((3..9, "`{{` has no `}}`")));
        assert_eq!(pieces("{{ }}"), Err((0..5, "an empty placeholder")));
        for broken in [
            "{{ zip | }}",
            "{{ zip | f( }}",
            "{{ zip | f() }}",
            "{{ zip | f('a' 'b') }}",
            "{{ zip | f('a) }}",
            "{{ zip | f(1.) }}",
            "{{ 'text' }}",
            "{{ a b }}",
        ] {
            assert!(pieces(broken).is_err(), "{broken}");
        }
    }
}
