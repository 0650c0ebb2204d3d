//! For one lead, everybody of a tree whose `accepts` holds, without asking each of them.
//!
//! Built when config is loaded. Every test of a field that stands at the top of a filter is turned
//! round: for a value, who accepts it, as one row of bits, or where few do, as a run of slots. A
//! lead then costs one step for each field that anybody tests, however many campaigns there are and
//! however long their lists. What cannot be turned round (`any` and `not`, prefixes of free texts,
//! a second list for the same field) is asked of those who are left. The one rule:
//!
//! > Whatever the index says, the filter itself would have said: see the differential test.

use std::fmt;

use exchange_model::Attributes;

use crate::filter::Filter;

mod bits;
mod build;
mod column;
mod places;
mod ranges;
mod values;

use column::Column;

pub use bits::Slots;
pub use places::Places;

/// Most entries of lists that one index keeps, two bytes each; lists beyond are asked one by one.
const ENTRIES_MAX: usize = 200_000_000;

/// The filters of one tree's members, turned round. A member's slot is its place in the order that
/// they were given in.
#[derive(Default)]
pub struct Index {
    everyone: Slots,
    columns: Vec<Column>,
    /// Who has more to ask than the columns know, and what.
    asking: Slots,
    rest: Vec<Option<Filter>>,
}

impl Index {
    /// The index over these filters.
    #[must_use]
    pub fn new<'f>(filters: impl IntoIterator<Item = &'f Filter>) -> Self {
        build::index(filters.into_iter(), ENTRIES_MAX)
    }

    /// Whose filter accepts these attributes.
    #[must_use]
    pub fn matching(&self, attributes: &Attributes) -> Slots {
        let mut left = self.everyone.clone();
        let mut scratch = self.everyone.clone();
        for column in &self.columns {
            column.narrow(attributes.get(column.field()), &mut left, &mut scratch);
        }
        for slot in left.both(&self.asking) {
            let rest = self.rest.get(slot).and_then(Option::as_ref);
            if rest.is_some_and(|rest| !rest.matches(attributes)) {
                left.remove(slot);
            }
        }
        left
    }

    /// How many filters it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rest.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// About how much memory it takes, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let columns: usize = self.columns.iter().map(Column::bytes).sum();
        let rest = self.rest.len().saturating_mul(size_of::<Option<Filter>>());
        columns.saturating_add(rest)
    }
}

/// Its size; its contents are the filters'.
impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Index")
            .field("slots", &self.len())
            .field("columns", &self.columns.len())
            .finish_non_exhaustive()
    }
}
