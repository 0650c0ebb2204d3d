//! What waiting a little longer would have earned, buyer by buyer, from the journeys of leads.
//!
//! A bid counts when it would have been there within the extra time and would have been tried
//! first. What it would have added is compared with what its lead in fact earned: a lead that was
//! sold to somebody else adds the difference alone, a lead whose outcome is open and a ping on
//! which no lead was posted add nothing. Of several such bids for one lead the best alone counts.
//!
//! > A bid is not a sale: each figure is the most that it could have been.

use std::collections::BTreeMap;
use std::time::Duration;

use exchange_model::reason::LeadStatus;
use exchange_model::{Currency, Money};

use crate::trace::{LateBid, Trace, TraceEvent};

/// One lead that a bid came late for.
#[derive(Clone, Copy, Debug)]
pub struct LateCase<'a> {
    /// Its journeys, in order.
    pub journeys: &'a [Trace],
    /// Whether a lead was posted, and not a ping alone.
    pub posted: bool,
    /// How the lead ended; nothing while its auction runs.
    pub status: Option<LeadStatus>,
    /// Price and payout of each sale.
    pub sold: &'a [(Money, Money)],
}

/// One buyer's late bids.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LateRow {
    /// Whose.
    pub buyer: String,
    /// The currency of its prices.
    pub currency: Currency,
    /// Late bids, however late.
    pub late: u64,
    /// Late bids that would have been in time.
    pub in_time: u64,
    /// Leads that it would have won by them.
    pub won: u64,
    /// Of these, leads that were sold otherwise: the difference is what was lost.
    pub sold_otherwise: u64,
    /// Of these, leads whose outcome is open and pings without a lead: nothing is counted.
    pub open: u64,
    /// What buyers would have paid more.
    pub revenue: Money,
    /// What sellers would have been paid more.
    pub payout: Money,
}

/// What so much more time would have earned.
#[derive(Clone, Debug)]
pub struct LateReport {
    more: Duration,
    rows: BTreeMap<(String, Currency), LateRow>,
    leads: u64,
}

/// A late bid, read out of a journey.
struct Found<'a> {
    buyer: &'a str,
    bid: &'a LateBid,
    price: Money,
    payout: Option<Money>,
}

impl LateReport {
    /// A report that has seen nothing yet.
    #[must_use]
    pub const fn new(more: Duration) -> Self {
        Self { more, rows: BTreeMap::new(), leads: 0 }
    }

    /// Takes in one lead.
    pub fn add(&mut self, case: &LateCase<'_>) {
        self.leads = self.leads.saturating_add(1);
        let found: Vec<Found<'_>> = case.journeys.iter().flat_map(late_bids).collect();
        let mut best: Option<&Found<'_>> = None;
        for one in &found {
            let in_time = self.is_in_time(one.bid);
            let row = self.row(one);
            row.late = row.late.saturating_add(1);
            row.in_time = row.in_time.saturating_add(u64::from(in_time));
            let wins = in_time && one.bid.would_have_won;
            if wins && best.is_none_or(|best| is_better(one, best)) {
                best = Some(one);
            }
        }
        if let Some(best) = best {
            self.count_win(best, case);
        }
    }

    /// The buyers, those first that would have earned the most.
    #[must_use]
    pub fn rows(&self) -> Vec<&LateRow> {
        let mut rows: Vec<&LateRow> = self.rows.values().collect();
        rows.sort_by_key(|row| std::cmp::Reverse((row.revenue.amount(), row.won, row.late)));
        rows
    }

    /// Leads that a bid came late for.
    #[must_use]
    pub const fn leads(&self) -> u64 {
        self.leads
    }

    /// The extra time.
    #[must_use]
    pub const fn more(&self) -> Duration {
        self.more
    }

    /// Revenue and payout of all buyers, by currency.
    #[must_use]
    pub fn totals(&self) -> BTreeMap<Currency, (Money, Money)> {
        let mut totals = BTreeMap::new();
        for row in self.rows.values() {
            let zero = Money::zero(row.currency);
            let (revenue, payout) = totals.entry(row.currency).or_insert((zero, zero));
            *revenue = plus(*revenue, row.revenue);
            *payout = plus(*payout, row.payout);
        }
        totals
    }

    fn is_in_time(&self, bid: &LateBid) -> bool {
        Duration::from_micros(bid.late_by) <= self.more
    }

    fn row(&mut self, found: &Found<'_>) -> &mut LateRow {
        let (buyer, currency) = (found.buyer.to_owned(), found.price.currency());
        let nothing = Money::zero(currency);
        self.rows.entry((buyer.clone(), currency)).or_insert(LateRow {
            buyer,
            currency,
            late: 0,
            in_time: 0,
            won: 0,
            sold_otherwise: 0,
            open: 0,
            revenue: nothing,
            payout: nothing,
        })
    }

    fn count_win(&mut self, best: &Found<'_>, case: &LateCase<'_>) {
        let row = self.row(best);
        row.won = row.won.saturating_add(1);
        if !is_settled(case) {
            row.open = row.open.saturating_add(1);
            return;
        }
        row.sold_otherwise = row.sold_otherwise.saturating_add(u64::from(!case.sold.is_empty()));
        let (mut revenue, mut payout) = (best.price, best.payout.unwrap_or(best.price));
        for (price, paid) in case.sold {
            revenue = less(revenue, *price);
            payout = less(payout, *paid);
        }
        row.revenue = plus(row.revenue, revenue);
        row.payout = plus(row.payout, payout);
    }
}

/// Whether it is known what the lead earned.
fn is_settled(case: &LateCase<'_>) -> bool {
    match case.status {
        None | Some(LeadStatus::Pending | LeadStatus::Unresolved) => false,
        Some(_) => case.posted,
    }
}

fn is_better(one: &Found<'_>, other: &Found<'_>) -> bool {
    let rank = |found: &Found<'_>| (found.payout.map(|p| p.amount()), found.price.amount());
    rank(one) > rank(other)
}

fn late_bids(journey: &Trace) -> impl Iterator<Item = Found<'_>> {
    journey.steps.iter().filter_map(|step| match &step.event {
        TraceEvent::NoBid { campaign, late: Some(bid), .. } => {
            let buyer = campaign.split('/').next().unwrap_or(campaign);
            let payout = bid.payout.as_deref().and_then(money);
            Some(Found { buyer, bid, price: money(&bid.price)?, payout })
        }
        _ => None,
    })
}

/// Reads `24.80 USD`.
fn money(text: &str) -> Option<Money> {
    let (amount, currency) = text.rsplit_once(' ')?;
    Money::parse(amount, Currency::new(currency).ok()?).ok()
}

fn plus(one: Money, other: Money) -> Money {
    one.checked_add(other).unwrap_or(one)
}

fn less(one: Money, other: Money) -> Money {
    one.checked_sub(other).unwrap_or(one)
}

#[cfg(test)]
mod tests {
    use exchange_model::Timestamp;
    use expect_test::expect;

    use super::*;

    fn usd(text: &str) -> Money {
        Money::parse(text, Currency::USD).unwrap()
    }

    /// Lines like `acme/auto 40ms 12.00 won`: a bid late by so much.
    fn journey(bids: &str) -> Trace {
        let mut trace = Trace::new("main", Timestamp::default());
        for line in bids.split(',').map(str::trim).filter(|line| !line.is_empty()) {
            let words: Vec<&str> = line.split(' ').collect();
            let late = LateBid {
                late_by: words[1].trim_end_matches("ms").parse::<u64>().unwrap() * 1_000,
                price: format!("{} USD", words[2]),
                payout: Some(usd(words[2]).checked_share(half()).unwrap().to_string()),
                would_have_won: words.contains(&"won"),
            };
            let (campaign, reason) = (words[0].to_owned(), format!("late({})", words[2]));
            let event = TraceEvent::NoBid { campaign, reason, text: None, late: Some(late) };
            trace.push(Duration::from_millis(200), event);
        }
        trace
    }

    fn half() -> exchange_model::Rate {
        exchange_model::Rate::parse_percent("50%").unwrap()
    }

    #[test]
    fn more_time_earns_what_the_lead_did_not() {
        let mut report = LateReport::new(Duration::from_millis(50));
        let mut lead = |bids: &str, status, sold: &[(Money, Money)]| {
            let (journeys, posted) = ([journey(bids)], status != Some(LeadStatus::Abandoned));
            report.add(&LateCase { journeys: &journeys, posted, status, sold });
        };
        let sold = Some(LeadStatus::Sold);
        lead("acme/auto 40ms 12.00 won, bolt/auto 50ms 30.00 won", Some(LeadStatus::Unsold), &[]);
        lead("acme/auto 50ms 12.00 won", sold, &[(usd("10.00"), usd("6.00"))]);
        lead("acme/auto 51ms 99.00 won", sold, &[(usd("10.00"), usd("6.00"))]);
        lead("acme/auto 10ms 8.00", sold, &[(usd("10.00"), usd("6.00"))]);
        lead("bolt/auto 10ms 20.00 won", Some(LeadStatus::Pending), &[]);
        lead("bolt/auto 10ms 20.00 won", Some(LeadStatus::Abandoned), &[]);
        let mut text = format!("{} leads\n", report.leads());
        for row in report.rows() {
            text.push_str(&format!(
                "{}: {} late, {} in time, {} won, {} sold otherwise, {} open, revenue {}, payout {}\n",
                row.buyer, row.late, row.in_time, row.won, row.sold_otherwise, row.open,
                row.revenue, row.payout
            ));
        }
        expect![[r#"
            6 leads
            bolt: 3 late, 3 in time, 3 won, 0 sold otherwise, 2 open, revenue 30.00 USD, payout 15.00 USD
            acme: 4 late, 3 in time, 1 won, 1 sold otherwise, 0 open, revenue 2.00 USD, payout 0.00 USD
        "#]].assert_eq(&text);
        assert_eq!(report.totals()[&Currency::USD], (usd("32.00"), usd("15.00")));
    }
}
