//! Which test of a nested filter decided, so that a person is shown one line and not a tree.
//!
//! Of an `any` it is the alternative that the fewest changes would bring about; of a `not`, the
//! test that holds and must not.

use exchange_model::Attributes;

use crate::filter::{Condition, Filter, Rule};

/// The test that decided against a lead.
#[derive(Clone, Copy, Debug)]
pub struct Telling<'f> {
    /// The test.
    pub rule: &'f Rule,
    /// Whether a lead must pass it; under a `not` it must not.
    pub wanted: bool,
    /// How many other tables of the same `any` would do as well.
    pub others: usize,
}

/// Why a line does not hold; nothing when it does.
pub(super) fn telling<'f>(line: &'f Condition, attributes: &Attributes) -> Option<Telling<'f>> {
    let judge = Judge { attributes };
    (!line.holds(attributes)).then(|| judge.line(line, true, 0)).flatten()
}

struct Judge<'a> {
    attributes: &'a Attributes,
}

impl Judge<'_> {
    /// The test that keeps `line` from being what is wanted, which it is not.
    fn line<'f>(&self, line: &'f Condition, wanted: bool, others: usize) -> Option<Telling<'f>> {
        match line {
            Condition::Field(rule) => Some(Telling { rule, wanted, others }),
            Condition::Not(filter, _) => self.filter(filter, !wanted, others),
            Condition::All(filters, _) if wanted => {
                let refusing = filters.iter().find(|filter| !filter.matches(self.attributes))?;
                self.filter(refusing, true, others)
            }
            // All of them hold: any one that did not would do.
            Condition::All(filters, _) => self.filter(self.easiest(filters, false)?, false, others),
            Condition::Any(filters, _) if wanted => {
                let others = filters.len().saturating_sub(1);
                self.filter(self.easiest(filters, true)?, true, others)
            }
            Condition::Any(filters, _) => {
                let holding = filters.iter().find(|filter| filter.matches(self.attributes))?;
                self.filter(holding, false, others)
            }
        }
    }

    fn filter<'f>(&self, filter: &'f Filter, wanted: bool, others: usize) -> Option<Telling<'f>> {
        let lines = filter.lines();
        let line = if wanted {
            lines.iter().find(|line| !line.holds(self.attributes))
        } else {
            lines.iter().min_by_key(|line| self.changes(line, false))
        };
        self.line(line?, wanted, others)
    }

    /// The first of those that the fewest changes would turn.
    fn easiest<'f>(&self, filters: &'f [Filter], wanted: bool) -> Option<&'f Filter> {
        filters.iter().min_by_key(|filter| self.changes_of(filter, wanted))
    }

    /// How many tests would have to come out otherwise for `line` to be what is wanted.
    fn changes(&self, line: &Condition, wanted: bool) -> usize {
        let of = |filter: &Filter| self.changes_of(filter, wanted);
        match line {
            _ if line.holds(self.attributes) == wanted => 0,
            Condition::Field(_) => 1,
            Condition::Not(filter, _) => self.changes_of(filter, !wanted),
            Condition::All(filters, _) if wanted => filters.iter().map(of).sum(),
            Condition::Any(filters, _) if !wanted => filters.iter().map(of).sum(),
            Condition::All(filters, _) | Condition::Any(filters, _) => {
                filters.iter().map(of).min().unwrap_or(0)
            }
        }
    }

    fn changes_of(&self, filter: &Filter, wanted: bool) -> usize {
        let each = filter.lines().iter().map(|line| self.changes(line, wanted));
        if wanted { each.sum() } else { each.min().unwrap_or(0) }
    }
}
