//! The last lock of a ping: a search of its final bytes for this lead's own contact data.
//!
//! The types and the config check already keep contact data out of pings. This guard is for what
//! they cannot see: a phone number that a seller wrote into an open text, or a bug of ours. It
//! knows the values and never shows them; it says which field was found.
//!
//! What is searched, in what forms:
//!
//! - a phone with any separators, with or without `+1`, and its last seven digits as a number of
//!   their own; an e-mail address; a URL, also without its scheme, and the id at its end;
//! - a date in the usual orders, with digits or the month's name and a year of four digits (and
//!   `4/2/90`); its year alone is no hit, nor is a phone's area code or last four digits;
//! - names and other texts, whole, in any case, spacing, punctuation and accents, as words of their
//!   own: `Mark` is not found in `market`. Of a long text, the first eight words;
//! - numbers of at least six digits;
//! - all of it percent- or form-encoded, escaped for JSON or XML, in base64 or in hex, nested too;
//! - of what the vertical does not know: phones and e-mail addresses.
//!
//! What is not searched, because it would block honest pings:
//!
//! - values of fewer than four letters and digits, and words of a closed list;
//! - a text that equals an open value, or a name of up to three words that stands within an open
//!   value of up to four (the last name `Honda` beside the make `Honda`). A phone, an address, a
//!   date or a URL is searched wherever it stands;
//! - words that the connector says in every ping (`fixed`: a key `price` is no Mrs Price).
//!
//! Hashes are not looked for: a hash is let out by `allow_hashed`, and by nothing else.

use std::fmt;

use crate::lead::Lead;
use crate::vertical::{FieldIdx, Vertical};

mod coded;
mod plain;
mod wanted;
mod words;

use plain::plain;
use wanted::{Phone, Wanted, Words};
use words::words;

/// What was found in bytes that were about to leave.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Leak {
    /// The value of a contact field.
    Field(FieldIdx),
    /// A phone or an e-mail address among the fields that the vertical does not know.
    Unknown,
}

impl Leak {
    /// The field's name, for metrics and logs. The names of unknown fields are the seller's own
    /// words and stay out of both.
    #[must_use]
    pub fn field(self, vertical: &Vertical) -> &str {
        match self {
            Self::Field(at) => &vertical.field(at).name,
            Self::Unknown => "unknown",
        }
    }
}

/// Finds one lead's contact values in outgoing bytes. Made once per lead ([`Lead::leak_guard`]).
#[derive(Clone, Default)]
pub struct LeakGuard {
    words: Vec<Words>,
    phones: Vec<Phone>,
    starts: Starts,
}

impl LeakGuard {
    /// Takes in everything of the lead that must not be pinged.
    #[must_use]
    pub fn new(lead: &Lead) -> Self {
        let Wanted { words, phones } = Wanted::of(lead);
        let mut starts = Starts::default();
        for wanted in &words {
            starts.insert(wanted.text());
        }
        Self { words, phones, starts }
    }

    /// The first contact value that stands in any of the parts: the URL, the headers, the body.
    ///
    /// `fixed` is what the connector says in every ping, whoever the lead is: words found there
    /// are not the lead's. It is read only when something was found.
    #[must_use]
    pub fn find(&self, parts: &[&[u8]], fixed: &[&[u8]]) -> Option<Leak> {
        parts.iter().find_map(|part| self.find_in(part, fixed))
    }

    fn find_in(&self, part: &[u8], fixed: &[&[u8]]) -> Option<Leak> {
        let text = plain(part);
        self.search(&text, fixed).or_else(|| {
            let decoded = coded::decoded(&text);
            if decoded.is_empty() { None } else { self.search(&plain(&decoded), fixed) }
        })
    }

    fn search(&self, text: &[u8], fixed: &[&[u8]]) -> Option<Leak> {
        let phone = self.phones.iter().find(|phone| phone.is_in(text)).map(Phone::leak);
        phone.or_else(|| self.search_words(&words(text), fixed))
    }

    fn search_words(&self, text: &str, fixed: &[&[u8]]) -> Option<Leak> {
        self.starts
            .candidates(text)
            .flat_map(|rest| self.words.iter().filter(|w| rest.starts_with(w.text())))
            .find(|wanted| !wanted.is_in_any(fixed))
            .map(Words::leak)
    }
}

/// Never the values.
impl fmt::Debug for LeakGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeakGuard")
            .field("values", &self.words.len().saturating_add(self.phones.len()))
            .finish_non_exhaustive()
    }
}

/// Which first two letters a wanted text may have: lets most words pass at the cost of one bit.
#[derive(Clone, Default)]
struct Starts([u64; 4]);

impl Starts {
    fn insert(&mut self, wanted: &str) {
        let (slot, bit) = Self::place(wanted);
        if let Some(bits) = self.0.get_mut(slot) {
            *bits |= bit;
        }
    }

    /// Where a wanted text may begin: at each space that two such letters follow.
    fn candidates<'t>(&self, text: &'t str) -> impl Iterator<Item = &'t str> {
        text.match_indices(' ').filter_map(|(at, _)| text.get(at..)).filter(|rest| {
            let (slot, bit) = Self::place(rest);
            self.0.get(slot).is_some_and(|bits| bits & bit != 0)
        })
    }

    fn place(text: &str) -> (usize, u64) {
        let mut bytes = text.bytes().skip(1);
        let (first, second) = (bytes.next().unwrap_or(0), bytes.next().unwrap_or(0));
        let mixed = first.wrapping_mul(31).wrapping_add(second);
        (usize::from(mixed >> 6), 1 << (mixed & 63))
    }
}

#[cfg(test)]
mod tests;
