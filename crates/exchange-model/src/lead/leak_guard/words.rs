//! Text as its words: lower case, no accents, one space around each.
//!
//! `O'Neil,  José` and `O&apos;NEIL JOSE` are both ` o neil jose `, so that spelling hides nothing.

use std::iter::Peekable;

/// Combining accents, which stand behind their letter.
const ACCENTS: std::ops::RangeInclusive<char> = '\u{300}'..='\u{36f}';

/// The words of a text, each with a space on both sides. `@` is a word; `:` and `/` between digits
/// stay, so that a time is no date and `4/2/90` is one.
pub(super) fn words(text: &[u8]) -> String {
    let mut out = String::with_capacity(text.len().saturating_add(2));
    out.push(' ');
    let mut chars = chars(text).peekable();
    let mut after_digit = false;
    while let Some(c) = chars.next() {
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
        } else if c.is_alphanumeric() {
            out.extend(c.to_lowercase().map(without_accent));
        } else if c == '@' {
            part(&mut out);
            out.push_str("@ ");
        } else if matches!(c, ':' | '/') && after_digit && before_digit(&mut chars) {
            out.push(c);
        } else if !ACCENTS.contains(&c) {
            part(&mut out);
        }
        after_digit = c.is_ascii_digit();
    }
    part(&mut out);
    out
}

fn part(out: &mut String) {
    if !out.ends_with(' ') {
        out.push(' ');
    }
}

fn before_digit(chars: &mut Peekable<impl Iterator<Item = char>>) -> bool {
    chars.peek().is_some_and(char::is_ascii_digit)
}

/// Bytes that are no UTF-8 are read as Latin-1.
fn chars(text: &[u8]) -> impl Iterator<Item = char> {
    text.utf8_chunks().flat_map(|chunk| {
        chunk.valid().chars().chain(chunk.invalid().iter().copied().map(char::from))
    })
}

/// The plain letter of an accented one; other letters are themselves.
fn without_accent(c: char) -> char {
    match c {
        'à'..='å' | 'ā' | 'ă' | 'ą' => 'a',
        'ç' | 'ć' | 'č' => 'c',
        'ď' | 'đ' => 'd',
        'è'..='ë' | 'ē' | 'ė' | 'ę' | 'ě' => 'e',
        'ğ' | 'ģ' => 'g',
        'ì'..='ï' | 'ī' | 'į' | 'ı' => 'i',
        'ł' | 'ľ' | 'ļ' => 'l',
        'ñ' | 'ń' | 'ň' | 'ņ' => 'n',
        'ò'..='ö' | 'ø' | 'ō' | 'ő' => 'o',
        'ř' | 'ŕ' => 'r',
        'ś' | 'š' | 'ş' | 'ș' => 's',
        'ť' | 'ţ' | 'ț' => 't',
        'ù'..='ü' | 'ū' | 'ů' | 'ű' | 'ų' => 'u',
        'ý' | 'ÿ' => 'y',
        'ź' | 'ž' | 'ż' => 'z',
        other => other,
    }
}
