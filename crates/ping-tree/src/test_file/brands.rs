//! Several bids in one buyer's answer, and what became of each.

use exchange_model::document::{Node, NodeKind};
use exchange_model::outcome::{Acceptance, BidToken, Brand, Leg, PingAnswer};
use exchange_model::{Currency, Findings, Money, Place, TableReader};

use crate::test_file::ScriptedBid;

/// Most bids of one answer.
const BRANDS_MAX: usize = 50;

/// `[{ name = "A", price = "5.00" }, ...]`: the price of all is that of the best, as connectors
/// read it where they are not told otherwise.
pub(super) fn bid(
    items: &[Node],
    currency: Currency,
    table: &TableReader<'_>,
    place: Place,
    findings: &mut Findings,
) -> Option<PingAnswer> {
    let mut brands = Vec::new();
    for item in items.iter().take(BRANDS_MAX) {
        brands.extend(brand(item, currency, table, findings));
    }
    brands.sort_by_key(|(_, price)| std::cmp::Reverse(price.amount()));
    let best = brands.first().map(|(_, price)| *price);
    if brands.len() != items.len() || best.is_none() {
        let message = "this is no list of bids".to_owned();
        let help = format!("write 1 to {BRANDS_MAX}, like [{{ name = \"A\", price = \"5.00\" }}]");
        findings.error("bad_bid", place, message, help);
        return None;
    }
    let brands = brands.into_iter().map(|(brand, _)| brand).collect();
    let token = BidToken { brands, ..BidToken::default() };
    Some(PingAnswer::Bid { price: best?, token: Some(token) })
}

fn brand(
    item: &Node,
    currency: Currency,
    table: &TableReader<'_>,
    findings: &mut Findings,
) -> Option<(Brand, Money)> {
    let NodeKind::Table(inner) = &item.kind else { return None };
    let mut inner = table.inner(inner, item.span.clone());
    let name = inner.required_string("name", "\"Roof Co\"", findings);
    if inner.node("price").is_none() {
        inner.missing("price", "\"5.00\"", findings);
    }
    let price = inner.money("price", currency, findings);
    inner.finish(findings);
    let (name, price) = (name?.value.to_owned(), price?.value);
    let brand = Brand { id: Some(name.clone()), name: Some(name), price: Some(price), token: None };
    Some((brand, price))
}

/// An acceptance by some of the brands that bid; the others refused.
pub(super) fn accepted_by(names: &[&str], bid: Option<&ScriptedBid>) -> Acceptance {
    let offered = match bid.map(|bid| &bid.answer) {
        Some(PingAnswer::Bid { token: Some(token), .. }) => token.brands.as_slice(),
        _ => &[],
    };
    let took = |brand: &Brand| brand.name.as_deref().is_some_and(|name| names.contains(&name));
    let legs = offered.iter().map(|brand| Leg { accepted: took(brand), brand: brand.clone() });
    Acceptance { legs: legs.collect(), ..Acceptance::default() }
}

/// Whether every name is that of a brand that bid.
pub(super) fn all_bid(names: &[&str], bid: Option<&ScriptedBid>) -> bool {
    let legs = accepted_by(names, bid).legs;
    !names.is_empty() && legs.iter().filter(|leg| leg.accepted).count() == names.len()
}
