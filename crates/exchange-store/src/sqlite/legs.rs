//! The companies of a post as they are stored: JSON, amounts in the currency of the attempt.

use exchange_core::record::LegOffer;
use exchange_model::outcome::Brand;
use exchange_model::{Currency, Money};
use serde::{Deserialize, Serialize};

use super::columns::{decimal, digits, to_json};

#[derive(Deserialize, Serialize)]
struct Stored {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// What the company bid, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bid: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    price: String,
    payout: String,
}

impl Stored {
    fn of(leg: &LegOffer) -> Self {
        let Brand { id, name, price, token } = leg.brand.clone();
        // A bid in another currency is no number of this one.
        let same = |bid: &Money| bid.currency() == leg.price.currency();
        Self {
            id,
            name,
            bid: price.filter(same).map(digits),
            token,
            price: digits(leg.price),
            payout: digits(leg.payout),
        }
    }

    fn read(self, currency: Currency) -> Option<LegOffer> {
        let money = |text: &str| Some(Money::new(decimal(text)?, currency));
        let bid = match self.bid.as_deref() {
            Some(bid) => Some(money(bid)?),
            None => None,
        };
        Some(LegOffer {
            brand: Brand { id: self.id, name: self.name, price: bid, token: self.token },
            price: money(&self.price)?,
            payout: money(&self.payout)?,
        })
    }
}

/// The form in which legs are stored; nothing when there are none.
pub(super) fn text(legs: &[LegOffer]) -> Option<String> {
    let stored: Vec<Stored> = legs.iter().map(Stored::of).collect();
    (!stored.is_empty()).then(|| to_json(&stored))
}

/// What was stored; nothing when the text is no such form.
pub(super) fn read(text: Option<&str>, currency: Currency) -> Option<Vec<LegOffer>> {
    let Some(text) = text else { return Some(Vec::new()) };
    let stored: Vec<Stored> = serde_json::from_str(text).ok()?;
    stored.into_iter().map(|leg| leg.read(currency)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legs_read_back() {
        let usd = |text| Money::parse(text, Currency::USD).unwrap();
        let roof = Brand {
            id: Some("41".to_owned()),
            name: Some("Roof \"Co\"".to_owned()),
            price: Some(usd("19.50")),
            token: Some("t|1".to_owned()),
        };
        let bare = Brand { id: None, name: None, price: None, token: None };
        let legs = vec![
            LegOffer { brand: roof, price: usd("19.50"), payout: usd("12.345") },
            LegOffer { brand: bare, price: usd("8"), payout: usd("0") },
        ];
        let stored = text(&legs);
        assert_eq!(read(stored.as_deref(), Currency::USD), Some(legs));
        assert_eq!((text(&[]), read(None, Currency::USD)), (None, Some(Vec::new())));
        assert_eq!(read(Some("{}"), Currency::USD), None);
    }
}
