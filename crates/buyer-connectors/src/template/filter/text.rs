//! Filters of texts.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use regex::Regex;

use crate::template::scalar::Scalar;

/// A part of the text, without a copy where it is borrowed.
pub(super) fn part<'v>(value: Scalar<'v>, of: impl Fn(&str) -> &str) -> Scalar<'v> {
    match value.into_text() {
        Cow::Borrowed(text) => Scalar::borrowed(of(text)),
        Cow::Owned(text) => Scalar::owned(of(&text).to_owned()),
    }
}

/// The byte at which the character at `position` starts, or the end.
fn start_of(text: &str, position: usize) -> usize {
    text.char_indices().nth(position).map_or(text.len(), |(at, _)| at)
}

pub(super) fn first(text: &str, count: usize) -> &str {
    text.get(..start_of(text, count)).unwrap_or(text)
}

pub(super) fn last(text: &str, count: usize) -> &str {
    let skipped = text.chars().count().saturating_sub(count);
    text.get(start_of(text, skipped)..).unwrap_or(text)
}

/// `count` characters from the one at `from`, counted from 1.
pub(super) fn slice(text: &str, from: usize, count: usize) -> &str {
    let rest = text.get(start_of(text, from.saturating_sub(1))..).unwrap_or("");
    first(rest, count)
}

pub(super) fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for character in text.chars() {
        if inside {
            out.extend(character.to_lowercase());
        } else {
            out.extend(character.to_uppercase());
        }
        inside = character.is_alphanumeric() || character == '\'';
    }
    out
}

pub(super) fn pad(text: &str, count: usize, with: char) -> String {
    let missing = count.saturating_sub(text.chars().count());
    std::iter::repeat_n(with, missing).chain(text.chars()).collect()
}

/// Letters of other alphabets become their usual Latin ones.
pub(super) fn ascii(value: Scalar<'_>) -> Scalar<'_> {
    match value {
        Scalar::Text(text) if !text.is_ascii() => Scalar::owned(deunicode::deunicode(&text)),
        other => other,
    }
}

pub(super) fn before<'v>(value: Scalar<'v>, mark: &str) -> Option<Scalar<'v>> {
    Some(part(value, |text| text.split_once(mark).map_or(text, |(before, _)| before)))
}

pub(super) fn after<'v>(value: &Scalar<'v>, mark: &str) -> Option<Scalar<'v>> {
    value.text().split_once(mark).map(|(_, after)| Scalar::owned(after.to_owned()))
}

/// One piece, from 1.
pub(super) fn split<'v>(value: &Scalar<'v>, mark: &str, piece: usize) -> Option<Scalar<'v>> {
    let text = value.text();
    let found = text.split(mark).nth(piece.checked_sub(1)?)?;
    Some(Scalar::owned(found.to_owned()))
}

pub(super) fn find<'v>(value: &Scalar<'v>, pattern: &Regex) -> Option<Scalar<'v>> {
    let text = value.text();
    let found = pattern.captures(&text)?;
    let found = found.get(1).or_else(|| found.get(0))?;
    Some(Scalar::owned(found.as_str().to_owned()))
}

pub(super) fn base64(text: &str) -> String {
    STANDARD.encode(text)
}

pub(super) fn base64url(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

/// Of both alphabets, with and without padding, line ends skipped.
pub(super) fn unbase64(coded: &str) -> Option<String> {
    let coded: String = coded.split_ascii_whitespace().collect();
    let coded = coded.trim_end_matches('=');
    let bytes = STANDARD_NO_PAD.decode(coded).or_else(|_other| URL_SAFE_NO_PAD.decode(coded));
    String::from_utf8(bytes.ok()?).ok()
}

/// `+` stays: it is a blank in forms only.
pub(super) fn unurl(coded: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(coded.len());
    let mut rest = coded.bytes();
    while let Some(byte) = rest.next() {
        let mut ahead = rest.clone();
        let mut digit = || char::from(ahead.next()?).to_digit(16);
        let code = if byte == b'%' { digit().zip(digit()) } else { None };
        match code.and_then(|(high, low)| u8::try_from(high * 16 + low).ok()) {
            Some(code) => {
                bytes.push(code);
                rest = ahead;
            }
            None => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).ok()
}

pub(super) fn unxml(coded: &str) -> String {
    quick_xml::escape::unescape(coded).map_or_else(|_other| coded.to_owned(), Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_coded_comes_back() {
        assert_eq!(unurl("a%2Fb+c%C3%A9 100% %zz %4").as_deref(), Some("a/b+cé 100% %zz %4"));
        assert_eq!(unurl("%ff"), None);
        assert_eq!(unxml("a &amp; b &#65;&lt;"), "a & b A<");
        assert_eq!(unxml("a & b &nbsp;"), "a & b &nbsp;");
        assert_eq!(unbase64(" YS\n9i+w== "), None);
        assert_eq!(unbase64("w6k_").as_deref(), Some("é?"));
        assert_eq!(unbase64("YQ").as_deref(), Some("a"));
        assert_eq!(base64url("é?"), "w6k_");
    }
}
