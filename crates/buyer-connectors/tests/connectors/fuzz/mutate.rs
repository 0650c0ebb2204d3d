//! Changes to a document: those that a broken peer makes, and those that an attacker thinks of.

use serde_json::Value;

use super::random::Random;

/// Longest document that is made: somewhat more than is ever read.
const LENGTH_MAX: usize = 80 * 1024;

/// Pieces that have broken readers before.
const PIECES: &[&str] = &[
    "<![CDATA[",
    "]]>",
    "<!DOCTYPE a [<!ENTITY b \"c\">]>",
    "<!--",
    "-->",
    "<?xml version=\"1.0\" encoding=\"utf-16\"?>",
    "<?x",
    "&amp;amp;lt;",
    "&#x0;",
    "&#55296;",
    "&#x110000;",
    "&#99999999999;",
    "&nbsp;",
    "&b;",
    "&",
    "%",
    "%0",
    "%00",
    "%zz",
    "\\u0000",
    "\\ud800",
    "\\udc00\\ud800",
    "\\u",
    "\\",
    "\"",
    "'",
    "`",
    "\u{feff}",
    "\u{0}",
    "\u{85}",
    "\u{2028}",
    "\u{202e}",
    "\u{1f600}",
    "\u{e9}",
    "NaN",
    "Infinity",
    "-0",
    "1e400",
    "1E-400",
    "0.1e1",
    "99999999999999999999999999999999",
    "0.0000001",
    "1,000.00",
    "$12.50",
    "12.50 USD",
    "\u{0661}\u{0662}",
    "true",
    "false",
    "null",
    "[]",
    "{}",
    "[[[[",
    "]]]]",
    "{\"a\":",
    "}",
    "<a>",
    "</a>",
    "<a/>",
    "<a b=\"c\" b=\"d\">",
    "xmlns:x=\"y\"",
    "<x:y>",
    "xsi:nil=\"true\"",
    "|",
    "||",
    "=",
    "==",
    "&a=b",
    ";",
    ",",
    ",,",
    "\t",
    "\r\n",
    "\n\n",
    " ",
    "http://127.0.0.1/",
    "javascript:alert(1)",
    "//x",
    "https://a.example/?b=c#d",
];

/// Headers of characters that are more than one byte.
const MARKS: &[&[u8]] = &[
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\xfe\xff",
    b"\xff\xfe\x00\x00",
    b"\x00\x00\xfe\xff",
    b"\xc0\x80",
    b"\xed\xa0\x80",
];

/// One to six changes of the document, sometimes none.
pub(super) fn mutated(seed: &[u8], others: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut text = seed.to_vec();
    for _ in 0..random.below(7) {
        text = once(text, others, random);
        text.truncate(LENGTH_MAX);
    }
    text
}

fn once(mut text: Vec<u8>, others: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    match random.below(20) {
        0 => flip(&mut text, random),
        1 => text.truncate(random.cut(text.len())),
        2 => drop(text.drain(..random.cut(text.len()))),
        3 => remove(&mut text, random),
        4 => repeat(&mut text, random),
        5 | 6 => insert(&mut text, random.pick(PIECES).as_bytes(), random),
        7 => insert(&mut text, random.pick(MARKS), random),
        8 => text.splice(0..0, random.pick(MARKS).iter().copied()).for_each(drop),
        9 => splice(&mut text, others, random),
        10 => digits(&mut text, random),
        11 => return nested(&text, random),
        12 => return wrapped(&text, random),
        13 => return recoded(&text, random),
        14..=16 => return of_json(&text, random).unwrap_or(text),
        17..=18 => tags(&mut text, random),
        _ => text.extend_from_slice(random.pick(PIECES).as_bytes()),
    }
    text
}

fn flip(text: &mut [u8], random: &mut Random) {
    let at = random.below(text.len());
    if let Some(byte) = text.get_mut(at) {
        *byte ^= 1 << random.below(8);
    }
}

fn range(length: usize, random: &mut Random) -> std::ops::Range<usize> {
    let (a, b) = (random.cut(length), random.cut(length));
    a.min(b)..a.max(b)
}

fn remove(text: &mut Vec<u8>, random: &mut Random) {
    let range = range(text.len(), random);
    text.drain(range).for_each(drop);
}

fn repeat(text: &mut Vec<u8>, random: &mut Random) {
    let range = range(text.len(), random);
    let times = if random.one_in(8) { 400 } else { 1 + random.below(3) };
    let piece = text[range.clone()].repeat(times);
    text.splice(range.end..range.end, piece.into_iter().take(LENGTH_MAX)).for_each(drop);
}

fn insert(text: &mut Vec<u8>, piece: &[u8], random: &mut Random) {
    let at = random.cut(text.len());
    text.splice(at..at, piece.iter().copied()).for_each(drop);
}

fn splice(text: &mut Vec<u8>, others: &[Vec<u8>], random: &mut Random) {
    let other = &others[random.below(others.len())];
    let piece = other[range(other.len(), random)].to_vec();
    insert(text, &piece, random);
}

fn digits(text: &mut [u8], random: &mut Random) {
    for byte in text.iter_mut().filter(|byte| byte.is_ascii_digit()) {
        if random.one_in(3) {
            *byte = b"0123456789.,-+eE"[random.below(16)];
        }
    }
}

/// Deep documents: the depth is around the limits of readers.
fn nested(text: &[u8], random: &mut Random) -> Vec<u8> {
    let depth = [8, 31, 32, 33, 127, 128, 129, 5_000][random.below(8)];
    const AROUND: &[(&str, &str)] =
        &[("[", "]"), ("{\"a\":", "}"), ("<a>", "</a>"), ("<p><b>", "")];
    let (open, close) = AROUND[random.below(AROUND.len())];
    [open.repeat(depth).as_bytes(), text, close.repeat(depth).as_bytes()].concat()
}

/// The document in a field of another.
fn wrapped(text: &[u8], random: &mut Random) -> Vec<u8> {
    let text = String::from_utf8_lossy(text);
    let escaped = || text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    match random.below(8) {
        0 => serde_json::json!({ "d": text, "result": text }).to_string(),
        1 => Value::from(&*text).to_string(),
        2 => format!("<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><Result>{}</Result></s:Body></s:Envelope>", escaped()),
        3 => format!("<a><![CDATA[{text}]]></a>"),
        4 => escaped(),
        5 => format!("<html><body><pre>{text}</pre></body></html>"),
        6 => format!("d={}&e=1", text.bytes().map(|b| format!("%{b:02x}")).collect::<String>()),
        _ => format!("callback({text});"),
    }
    .into_bytes()
}

fn recoded(text: &[u8], random: &mut Random) -> Vec<u8> {
    let chars = String::from_utf8_lossy(text);
    match random.below(4) {
        0 => chars.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        1 => chars.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        2 => chars.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect(),
        _ => chars.to_uppercase().into_bytes(),
    }
}

/// Another value, key or type somewhere in a JSON document.
fn of_json(text: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    let mut document: Value = serde_json::from_slice(text).ok()?;
    change(&mut document, random);
    Some(document.to_string().into_bytes())
}

fn change(node: &mut Value, random: &mut Random) {
    let inner = match node {
        _ if random.one_in(3) => None,
        Value::Array(items) => {
            let at = random.below(items.len());
            items.get_mut(at)
        }
        Value::Object(fields) => {
            let at = random.below(fields.len());
            fields.values_mut().nth(at)
        }
        _ => None,
    };
    match inner {
        Some(inner) => change(inner, random),
        None => *node = another(node.take(), random),
    }
}

fn another(value: Value, random: &mut Random) -> Value {
    let text = match &value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match random.below(10) {
        0 => Value::Null,
        1 => Value::Bool(random.one_in(2)),
        2 => Value::from(random.next()),
        3 => Value::from(text),
        4 => Value::from(random.pick(PIECES)),
        5 => Value::Array(vec![value; random.below(70)]),
        6 => serde_json::json!({ random.pick(PIECES): value, "a": text }),
        7 => serde_json::from_str(&text).unwrap_or_else(|_| Value::from(format!("{text} "))),
        8 => Value::from(text.repeat(random.below(200))),
        _ => Value::from(text.to_uppercase()),
    }
}

/// Removes, repeats or swaps whole tags.
fn tags(text: &mut Vec<u8>, random: &mut Random) {
    let starts: Vec<usize> =
        text.iter().enumerate().filter(|(_, b)| **b == b'<').map(|(at, _)| at).collect();
    let ends: Vec<usize> =
        text.iter().enumerate().filter(|(_, b)| **b == b'>').map(|(at, _)| at + 1).collect();
    if starts.is_empty() {
        return remove(text, random);
    }
    let from = starts[random.below(starts.len())];
    let Some(to) = ends.iter().copied().find(|end| *end > from) else { return };
    let tag = text[from..to].to_vec();
    match random.below(3) {
        0 => text.drain(from..to).for_each(drop),
        1 => text.splice(to..to, tag).for_each(drop),
        _ => insert(text, &tag, random),
    }
}
