//! The least price at which a bid would still have won.
//!
//! Prices are searched in whole units of the currency. What a bid is worth grows with its price
//! except where a band of payouts begins, and a margin is kept by all prices from one on, or up to
//! one. Between such cuts the least winning price is found by halving; the first stretch that has
//! one decides.

use exchange_model::{MinorUnits, Money};
use ping_tree::PayoutRule;
use rust_decimal::RoundingStrategy;

use crate::price_terms::PriceTerms;

/// The least price from `low` to `bid` at which the bid still wins: its own price where no lower
/// one does. `wins` must hold at the bid.
#[must_use]
pub fn least_winning(
    (low, bid): (Money, Money),
    terms: &PriceTerms,
    wins: impl Fn(Money) -> bool,
) -> Money {
    let least = whole_units(low, RoundingStrategy::ToPositiveInfinity);
    let most = whole_units(bid, RoundingStrategy::ToZero);
    let (Some(least), Some(most)) = (least, most) else { return bid };
    let price = |units: i64| Money::from_minor(MinorUnits::new(units), bid.currency());
    let found = stretches(terms, (least.max(0), most), &price)
        .into_iter()
        .find_map(|(from, end)| first_in(from, end, |units| wins(price(units))));
    found.map_or(bid, price)
}

/// The prices in stretches within which nothing turns round.
fn stretches(
    terms: &PriceTerms,
    all: (i64, i64),
    price: &impl Fn(i64) -> Money,
) -> Vec<(i64, i64)> {
    let mut stretches = vec![all];
    if let PayoutRule::Bands(bands) = &terms.payout {
        for band in bands.iter() {
            let reached = |price: Money| {
                terms.value.value(price).is_some_and(|v| v.at_least(band.from).unwrap_or(false))
            };
            cut(&mut stretches, |units| reached(price(units)));
        }
    }
    if terms.least_margin.is_some() {
        let owes_more = |price: Money| {
            let owed = terms.value.value(price).and_then(|value| terms.payout.at(value));
            owed.is_some_and(|owed| !price.at_least(owed).unwrap_or(true))
        };
        cut(&mut stretches, |units| owes_more(price(units)));
        let keeps = |price: Money| {
            terms.value.value(price).is_some_and(|value| terms.keeps_margin(value, price))
        };
        cut(&mut stretches, |units| keeps(price(units)));
    }
    stretches
}

/// Cuts each stretch where something begins or ceases to hold.
fn cut(stretches: &mut Vec<(i64, i64)>, holds: impl Fn(i64) -> bool) {
    let mut pieces = Vec::new();
    for (from, end) in std::mem::take(stretches) {
        let at_end = from <= end && holds(end);
        match first_in(from, end, |units| holds(units) == at_end) {
            Some(begins) if begins > from => {
                pieces.push((from, begins.saturating_sub(1)));
                pieces.push((begins, end));
            }
            Some(_) | None => pieces.push((from, end)),
        }
    }
    *stretches = pieces;
}

/// The first of these for which it holds, where it holds from one on; nothing when it does not hold
/// at the end.
fn first_in(from: i64, end: i64, holds: impl Fn(i64) -> bool) -> Option<i64> {
    if from > end || !holds(end) {
        return None;
    }
    let (mut low, mut high) = (from, end);
    while low < high {
        let middle = low.saturating_add(high.saturating_sub(low) / 2);
        if holds(middle) {
            high = middle;
        } else {
            low = middle.saturating_add(1);
        }
    }
    Some(low)
}

fn whole_units(amount: Money, how: RoundingStrategy) -> Option<i64> {
    let places = amount.currency().exponent();
    let rounded = amount.amount().round_dp_with_strategy(places, how);
    Money::new(rounded, amount.currency()).to_minor().ok().map(MinorUnits::get)
}
