//! A statement as an aligned table, for terminals and mail.

use std::fmt::{self, Write as _};

use exchange_model::money::{MinorUnits, Money};

use super::{Party, Statement, StatementLine};

/// The widest kind of event.
const KIND_WIDTH: usize = 7;
/// `2026-11-23 10:15:00`.
const TIME_WIDTH: usize = 19;
/// `lead_` and 26 characters.
const LEAD_WIDTH: usize = 31;

impl Statement {
    /// An amount with the currency's decimals, without the currency.
    pub(super) fn amount_text(&self, minor: MinorUnits) -> String {
        Money::from_minor(minor, self.currency).amount_text()
    }

    /// When a line took effect, on the clock of the statement's time zone.
    pub(super) fn local_time(&self, line: &StatementLine) -> String {
        let local = self.period.zone().to_datetime(line.effective_at.to_jiff());
        local.strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// The statement as text, every column aligned.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        self.write_text(&mut text).expect("a string takes all that is written");
        text
    }

    fn write_text(&self, out: &mut String) -> fmt::Result {
        let columns = self.columns();
        self.write_title(out)?;
        columns.row(out, ["time", "lead or reference", "event", "amount", self.balance_name()])?;
        columns.rule(out)?;
        columns.row(out, ["", "", "opening", "", &self.amount_text(self.opening)])?;
        for line in &self.lines {
            self.write_line(out, &columns, line)?;
        }
        columns.row(out, ["", "", "closing", "", &self.amount_text(self.closing)])?;
        columns.rule(out)?;
        self.write_totals(out, &columns)
    }

    fn write_title(&self, out: &mut String) -> fmt::Result {
        let (role, name) = match &self.party {
            Party::PrepaidBuyer(buyer) | Party::TermsBuyer(buyer) => ("buyer", buyer.as_str()),
            Party::Seller(seller) => ("seller", seller.as_str()),
        };
        let last = self.period.end().yesterday().unwrap_or_else(|_no_day_before| self.period.end());
        let zone = self.period.zone().iana_name().unwrap_or("local time");
        writeln!(out, "Statement of {role} {name}, amounts in {}", self.currency)?;
        writeln!(out, "{} to {last}, both days included, {zone}\n", self.period.start())
    }

    fn write_line(&self, out: &mut String, columns: &Columns, line: &StatementLine) -> fmt::Result {
        let lead = about(line);
        let (amount, running) = (self.amount_text(line.amount), self.amount_text(line.running));
        columns.row(out, [&self.local_time(line), &lead, line.kind.code(), &amount, &running])
    }

    fn write_totals(&self, out: &mut String, columns: &Columns) -> fmt::Result {
        if self.totals.is_empty() {
            return columns.row(out, ["no movement", "", "", "", ""]);
        }
        for total in &self.totals {
            let noun = if total.lines == 1 { "line" } else { "lines" };
            let count = format!("{} {noun}", total.lines);
            let amount = self.amount_text(total.amount);
            columns.row(out, ["total", &count, total.kind.code(), &amount, ""])?;
        }
        Ok(())
    }

    fn balance_name(&self) -> &'static str {
        match self.party {
            Party::PrepaidBuyer(_) => "funds left",
            Party::TermsBuyer(_) => "owed",
            Party::Seller(_) => "earned",
        }
    }

    fn columns(&self) -> Columns {
        let about = self.lines.iter().map(|line| about(line).chars().count());
        let amounts = self.lines.iter().map(|line| line.amount);
        let totals = self.totals.iter().map(|total| total.amount);
        let balances = self.lines.iter().map(|line| line.running).chain([self.opening]);
        Columns {
            lead: about.max().unwrap_or(0).max(LEAD_WIDTH),
            amount: self.widest(amounts.chain(totals), "amount"),
            balance: self.widest(balances, self.balance_name()),
        }
    }

    fn widest(&self, amounts: impl Iterator<Item = MinorUnits>, title: &str) -> usize {
        amounts.map(|minor| self.amount_text(minor).len()).max().unwrap_or(0).max(title.len())
    }
}

/// The lead, with the company of a leg, or the reference.
fn about(line: &StatementLine) -> String {
    match (line.lead, &line.company) {
        (Some(lead), Some(company)) => format!("{lead} {company}"),
        (Some(lead), None) => lead.to_string(),
        (None, _) => line.key.clone(),
    }
}

/// The widths that depend on what is printed.
struct Columns {
    lead: usize,
    amount: usize,
    balance: usize,
}

impl Columns {
    /// Texts to the left, amounts to the right, no blanks at the end.
    fn row(&self, out: &mut String, cells: [&str; 5]) -> fmt::Result {
        let [time, lead, kind, amount, balance] = cells;
        let mut row =
            format!("{time:TIME_WIDTH$}  {lead:width$}  {kind:KIND_WIDTH$}", width = self.lead);
        write!(row, "  {amount:>width$}", width = self.amount)?;
        write!(row, "  {balance:>width$}", width = self.balance)?;
        writeln!(out, "{}", row.trim_end())
    }

    fn rule(&self, out: &mut String) -> fmt::Result {
        let dashes = |width: usize| "-".repeat(width);
        let (time, lead, kind) = (dashes(TIME_WIDTH), dashes(self.lead), dashes(KIND_WIDTH));
        self.row(out, [&time, &lead, &kind, &dashes(self.amount), &dashes(self.balance)])
    }
}
