//! `rialto report`: what the record says about how the exchange is set up.

use std::time::Duration;

use clap::{Args, Subcommand};
use exchange_model::document::parse_duration;

use crate::cli::books::Books;
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure, Ran};
use crate::cli::output::{BOLD, DIM, GREEN, Output, counted, painted};
use crate::clock::Clock;
use crate::late::{Gathering, PAGE, ShownReport, ShownRow};

/// What to report on.
#[derive(Debug, Subcommand)]
pub(crate) enum Report {
    /// What waiting a little longer for bids would have earned, buyer by buyer
    #[command(before_help = "\
Examples:
  rialto report late --more 50ms
  rialto report late --more 200ms --since 7d --json")]
    Late(Late),
}

/// Options of `rialto report late`.
#[derive(Args, Debug)]
pub(crate) struct Late {
    /// How much longer, as 50ms
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    more: Duration,
    /// Leads that arrived within this time, as 24h or 7d
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = parse_duration)]
    since: Duration,
}

/// Runs `rialto report`.
pub(crate) fn run(command: &Report, context: &Context) -> Ran {
    match command {
        Report::Late(options) => late(options, context),
    }
}

fn late(options: &Late, context: &Context) -> Ran {
    let books = Books::open(context)?;
    let since = Clock::system().now().before(options.since);
    let mut gathering = Gathering::new(options.more, since);
    loop {
        let page = books.store().late_leads(since, gathering.after(), PAGE).blocking_wait();
        if !gathering.take_in(&page.map_err(Failure::from)?) {
            break;
        }
    }
    let report = gathering.shown();
    if context.out.json {
        context.out.json(&report)?;
    } else {
        table(&report, context.out)?;
    }
    Ok(Exit::Done)
}

/// The columns after the buyer's name: heading and width.
const COLUMNS: [(&str, usize); 5] =
    [("late", 7), ("in time", 8), ("would win", 10), ("sold anyway", 12), ("open", 5)];
/// The width of an amount.
const AMOUNT: usize = 12;

fn table(report: &ShownReport, out: Output) -> std::io::Result<()> {
    let (more, since) = (report.more_ms, &report.since);
    if report.buyers.is_empty() {
        return out.data(format!("No bid came late since {since}."));
    }
    let leads = counted(usize::try_from(report.leads).unwrap_or(usize::MAX), "lead");
    out.data(painted(BOLD, format!("What {more} ms more would have earned at most")))?;
    out.data(painted(DIM, format!("since {since}, {leads} with late bids\n")))?;
    let width = report.buyers.iter().map(|row| row.buyer.len()).max().unwrap_or(0).max(8);
    out.data(painted(DIM, heading(width)))?;
    for row in &report.buyers {
        let line = line(row, width);
        let earns = row.would_have_won > row.open;
        out.data(if earns { painted(GREEN, line) } else { line })?;
    }
    for total in &report.total {
        let (revenue, payout, currency) = (&total.revenue, &total.payout, &total.currency);
        let before = COLUMNS.iter().fold(width, |sum, (_, column)| sum.saturating_add(*column));
        let line = format!("  {:before$}{revenue:>AMOUNT$}{payout:>AMOUNT$} {currency}", "all");
        out.data(painted(BOLD, line))?;
    }
    out.data(painted(DIM, NOTES))?;
    if report.cut {
        out.note("there were more leads than one report takes: ask for a shorter time");
    }
    Ok(())
}

const NOTES: &str = "
A bid is not a sale: this is the most that it could have been. Of a lead that was sold anyway the
difference alone counts; of leads without an outcome, and pings without a lead (open), nothing.";

fn heading(width: usize) -> String {
    let mut line = format!("  {:width$}", "buyer");
    for (name, column) in COLUMNS {
        line.push_str(&format!("{name:>column$}"));
    }
    line.push_str(&format!("{:>AMOUNT$}{:>AMOUNT$}", "revenue", "payout"));
    line
}

fn line(row: &ShownRow, width: usize) -> String {
    let counts = [row.late, row.in_time, row.would_have_won, row.sold_otherwise, row.open];
    let mut line = format!("  {:width$}", row.buyer);
    for ((_, column), count) in COLUMNS.iter().zip(counts) {
        line.push_str(&format!("{count:>column$}"));
    }
    let (revenue, payout, currency) = (&row.revenue, &row.payout, &row.currency);
    line.push_str(&format!("{revenue:>AMOUNT$}{payout:>AMOUNT$} {currency}"));
    line
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn the_table_lines_up() {
        let row = ShownRow {
            buyer: "acme_mutual".to_owned(),
            currency: "USD".to_owned(),
            late: 812,
            in_time: 301,
            would_have_won: 120,
            sold_otherwise: 90,
            open: 2,
            revenue: "1430.50".to_owned(),
            payout: "1144.40".to_owned(),
        };
        let quiet =
            ShownRow { buyer: "bolt".to_owned(), revenue: "0.00".to_owned(), ..row.clone() };
        let lines = ["table".to_owned(), heading(11), line(&row, 11), line(&quiet, 11)].join("\n");
        expect![[r#"
            table
              buyer         late in time would win sold anyway open     revenue      payout
              acme_mutual    812     301       120          90    2     1430.50     1144.40 USD
              bolt           812     301       120          90    2        0.00     1144.40 USD"#]]
        .assert_eq(&lines);
    }
}
