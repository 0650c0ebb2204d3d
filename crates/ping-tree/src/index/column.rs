//! One field: for what a lead says of it, who is left.

use exchange_model::{FieldIdx, Value};

use crate::filter::{Range, Rule, Set};
use crate::index::bits::Slots;
use crate::index::ranges::Ranges;
use crate::index::values::{Entries, Values};

/// What members ask of one field. One member has at most one entry in `wanted` and in `ranges`.
#[derive(Default)]
pub(super) struct Tests<'f> {
    /// Who refuses a lead without the field.
    pub(super) needing: Vec<u16>,
    /// Who refuses a lead with it.
    pub(super) shunning: Vec<u16>,
    pub(super) wanted: Vec<(u16, &'f Set)>,
    pub(super) unwanted: Vec<(u16, &'f Set)>,
    pub(super) ranges: Vec<(u16, &'f Range, &'f Rule)>,
}

pub(super) struct Column {
    field: FieldIdx,
    /// Who accepts a lead without the field.
    absent: Slots,
    /// Who accepts one with it, as far as that alone goes; nothing: everybody.
    present: Option<Slots>,
    wanted: Option<Values>,
    unwanted: Option<Values>,
    ranges: Option<Ranges>,
}

impl Column {
    /// The column of these tests, and which of the ranges it only knows roughly.
    pub(super) fn new(field: FieldIdx, tests: &Tests<'_>, slots: usize) -> (Self, Vec<usize>) {
        let without = |members: &[u16]| {
            let mut row = Slots::all(slots);
            members.iter().for_each(|member| row.remove(usize::from(*member)));
            row
        };
        let (ranges, rough) = match Ranges::new(&tests.ranges, slots) {
            Some((ranges, rough)) => (Some(ranges), rough),
            None => (None, Vec::new()),
        };
        let column = Self {
            field,
            absent: without(&tests.needing),
            present: (!tests.shunning.is_empty()).then(|| without(&tests.shunning)),
            wanted: Values::new(&tests.wanted, Entries::Wanted, slots),
            unwanted: Values::new(&tests.unwanted, Entries::Unwanted, slots),
            ranges,
        };
        (column, rough)
    }

    pub(super) fn field(&self) -> FieldIdx {
        self.field
    }

    /// Takes out everybody who does not accept this value, or its absence.
    pub(super) fn narrow(&self, value: Option<&Value>, left: &mut Slots, scratch: &mut Slots) {
        let Some(value) = value else { return left.keep(&self.absent) };
        if let Some(present) = &self.present {
            left.keep(present);
        }
        if let Some(wanted) = &self.wanted {
            wanted.keep_wanting(value, left, scratch);
        }
        if let Some(unwanted) = &self.unwanted {
            unwanted.drop_unwanting(value, left);
        }
        if let Some(row) = self.ranges.as_ref().and_then(|ranges| ranges.row(value)) {
            left.keep(row);
        }
    }

    pub(super) fn bytes(&self) -> usize {
        let rows =
            self.absent.bytes().saturating_add(self.present.as_ref().map_or(0, Slots::bytes));
        let values = [&self.wanted, &self.unwanted];
        let values: usize = values.into_iter().flatten().map(Values::bytes).sum();
        let ranges = self.ranges.as_ref().map_or(0, Ranges::bytes);
        rows.saturating_add(values).saturating_add(ranges)
    }
}
