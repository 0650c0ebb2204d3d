//! Takes off the escapes that a URL, a form, JSON or XML puts on a value, nested ones too.

use std::borrow::Cow;

/// How many layers of escapes are taken off: a document in a field of a document in a form has
/// three.
const LAYERS: usize = 4;
/// Longest entity looked at, from `&` to `;`.
const ENTITY_MAX: usize = 10;

/// The text without percent-encoding, JSON escapes and entities. Text without any is not copied.
pub(super) fn plain(text: &[u8]) -> Cow<'_, [u8]> {
    let mut text = Cow::Borrowed(text);
    for _ in 0..LAYERS {
        match without_a_layer(&text) {
            Some(plainer) => text = Cow::Owned(plainer),
            None => break,
        }
    }
    text
}

fn without_a_layer(text: &[u8]) -> Option<Vec<u8>> {
    let first = text.iter().position(|b| matches!(b, b'%' | b'\\' | b'&'))?;
    let (clean, mut rest) = text.split_at(first);
    let mut out = Vec::with_capacity(text.len());
    out.extend_from_slice(clean);
    let mut changed = false;
    while let [byte, tail @ ..] = rest {
        match escape(rest) {
            Some((c, after)) => {
                push(&mut out, c);
                rest = after;
                changed = true;
            }
            None => {
                out.push(*byte);
                rest = tail;
            }
        }
    }
    changed.then_some(out)
}

/// What an escape stands for.
#[derive(Clone, Copy)]
enum Meant {
    Byte(u8),
    Char(char),
}

fn push(out: &mut Vec<u8>, meant: Meant) {
    match meant {
        Meant::Byte(byte) => out.push(byte),
        Meant::Char(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

/// The escape at the start of `text`, and what follows it.
fn escape(text: &[u8]) -> Option<(Meant, &[u8])> {
    match text {
        [b'%', high, low, after @ ..] => Some((Meant::Byte(byte(*high, *low)?), after)),
        [b'\\', b'u', after @ ..] => {
            let (code, after) = after.split_first_chunk::<4>()?;
            let [high, low] = [byte(code[0], code[1])?, byte(code[2], code[3])?];
            let unit = u32::from(u16::from_be_bytes([high, low]));
            Some((Meant::Char(char::from_u32(unit).unwrap_or(' ')), after))
        }
        [b'\\', b'n' | b'r' | b't' | b'b' | b'f', after @ ..] => Some((Meant::Byte(b' '), after)),
        [b'\\', c @ (b'"' | b'\\' | b'/'), after @ ..] => Some((Meant::Byte(*c), after)),
        [b'&', ..] => entity(text),
        _ => None,
    }
}

fn byte(high: u8, low: u8) -> Option<u8> {
    let digit = |c: u8| char::from(c).to_digit(16).and_then(|d| u8::try_from(d).ok());
    Some(digit(high)? << 4 | digit(low)?)
}

fn entity(text: &[u8]) -> Option<(Meant, &[u8])> {
    let end = text.iter().take(ENTITY_MAX).position(|b| *b == b';')?;
    let (name, after) = (text.get(1..end)?, text.get(end.saturating_add(1)..)?);
    let c = match name {
        b"amp" => '&',
        b"lt" => '<',
        b"gt" => '>',
        b"quot" => '"',
        b"apos" => '\'',
        b"nbsp" => ' ',
        [b'#', b'x' | b'X', hex @ ..] => number(hex, 16)?,
        [b'#', digits @ ..] => number(digits, 10)?,
        _ => return None,
    };
    Some((Meant::Char(c), after))
}

fn number(digits: &[u8], radix: u32) -> Option<char> {
    char::from_u32(u32::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()?)
}
