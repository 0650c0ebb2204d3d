//! Which of a lead's values are searched, and in which forms.

use zeroize::{Zeroize as _, Zeroizing};

use super::Leak;
use super::plain::plain;
use super::words::words;
use crate::lead::Lead;
use crate::timestamp::Date;
use crate::vertical::{FieldClass, FieldType, normalise};

/// Fewest letters and digits of a value that is searched.
const LETTERS_MIN: usize = 4;
/// Fewest digits of a number that is searched: shorter ones are prices, years and counts too.
const DIGITS_MIN: usize = 6;
/// Words of a long text that are searched: enough to know it, also when it was cut.
const WORDS_MAX: usize = 8;
/// Most words of a name, which an open value may excuse.
const NAME_WORDS_MAX: usize = 3;
/// Most words of an open value that excuses a name standing in it. Longer ones are sentences.
const LABEL_WORDS_MAX: usize = 4;
/// Longest open value that is looked at for that, in bytes.
const LABEL_BYTES_MAX: usize = 80;
/// Shortest last part of a URL that is an id of its own.
const URL_ID_MIN: usize = 12;
/// Most characters between two digits of one phone number, like ` - `.
const PHONE_GAP_MAX: usize = 4;
/// Digits of a phone without the country's.
const PHONE_DIGITS: usize = 10;

/// Everything that is searched for one lead.
#[derive(Default)]
pub(super) struct Wanted {
    pub(super) words: Vec<Words>,
    pub(super) phones: Vec<Phone>,
}

/// Words in a row.
#[derive(Clone)]
pub(super) struct Words {
    text: Zeroizing<String>,
    leak: Leak,
}

impl Words {
    /// With the space before the first word, and the one behind the last unless it may go on.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn leak(&self) -> Leak {
        self.leak
    }

    pub(super) fn is_in_any(&self, texts: &[&[u8]]) -> bool {
        texts.iter().any(|text| words(&plain(text)).contains(self.text()))
    }
}

/// Ten digits.
#[derive(Clone)]
pub(super) struct Phone {
    digits: [u8; PHONE_DIGITS],
    leak: Leak,
}

impl Drop for Phone {
    fn drop(&mut self) {
        self.digits.zeroize();
    }
}

impl Phone {
    /// The phone number that this text is, in any of the usual spellings.
    fn read(text: &str, leak: Leak) -> Option<Self> {
        let number = normalise(&FieldType::UsPhone, text).ok()?;
        let digits = number.as_text()?.as_bytes().try_into().ok()?;
        Some(Self { digits, leak })
    }

    pub(super) fn leak(&self) -> Leak {
        self.leak
    }

    /// Whether its digits stand in the text one after another, with nothing but a phone's
    /// separators between them.
    pub(super) fn is_in(&self, text: &[u8]) -> bool {
        let [first, ..] = self.digits;
        let starts = text.iter().enumerate().filter(|(_, b)| **b == first);
        starts.filter_map(|(at, _)| text.get(at..)).any(|rest| self.begins(rest))
    }

    fn begins(&self, mut rest: &[u8]) -> bool {
        self.digits.iter().all(|digit| {
            let gap = rest.iter().take(PHONE_GAP_MAX).take_while(|b| is_separator(**b)).count();
            match rest.get(gap..) {
                Some([found, tail @ ..]) if found == digit => {
                    rest = tail;
                    true
                }
                _ => false,
            }
        })
    }
}

fn is_separator(byte: u8) -> bool {
    // 0xC2 0xA0 is a space that does not break.
    matches!(byte, b' ' | b'(' | b')' | b'-' | b'.' | b'+' | b'/' | b'_' | 0xC2 | 0xA0)
}

impl Wanted {
    pub(super) fn of(lead: &Lead) -> Self {
        let (vertical, contact) = (lead.vertical(), lead.contact());
        let open = OpenValues::of(lead);
        let mut wanted = Self::default();
        for (at, field) in vertical.fields().filter(|(_, f)| f.class != FieldClass::Open) {
            if let Some(value) = contact.get(at) {
                wanted.field(Leak::Field(at), &field.kind, value.inner(), &open);
            }
        }
        for (_, value) in &contact.extras {
            wanted.unknown(value.inner());
        }
        wanted
    }

    fn field(&mut self, leak: Leak, kind: &FieldType, text: &str, open: &OpenValues) {
        match kind {
            FieldType::UsPhone => self.phone(leak, text),
            FieldType::Email => self.words(leak, text),
            FieldType::Date => self.date(leak, text),
            FieldType::Url | FieldType::TrustedFormUrl => self.url(leak, text),
            FieldType::Integer { .. } | FieldType::Decimal => self.number(leak, text, open),
            FieldType::UsZip
            | FieldType::Text { .. }
            | FieldType::LeadiD
            | FieldType::Ip
            | FieldType::DateTime => self.text(leak, text, open),
            // Closed lists: their words name nobody, and stand in honest pings too.
            FieldType::Enum(_) | FieldType::Boolean | FieldType::UsState => {}
        }
    }

    fn unknown(&mut self, text: &str) {
        self.phone(Leak::Unknown, text);
        if text.contains('@') {
            self.words(Leak::Unknown, text);
        }
    }

    /// The number, and its last seven digits where they stand alone.
    fn phone(&mut self, leak: Leak, text: &str) {
        let Some(phone) = Phone::read(text, leak) else { return };
        let digits: String = phone.digits.iter().copied().map(char::from).collect();
        if let (Some(exchange), Some(line)) = (digits.get(3..6), digits.get(6..)) {
            self.push(leak, format!(" {exchange}{line} "));
            self.push(leak, format!(" {exchange} {line} "));
        }
        self.phones.push(phone);
    }

    fn number(&mut self, leak: Leak, text: &str, open: &OpenValues) {
        if text.bytes().filter(u8::is_ascii_digit).count() >= DIGITS_MIN {
            self.text(leak, text, open);
        }
    }

    fn text(&mut self, leak: Leak, text: &str, open: &OpenValues) {
        self.phone(leak, text);
        if normalise(&FieldType::Date, text).is_ok() {
            self.date(leak, text);
        }
        if !open.excuse(&Zeroizing::new(words(&plain(text.as_bytes())))) {
            self.words(leak, text);
            self.joined_digits(leak, text);
        }
    }

    /// `078-05-1120` without what stands between its digits.
    fn joined_digits(&mut self, leak: Leak, text: &str) {
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let only = text.bytes().all(|b| b.is_ascii_digit() || is_separator(b));
        if only && digits.len() >= DIGITS_MIN && digits.len() != text.len() {
            self.push(leak, format!(" {digits} "));
        }
    }

    fn url(&mut self, leak: Leak, text: &str) {
        let bare = text.split_once("://").map_or(text, |(_, bare)| bare);
        self.words(leak, bare);
        let path = bare.split(['?', '#']).next().unwrap_or(bare);
        if let Some((_, id)) = path.trim_end_matches('/').rsplit_once('/')
            && id.len() >= URL_ID_MIN
        {
            self.words(leak, id);
        }
    }

    fn words(&mut self, leak: Leak, text: &str) {
        let all = Zeroizing::new(words(&plain(text.as_bytes())));
        let letters = all.chars().filter(|c| c.is_alphanumeric()).count();
        if letters >= LETTERS_MIN {
            let first: Vec<&str> = all.split_whitespace().take(WORDS_MAX).collect();
            self.push(leak, format!(" {} ", first.join(" ")));
        }
    }

    fn date(&mut self, leak: Leak, text: &str) {
        let Ok(value) = normalise(&FieldType::Date, text) else { return };
        if let Ok(date) = value.to_string().parse::<Date>() {
            for form in date_forms(date) {
                self.push(leak, form);
            }
        }
    }

    fn push(&mut self, leak: Leak, text: String) {
        self.words.push(Words { text: Zeroizing::new(text), leak });
    }
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// The usual spellings of a day, as their words.
fn date_forms(date: Date) -> Vec<String> {
    let (y, m, d) = (date.year(), date.month(), date.day());
    let mut forms = vec![
        format!(" {y}{m:02}{d:02} "),
        format!(" {m:02}{d:02}{y} "),
        format!(" {d:02}{m:02}{y} "),
        format!(" {y} {m:02} {d:02}t"),
    ];
    for s in [' ', '/'] {
        forms.push(format!(" {y}{s}{m:02}{s}{d:02} "));
        forms.push(format!(" {y}{s}{m}{s}{d} "));
        for (first, second) in [(m, d), (d, m)] {
            forms.push(format!(" {first:02}{s}{second:02}{s}{y} "));
            forms.push(format!(" {first}{s}{second}{s}{y} "));
        }
    }
    let short = y.rem_euclid(100);
    forms.push(format!(" {m:02}/{d:02}/{short:02} "));
    forms.push(format!(" {m}/{d}/{short:02} "));
    forms.extend(named_forms(date));
    forms.sort_unstable();
    forms.dedup();
    forms
}

/// `april 2 1990`, `2 apr 1990`.
fn named_forms(date: Date) -> Vec<String> {
    let (y, d) = (date.year(), date.day());
    let month = usize::try_from(date.month()).ok().and_then(|m| MONTHS.get(m.checked_sub(1)?));
    let Some(name) = month else { return Vec::new() };
    let short: String = name.chars().take(3).collect();
    let mut forms = Vec::new();
    for month in [name, short.as_str()] {
        for day in [format!("{d}"), format!("{d:02}")] {
            forms.push(format!(" {month} {day} {y} "));
            forms.push(format!(" {day} {month} {y} "));
        }
    }
    forms
}

/// The words of the lead's short open values, `|` between them.
struct OpenValues(String);

impl OpenValues {
    fn of(lead: &Lead) -> Self {
        let mut all = String::from("|");
        for (at, _) in lead.vertical().fields() {
            let Some(value) = lead.attributes().get(at) else { continue };
            let text = value.to_string();
            if text.len() <= LABEL_BYTES_MAX {
                all.push_str(&words(text.as_bytes()));
                all.push('|');
            }
        }
        Self(all)
    }

    /// Whether a text is an open value too, or a name within a short one.
    fn excuse(&self, text: &str) -> bool {
        self.0.split('|').filter(|open| !open.is_empty()).any(|open| {
            let label = open.split_whitespace().count() <= LABEL_WORDS_MAX;
            open == text || label && is_name(text) && open.contains(text)
        })
    }
}

fn is_name(words: &str) -> bool {
    words.chars().all(|c| c.is_alphabetic() || c == ' ')
        && words.split_whitespace().count() <= NAME_WORDS_MAX
}
