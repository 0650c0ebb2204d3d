//! Filters: small total functions from a value to a value.
//!
//! What a filter is not made for it leaves as it is: a date filter a text that is no date, a phone
//! filter one that is no phone. Only arithmetic gives nothing then, because a wrong number is worse
//! than none. Anonymisers of contact data are not here: they belong to the source, because only a
//! view of the lead may perform them.

use std::borrow::Cow;
use std::sync::Arc;

use exchange_model::Anonymiser;
use regex::Regex;

use super::dictionary::{Ranges, Words};
use super::escape::Escape;
use super::scalar::Scalar;
use super::source::{See, Seen, Source, Values};

mod date;
mod hash;
mod number;
mod phone;
mod text;

pub(crate) use date::{DateForm, zone};
pub(crate) use hash::{Coding, Digest};
pub(crate) use number::Operation;
pub(crate) use phone::PhoneForm;

/// An argument that may differ from lead to lead.
#[derive(Clone, Debug)]
pub(crate) enum Arg {
    /// Text or digits.
    Fixed(Box<str>),
    /// The value of another source.
    Source(Source),
}

impl Arg {
    fn value<'v>(&'v self, values: &'v dyn Values) -> Option<Scalar<'v>> {
        match self {
            Self::Fixed(text) => Some(Scalar::borrowed(text)),
            Self::Source(source) => source.value(values),
        }
    }

    /// The text; nothing for an absent source.
    fn text<'v>(&'v self, values: &'v dyn Values) -> Cow<'v, str> {
        self.value(values).map_or(Cow::Borrowed(""), Scalar::into_text)
    }

    fn visit(&self, see: See<'_>) {
        match self {
            Self::Fixed(text) => see(Seen::Text(text)),
            Self::Source(source) => source.visit(see),
        }
    }
}

/// One step after the source.
#[derive(Clone, Debug)]
pub(crate) enum Filter {
    /// Upper case.
    Upper,
    /// Lower case.
    Lower,
    /// The first letter of each word in upper case, the others in lower case.
    Title,
    /// Without blanks around it.
    Trim,
    /// In ASCII letters.
    Ascii,
    /// The first characters.
    Cut(usize),
    /// The last characters.
    Last(usize),
    /// So many characters from a position.
    Slice(usize, usize),
    /// What is before the first of these; all when there is none.
    Before(Arg),
    /// What is after the first of these; nothing when there is none.
    After(Arg),
    /// One of the pieces between these, from 1.
    Split(Arg, usize),
    /// All of these replaced by those.
    Replace(Arg, Arg),
    /// What the pattern finds: its first group, or the whole.
    Find(Regex),
    /// Everything that the pattern finds replaced.
    Substitute(Regex, Box<str>),
    /// Filled up on the left.
    Pad(usize, char),
    /// Text before it.
    Prefix(Arg),
    /// Text after it.
    Suffix(Arg),
    /// Only the ASCII digits.
    Digits,
    /// A phone in the buyer's form.
    Phone(PhoneForm),
    /// Some digits of a phone.
    PhonePart(usize, usize),
    /// The last four digits.
    Last4,
    /// A date or moment in the buyer's form and zone.
    Date(Arc<DateForm>),
    /// Seconds since 1970.
    Epoch,
    /// Milliseconds since 1970.
    EpochMillis,
    /// The year of a date.
    Year,
    /// A number and another.
    Calculate(Operation, Arg),
    /// What is left of a division.
    Remainder(Arg),
    /// So many digits after the point.
    Round(u32),
    /// The same, but never more than it was.
    Floor(u32),
    /// The text of the range that it is in.
    Range(Arc<Ranges>),
    /// A word for yes and one for no.
    YesNo(Arg, Arg),
    /// A number in JSON.
    Number,
    /// `true` or `false` in JSON.
    Boolean,
    /// Text in JSON.
    Text,
    /// `null` in JSON where there is no value.
    OrNull,
    /// The buyer's code for a word; nothing when the map has none.
    Map(Arc<Words>),
    /// Another value where there is none, or an empty one.
    Default(Arg),
    /// The first where the source is there and not no; otherwise the second, or the value itself.
    If(Source, Arg, Option<Arg>),
    /// The text where the source is not there or no; otherwise the value itself.
    Unless(Source, Arg),
    /// Nothing where the value is one of these.
    Omit(Vec<Arg>),
    /// Nothing where the value is none of these.
    Only(Vec<Arg>),
    /// The hash in hex of the trimmed lower-case text.
    Hash(Anonymiser),
    /// The hash of the text as it stands.
    Digest(Digest, Coding),
    /// The HMAC of the text as it stands, under a key.
    Hmac(Digest, Arg, Coding),
    /// A UUID made of the text.
    Uuid,
    /// RFC 4648, with padding.
    Base64,
    /// RFC 4648 section 5, without padding.
    Base64Url,
    /// The text that was coded so; nothing where it was none.
    Unbase64,
    /// With percent-encoding undone; nothing where it is no text then.
    Unurl,
    /// With entities of XML undone; as it is where one is unknown.
    Unxml,
    /// Escaped for another document, inside of this one.
    Escaped(Escape),
}

impl Filter {
    /// The value after this step. An absent value stays absent, except where a filter is about
    /// absence.
    pub(crate) fn apply<'v>(
        &'v self,
        value: Option<Scalar<'v>>,
        values: &'v dyn Values,
    ) -> Option<Scalar<'v>> {
        match self {
            Self::OrNull => Some(value.unwrap_or(Scalar::Null)),
            Self::Default(arg) => match value {
                Some(value) if !value.is_empty() => Some(value),
                _ => arg.value(values),
            },
            Self::If(source, then, otherwise) => {
                let holds = source.value(values).is_some_and(|value| value.is_truthy());
                match otherwise {
                    _ if holds => then.value(values),
                    Some(arg) => arg.value(values),
                    None => value,
                }
            }
            Self::Unless(source, then) => {
                let holds = source.value(values).is_some_and(|value| value.is_truthy());
                if holds { value } else { then.value(values) }
            }
            _ => self.change(value?, values),
        }
    }

    fn change<'v>(&'v self, value: Scalar<'v>, values: &'v dyn Values) -> Option<Scalar<'v>> {
        match self {
            Self::Upper => Some(Scalar::owned(value.text().to_uppercase())),
            Self::Lower => Some(Scalar::owned(value.text().to_lowercase())),
            Self::Title => Some(Scalar::owned(text::title(&value.text()))),
            Self::Trim => Some(text::part(value, str::trim)),
            Self::Ascii => Some(text::ascii(value)),
            Self::Cut(count) => Some(text::part(value, |text| text::first(text, *count))),
            Self::Last(count) => Some(text::part(value, |text| text::last(text, *count))),
            Self::Slice(from, count) => {
                Some(text::part(value, |text| text::slice(text, *from, *count)))
            }
            Self::Pad(count, with) => Some(Scalar::owned(text::pad(&value.text(), *count, *with))),
            Self::Digits => Some(Scalar::owned(phone::digits(&value.text()))),
            Self::Phone(form) => Some(phone::in_form(value, *form)),
            Self::PhonePart(from, count) => phone::part(&value, *from, *count),
            Self::Last4 => phone::last4(&value),
            Self::Date(form) => Some(date::in_form(value, form)),
            Self::Epoch => Some(date::epoch(value, 1)),
            Self::EpochMillis => Some(date::epoch(value, 1_000)),
            Self::Year => Some(date::year(value)),
            Self::Calculate(how, arg) => number::calculate(&value, *how, &arg.value(values)?),
            Self::Remainder(arg) => number::remainder(&value, &arg.value(values)?),
            Self::Round(places) => number::round(&value, *places),
            Self::Floor(places) => number::floor(&value, *places),
            Self::Range(ranges) => ranges.text(value.number()?).map(Scalar::borrowed),
            Self::Number => Some(number::typed(value)),
            Self::Boolean => Some(value.boolean().map_or(value, Scalar::Boolean)),
            Self::Text => Some(Scalar::Text(value.into_text())),
            Self::Map(words) => words.word(&value.text()).map(Scalar::borrowed),
            Self::Hash(how) => how.hash(&value.text()).map(Scalar::owned),
            Self::Digest(how, coding) => {
                Some(Scalar::owned(coding.write(&how.of(value.text().as_bytes()))))
            }
            Self::Uuid => Some(Scalar::owned(hash::uuid(&value.text()))),
            Self::Base64 => Some(Scalar::owned(text::base64(&value.text()))),
            Self::Base64Url => Some(Scalar::owned(text::base64url(&value.text()))),
            Self::Unurl => text::unurl(&value.text()).map(Scalar::owned),
            Self::Unxml => Some(Scalar::owned(text::unxml(&value.text()))),
            Self::Unbase64 => text::unbase64(&value.text()).map(Scalar::owned),
            Self::Escaped(escape) => {
                let mut out = String::new();
                escape.push(&value.text(), &mut out);
                Some(Scalar::owned(out))
            }
            _ => self.change_with(value, values),
        }
    }

    /// The filters whose arguments may be sources.
    fn change_with<'v>(&'v self, value: Scalar<'v>, values: &'v dyn Values) -> Option<Scalar<'v>> {
        let is_one_of = |args: &[Arg]| args.iter().any(|arg| arg.text(values) == value.text());
        match self {
            Self::Before(mark) => text::before(value, &mark.text(values)),
            Self::After(mark) => text::after(&value, &mark.text(values)),
            Self::Split(mark, piece) => text::split(&value, &mark.text(values), *piece),
            Self::Replace(from, to) => {
                let (from, to) = (from.text(values), to.text(values));
                Some(Scalar::owned(value.text().replace(&*from, &to)))
            }
            Self::Find(pattern) => text::find(&value, pattern),
            Self::Substitute(pattern, with) => {
                Some(Scalar::owned(pattern.replace_all(&value.text(), &**with).into_owned()))
            }
            Self::Prefix(arg) => Some(Scalar::owned(arg.text(values).into_owned() + &value.text())),
            Self::Suffix(arg) => {
                Some(Scalar::owned(value.into_text().into_owned() + &arg.text(values)))
            }
            Self::YesNo(yes, no) => match value.boolean() {
                Some(true) => yes.value(values),
                Some(false) => no.value(values),
                None => Some(value),
            },
            Self::Hmac(how, key, coding) => {
                let tag = how.keyed(&key.text(values), &value.text())?;
                Some(Scalar::owned(coding.write(&tag)))
            }
            Self::Omit(words) => (!is_one_of(words)).then_some(value),
            Self::Only(words) => is_one_of(words).then_some(value),
            _ => Some(value),
        }
    }

    /// Shows its arguments.
    pub(super) fn visit(&self, see: See<'_>) {
        match self {
            Self::Before(arg)
            | Self::After(arg)
            | Self::Split(arg, _)
            | Self::Prefix(arg)
            | Self::Suffix(arg)
            | Self::Calculate(_, arg)
            | Self::Remainder(arg)
            | Self::Hmac(_, arg, _)
            | Self::Default(arg) => arg.visit(see),
            Self::Replace(one, other) | Self::YesNo(one, other) => {
                one.visit(see);
                other.visit(see);
            }
            Self::If(source, then, otherwise) => {
                source.visit(see);
                then.visit(see);
                otherwise.iter().for_each(|arg| arg.visit(see));
            }
            Self::Unless(source, then) => {
                source.visit(see);
                then.visit(see);
            }
            Self::Omit(words) | Self::Only(words) => words.iter().for_each(|arg| arg.visit(see)),
            _ => {}
        }
    }
}
