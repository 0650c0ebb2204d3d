//! The terms of a post as they are stored: what its answer may be booked at, whenever it comes.

use exchange_core::price_terms::PriceTerms;
use exchange_core::record::{PayoutRule, PriceChange};
use exchange_model::{Currency, Money, Rate};
use serde::{Deserialize, Serialize};

use super::columns::{decimal, digits, to_json};

#[derive(Deserialize, Serialize)]
struct Stored {
    change: String,
    floor: String,
    ceiling: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    share: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fixed: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    least: Option<String>,
    #[serde(default)]
    stretches: bool,
}

/// The form in which terms are stored: JSON, amounts in the currency of the attempt.
pub(super) fn text(terms: &PriceTerms) -> String {
    let (share, fixed) = match terms.payout {
        PayoutRule::Share(share) => (Some(share.as_decimal().to_string()), None),
        PayoutRule::Fixed(fixed) => (None, Some(digits(fixed))),
    };
    to_json(&Stored {
        change: terms.change.code().to_owned(),
        floor: digits(terms.floor),
        ceiling: digits(terms.ceiling),
        share,
        fixed,
        least: terms.least.map(digits),
        stretches: terms.stretches,
    })
}

/// What was stored; nothing when the text is no such form.
pub(super) fn read(text: &str, currency: Currency) -> Option<PriceTerms> {
    let stored: Stored = serde_json::from_str(text).ok()?;
    let money = |text: &str| Some(Money::new(decimal(text)?, currency));
    let payout = match (&stored.share, &stored.fixed) {
        (Some(share), None) => PayoutRule::Share(Rate::from_decimal(decimal(share)?)?),
        (None, Some(fixed)) => PayoutRule::Fixed(money(fixed)?),
        (Some(_), Some(_)) | (None, None) => return None,
    };
    let least = match &stored.least {
        Some(least) => Some(money(least)?),
        None => None,
    };
    Some(PriceTerms {
        change: PriceChange::from_code(&stored.change)?,
        floor: money(&stored.floor)?,
        ceiling: money(&stored.ceiling)?,
        payout,
        least,
        stretches: stored.stretches,
    })
}

/// The terms of an attempt from before they were stored: its bid is booked.
pub(super) fn of_old(price: Money, payout: Money) -> PriceTerms {
    PriceTerms {
        change: PriceChange::Bid,
        floor: price,
        ceiling: price,
        payout: PayoutRule::Fixed(payout),
        least: None,
        stretches: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_read_back() {
        let usd = |text| Money::parse(text, Currency::USD).unwrap();
        let share = PriceTerms {
            change: PriceChange::Lower,
            floor: usd("8.00"),
            ceiling: usd("60"),
            payout: PayoutRule::Share(Rate::parse_percent("12.5%").unwrap()),
            least: Some(usd("5.5")),
            stretches: true,
        };
        let fixed = PriceTerms { payout: PayoutRule::Fixed(usd("5")), least: None, ..share };
        for terms in [share, fixed, of_old(usd("12"), usd("5"))] {
            assert_eq!(read(&text(&terms), Currency::USD), Some(terms));
        }
        assert_eq!(read("{}", Currency::USD), None);
    }
}
