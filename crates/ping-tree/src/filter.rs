//! Which leads something takes: tests over open fields, compiled when config is loaded.
//!
//! A filter is what `accepts` and every `when` hold: lines that must all hold, each a test of one
//! field or an `all`, `any` or `not` around further filters. It cannot name contact data, so nothing
//! a filter says can give a person away. Values are normalised by the field's own type at load, so
//! that for a lead there is only comparing. The one rule:
//!
//! > A field that is absent passes no test but `{ present = false }`.

use std::sync::Arc;

use exchange_model::{Attributes, FieldIdx, Place};

mod range;
mod read;
mod set;
mod show;
mod telling;
mod test;
mod zips;

pub use range::Range;
pub(crate) use read::FilterReader;
pub use set::{Set, Texts};
pub use telling::Telling;
pub use test::Test;
pub use zips::Zips;
pub(crate) use zips::{CODES, code};

/// How deep `all`, `any` and `not` may nest.
pub const DEPTH_MAX: usize = 8;
/// Most tests of one filter, nested ones included.
pub const TESTS_MAX: usize = 1_000;

/// One test of one field.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The field it looks at.
    pub field: FieldIdx,
    /// What it asks.
    pub test: Test,
    /// The list it takes its values from, as written.
    pub list: Option<String>,
    /// Where it is written.
    pub place: Place,
}

impl Rule {
    /// Whether these attributes pass.
    #[must_use]
    pub fn holds(&self, attributes: &Attributes) -> bool {
        self.test.accepts(attributes.get(self.field))
    }
}

/// One line of a filter.
#[derive(Clone, Debug)]
pub enum Condition {
    /// A test of one field.
    Field(Rule),
    /// Every one of these.
    All(Box<[Filter]>, Place),
    /// At least one of these.
    Any(Box<[Filter]>, Place),
    /// Whatever this does not accept.
    Not(Filter, Place),
}

impl Condition {
    /// Whether these attributes meet it.
    #[must_use]
    pub fn holds(&self, attributes: &Attributes) -> bool {
        match self {
            Self::Field(rule) => rule.holds(attributes),
            Self::All(filters, _) => filters.iter().all(|filter| filter.matches(attributes)),
            Self::Any(filters, _) => filters.iter().any(|filter| filter.matches(attributes)),
            Self::Not(filter, _) => !filter.matches(attributes),
        }
    }

    /// Where it is written.
    #[must_use]
    pub fn place(&self) -> &Place {
        match self {
            Self::Field(rule) => &rule.place,
            Self::All(_, place) | Self::Any(_, place) | Self::Not(_, place) => place,
        }
    }
}

/// All of these must hold; an empty filter accepts everything. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    lines: Arc<[Condition]>,
}

impl Filter {
    /// These lines, in the order written.
    #[must_use]
    pub fn new(lines: Vec<Condition>) -> Self {
        Self { lines: lines.into() }
    }

    /// Its lines, in the order written.
    #[must_use]
    pub fn lines(&self) -> &[Condition] {
        &self.lines
    }

    /// Whether it asks for nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Whether these attributes meet every line.
    #[must_use]
    pub fn matches(&self, attributes: &Attributes) -> bool {
        self.lines.iter().all(|line| line.holds(attributes))
    }

    /// The test that decided against these attributes: that of the first line that does not hold.
    #[must_use]
    pub fn first_refusal<'a>(&'a self, attributes: &'a Attributes) -> Option<Telling<'a>> {
        self.refusals(attributes).next()
    }

    /// For every line that does not hold, the test that decided.
    pub fn refusals<'a>(
        &'a self,
        attributes: &'a Attributes,
    ) -> impl Iterator<Item = Telling<'a>> + 'a {
        self.lines
            .iter()
            .filter(|line| !line.holds(attributes))
            .filter_map(|line| telling::telling(line, attributes))
    }
}
