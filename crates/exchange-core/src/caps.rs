//! What caps count: what was bought and reserved, in steps of a quarter of an hour.
//!
//! A [`Usage`] counts a post from the moment it is prepared until it is known not to have bought,
//! so that `reserved + bought` never passes a cap, whatever the order of the answers. It holds no
//! lock and reads no clock; its owner calls [`first_full`] and [`Usage::add`] in one go.
//! The one rule:
//!
//! > A lead belongs to the window of its recorded intake time, so what is added and what is taken
//! > back of one lead are given the same moment.

use std::collections::BTreeMap;
use std::time::Duration;

use exchange_model::reason::CapName;
use exchange_model::{AttemptId, CampaignId, MinorUnits, SourceId, Timestamp};
use ping_tree::{BEGINNING, CapLimit, END, Tally, Window};

mod open;

pub use open::OpenLeads;

/// Windows of an hour and more begin and end on multiples of this, counted from 1970 in UTC.
pub const STEP: Duration = Duration::from_mins(15);
/// Steps older than this, counted back from the newest, are only kept as sums: twice the longest
/// window that has an end.
pub const KEPT: Duration = Duration::from_hours(24 * 62);
/// How far back single seconds are kept: longer than any lead is under way to its first post.
pub const SECONDS_KEPT: Duration = Duration::from_mins(10);
/// Most windows whose sums are kept ready: second to month and total of today, of the campaign's
/// own clock and its groups', and a few of yesterday.
const WINDOWS_MAX: usize = 16;
/// Most moments from which on old steps are summed up, beside the beginning: a campaign's own and
/// those of all groups that one stands in must be known at once, and the last ones of earlier files.
pub const SINCE_MAX: usize = 32;
const SECOND: Duration = Duration::from_secs(1);

/// What one attempt counts for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Counted {
    /// Which.
    pub attempt: AttemptId,
    /// Whose.
    pub campaign: CampaignId,
    /// Where its lead came from.
    pub source: SourceId,
    /// When its lead was taken in.
    pub at: Timestamp,
    /// What is held, then what is booked.
    pub price: MinorUnits,
}

impl Counted {
    /// One lead at its price.
    #[must_use]
    pub const fn tally(&self) -> Tally {
        Tally { leads: 1, spend: self.price }
    }
}

/// Whether a lead at `price` fits under every cap, by what is used of each.
///
/// # Errors
/// The first cap that has no room.
pub fn first_full(
    caps: &[CapLimit],
    price: MinorUnits,
    mut used: impl FnMut(&CapLimit) -> Tally,
) -> Result<(), CapName> {
    match caps.iter().find(|cap| !cap.limit.has_room(used(cap), price)) {
        Some(full) => Err(full.name()),
        None => Ok(()),
    }
}

/// What was bought and reserved of one campaign, of one campaign from one source, or of one buyer.
#[derive(Clone, Debug)]
pub struct Usage {
    /// By the start of the step.
    steps: BTreeMap<Timestamp, Tally>,
    /// The last ones, by the second.
    seconds: BTreeMap<Timestamp, u32>,
    /// Sums asked for before, kept up to date; the latest asked for at the end.
    sums: Vec<(Window, Tally)>,
    /// Steps from here on are kept.
    kept_from: Timestamp,
    /// What was before that, from some moments on; from the beginning first.
    older: Vec<(Timestamp, Tally)>,
    /// No lead was before this.
    first: Timestamp,
}

impl Default for Usage {
    fn default() -> Self {
        Self {
            steps: BTreeMap::new(),
            seconds: BTreeMap::new(),
            sums: Vec::new(),
            kept_from: BEGINNING,
            older: vec![(BEGINNING, Tally::default())],
            first: END,
        }
    }
}

impl Usage {
    /// Nothing bought, nothing reserved.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What is bought and reserved within a window: a second, or one whose ends lie on whole
    /// [`STEP`]s. Of a window that begins before the kept steps, see [`Usage::knows`]; of one that ends
    /// there, nothing is known, and nothing is taken in any more.
    ///
    /// The first question about a window adds up its steps; later ones read the sum.
    pub fn used(&mut self, window: Window) -> Tally {
        if window.end.since(window.start) <= SECOND {
            return self.in_second(window.start);
        }
        if let Some((_, sum)) = self.sums.iter().find(|(known, _)| *known == window) {
            return *sum;
        }
        let older = self.before_kept(window.start).filter(|_| window.end > self.kept_from);
        let sum = self.recount(window).plus(older.unwrap_or_default());
        if older.is_some() {
            self.keep_sum(window, sum);
        }
        sum
    }

    /// Whether what is counted from this moment on is known; otherwise only what the kept steps
    /// hold of it, until [`Usage::count_since`] says the rest.
    #[must_use]
    pub fn knows(&mut self, since: Timestamp) -> bool {
        // What was asked for last is forgotten last.
        if let Some(at) = self.older.iter().skip(1).position(|(known, _)| *known == since) {
            let asked = self.older.remove(at.saturating_add(1));
            self.older.push(asked);
        }
        self.before_kept(since).is_some()
    }

    /// Until when old leads must be added up for [`Usage::count_since`].
    #[must_use]
    pub fn kept_from(&self) -> Timestamp {
        self.kept_from
    }

    /// What was between this moment and the first kept step.
    pub fn count_since(&mut self, since: Timestamp, tally: Tally) {
        if self.knows(since) {
            return;
        }
        if self.older.len() > SINCE_MAX {
            self.older.remove(1);
        }
        self.older.push((since, tally));
    }

    /// What was before any kept step, and when the first of it was. Nothing is kept yet; of several
    /// campaigns of a buyer, one after the other.
    pub fn begin_with(&mut self, kept_from: Timestamp, first: Timestamp, tally: Tally) {
        self.kept_from = step_of(kept_from);
        self.first = self.first.min(first);
        let before = self.before_kept(BEGINNING).unwrap_or_default();
        self.older = vec![(BEGINNING, before.plus(tally))];
        self.sums.clear();
    }

    /// Counts what was taken in at `at`, at once.
    pub fn add(&mut self, at: Timestamp, tally: Tally) {
        self.first = self.first.min(at);
        self.change(at, |sum| sum.plus(tally));
        let leads = self.seconds.entry(second_of(at)).or_default();
        *leads = leads.saturating_add(tally.leads);
        self.forget_old();
    }

    /// Gives back what [`Usage::add`] counted with the same arguments.
    pub fn take_back(&mut self, at: Timestamp, tally: Tally) {
        self.change(at, |sum| sum.less(tally));
        let second = second_of(at);
        if let Some(leads) = self.seconds.get_mut(&second) {
            *leads = leads.saturating_sub(tally.leads);
            if *leads == 0 {
                self.seconds.remove(&second);
            }
        }
    }

    /// Counts another price for a lead that is counted.
    pub fn rebook(&mut self, at: Timestamp, from: MinorUnits, to: MinorUnits) {
        let spend = |spend| Tally { leads: 0, spend };
        self.change(at, |sum| sum.less(spend(from)).plus(spend(to)));
    }

    fn change(&mut self, at: Timestamp, change: impl Fn(Tally) -> Tally) {
        let step = step_of(at);
        if step < self.kept_from {
            for (_, tally) in self.older.iter_mut().filter(|(since, _)| *since <= step) {
                *tally = change(*tally);
            }
        } else {
            let tally = self.steps.entry(step).or_default();
            *tally = change(*tally);
            if tally.leads == 0 {
                self.steps.remove(&step);
            }
        }
        for (_, sum) in self.sums.iter_mut().filter(|(window, _)| window.contains(step)) {
            *sum = change(*sum);
        }
    }

    /// Of a second that is not kept any more, all of its step: more than it was, never less.
    fn in_second(&self, second: Timestamp) -> Tally {
        let newest = self.seconds.last_key_value().map(|(newest, _)| *newest);
        let leads = if newest.is_some_and(|newest| second < newest.before(SECONDS_KEPT)) {
            self.steps.get(&step_of(second)).map_or(0, |tally| tally.leads)
        } else {
            self.seconds.get(&second).copied().unwrap_or(0)
        };
        Tally { leads, spend: MinorUnits::ZERO }
    }

    fn before_kept(&self, since: Timestamp) -> Option<Tally> {
        if since >= self.kept_from {
            return Some(Tally::default());
        }
        let since = if since <= self.first { BEGINNING } else { since };
        self.older.iter().find(|(known, _)| *known == since).map(|(_, tally)| *tally)
    }

    fn recount(&self, window: Window) -> Tally {
        if window.start >= window.end {
            return Tally::default();
        }
        let inside = self.steps.range(window.start..window.end).map(|(_, tally)| *tally);
        inside.fold(Tally::default(), Tally::plus)
    }

    fn keep_sum(&mut self, window: Window, sum: Tally) {
        if self.sums.len() >= WINDOWS_MAX {
            self.sums.remove(0);
        }
        self.sums.push((window, sum));
    }

    fn forget_old(&mut self) {
        if let Some((newest, _)) = self.seconds.last_key_value() {
            let from = newest.before(SECONDS_KEPT);
            if self.seconds.first_key_value().is_some_and(|(second, _)| *second < from) {
                self.seconds = self.seconds.split_off(&from);
            }
        }
        let Some(newest) = self.steps.last_key_value().map(|(step, _)| *step) else { return };
        let kept_from = newest.before(KEPT);
        if self.steps.first_key_value().is_some_and(|(step, _)| *step < kept_from) {
            self.sum_up(kept_from);
        }
    }

    /// Keeps steps before this moment as sums alone.
    fn sum_up(&mut self, kept_from: Timestamp) {
        let kept = self.steps.split_off(&kept_from);
        for (step, tally) in std::mem::replace(&mut self.steps, kept) {
            for (_, older) in self.older.iter_mut().filter(|(since, _)| *since <= step) {
                *older = older.plus(tally);
            }
        }
        self.kept_from = kept_from;
        self.sums.retain(|(window, _)| window.start >= kept_from || window.end == END);
    }
}

/// The start of the step that `at` lies in.
fn step_of(at: Timestamp) -> Timestamp {
    floor(at, STEP)
}

fn second_of(at: Timestamp) -> Timestamp {
    floor(at, SECOND)
}

fn floor(at: Timestamp, step: Duration) -> Timestamp {
    let step = i64::try_from(step.as_micros()).expect("a quarter of an hour fits");
    let micros = at.unix_micros();
    Timestamp::from_unix_micros(micros.saturating_sub(micros.rem_euclid(step)))
}

#[cfg(test)]
mod tests;
