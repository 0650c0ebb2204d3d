//! `rialto buyer`: what finance does for one buyer.

use clap::{Args, Subcommand};
use exchange_model::{BuyerId, Money};

use crate::cli::books::Desk;
use crate::cli::context::Context;
use crate::cli::explain::unknown;
use crate::cli::failure::{Exit, Failure, Ran};

/// What to do for a buyer.
#[derive(Debug, Subcommand)]
pub(crate) enum Buyer {
    /// Book money that a buyer paid in advance and the bank has
    TopUp(TopUp),
}

/// Options of `rialto buyer top-up`.
#[derive(Args, Debug)]
pub(crate) struct TopUp {
    /// The buyer
    id: BuyerId,
    /// How much arrived, as 5000.00, in the currency of the books
    amount: String,
    /// The bank's own reference; the same one is never booked twice
    #[arg(long = "ref", value_name = "REF")]
    reference: String,
}

/// Runs `rialto buyer`.
pub(crate) fn run(command: &Buyer, context: &Context) -> Ran {
    let Buyer::TopUp(options) = command;
    let exchange = context.exchange()?;
    if exchange.routing.buyer(&options.id).is_none() {
        let names = exchange.routing.buyers().map(|buyer| buyer.id.as_str());
        return Err(unknown("buyer", options.id.as_str(), names));
    }
    let currency = context.currency()?;
    let amount = Money::parse(&options.amount, currency).map_err(Failure::usage)?;
    let booked = Desk::open(context)?.top_up(&options.id, amount, &options.reference)?;
    let (id, reference) = (&options.id, &options.reference);
    if booked {
        context.out.note(format!("booked {amount} from {id}, reference {reference}"));
    } else {
        context.out.note(format!("reference {reference} was booked before; nothing changed"));
    }
    Ok(Exit::Done)
}
