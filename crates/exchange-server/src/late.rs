//! The report on late bids, as the operator's API and commands tell it.

use std::time::Duration;

use exchange_core::late_report::{LateCase, LateReport, LateRow};
use exchange_model::{LeadId, Timestamp};
use exchange_store::LateLead;
use serde::{Deserialize, Serialize};

/// Leads that are read at a time.
pub const PAGE: u32 = 500;
/// Most leads with late bids in one report.
pub const LEADS_MAX: u64 = 200_000;
/// What is looked back on when nothing else is asked for.
pub const SINCE: Duration = Duration::from_secs(24 * 3_600);

/// The report, for reading and for machines.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ShownReport {
    /// The extra time, in milliseconds.
    pub more_ms: u64,
    /// Leads that arrived from here on.
    pub since: String,
    /// Leads with late bids.
    pub leads: u64,
    /// Whether there were more leads than one report takes.
    pub cut: bool,
    /// Those first that would have earned the most.
    pub buyers: Vec<ShownRow>,
    /// All buyers together, by currency.
    pub total: Vec<ShownTotal>,
}

/// One buyer.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ShownRow {
    /// Whose bids.
    pub buyer: String,
    /// The currency of the amounts.
    pub currency: String,
    /// Late bids, however late.
    pub late: u64,
    /// Late bids that would have been in time.
    pub in_time: u64,
    /// Leads that it would have won.
    pub would_have_won: u64,
    /// Of these, leads that were sold otherwise: the difference alone is counted.
    pub sold_otherwise: u64,
    /// Of these, leads without an outcome and pings without a lead: nothing is counted.
    pub open: u64,
    /// At most so much more revenue.
    pub revenue: String,
    /// At most so much more for sellers.
    pub payout: String,
}

/// A sum.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ShownTotal {
    /// The currency.
    pub currency: String,
    /// At most so much more revenue.
    pub revenue: String,
    /// At most so much more for sellers.
    pub payout: String,
}

/// Gathers pages of leads into a report.
#[derive(Debug)]
pub struct Gathering {
    report: LateReport,
    since: Timestamp,
    last: Option<LeadId>,
    cut: bool,
}

impl Gathering {
    /// Of leads that arrived since.
    #[must_use]
    pub fn new(more: Duration, since: Timestamp) -> Self {
        Self { report: LateReport::new(more), since, last: None, cut: false }
    }

    /// After which lead the next page begins.
    #[must_use]
    pub const fn after(&self) -> Option<LeadId> {
        self.last
    }

    /// Takes in a page; whether another one is wanted.
    pub fn take_in(&mut self, page: &[LateLead]) -> bool {
        for lead in page {
            let LateLead { journeys, posted, status, sold, .. } = lead;
            self.report.add(&LateCase { journeys, posted: *posted, status: *status, sold });
            self.last = Some(lead.lead);
        }
        let full = u32::try_from(page.len()).is_ok_and(|count| count >= PAGE);
        self.cut = full && self.report.leads() >= LEADS_MAX;
        full && !self.cut
    }

    /// The report.
    #[must_use]
    pub fn shown(&self) -> ShownReport {
        let total = self.report.totals().into_iter().map(|(currency, (revenue, payout))| {
            let currency = currency.to_string();
            ShownTotal { currency, revenue: revenue.amount_text(), payout: payout.amount_text() }
        });
        ShownReport {
            more_ms: u64::try_from(self.report.more().as_millis()).unwrap_or(u64::MAX),
            since: self.since.to_string(),
            leads: self.report.leads(),
            cut: self.cut,
            buyers: self.report.rows().into_iter().map(row).collect(),
            total: total.collect(),
        }
    }
}

fn row(row: &LateRow) -> ShownRow {
    ShownRow {
        buyer: row.buyer.clone(),
        currency: row.currency.to_string(),
        late: row.late,
        in_time: row.in_time,
        would_have_won: row.won,
        sold_otherwise: row.sold_otherwise,
        open: row.open,
        revenue: row.revenue.amount_text(),
        payout: row.payout.amount_text(),
    }
}
