//! To how many buyers a lead may go, as one campaign sees it.

use std::collections::BTreeMap;

use exchange_model::Money;

use crate::amount::Amount;

/// Most buyers of one lead.
pub const BUYERS_MAX: u8 = 10;

/// The numbers of buyers that a campaign puts up with, and what it pays of its price at each.
///
/// Empty: any number, at its full price.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Shares {
    prices: BTreeMap<u8, Amount>,
}

impl Shares {
    /// These, by the number of buyers in all.
    #[must_use]
    pub const fn new(prices: BTreeMap<u8, Amount>) -> Self {
        Self { prices }
    }

    /// What it pays as one of at most `buyers` when its price alone is `price`; nothing when it
    /// does not take part in that.
    #[must_use]
    pub fn price(&self, buyers: u8, price: Money) -> Option<Money> {
        if self.prices.is_empty() {
            return Some(price);
        }
        self.prices.get(&buyers)?.of(price)
    }

    /// The least it pays at any number of buyers when its price alone is `price`.
    #[must_use]
    pub fn least(&self, price: Money) -> Money {
        let prices = self.prices.values().filter_map(|amount| amount.of(price));
        prices.min_by_key(Money::amount).unwrap_or(price)
    }

    /// The numbers of buyers that it names, with what it pays at each.
    pub fn iter(&self) -> impl Iterator<Item = (u8, Amount)> {
        self.prices.iter().map(|(buyers, amount)| (*buyers, *amount))
    }

    /// Whether it may be one of at most `buyers`.
    #[must_use]
    pub fn takes(&self, buyers: u8) -> bool {
        self.prices.is_empty() || self.prices.contains_key(&buyers)
    }
}
