//! The leads that were handed over to one campaign and are not finished.

use std::collections::BTreeSet;
use std::time::Duration;

use exchange_model::{AttemptId, Timestamp};

/// Leads older than this, counted back from the newest, do not count as open any more.
const OPEN_KEPT: Duration = Duration::from_hours(24);
/// More than this are not counted out.
const COUNT_MAX: u32 = 100_000;

/// The leads that were handed over to one campaign and are not finished.
#[derive(Clone, Debug, Default)]
pub struct OpenLeads(BTreeSet<(Timestamp, AttemptId)>);

impl OpenLeads {
    /// A lead taken in at `at` is handed over.
    pub fn add(&mut self, at: Timestamp, attempt: AttemptId) {
        self.0.insert((at, attempt));
        let Some((newest, _)) = self.0.last() else { return };
        let from = newest.before(OPEN_KEPT);
        while self.0.first().is_some_and(|(at, _)| *at < from) {
            self.0.pop_first();
        }
    }

    /// It is finished, or was not handed over after all; whether it was open.
    pub fn remove(&mut self, at: Timestamp, attempt: AttemptId) -> bool {
        self.0.remove(&(at, attempt))
    }

    /// How many are open of those taken in from this moment on.
    #[must_use]
    pub fn since(&self, since: Timestamp) -> u32 {
        let mut count = 0_u32;
        for _open in self.0.iter().rev().take_while(|(at, _)| *at >= since) {
            count = count.saturating_add(1);
            if count >= COUNT_MAX {
                break;
            }
        }
        count
    }
}
