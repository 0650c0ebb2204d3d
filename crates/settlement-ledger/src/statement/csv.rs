//! A statement as CSV, for spreadsheets.
//!
//! A text cell that a spreadsheet would run as a formula gets an apostrophe in front. Amounts are
//! written by us and stay numbers, so that a minus sign keeps its meaning.

use exchange_model::money::MinorUnits;

use super::{Statement, StatementLine};

const HEADER: &str = "time,lead,event,key,amount,balance,currency,company\r\n";

impl Statement {
    /// The statement as CSV (RFC 4180): opening, lines, closing.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let mut csv = String::from(HEADER);
        csv.push_str(&self.edge_row("opening", self.opening));
        for line in &self.lines {
            csv.push_str(&self.line_row(line));
        }
        csv.push_str(&self.edge_row("closing", self.closing));
        csv
    }

    fn edge_row(&self, event: &str, balance: MinorUnits) -> String {
        let balance = self.amount_text(balance);
        row(["", "", event, ""], ["", &balance], self.currency.as_str(), "")
    }

    fn line_row(&self, line: &StatementLine) -> String {
        let lead = line.lead.map(|lead| lead.to_string()).unwrap_or_default();
        let (amount, balance) = (self.amount_text(line.amount), self.amount_text(line.running));
        let texts = [&self.local_time(line), lead.as_str(), line.kind.code(), &line.key];
        let company = line.company.as_deref().unwrap_or_default();
        row(texts, [&amount, &balance], self.currency.as_str(), company)
    }
}

fn row(texts: [&str; 4], amounts: [&str; 2], currency: &str, company: &str) -> String {
    let texts = texts.map(cell).join(",");
    let amounts = amounts.join(",");
    format!("{texts},{amounts},{currency},{}\r\n", cell(company))
}

/// A text cell: made harmless, then quoted where CSV needs it.
fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let safe = if formula { format!("'{text}") } else { text.to_owned() };
    if safe.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", safe.replace('"', "\"\""))
    } else {
        safe
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_looks_like_a_formula_is_disarmed() {
        for (text, written) in [
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("\r=1", "\"'\r=1\""),
            ("=\"a\",b", "\"'=\"\"a\"\",b\""),
            ("tu:REF=1", "tu:REF=1"),
        ] {
            assert_eq!(cell(text), written, "{text:?}");
        }
    }
}
