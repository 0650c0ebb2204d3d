//! From filters to columns, and what is left over.

use std::collections::BTreeMap;
use std::mem::discriminant;

use exchange_model::FieldIdx;

use crate::filter::{Condition, Filter, Rule, Set, Test};
use crate::index::Index;
use crate::index::bits::Slots;
use crate::index::column::{Column, Tests};

pub(super) fn index<'f>(filters: impl Iterator<Item = &'f Filter>, entries: usize) -> Index {
    let mut build = Build { fields: BTreeMap::new(), rest: Vec::new(), entries };
    for filter in filters {
        build.member(filter);
    }
    build.finish()
}

struct Build<'f> {
    fields: BTreeMap<FieldIdx, Tests<'f>>,
    /// For every member, the lines that no column answers.
    rest: Vec<Vec<Condition>>,
    /// How many entries of lists there is room for.
    entries: usize,
}

impl<'f> Build<'f> {
    fn member(&mut self, filter: &'f Filter) {
        let mut rest = Vec::new();
        match u16::try_from(self.rest.len()) {
            Ok(slot) => self.lines(slot, filter, &mut rest),
            Err(_too_many) => rest.extend(filter.lines().iter().cloned()),
        }
        self.rest.push(rest);
    }

    fn lines(&mut self, slot: u16, filter: &'f Filter, rest: &mut Vec<Condition>) {
        for line in filter.lines() {
            match line {
                Condition::Field(rule) => {
                    if !self.rule(slot, rule) {
                        rest.push(line.clone());
                    }
                }
                Condition::All(filters, _) => {
                    filters.iter().for_each(|filter| self.lines(slot, filter, rest));
                }
                Condition::Any(..) | Condition::Not(..) => rest.push(line.clone()),
            }
        }
    }

    /// Takes a rule into its column. False: it must be asked for itself, too.
    fn rule(&mut self, slot: u16, rule: &'f Rule) -> bool {
        let entries = &mut self.entries;
        let tests = self.fields.entry(rule.field).or_default();
        match &rule.test {
            Test::Present(false) => {
                tests.shunning.push(slot);
                return true;
            }
            Test::Present(true) | Test::In(_) | Test::NotIn(_) | Test::Within(_) => {
                tests.needing.push(slot);
            }
        }
        match &rule.test {
            Test::Present(_) => true,
            Test::In(set) => {
                let kind = tests.wanted.first().map(|(_, first)| *first);
                let second = tests.wanted.last().is_some_and(|(last, _)| *last == slot);
                let fits = !second && takes(set, kind, entries);
                tests.wanted.extend(fits.then_some((slot, &**set)));
                fits
            }
            Test::NotIn(set) => {
                let kind = tests.unwanted.first().map(|(_, first)| *first);
                let fits = takes(set, kind, entries);
                tests.unwanted.extend(fits.then_some((slot, &**set)));
                fits
            }
            Test::Within(range) => {
                let kind = tests.ranges.first().map(|(_, first, _)| discriminant(*first));
                let second = tests.ranges.last().is_some_and(|(last, ..)| *last == slot);
                let fits = !second && kind.is_none_or(|kind| kind == discriminant(range));
                tests.ranges.extend(fits.then_some((slot, range, rule)));
                fits
            }
        }
    }

    fn finish(mut self) -> Index {
        let slots = self.rest.len();
        let mut columns = Vec::with_capacity(self.fields.len());
        for (field, tests) in &self.fields {
            let (column, rough) = Column::new(*field, tests, slots);
            columns.push(column);
            for (slot, _, rule) in rough.into_iter().filter_map(|at| tests.ranges.get(at)) {
                if let Some(rest) = self.rest.get_mut(usize::from(*slot)) {
                    rest.push(Condition::Field((*rule).clone()));
                }
            }
        }
        let mut asking = Slots::none(slots);
        let mut rest = Vec::with_capacity(slots);
        for (slot, lines) in self.rest.into_iter().enumerate() {
            if lines.is_empty() {
                rest.push(None);
            } else {
                asking.insert(slot);
                rest.push(Some(Filter::new(lines)));
            }
        }
        Index { everyone: Slots::all(slots), columns, asking, rest }
    }
}

/// Whether a set can be turned round with those like `kind`, and there is room.
fn takes(set: &Set, kind: Option<&Set>, entries: &mut usize) -> bool {
    let alike = kind.is_none_or(|kind| discriminant(kind) == discriminant(set));
    let plain = !matches!(set, Set::Texts(texts) if !texts.prefixes().is_empty());
    match entries.checked_sub(set.len()) {
        Some(left) if alike && plain => {
            *entries = left;
            true
        }
        _ => false,
    }
}
