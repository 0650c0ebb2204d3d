//! `rialto buyer`: what an operator does with one buyer.

use clap::{Args, Subcommand};
use exchange_model::{BuyerId, Money};

use crate::cli::books::Desk;
use crate::cli::buyer_score;
use crate::cli::buyer_test;
use crate::cli::context::Context;
use crate::cli::explain::unknown;
use crate::cli::failure::{Exit, Failure, Ran};

/// What to do for a buyer.
#[derive(Debug, Subcommand)]
pub(crate) enum Buyer {
    /// Show the requests of one lead as this buyer would get them, and send them when asked
    #[command(before_help = "\
Examples:
  rialto buyer test acme_mutual/auto-tx                      what would be sent, and nothing sent
  rialto buyer test acme_mutual/auto-tx --lead lead.json
  rialto buyer test acme_mutual/auto-tx --send ping          the real buyer, with your secrets
  rialto buyer test acme_mutual/auto-tx --send all --to 127.0.0.1:9101    a mock: rialto mock-buyers
  rialto buyer test acme_mutual/auto-tx --send all --yes     the real buyer, and it may bill it")]
    Test(buyer_test::Test),
    /// What buyers did with what they were given over the last 7 days, and who is throttled
    #[command(before_help = "\
Examples:
  rialto buyer score
  rialto buyer score acme_mutual --json")]
    Score(buyer_score::Score),
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
    match command {
        Buyer::Test(options) => buyer_test::run(options, context),
        Buyer::Score(options) => buyer_score::run(options, context),
        Buyer::TopUp(options) => top_up(options, context),
    }
}

fn top_up(options: &TopUp, context: &Context) -> Ran {
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
