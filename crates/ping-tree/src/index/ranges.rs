//! Ranges, turned round: their bounds cut the line of values into pieces, and everywhere within a
//! piece the same members accept.

use exchange_model::{Date, Value};
use rust_decimal::Decimal;

use crate::filter::{Range, Rule};
use crate::index::bits::Slots;

/// Most cuts of one field. With more bounds than these only some of them cut, and members whose
/// bounds lie between are asked again.
const CUTS_MAX: usize = 1_000;

pub(super) enum Ranges {
    Integers(Pieces<i64>),
    Decimals(Pieces<Decimal>),
    Dates(Pieces<Date>),
}

impl Ranges {
    /// Turns these round; they are of one type. Beside them, which of them are known only roughly.
    /// Nothing when there is none.
    pub(super) fn new(ranges: &[(u16, &Range, &Rule)], slots: usize) -> Option<(Self, Vec<usize>)> {
        let (_, first, _) = ranges.first()?;
        Some(match first {
            Range::Integer(..) => {
                let bounds = ranges.iter().filter_map(|(slot, range, _)| match range {
                    Range::Integer(min, max) => Some((*slot, *min, *max)),
                    _ => None,
                });
                let (pieces, rough) = Pieces::new(&bounds.collect::<Vec<_>>(), slots);
                (Self::Integers(pieces), rough)
            }
            Range::Decimal(..) => {
                let bounds = ranges.iter().filter_map(|(slot, range, _)| match range {
                    Range::Decimal(min, max) => Some((*slot, *min, *max)),
                    _ => None,
                });
                let (pieces, rough) = Pieces::new(&bounds.collect::<Vec<_>>(), slots);
                (Self::Decimals(pieces), rough)
            }
            Range::Date(..) => {
                let bounds = ranges.iter().filter_map(|(slot, range, _)| match range {
                    Range::Date(min, max) => Some((*slot, *min, *max)),
                    _ => None,
                });
                let (pieces, rough) = Pieces::new(&bounds.collect::<Vec<_>>(), slots);
                (Self::Dates(pieces), rough)
            }
        })
    }

    /// Who accepts this value, or has no range here.
    pub(super) fn row(&self, value: &Value) -> Option<&Slots> {
        match (self, value) {
            (Self::Integers(pieces), Value::Integer(number)) => pieces.row(number),
            (Self::Decimals(pieces), Value::Decimal(number)) => pieces.row(number),
            (Self::Dates(pieces), Value::Date(date)) => pieces.row(date),
            (Self::Integers(pieces), _) => Some(&pieces.free),
            (Self::Decimals(pieces), _) => Some(&pieces.free),
            (Self::Dates(pieces), _) => Some(&pieces.free),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        let rows = match self {
            Self::Integers(pieces) => &pieces.rows,
            Self::Decimals(pieces) => &pieces.rows,
            Self::Dates(pieces) => &pieces.rows,
        };
        rows.iter().map(Slots::bytes).sum()
    }
}

/// Each cut is a piece of its own, and so is what lies before, between and behind them: piece
/// `2 i + 1` is the cut `i`.
pub(super) struct Pieces<T> {
    cuts: Vec<T>,
    rows: Vec<Slots>,
    /// Who has no range.
    free: Slots,
}

type Bounds<T> = (u16, Option<T>, Option<T>);

impl<T: Copy + Ord> Pieces<T> {
    fn new(bounds: &[Bounds<T>], slots: usize) -> (Self, Vec<usize>) {
        let mut free = Slots::all(slots);
        bounds.iter().for_each(|(slot, ..)| free.remove(usize::from(*slot)));
        let mut pieces = Self { cuts: cuts(bounds), rows: Vec::new(), free };
        let is_cut =
            |bound: &Option<T>| bound.is_none_or(|bound| pieces.cuts.binary_search(&bound).is_ok());
        let rough = bounds.iter().enumerate();
        let rough = rough.filter(|(_, (_, min, max))| !is_cut(min) || !is_cut(max));
        let rough = rough.map(|(at, _)| at).collect();
        pieces.rows = pieces.rows(bounds);
        (pieces, rough)
    }

    fn piece(&self, value: &T) -> usize {
        match self.cuts.binary_search(value) {
            Ok(at) => at.saturating_mul(2).saturating_add(1),
            Err(at) => at.saturating_mul(2),
        }
    }

    fn row(&self, value: &T) -> Option<&Slots> {
        self.rows.get(self.piece(value))
    }

    /// A row for each piece: from one to the next only those change whose range begins or ended.
    fn rows(&self, bounds: &[Bounds<T>]) -> Vec<Slots> {
        let count = self.cuts.len().saturating_mul(2).saturating_add(1);
        let mut begins = vec![Vec::new(); count];
        let mut ends = vec![Vec::new(); count];
        for (slot, min, max) in bounds {
            let first = min.map_or(0, |min| self.piece(&min));
            let after = max.map_or(count, |max| self.piece(&max).saturating_add(1));
            if first < after {
                begins.get_mut(first).into_iter().for_each(|begins| begins.push(*slot));
                ends.get_mut(after).into_iter().for_each(|ends| ends.push(*slot));
            }
        }
        let mut row = self.free.clone();
        let mut rows = Vec::with_capacity(count);
        for (begins, ends) in begins.iter().zip(&ends) {
            ends.iter().for_each(|slot| row.remove(usize::from(*slot)));
            begins.iter().for_each(|slot| row.insert(usize::from(*slot)));
            rows.push(row.clone());
        }
        rows
    }
}

/// Every bound once, or evenly chosen ones.
fn cuts<T: Copy + Ord>(bounds: &[Bounds<T>]) -> Vec<T> {
    let each = bounds.iter().flat_map(|(_, min, max)| [*min, *max]);
    let mut cuts: Vec<T> = each.flatten().collect();
    cuts.sort_unstable();
    cuts.dedup();
    let step = cuts.len().div_ceil(CUTS_MAX).max(1);
    cuts.into_iter().step_by(step).collect()
}
