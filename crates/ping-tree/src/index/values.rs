//! Sets of values, turned round: for a value, who names it.
//!
//! A value that many name has a row of bits; one that few name, a run of slots in one flat array.

use std::ops::Range;

use exchange_model::{Date, Value};
use rust_decimal::Decimal;

use crate::filter::{CODES, Set, code};
use crate::index::bits::Slots;

/// A row is kept where more than one in so many name the value: it then takes less memory than a
/// run, and less time.
const ROW_FROM: usize = 16;

/// What it means to name a value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Entries {
    /// To accept it, and no other.
    Wanted,
    /// Not to accept it.
    Unwanted,
}

/// Every value that somebody names, each with a number.
enum Dictionary {
    /// The number of each code, or `u32::MAX`.
    Zips(Box<[u32]>),
    Texts(Vec<Box<str>>),
    Integers(Vec<i64>),
    Decimals(Vec<Decimal>),
    Booleans(Vec<bool>),
    Dates(Vec<Date>),
}

/// Who names one value.
enum Members {
    /// Of wanted values: those and whoever names none. Of unwanted ones: those.
    Row(Slots),
    Run(Range<usize>),
}

pub(super) struct Values {
    dictionary: Dictionary,
    members: Vec<Members>,
    runs: Vec<u16>,
    /// Who names no value at all.
    free: Slots,
}

impl Values {
    /// Turns these sets round; they are of one type. Nothing when there is none.
    pub(super) fn new(sets: &[(u16, &Set)], kind: Entries, slots: usize) -> Option<Self> {
        let (_, first) = sets.first()?;
        let dictionary = Dictionary::new(first, sets.iter().map(|(_, set)| *set));
        let mut counts = vec![0_usize; dictionary.len()];
        for (_, set) in sets {
            dictionary.numbers(set, |number| {
                if let Some(count) = counts.get_mut(number) {
                    *count = count.saturating_add(1);
                }
            });
        }
        let mut free = Slots::all(slots);
        sets.iter().for_each(|(slot, _)| free.remove(usize::from(*slot)));
        let base = if kind == Entries::Wanted { free.clone() } else { Slots::none(slots) };
        let mut filling = Filling::new(&counts, &base, slots);
        for (slot, set) in sets {
            dictionary.numbers(set, |number| filling.add(number, *slot));
        }
        let Filling { members, runs, .. } = filling;
        Some(Self { dictionary, members, runs, free })
    }

    /// Leaves who wants this value, or names none.
    pub(super) fn keep_wanting(&self, value: &Value, left: &mut Slots, scratch: &mut Slots) {
        match self.members(value) {
            None => left.keep(&self.free),
            Some(Members::Row(row)) => left.keep(row),
            Some(Members::Run(run)) => {
                scratch.copy(&self.free);
                self.run(run).iter().for_each(|slot| scratch.insert(usize::from(*slot)));
                left.keep(scratch);
            }
        }
    }

    /// Takes out who does not want this value.
    pub(super) fn drop_unwanting(&self, value: &Value, left: &mut Slots) {
        match self.members(value) {
            None => {}
            Some(Members::Row(row)) => left.drop_all(row),
            Some(Members::Run(run)) => {
                self.run(run).iter().for_each(|slot| left.remove(usize::from(*slot)));
            }
        }
    }

    fn members(&self, value: &Value) -> Option<&Members> {
        self.members.get(self.dictionary.number(value)?)
    }

    fn run(&self, run: &Range<usize>) -> &[u16] {
        self.runs.get(run.clone()).unwrap_or_default()
    }

    pub(super) fn bytes(&self) -> usize {
        let rows = self.members.iter().map(|members| match members {
            Members::Row(row) => row.bytes(),
            Members::Run(_) => 0,
        });
        let each = size_of::<Members>();
        let members = self.members.len().saturating_mul(each).saturating_add(rows.sum());
        let runs = self.runs.len().saturating_mul(2);
        members.saturating_add(runs).saturating_add(self.dictionary.bytes())
    }
}

/// The second pass over the sets: the first has counted, so that every run is as long as it must be.
struct Filling {
    members: Vec<Members>,
    runs: Vec<u16>,
    /// Where the next slot of each run goes.
    next: Vec<usize>,
}

impl Filling {
    fn new(counts: &[usize], base: &Slots, slots: usize) -> Self {
        let mut next = Vec::with_capacity(counts.len());
        let mut members = Vec::with_capacity(counts.len());
        let mut start = 0_usize;
        for count in counts {
            next.push(start);
            if count.saturating_mul(ROW_FROM) > slots {
                members.push(Members::Row(base.clone()));
            } else {
                let end = start.saturating_add(*count);
                members.push(Members::Run(start..end));
                start = end;
            }
        }
        Self { members, runs: vec![0; start], next }
    }

    fn add(&mut self, number: usize, slot: u16) {
        match self.members.get_mut(number) {
            Some(Members::Row(row)) => row.insert(usize::from(slot)),
            Some(Members::Run(_)) => {
                let Some(next) = self.next.get_mut(number) else { return };
                if let Some(entry) = self.runs.get_mut(*next) {
                    *entry = slot;
                }
                *next = next.saturating_add(1);
            }
            None => {}
        }
    }
}

impl Dictionary {
    fn new<'s>(kind: &Set, sets: impl Iterator<Item = &'s Set> + Clone) -> Self {
        match kind {
            Set::Zips(_) => Self::Zips(zips(sets)),
            Set::Texts(_) => Self::Texts(distinct(sets, |set| match set {
                Set::Texts(texts) => texts.exact(),
                _ => &[],
            })),
            Set::Integers(_) => Self::Integers(distinct(sets, |set| match set {
                Set::Integers(numbers) => numbers,
                _ => &[],
            })),
            Set::Decimals(_) => Self::Decimals(distinct(sets, |set| match set {
                Set::Decimals(numbers) => numbers,
                _ => &[],
            })),
            Set::Booleans(_) => Self::Booleans(distinct(sets, |set| match set {
                Set::Booleans(values) => values,
                _ => &[],
            })),
            Set::Dates(_) => Self::Dates(distinct(sets, |set| match set {
                Set::Dates(dates) => dates,
                _ => &[],
            })),
        }
    }

    /// How many numbers there are.
    fn len(&self) -> usize {
        match self {
            Self::Zips(numbers) => numbers
                .iter()
                .filter(|number| **number != u32::MAX)
                .max()
                .and_then(|most| usize::try_from(most.saturating_add(1)).ok())
                .unwrap_or(0),
            Self::Texts(values) => values.len(),
            Self::Integers(values) => values.len(),
            Self::Decimals(values) => values.len(),
            Self::Booleans(values) => values.len(),
            Self::Dates(values) => values.len(),
        }
    }

    fn number(&self, value: &Value) -> Option<usize> {
        match (self, value) {
            (Self::Zips(numbers), Value::Text(zip)) => zip_number(numbers, code(zip)?),
            (Self::Texts(texts), Value::Text(text)) => {
                texts.binary_search_by(|known| (**known).cmp(text.as_str())).ok()
            }
            (Self::Integers(values), Value::Integer(value)) => values.binary_search(value).ok(),
            (Self::Decimals(values), Value::Decimal(value)) => values.binary_search(value).ok(),
            (Self::Booleans(values), Value::Boolean(value)) => values.binary_search(value).ok(),
            (Self::Dates(values), Value::Date(value)) => values.binary_search(value).ok(),
            _ => None,
        }
    }

    /// Calls `each` with the number of every value of a set.
    fn numbers(&self, set: &Set, each: impl FnMut(usize)) {
        match (self, set) {
            (Self::Zips(numbers), Set::Zips(zips)) => {
                zips.codes().filter_map(|code| zip_number(numbers, code)).for_each(each);
            }
            (Self::Texts(known), Set::Texts(texts)) => found(known, texts.exact(), each),
            (Self::Integers(known), Set::Integers(values)) => found(known, values, each),
            (Self::Decimals(known), Set::Decimals(values)) => found(known, values, each),
            (Self::Booleans(known), Set::Booleans(values)) => found(known, values, each),
            (Self::Dates(known), Set::Dates(values)) => found(known, values, each),
            _ => {}
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Zips(numbers) => numbers.len().saturating_mul(4),
            Self::Texts(texts) => texts.iter().map(|text| text.len().saturating_add(16)).sum(),
            _ => self.len().saturating_mul(16),
        }
    }
}

fn found<T: Ord>(known: &[T], values: &[T], each: impl FnMut(usize)) {
    values.iter().filter_map(|value| known.binary_search(value).ok()).for_each(each);
}

fn distinct<'s, T: Clone + Ord + 's>(
    sets: impl Iterator<Item = &'s Set>,
    values: impl Fn(&'s Set) -> &'s [T],
) -> Vec<T> {
    let all: std::collections::BTreeSet<&T> = sets.flat_map(values).collect();
    all.into_iter().cloned().collect()
}

fn zips<'s>(sets: impl Iterator<Item = &'s Set>) -> Box<[u32]> {
    let mut numbers = vec![u32::MAX; usize::try_from(CODES).unwrap_or(0)];
    let mut next = 0_u32;
    for set in sets {
        let Set::Zips(zips) = set else { continue };
        for code in zips.codes() {
            let at = usize::try_from(code).unwrap_or(usize::MAX);
            if let Some(number) = numbers.get_mut(at).filter(|number| **number == u32::MAX) {
                *number = next;
                next = next.saturating_add(1);
            }
        }
    }
    numbers.into()
}

fn zip_number(numbers: &[u32], code: u32) -> Option<usize> {
    let number = numbers.get(usize::try_from(code).ok()?)?;
    usize::try_from(*number).ok().filter(|_| *number != u32::MAX)
}
