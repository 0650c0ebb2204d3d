//! Several bids in one reply, and the legs of a sale to several.

use exchange_model::outcome::{Brand, Leg};
use exchange_model::{Currency, Money};

use super::condition::Condition;
use super::locator::{Locator, Scope};
use super::price::{PriceRead, PriceRule};
use super::text;

/// Most bids or legs of one reply.
pub(super) const BIDS_MAX: usize = 64;

/// Which bids the post will name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Choose {
    /// So many, from the highest.
    Best(usize),
    All,
}

/// What the price of the whole is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum PriceIs {
    /// That of the highest bid.
    Highest,
    /// Of all chosen bids together.
    Total,
    /// Stated elsewhere in the reply.
    Stated,
}

/// Where each company's own values stand.
#[derive(Debug)]
pub(crate) struct Brands {
    pub(super) at: Locator,
    pub(super) id: Option<Locator>,
    pub(super) name: Option<Locator>,
    pub(super) token: Option<Locator>,
    pub(super) price: Option<PriceRule>,
}

/// Several bids.
#[derive(Debug)]
pub(crate) struct Bids {
    pub(super) brands: Brands,
    pub(super) choose: Choose,
    pub(super) price_is: PriceIs,
}

/// The legs of a post.
#[derive(Debug)]
pub(crate) struct Legs {
    pub(super) brands: Brands,
    pub(super) accepted: Condition,
}

/// More than a reply may have.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct TooMany;

impl Brands {
    /// Each item with its place.
    fn items<'d>(&self, scope: &Scope<'d>) -> Result<Vec<Scope<'d>>, TooMany> {
        let found = self.at.all(scope);
        if found.len() > BIDS_MAX {
            return Err(TooMany);
        }
        Ok(found.iter().filter_map(|found| scope.item(found)).collect())
    }

    /// One company; nothing when its price or its token cannot be used.
    fn brand(&self, item: &Scope<'_>, currency: Currency) -> Option<Brand> {
        let price = match &self.price {
            None => None,
            Some(rule) => match rule.read(item, currency) {
                PriceRead::Amount(price) => Some(price),
                PriceRead::Nothing | PriceRead::Absent | PriceRead::Unreadable => return None,
            },
        };
        let token = match self.token.as_ref().and_then(|at| at.one_text(item)) {
            None => None,
            Some(token) => Some(text::token(token)?),
        };
        Some(Brand { token, price, ..self.identity(item) })
    }

    fn identity(&self, item: &Scope<'_>) -> Brand {
        let one = |at: &Option<Locator>| at.as_ref().and_then(|at| at.one_text(item));
        Brand {
            id: one(&self.id).and_then(text::token),
            name: one(&self.name).and_then(|name| text::cut(&name)),
            price: None,
            token: None,
        }
    }
}

impl Bids {
    /// The chosen bids, best first; nothing when the reply lists none at all.
    pub(super) fn read(
        &self,
        scope: &Scope<'_>,
        currency: Currency,
    ) -> Result<Option<Vec<Brand>>, TooMany> {
        let items = self.brands.items(scope)?;
        if items.is_empty() {
            return Ok(None);
        }
        let mut brands: Vec<Brand> =
            items.iter().filter_map(|item| self.brands.brand(item, currency)).collect();
        brands.sort_by_key(|brand| std::cmp::Reverse(brand.price.map(|price| price.amount())));
        if let Choose::Best(most) = self.choose {
            brands.truncate(most);
        }
        Ok(Some(brands))
    }

    /// The price of the chosen bids; nothing when it is stated elsewhere, or there is none.
    pub(super) fn price(&self, chosen: &[Brand]) -> Option<Money> {
        let mut prices = chosen.iter().filter_map(|brand| brand.price);
        match self.price_is {
            PriceIs::Stated => None,
            PriceIs::Highest => prices.next(),
            PriceIs::Total => {
                let first = prices.next()?;
                prices.try_fold(first, |sum, price| sum.checked_add(price).ok())
            }
        }
    }
}

impl Legs {
    /// What each company said. A leg without a readable price is still a leg.
    pub(super) fn read(&self, scope: &Scope<'_>, currency: Currency) -> Vec<Leg> {
        let items = self.brands.items(scope).unwrap_or_default();
        let leg = |item: &Scope<'_>| {
            let read = |rule: &PriceRule| rule.read(item, currency).amount();
            let price = self.brands.price.as_ref().and_then(read);
            let brand = Brand { price, ..self.brands.identity(item) };
            Leg { brand, accepted: self.accepted.holds(item) }
        };
        items.iter().map(leg).collect()
    }
}
