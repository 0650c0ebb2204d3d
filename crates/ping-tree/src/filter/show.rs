//! A filter's tests as people read them.

use std::fmt;

use crate::filter::{Range, Rule, Set, Telling, Test, Texts};

/// Most values of a set that are shown.
const SHOWN: usize = 8;

/// `excellent, good`: the first few, then how many more.
impl fmt::Display for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Texts(set) => set.fmt(f),
            Self::Zips(set) => shown(f, set.codes().map(Zip)),
            Self::Integers(set) => shown(f, set.iter()),
            Self::Decimals(set) => shown(f, set.iter()),
            Self::Booleans(set) => shown(f, set.iter()),
            Self::Dates(set) => shown(f, set.iter()),
        }
    }
}

/// Texts, then prefixes as they are written: `78701, 787*`.
impl fmt::Display for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exact = self.exact().iter().map(|text| Entry(text, ""));
        let prefixes = self.prefixes().iter().map(|text| Entry(text, "*"));
        shown(f, exact.chain(prefixes))
    }
}

struct Entry<'a>(&'a str, &'static str);

impl fmt::Display for Entry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.0, self.1)
    }
}

struct Zip(u32);

impl fmt::Display for Zip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:05}", self.0)
    }
}

fn shown<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    mut values: impl Iterator<Item = T>,
) -> fmt::Result {
    for (at, value) in values.by_ref().take(SHOWN).enumerate() {
        let comma = if at == 0 { "" } else { ", " };
        write!(f, "{comma}{value}")?;
    }
    match values.count() {
        0 => Ok(()),
        more => write!(f, " and {more} more"),
    }
}

/// `25 to 75`, `at least 25`, `at most 75`.
impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(min, max) => bounds(f, min.as_ref(), max.as_ref()),
            Self::Decimal(min, max) => bounds(f, min.as_ref(), max.as_ref()),
            Self::Date(min, max) => bounds(f, min.as_ref(), max.as_ref()),
        }
    }
}

fn bounds<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    min: Option<&T>,
    max: Option<&T>,
) -> fmt::Result {
    match (min, max) {
        (Some(min), Some(max)) => write!(f, "{min} to {max}"),
        (Some(min), None) => write!(f, "at least {min}"),
        (None, Some(max)) => write!(f, "at most {max}"),
        (None, None) => f.write_str("anything"),
    }
}

/// What the rule accepts: `excellent, good`, `any but CA, NY`, `25 to 75`, `what is in lists/x.txt`.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.test, &self.list) {
            (Test::In(_), Some(list)) => write!(f, "what is in {list}"),
            (Test::NotIn(_), Some(list)) => write!(f, "any but those in {list}"),
            (Test::In(set), None) => set.fmt(f),
            (Test::NotIn(set), None) => write!(f, "any but {set}"),
            (Test::Within(range), _) => range.fmt(f),
            (Test::Present(true), _) => f.write_str("any value"),
            (Test::Present(false), _) => f.write_str("none"),
        }
    }
}

/// What would be accepted instead: the rule, or under a `not` anything but it.
impl fmt::Display for Telling<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.wanted, &self.rule.test, &self.rule.list) {
            (true, ..) => self.rule.fmt(f)?,
            (false, Test::In(_), Some(list)) => write!(f, "any but those in {list}")?,
            (false, Test::NotIn(_), Some(list)) => write!(f, "what is in {list}")?,
            (false, Test::NotIn(set), None) => set.fmt(f)?,
            (false, Test::Present(true), _) => f.write_str("none")?,
            (false, Test::Present(false), _) => f.write_str("any value")?,
            (false, ..) => write!(f, "any but {}", self.rule)?,
        }
        match self.others {
            0 => Ok(()),
            1 => f.write_str(", or what the other table of `any` asks"),
            more => write!(f, ", or what one of the {more} other tables of `any` asks"),
        }
    }
}
