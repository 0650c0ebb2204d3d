//! How much a campaign takes: leads or money, per second to month, in all, or open at a time.
//!
//! A cap counts what was bought and what is reserved by posts under way: of the campaign, of the
//! campaign from one source, of all campaigns of its buyer, or of a group of campaigns. This module
//! only says what a cap covers; the counts come from whoever keeps them.

use std::time::Duration;

use exchange_model::reason::CapKind;
use exchange_model::{Date, MinorUnits, Place, Timestamp};
use jiff::tz::TimeZone;

use crate::schedule::Schedule;

mod owned;
mod pace;
mod read;
mod scope;
mod window;

pub use owned::{CampaignCaps, CapGroup};
pub use pace::pace;
pub(crate) use read::{Stands, caps as read_caps, caps_of, ping_rate};
pub use scope::{CapScope, Group};
pub use window::{BEGINNING, END, Window, date_start};

/// What was bought and what is reserved within one window.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    /// Leads.
    pub leads: u32,
    /// Their prices together.
    pub spend: MinorUnits,
}

impl Tally {
    /// Both together. A sum too large to count is a cap without room, never one that wraps around.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            leads: self.leads.saturating_add(other.leads),
            spend: MinorUnits::new(self.spend.get().saturating_add(other.spend.get())),
        }
    }

    /// This without the other.
    #[must_use]
    pub fn less(self, other: Self) -> Self {
        Self {
            leads: self.leads.saturating_sub(other.leads),
            spend: MinorUnits::new(self.spend.get().saturating_sub(other.spend.get())),
        }
    }
}

/// How much a cap allows within its window.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CapAmount {
    /// This many leads.
    Leads(u32),
    /// This much money.
    Spend(MinorUnits),
}

impl CapAmount {
    /// Whether a lead at `price` still fits beside what is used.
    #[must_use]
    pub fn has_room(self, used: Tally, price: MinorUnits) -> bool {
        match self {
            Self::Leads(most) => used.leads < most,
            Self::Spend(most) => used.spend.checked_add(price).is_some_and(|sum| sum <= most),
        }
    }
}

/// One cap as it stands at one moment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CapLimit {
    /// Whose leads it counts.
    pub scope: CapScope,
    /// Which.
    pub kind: CapKind,
    /// The stretch of time it counts in; of `open`, those handed over in it are still open.
    pub window: Window,
    /// How much it allows.
    pub limit: CapAmount,
}

/// One cap as written.
#[derive(Clone, Debug)]
pub struct Cap {
    /// Which.
    pub kind: CapKind,
    /// How much it allows.
    pub limit: CapAmount,
    /// Where it is written.
    pub place: Place,
}

/// When caps are looked at, and by whose clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock<'a> {
    pub(crate) now: Timestamp,
    pub(crate) zone: &'a TimeZone,
    /// The open hours that `pace` spreads a day's cap over.
    pub(crate) hours: &'a Schedule,
}

/// One table of caps, short windows first. None: as much as there is.
#[derive(Clone, Debug, Default)]
pub struct Caps {
    caps: Vec<Cap>,
    /// From which day on `total` counts; the first lead without one.
    since: Option<Date>,
    /// How long a lead counts as open that nobody called finished.
    open_for: Duration,
    /// Where an even pace is asked for.
    even: Option<Place>,
}

impl Caps {
    /// These caps, put in the order they are checked.
    #[must_use]
    pub fn new(mut caps: Vec<Cap>) -> Self {
        caps.sort_by_key(|cap| cap.kind);
        Self { caps, ..Self::default() }
    }

    /// Every cap.
    pub fn iter(&self) -> impl Iterator<Item = &Cap> {
        self.caps.iter()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.caps.is_empty()
    }

    /// Where the cap of this kind is written, if it is.
    #[must_use]
    pub fn place(&self, kind: CapKind) -> Option<&Place> {
        if kind == CapKind::Pace {
            return self.even.as_ref();
        }
        self.caps.iter().find(|cap| cap.kind == kind).map(|cap| &cap.place)
    }

    /// Adds every cap as it stands at this moment.
    pub(crate) fn extend(&self, limits: &mut Vec<CapLimit>, scope: &CapScope, clock: Clock<'_>) {
        for cap in &self.caps {
            let window = self.window(cap.kind, clock);
            limits.push(CapLimit {
                scope: scope.clone(),
                kind: cap.kind,
                window,
                limit: cap.limit,
            });
            if self.even.is_some() && matches!(cap.kind, CapKind::Day | CapKind::DaySpend) {
                let limit = pace(cap.limit, clock.hours.open_today(clock.now, clock.zone));
                limits.push(CapLimit { scope: scope.clone(), kind: CapKind::Pace, window, limit });
            }
        }
    }

    fn window(&self, kind: CapKind, clock: Clock<'_>) -> Window {
        match (kind, self.since) {
            // Whoever came later and was quicker counts as well.
            (CapKind::Open, _) => Window { start: clock.now.before(self.open_for), end: END },
            (CapKind::Total | CapKind::TotalSpend, Some(since)) => {
                Window { start: date_start(since, clock.zone), end: END }
            }
            _ => Window::of(kind, clock.now, clock.zone),
        }
    }
}
