//! The least price at which a bid would still have won.
//!
//! Prices are searched in whole units of the currency. What a bid is worth grows with its price
//! except where a payout's bands begin: between two such cuts the least winning price is found by
//! halving, and the first stretch that has one decides.

use exchange_model::{MinorUnits, Money};
use ping_tree::PayoutRule;
use rust_decimal::RoundingStrategy;

use crate::auction::pricing::ValueRule;

/// The least price from `low` to `bid` at which the bid still wins: its own price where no lower
/// one does. `wins` must hold at the bid.
#[must_use]
pub fn least_winning(
    (low, bid): (Money, Money),
    rules: (&ValueRule, &PayoutRule),
    wins: impl Fn(Money) -> bool,
) -> Money {
    let least = whole_units(low, RoundingStrategy::ToPositiveInfinity);
    let most = whole_units(bid, RoundingStrategy::ToZero);
    let (Some(least), Some(most)) = (least, most) else { return bid };
    let price = |units: i64| Money::from_minor(MinorUnits::new(units), bid.currency());
    let mut from = least.max(0);
    for end in ends(rules, from, most, &price) {
        if let Some(found) = first_in(from, end, |units| wins(price(units))) {
            return price(found);
        }
        from = end.saturating_add(1);
    }
    bid
}

/// Where each stretch ends: one unit before a band begins, and at the end.
fn ends(
    (value, payout): (&ValueRule, &PayoutRule),
    from: i64,
    most: i64,
    price: &impl Fn(i64) -> Money,
) -> Vec<i64> {
    let mut ends = Vec::new();
    if let PayoutRule::Bands(bands) = payout {
        for band in bands.iter() {
            let reached = |units: i64| {
                value.value(price(units)).is_some_and(|v| v.at_least(band.from).unwrap_or(false))
            };
            let begins = first_in(from, most, reached);
            ends.extend(begins.map(|begins| begins.saturating_sub(1)).filter(|end| *end >= from));
        }
    }
    ends.push(most);
    ends.sort_unstable();
    ends.dedup();
    ends
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
