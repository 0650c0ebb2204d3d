//! What one campaign has bought and reserved, in steps of a quarter of an hour.
//!
//! A [`Usage`] counts a post from the moment it is prepared until it is known not to have bought,
//! so that `reserved + bought` never passes a cap, whatever the order of the answers. It holds no
//! lock and reads no clock; its owner calls [`Usage::has_room`] and [`Usage::reserve`] in one go.
//! The one rule:
//!
//! > A lead belongs to the window of its recorded intake time, so `reserve` and `release` of one
//! > lead are given the same moment.

use std::collections::BTreeMap;
use std::time::Duration;

use exchange_model::reason::CapKind;
use exchange_model::{MinorUnits, Timestamp};
use ping_tree::{CapLimit, Tally, Window};

/// Windows begin and end on multiples of this, counted from 1970 in UTC.
pub const STEP: Duration = Duration::from_mins(15);
/// Steps older than this, counted back from the newest, are forgotten: twice the longest window.
pub const KEPT: Duration = Duration::from_hours(24 * 62);
/// Most windows whose sums are kept ready: hour, day and month of today, and a few of yesterday.
const WINDOWS_MAX: usize = 8;

/// What one campaign has bought and reserved.
#[derive(Clone, Debug, Default)]
pub struct Usage {
    /// By the start of the step.
    steps: BTreeMap<Timestamp, Tally>,
    /// Sums asked for before, kept up to date; the latest asked for at the end.
    sums: Vec<(Window, Tally)>,
}

impl Usage {
    /// Nothing bought, nothing reserved.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What is bought and reserved within a window whose ends lie on whole [`STEP`]s.
    ///
    /// The first question about a window adds up its steps; later ones read the sum.
    pub fn used(&mut self, window: Window) -> Tally {
        if let Some((_, sum)) = self.sums.iter().find(|(known, _)| *known == window) {
            return *sum;
        }
        let sum = self.recount(window);
        if self.sums.len() >= WINDOWS_MAX {
            self.sums.remove(0);
        }
        self.sums.push((window, sum));
        sum
    }

    /// Whether a lead at `price` fits under every cap.
    ///
    /// # Errors
    /// The first cap that has no room.
    pub fn has_room(&mut self, caps: &[CapLimit], price: MinorUnits) -> Result<(), CapKind> {
        for cap in caps {
            if !cap.limit.has_room(self.used(cap.window), price) {
                return Err(cap.kind);
            }
        }
        Ok(())
    }

    /// Counts a lead taken in at `at` as used, at once.
    pub fn reserve(&mut self, at: Timestamp, price: MinorUnits) {
        let step = step_of(at);
        add(self.steps.entry(step).or_default(), price);
        for (_, sum) in self.sums.iter_mut().filter(|(window, _)| window.contains(step)) {
            add(sum, price);
        }
        self.forget_old();
    }

    /// Gives back what [`Usage::reserve`] took with the same arguments. Nothing happens when the
    /// step was forgotten meanwhile.
    pub fn release(&mut self, at: Timestamp, price: MinorUnits) {
        let step = step_of(at);
        let Some(tally) = self.steps.get_mut(&step) else { return };
        subtract(tally, price);
        if tally.leads == 0 {
            self.steps.remove(&step);
        }
        for (_, sum) in self.sums.iter_mut().filter(|(window, _)| window.contains(step)) {
            subtract(sum, price);
        }
    }

    fn recount(&self, window: Window) -> Tally {
        if window.start >= window.end {
            return Tally::default();
        }
        let mut sum = Tally::default();
        for tally in self.steps.range(window.start..window.end).map(|(_, tally)| tally) {
            sum.leads = sum.leads.saturating_add(tally.leads);
            sum.spend = plus(sum.spend, tally.spend);
        }
        sum
    }

    fn forget_old(&mut self) {
        let Some(newest) = self.steps.last_key_value().map(|(step, _)| *step) else { return };
        let oldest_kept = newest.before(KEPT);
        if self.steps.first_key_value().is_some_and(|(step, _)| *step < oldest_kept) {
            self.steps = self.steps.split_off(&oldest_kept);
            self.sums.retain(|(window, _)| window.start >= oldest_kept);
        }
    }
}

/// The start of the step that `at` lies in.
fn step_of(at: Timestamp) -> Timestamp {
    let step = i64::try_from(STEP.as_micros()).expect("a quarter of an hour fits");
    let micros = at.unix_micros();
    Timestamp::from_unix_micros(micros.saturating_sub(micros.rem_euclid(step)))
}

fn add(tally: &mut Tally, price: MinorUnits) {
    tally.leads = tally.leads.saturating_add(1);
    tally.spend = plus(tally.spend, price);
}

fn subtract(tally: &mut Tally, price: MinorUnits) {
    tally.leads = tally.leads.saturating_sub(1);
    tally.spend = MinorUnits::new(tally.spend.get().saturating_sub(price.get()));
}

/// A sum too large to count is a cap without room, never one that wraps around.
fn plus(one: MinorUnits, other: MinorUnits) -> MinorUnits {
    MinorUnits::new(one.get().saturating_add(other.get()))
}

#[cfg(test)]
mod tests;
