//! Filters of phones of the North American plan.

use std::borrow::Cow;

use crate::template::scalar::Scalar;

/// How a buyer writes a phone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum PhoneForm {
    /// 5125550134
    Ten,
    /// 15125550134
    Eleven,
    /// +15125550134
    E164,
    /// 512-555-0134
    Dashed,
    /// 512.555.0134
    Dotted,
    /// (512) 555-0134
    Paren,
}

impl PhoneForm {
    /// Every form, by its word.
    pub(crate) const WORDS: &'static [(&'static str, Self)] = &[
        ("10", Self::Ten),
        ("11", Self::Eleven),
        ("e164", Self::E164),
        ("dashed", Self::Dashed),
        ("dotted", Self::Dotted),
        ("paren", Self::Paren),
    ];
}

/// The ASCII digits of a text.
pub(super) fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// Ten digits, without the country's 1.
fn national<'t>(value: &'t Scalar<'_>) -> Option<Cow<'t, str>> {
    let text = value.text();
    let digits = match text {
        plain if plain.len() == 10 && plain.bytes().all(|b| b.is_ascii_digit()) => plain,
        other => Cow::Owned(digits(&other)),
    };
    match digits.len() {
        10 => Some(digits),
        11 => digits.strip_prefix('1').map(|ten| Cow::Owned(ten.to_owned())),
        _ => None,
    }
}

/// A phone in the buyer's form; any other value stays as it is.
pub(super) fn in_form<'v>(value: Scalar<'v>, form: PhoneForm) -> Scalar<'v> {
    let Some(ten) = national(&value) else { return value };
    let at = |range: std::ops::Range<usize>| ten.get(range).unwrap_or("");
    let (area, exchange, line) = (at(0..3), at(3..6), at(6..10));
    let text = match form {
        PhoneForm::Ten => ten.into_owned(),
        PhoneForm::Eleven => format!("1{ten}"),
        PhoneForm::E164 => format!("+1{ten}"),
        PhoneForm::Dashed => format!("{area}-{exchange}-{line}"),
        PhoneForm::Dotted => format!("{area}.{exchange}.{line}"),
        PhoneForm::Paren => format!("({area}) {exchange}-{line}"),
    };
    Scalar::owned(text)
}

/// Some of the ten digits; nothing when the value is no phone.
pub(super) fn part<'v>(value: &Scalar<'v>, from: usize, count: usize) -> Option<Scalar<'v>> {
    let ten = national(value)?;
    let part = ten.get(from..from.saturating_add(count))?;
    Some(Scalar::owned(part.to_owned()))
}

/// The last four digits; nothing when there are fewer.
pub(super) fn last4<'v>(value: &Scalar<'v>) -> Option<Scalar<'v>> {
    let digits = digits(&value.text());
    let part = digits.get(digits.len().checked_sub(4)?..)?;
    Some(Scalar::owned(part.to_owned()))
}
