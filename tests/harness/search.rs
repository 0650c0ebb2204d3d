//! Searching everything for contact values, in every form in which they could hide.
//!
//! One pass over the text, whatever the number of values: the first seven bytes of every form are
//! looked up at every place, and what matches there is compared whole.

use std::collections::HashMap;

use exchange_lab::Lead;
use sha2::{Digest as _, Sha256};

use super::digests::{md5, sha1};

/// Bytes by which forms are looked up; no form is shorter.
const KEY_LEN: usize = 7;
/// Bits of the first, coarse look.
const COARSE_BITS: u32 = 24;

/// One form of one contact value.
struct Form {
    lead: u64,
    what: String,
    bytes: Vec<u8>,
}

/// A form that was found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Hit {
    /// The number of the lead.
    pub(crate) lead: u64,
    /// The field and the form, such as `email sha256`.
    pub(crate) what: String,
}

/// All forms of the contact values of some leads.
pub(crate) struct Search {
    forms: Vec<Form>,
    coarse: Vec<u64>,
    by_key: HashMap<u64, Vec<usize>>,
}

/// Which forms make sense where.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Reach {
    /// Everything, the last seven digits of a phone number included: for pings, where no seven
    /// digits stand by chance.
    Pings,
    /// Everything but those seven digits: for logs and files full of other numbers.
    Files,
}

impl Search {
    /// All forms of the contact values of these leads.
    pub(crate) fn of<'a>(leads: impl IntoIterator<Item = &'a Lead>, reach: Reach) -> Self {
        let mut search = Self {
            forms: Vec::new(),
            coarse: vec![0; 1 << (COARSE_BITS - 6)],
            by_key: HashMap::new(),
        };
        for lead in leads {
            for canary in lead.canaries() {
                for (form, bytes) in forms_of(canary.field, &canary.value, reach) {
                    search.add(lead.index(), format!("{} {form}", canary.field), bytes);
                }
            }
        }
        search
    }

    fn add(&mut self, lead: u64, what: String, bytes: Vec<u8>) {
        let key = key_of(&bytes).unwrap_or_else(|| panic!("`{what}` is too short to search for"));
        let (word, bit) = coarse_place(key);
        self.coarse[word] |= 1 << bit;
        self.by_key.entry(key).or_default().push(self.forms.len());
        self.forms.push(Form { lead, what, bytes });
    }

    /// How many forms are searched for.
    pub(crate) fn forms(&self) -> usize {
        self.forms.len()
    }

    /// Every form found in this text.
    pub(crate) fn hits(&self, text: &[u8]) -> Vec<Hit> {
        let mut hits = Vec::new();
        let mut key = 0_u64;
        for (end, byte) in text.iter().enumerate() {
            key = (key << 8 | u64::from(*byte)) & 0x00ff_ffff_ffff_ffff;
            let (word, bit) = coarse_place(key);
            if end + 1 >= KEY_LEN && self.coarse[word] & (1 << bit) != 0 {
                self.compare(key, &text[end + 1 - KEY_LEN..], &mut hits);
            }
        }
        hits
    }

    fn compare(&self, key: u64, rest: &[u8], hits: &mut Vec<Hit>) {
        for at in self.by_key.get(&key).into_iter().flatten() {
            let form = &self.forms[*at];
            if rest.starts_with(&form.bytes) {
                hits.push(Hit { lead: form.lead, what: form.what.clone() });
            }
        }
    }
}

fn key_of(bytes: &[u8]) -> Option<u64> {
    let key = bytes.get(..KEY_LEN)?;
    Some(key.iter().fold(0, |key, byte| key << 8 | u64::from(*byte)))
}

fn coarse_place(key: u64) -> (usize, u64) {
    let place = key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - COARSE_BITS);
    (usize::try_from(place >> 6).unwrap(), place & 63)
}

/// The forms of one value: as it is, in other spellings, encoded and hashed.
fn forms_of(field: &str, value: &str, reach: Reach) -> Vec<(&'static str, Vec<u8>)> {
    // All certificates begin alike; what is secret is the number at the end.
    let value = value.rsplit('/').next().unwrap_or(value);
    let mut forms = encodings(value);
    if field == "phone" {
        forms.extend(phone_forms(value, reach));
    }
    if matches!(field, "phone" | "email") {
        let lower = value.to_lowercase();
        let normalised = if field == "phone" {
            vec![value.to_owned(), format!("1{value}"), format!("+1{value}")]
        } else {
            vec![value.to_owned(), lower]
        };
        forms.extend(normalised.iter().flat_map(|text| digests(text.as_bytes())));
    }
    forms.sort();
    forms.dedup_by(|one, other| one.1 == other.1);
    forms
}

fn encodings(value: &str) -> Vec<(&'static str, Vec<u8>)> {
    let (lower, upper) = (value.to_lowercase(), value.to_uppercase());
    let mut forms = vec![
        ("raw", value.as_bytes().to_vec()),
        ("lower case", lower.clone().into_bytes()),
        ("upper case", upper.into_bytes()),
        ("hex", hex(value.as_bytes()).into_bytes()),
        ("hex upper", hex(value.as_bytes()).to_uppercase().into_bytes()),
        ("hex of lower case", hex(lower.as_bytes()).into_bytes()),
        ("reversed", value.bytes().rev().collect()),
    ];
    let escaped = value.replace('@', "%40");
    if escaped != value {
        forms.push(("in an address", escaped.into_bytes()));
        forms.push(("in HTML", value.replace('@', "&#64;").into_bytes()));
        forms.push(("in JSON escapes", value.replace('@', "\\u0040").into_bytes()));
    }
    for text in [value.to_owned(), lower] {
        // A value inside a longer text may begin at any of three places of base64.
        for shift in 0..3 {
            let padded = [b"\0\0".get(..shift).unwrap_or_default(), text.as_bytes()].concat();
            let whole = base64(&padded);
            let inner: Vec<u8> = whole.bytes().skip(4).collect();
            let inner = &inner[..inner.len().saturating_sub(4)];
            if inner.len() > KEY_LEN {
                forms.push(("base64", inner.to_vec()));
            }
        }
    }
    forms
}

fn phone_forms(digits: &str, reach: Reach) -> Vec<(&'static str, Vec<u8>)> {
    let (area, rest) = digits.split_at(3);
    let (exchange, line) = rest.split_at(3);
    let mut forms = vec![
        ("dashed", format!("{area}-{exchange}-{line}").into_bytes()),
        ("in brackets", format!("({area}) {exchange}-{line}").into_bytes()),
        ("dotted", format!("{area}.{exchange}.{line}").into_bytes()),
        ("spaced", format!("{area} {exchange} {line}").into_bytes()),
    ];
    if reach == Reach::Pings {
        forms.push(("last seven digits", rest.as_bytes().to_vec()));
    }
    forms
}

fn digests(text: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let each =
        [("md5", md5(text)), ("sha1", sha1(text)), ("sha256", Sha256::digest(text).to_vec())];
    let written = |(name, digest): (&'static str, Vec<u8>)| {
        let hex = hex(&digest);
        [
            (name, hex.to_uppercase().into_bytes()),
            (name, hex.into_bytes()),
            (name, base64(&digest).trim_end_matches('=').as_bytes().to_vec()),
            (name, digest),
        ]
    };
    each.into_iter().flat_map(written).collect()
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Standard base64 with padding.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = (byte(0) << 16) | (byte(1) << 8) | byte(2);
        for place in 0..4_usize {
            let sextet = usize::try_from((bits >> (18 - 6 * place)) & 63).unwrap();
            encoded.push(if place <= chunk.len() { char::from(ALPHABET[sextet]) } else { '=' });
        }
    }
    encoded
}
