//! The floor: every campaign asked in turn, with its filter compiled as tightly as anybody would
//! who scans. Words are bits of a mask, numbers and days are whole numbers, all tests lie in one
//! row in memory, and a list of zips is searched last, when all else holds.

use std::collections::BTreeMap;

use exchange_model::{Attributes, Field, FieldIdx, Value, Vertical};
use ping_tree::Filter;
use ping_tree::filter::{Condition, Range, Set, Test};
use rust_decimal::Decimal;

use crate::Ran;

/// One test of one field.
enum Ask {
    /// The value is one of these bits.
    Mask(u16, u64),
    /// The value lies between.
    Between(u16, i64, i64),
}

pub(crate) struct Scan {
    /// For each field, the bit of each of its words.
    words: BTreeMap<FieldIdx, BTreeMap<String, u64>>,
    fields: Vec<FieldIdx>,
    zip: FieldIdx,
    /// The tests of all campaigns, one after the other.
    asks: Vec<Ask>,
    /// Where each campaign's tests end.
    ends: Vec<usize>,
    /// Each campaign's zips, sorted.
    zips: Vec<Vec<u32>>,
}

impl Scan {
    pub(crate) fn new(vertical: &Vertical, filters: &[Filter]) -> Ran<Self> {
        let fields: Vec<FieldIdx> = vertical.fields().map(|(at, _)| at).collect();
        let zip = vertical.index("zip").ok_or("no zip")?;
        let (asks, ends, zips) = (Vec::new(), Vec::new(), Vec::new());
        let mut scan = Self { words: words(vertical, filters), fields, zip, asks, ends, zips };
        for filter in filters {
            scan.campaign(filter)?;
        }
        Ok(scan)
    }

    fn campaign(&mut self, filter: &Filter) -> Ran<()> {
        let mut zips = Vec::new();
        for line in filter.lines() {
            let Condition::Field(rule) = line else { return Err("a nested filter".into()) };
            let at = u16::try_from(rule.field.as_usize())?;
            match &rule.test {
                Test::In(set) => match &**set {
                    Set::Zips(set) => zips = set.codes().collect(),
                    set => self.asks.push(Ask::Mask(at, self.mask(rule.field, set)?)),
                },
                Test::NotIn(set) => {
                    self.asks.push(Ask::Mask(at, !self.mask(rule.field, set)?));
                }
                Test::Within(range) => {
                    let (least, most) = bounds(range)?;
                    self.asks.push(Ask::Between(at, least, most));
                }
                Test::Present(_) => return Err("a test for presence".into()),
            }
        }
        self.ends.push(self.asks.len());
        self.zips.push(zips);
        Ok(())
    }

    fn mask(&self, field: FieldIdx, set: &Set) -> Ran<u64> {
        match set {
            Set::Texts(texts) => {
                let bits = self.words.get(&field).ok_or("a field without words")?;
                let bit = |text: &str| bits.get(text).copied().unwrap_or(0);
                Ok(texts.exact().iter().fold(0, |mask, text| mask | bit(text)))
            }
            Set::Booleans(values) => Ok(values.iter().fold(0, |mask, yes| mask | yes_bit(*yes))),
            _ => Err("a set that is no mask".into()),
        }
    }

    /// Who accepts these attributes.
    pub(crate) fn accepting(&self, attributes: &Attributes) -> Vec<usize> {
        let zip = attributes.get(self.zip).and_then(Value::as_text);
        let zip = zip.and_then(|zip| zip.parse::<u32>().ok());
        let said: Vec<Option<i64>> =
            self.fields.iter().map(|field| self.said(*field, attributes)).collect();
        let (mut found, mut start) = (Vec::new(), 0_usize);
        for (at, (end, zips)) in self.ends.iter().zip(&self.zips).enumerate() {
            let asks = self.asks.get(start..*end).unwrap_or_default();
            start = *end;
            if asks.iter().all(|ask| ask.holds(&said))
                && zip.is_some_and(|zip| zips.binary_search(&zip).is_ok())
            {
                found.push(at);
            }
        }
        found
    }

    /// A word as its bit, a number or day as itself.
    fn said(&self, field: FieldIdx, attributes: &Attributes) -> Option<i64> {
        match attributes.get(field)? {
            Value::Text(text) => {
                let bit = self.words.get(&field)?.get(text.as_str()).copied().unwrap_or(1 << 62);
                i64::try_from(bit).ok()
            }
            Value::Boolean(yes) => i64::try_from(yes_bit(*yes)).ok(),
            value => number(value).ok(),
        }
    }
}

impl Ask {
    fn holds(&self, said: &[Option<i64>]) -> bool {
        let of = |at: u16| said.get(usize::from(at)).copied().flatten();
        match self {
            Self::Mask(at, mask) => {
                of(*at).is_some_and(|bit| u64::try_from(bit).is_ok_and(|bit| mask & bit != 0))
            }
            Self::Between(at, least, most) => {
                of(*at).is_some_and(|number| (*least..=*most).contains(&number))
            }
        }
    }
}

fn yes_bit(yes: bool) -> u64 {
    if yes { 2 } else { 1 }
}

/// A bit for each word that any filter names.
fn words(vertical: &Vertical, filters: &[Filter]) -> BTreeMap<FieldIdx, BTreeMap<String, u64>> {
    let fields = vertical.fields().map(|(at, _): (FieldIdx, &Field)| (at, BTreeMap::new()));
    let mut words: BTreeMap<FieldIdx, BTreeMap<String, u64>> = fields.collect();
    for line in filters.iter().flat_map(Filter::lines) {
        let Condition::Field(rule) = line else { continue };
        let (Test::In(set) | Test::NotIn(set)) = &rule.test else { continue };
        let Set::Texts(texts) = &**set else { continue };
        let bits = words.entry(rule.field).or_default();
        for text in texts.exact() {
            let next = 1_u64 << bits.len().min(61);
            bits.entry(text.to_string()).or_insert(next);
        }
    }
    words
}

fn bounds(range: &Range) -> Ran<(i64, i64)> {
    let of = |bound: Option<Value>, otherwise| bound.map_or(Ok(otherwise), |b| number(&b));
    let (min, max) = match range {
        Range::Integer(min, max) => (min.map(Value::Integer), max.map(Value::Integer)),
        Range::Decimal(min, max) => (min.map(Value::Decimal), max.map(Value::Decimal)),
        Range::Date(min, max) => (min.map(Value::Date), max.map(Value::Date)),
    };
    Ok((of(min, i64::MIN)?, of(max, i64::MAX)?))
}

/// A number in hundredths, a day as year, month and day.
fn number(value: &Value) -> Ran<i64> {
    match value {
        Value::Integer(number) => Ok(number.saturating_mul(100)),
        Value::Decimal(number) => {
            let hundredths = number.checked_mul(Decimal::ONE_HUNDRED).ok_or("too large")?;
            Ok(hundredths.round().to_string().parse::<Decimal>()?.try_into()?)
        }
        Value::Date(day) => {
            let month = i64::from(day.year()) * 100 + i64::from(day.month());
            Ok(month * 100 + i64::from(day.day()))
        }
        Value::Text(_) | Value::Boolean(_) => Err("no number".into()),
    }
}
