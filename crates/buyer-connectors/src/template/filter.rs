//! Filters: small total functions from a value to a value.
//!
//! Anonymisers are not here: they belong to the source, because only a view of the lead may
//! perform them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use exchange_model::timestamp::Date;
use rust_decimal::Decimal;

use super::scalar::Scalar;

/// The operator's words for a buyer's codes (`[map.<name>]`).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Words {
    pub(crate) known: BTreeMap<Box<str>, Box<str>>,
    /// What stands for all others.
    pub(crate) others: Option<Box<str>>,
}

impl Words {
    /// The buyer's word for ours.
    pub(crate) fn word(&self, ours: &str) -> Option<&str> {
        self.known.get(ours).or(self.others.as_ref()).map(|word| &**word)
    }
}

/// Bounds and the text of each, lowest first (`[range.<name>]`).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Ranges {
    pub(crate) bounds: Vec<(Decimal, Box<str>)>,
    /// What stands for all above.
    pub(crate) others: Option<Box<str>>,
}

impl Ranges {
    /// The text of the first bound that is not below the number.
    pub(crate) fn text(&self, number: Decimal) -> Option<&str> {
        let within = self.bounds.iter().find(|(bound, _)| number <= *bound);
        within.map(|(_, text)| text).or(self.others.as_ref()).map(|text| &**text)
    }
}

/// One step after the source.
#[derive(Clone, Debug)]
pub(crate) enum Filter {
    /// Upper case.
    Upper,
    /// Lower case.
    Lower,
    /// Only the ASCII digits.
    Digits,
    /// `Y` or `N`.
    YesNo,
    /// `true` or `false` as text.
    TrueFalse,
    /// A date in the buyer's form.
    Date(Arc<[DatePart]>),
    /// The buyer's code for a word; nothing when the map has none.
    Map(Arc<Words>),
    /// This text where there is no value.
    Default(Box<str>),
}

/// A piece of a date's form.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum DatePart {
    /// `%Y`: 1990.
    Year,
    /// `%y`: 90.
    ShortYear,
    /// `%m`: 04.
    Month,
    /// `%d`: 02.
    Day,
    /// Anything else, as it stands.
    Literal(char),
}

/// Reads a date's form; `None` when it holds another `%` code.
pub(crate) fn parse_date_format(text: &str) -> Option<Arc<[DatePart]>> {
    let mut parts = Vec::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        let part = match character {
            '%' => match characters.next()? {
                'Y' => DatePart::Year,
                'y' => DatePart::ShortYear,
                'm' => DatePart::Month,
                'd' => DatePart::Day,
                _ => return None,
            },
            other => DatePart::Literal(other),
        };
        parts.push(part);
    }
    Some(parts.into())
}

impl Filter {
    /// Names of the filters that need no field type, for suggestions.
    pub(crate) const NAMES: &'static [&'static str] =
        &["upper", "lower", "digits", "yn", "truefalse", "date", "map", "default"];

    /// The value after this step. An absent value stays absent, except through `default`.
    pub(crate) fn apply<'v>(&'v self, value: Option<Scalar<'v>>) -> Option<Scalar<'v>> {
        if let Self::Default(text) = self {
            return Some(value.unwrap_or(Scalar::Text(Cow::Borrowed(text))));
        }
        let value = value?;
        match self {
            Self::Upper => Some(Scalar::owned(value.text().to_uppercase())),
            Self::Lower => Some(Scalar::owned(value.text().to_lowercase())),
            Self::Digits => {
                Some(Scalar::owned(value.text().chars().filter(char::is_ascii_digit).collect()))
            }
            Self::YesNo => Some(word_for(value, "Y", "N")),
            Self::TrueFalse => Some(word_for(value, "true", "false")),
            Self::Date(parts) => Some(date_in_form(value, parts)),
            Self::Map(words) => {
                words.word(&value.text()).map(|code| Scalar::Text(Cow::Borrowed(code)))
            }
            Self::Default(_) => Some(value),
        }
    }
}

/// A word for yes or no; any other value stays as it is.
fn word_for<'v>(value: Scalar<'v>, yes: &'static str, no: &'static str) -> Scalar<'v> {
    match &*value.text() {
        "true" => Scalar::Text(Cow::Borrowed(yes)),
        "false" => Scalar::Text(Cow::Borrowed(no)),
        _ => value,
    }
}

/// The date in the buyer's form; any other value stays as it is.
fn date_in_form<'v>(value: Scalar<'v>, parts: &[DatePart]) -> Scalar<'v> {
    let Ok(date) = value.text().parse::<Date>() else { return value };
    let text = parts.iter().fold(String::new(), |text, part| {
        text + &match part {
            DatePart::Year => format!("{:04}", date.year()),
            DatePart::ShortYear => format!("{:02}", date.year().rem_euclid(100)),
            DatePart::Month => format!("{:02}", date.month()),
            DatePart::Day => format!("{:02}", date.day()),
            DatePart::Literal(character) => character.to_string(),
        }
    });
    Scalar::owned(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(filter: &Filter, text: &str) -> Option<String> {
        filter.apply(Some(Scalar::Text(Cow::Borrowed(text)))).map(|v| v.text().into_owned())
    }

    #[test]
    fn filters_change_what_they_are_for_and_nothing_else() {
        let date = Filter::Date(parse_date_format("%m/%d/%y %Y").unwrap());
        assert_eq!(after(&date, "1990-04-02").as_deref(), Some("04/02/90 1990"));
        assert_eq!(after(&date, "soon").as_deref(), Some("soon"));
        assert_eq!(after(&Filter::YesNo, "true").as_deref(), Some("Y"));
        assert_eq!(after(&Filter::Digits, "(512) 555-0134").as_deref(), Some("5125550134"));
        assert_eq!(parse_date_format("%H"), None);
    }

    #[test]
    fn a_map_without_the_word_is_absent_and_default_fills_it() {
        let map = Filter::Map(Arc::new(Words { known: BTreeMap::from([("good".into(), "B".into())]), others: None }));
        assert_eq!(after(&map, "good").as_deref(), Some("B"));
        assert_eq!(after(&map, "bad"), None);
        let filled = Filter::Default("X".into());
        assert_eq!(filled.apply(None).map(|v| v.text().into_owned()).as_deref(), Some("X"));
    }
}
