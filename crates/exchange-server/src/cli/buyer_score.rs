//! `rialto buyer score`: what buyers did with what they were given.

use clap::Args;
use exchange_model::BuyerId;

use crate::cli::books::Books;
use crate::cli::context::Context;
use crate::cli::explain::unknown;
use crate::cli::failure::{Exit, Failure, Ran};
use crate::cli::output::{DIM, Output, YELLOW, painted};
use crate::clock::Clock;
use crate::scores::{ShownScore, WINDOW, card_of};

/// Options of `rialto buyer score`.
#[derive(Args, Debug)]
pub(crate) struct Score {
    /// One buyer; all of them when nothing is said
    id: Option<BuyerId>,
}

/// Runs `rialto buyer score`. Pings and bids are a few seconds old: the exchange writes them behind.
pub(crate) fn run(options: &Score, context: &Context) -> Ran {
    let cards = cards(options.id.as_ref(), context)?;
    if context.out.json {
        context.out.json(&cards)?;
    } else {
        table(&cards, context.out)?;
    }
    Ok(Exit::Done)
}

fn cards(wanted: Option<&BuyerId>, context: &Context) -> Result<Vec<ShownScore>, Failure> {
    let exchange = context.exchange()?;
    let routing = &exchange.routing;
    if let Some(id) = wanted.filter(|id| routing.buyer(id).is_none()) {
        let names = routing.buyers().map(|buyer| buyer.id.as_str());
        return Err(unknown("buyer", id.as_str(), names));
    }
    let books = Books::open(context)?;
    let since = Clock::system().now().before(WINDOW);
    let counts = books.store().ping_counts(since).blocking_wait()?;
    let asked = routing.buyers().filter(|buyer| wanted.is_none_or(|id| *id == buyer.id));
    let card = |buyer: &std::sync::Arc<ping_tree::Buyer>| {
        let own = counts.iter().filter(|count| count.buyer == buyer.id);
        let (pings, bids) = own.fold((0_u64, 0_u64), |(pings, bids), count| {
            (pings.saturating_add(count.pings), bids.saturating_add(count.bids))
        });
        let card = card_of(pings, bids, books.store().posts(&buyer.id, since));
        ShownScore::new(&buyer.id, &card, buyer.harvest.and_then(|rule| rule.sign(&card)))
    };
    Ok(asked.map(card).collect())
}

fn table(cards: &[ShownScore], out: Output) -> std::io::Result<()> {
    let width = cards.iter().map(|card| card.buyer.len()).max().unwrap_or(0).max(8);
    let heading = ["pings", "bids", "wins", "posts", "accepted", "rejected", "unknown"];
    let heading: String = heading.iter().map(|name| format!("{name:>10}")).collect();
    out.data(painted(DIM, format!("{:width$}{heading}  the last 7 days", "buyer")))?;
    for card in cards {
        let counts = [
            card.pings,
            card.bids,
            card.wins,
            card.posts,
            card.accepted,
            card.rejected,
            card.unknown,
        ];
        let counts: String = counts.iter().map(|count| format!("{count:>10}")).collect();
        let verdict =
            card.throttled.map(|why| painted(YELLOW, format!("  throttled: {}", said(why))));
        out.data(format!("{:width$}{counts}{}", card.buyer, verdict.unwrap_or_default()))?;
    }
    Ok(())
}

fn said(why: &str) -> &str {
    match why {
        "never_bids" => "it hardly ever bids",
        "refuses" => "it refuses what it has won",
        other => other,
    }
}
