//! `rialto statement`: what a buyer or a seller can hold against us, line by line.

use clap::{Args, Subcommand};
use exchange_model::{BillingTerms, BuyerId, Currency, Date, MinorUnits, Money, SellerId};
use serde::Serialize;
use settlement_ledger::statement::{Party, Period, Statement, StatementBuilder};

use crate::cli::books::Books;
use crate::cli::context::Context;
use crate::cli::explain::unknown;
use crate::cli::failure::{Exit, Failure, Ran};

/// Whose statement.
#[derive(Debug, Subcommand)]
pub(crate) enum Whose {
    /// A buyer's: what it bought, and what it has left or owes
    Buyer(OfBuyer),
    /// A seller's: what it has earned
    Seller(OfSeller),
}

/// Options of `rialto statement buyer`.
#[derive(Args, Debug)]
pub(crate) struct OfBuyer {
    /// The buyer
    id: BuyerId,
    #[command(flatten)]
    period: Days,
}

/// Options of `rialto statement seller`.
#[derive(Args, Debug)]
pub(crate) struct OfSeller {
    /// The seller
    id: SellerId,
    #[command(flatten)]
    period: Days,
}

/// The days, in the time zone of the books.
#[derive(Args, Debug)]
struct Days {
    /// The first day, as 2026-11-01
    #[arg(long)]
    from: Date,
    /// The last day, included, as 2026-11-30
    #[arg(long)]
    to: Date,
    /// As comma-separated values
    #[arg(long)]
    csv: bool,
}

#[derive(Debug, Serialize)]
struct JsonStatement {
    party: String,
    currency: String,
    from: String,
    to: String,
    opening: String,
    lines: Vec<JsonLine>,
    closing: String,
}

#[derive(Debug, Serialize)]
struct JsonLine {
    at: String,
    lead: Option<String>,
    event: String,
    reference: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    company: Option<String>,
    amount: String,
    balance: String,
}

/// Runs `rialto statement`.
pub(crate) fn run(whose: &Whose, context: &Context) -> Ran {
    let exchange = context.exchange()?;
    let (party, days) = match whose {
        Whose::Buyer(of) => (buyer(&of.id, &exchange.routing)?, &of.period),
        Whose::Seller(of) => (seller(&of.id, &exchange.routing)?, &of.period),
    };
    let books = Books::open(context)?;
    let statement = make(party, days, &books, context)?;
    match (context.out.json, days.csv) {
        (true, _) => context.out.json(&json(&statement, days))?,
        (false, true) => context.out.raw(&statement.to_csv())?,
        (false, false) => context.out.raw(&statement.to_text())?,
    }
    Ok(Exit::Done)
}

fn buyer(id: &BuyerId, routing: &ping_tree::Routing) -> Result<Party, Failure> {
    let names = routing.buyers().map(|buyer| buyer.id.as_str());
    match routing.buyer(id).map(|buyer| buyer.terms) {
        None => Err(unknown("buyer", id.as_str(), names)),
        Some(BillingTerms::Prepaid { .. }) => Ok(Party::PrepaidBuyer(id.clone())),
        Some(BillingTerms::Net { .. }) => Ok(Party::TermsBuyer(id.clone())),
    }
}

fn seller(id: &SellerId, routing: &ping_tree::Routing) -> Result<Party, Failure> {
    let sellers: Vec<SellerId> = routing.sources().map(|source| source.id.seller()).collect();
    if sellers.contains(id) {
        return Ok(Party::Seller(id.clone()));
    }
    Err(unknown("seller", id.as_str(), sellers.iter().map(SellerId::as_str)))
}

fn make(party: Party, days: &Days, books: &Books, context: &Context) -> Result<Statement, Failure> {
    let end = days.to.tomorrow().map_err(|_off_the_calendar| Failure::usage("--to is too late"))?;
    let zone = context.time_zone()?;
    let period = Period::new(days.from, end, zone).map_err(Failure::usage)?;
    let currency: Currency = context.currency()?;
    let mut builder = StatementBuilder::new(party, currency, period);
    for stored in books.store().all_transactions() {
        builder.add(&stored?.transaction).map_err(Failure::failed)?;
    }
    builder.finish().map_err(Failure::failed)
}

fn json(statement: &Statement, days: &Days) -> JsonStatement {
    let amount = |minor: MinorUnits| Money::from_minor(minor, statement.currency).amount_text();
    let party = match &statement.party {
        Party::PrepaidBuyer(id) | Party::TermsBuyer(id) => format!("buyer {id}"),
        Party::Seller(id) => format!("seller {id}"),
    };
    let lines = statement.lines.iter().map(|line| JsonLine {
        at: line.effective_at.to_string(),
        lead: line.lead.map(|lead| lead.to_string()),
        event: line.kind.to_string(),
        reference: line.key.clone(),
        company: line.company.clone(),
        amount: amount(line.amount),
        balance: amount(line.running),
    });
    JsonStatement {
        party,
        currency: statement.currency.to_string(),
        from: days.from.to_string(),
        to: days.to.to_string(),
        opening: amount(statement.opening),
        lines: lines.collect(),
        closing: amount(statement.closing),
    }
}
