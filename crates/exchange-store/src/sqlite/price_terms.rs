//! The terms of a post as they are stored: what its answer may be booked at, whenever it comes.
#![expect(
    clippy::disallowed_types,
    reason = "flattening names every type of JSON; amounts are texts"
)]

use exchange_core::price_terms::PriceTerms;
use exchange_core::record::{Band, PayoutRule, PriceChange};
use exchange_model::{Currency, Money, Rate};
use serde::{Deserialize, Serialize};

use super::columns::{decimal, digits, to_json};

#[derive(Deserialize, Serialize)]
struct Stored {
    change: String,
    floor: String,
    ceiling: String,
    #[serde(flatten)]
    payout: StoredPayout,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    least: Option<String>,
    #[serde(default)]
    stretches: bool,
}

/// One of the keys is there.
#[derive(Default, Deserialize, Serialize)]
struct StoredPayout {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    share: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fixed: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    per_sale: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    margin: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bands: Option<Vec<(String, Self)>>,
}

impl StoredPayout {
    fn of(rule: &PayoutRule) -> Self {
        let band = |band: &Band| (digits(band.from), Self::of(&band.rule));
        match rule {
            PayoutRule::Share(share) => {
                Self { share: Some(share.as_decimal().to_string()), ..Self::default() }
            }
            PayoutRule::Fixed(fixed) => Self { fixed: Some(digits(*fixed)), ..Self::default() },
            PayoutRule::PerSale(paid) => Self { per_sale: Some(digits(*paid)), ..Self::default() },
            PayoutRule::Margin(kept) => Self { margin: Some(digits(*kept)), ..Self::default() },
            PayoutRule::Bands(bands) => {
                Self { bands: Some(bands.iter().map(band).collect()), ..Self::default() }
            }
        }
    }

    fn read(&self, currency: Currency) -> Option<PayoutRule> {
        let money = |text: &str| Some(Money::new(decimal(text)?, currency));
        if let Some(share) = &self.share {
            return Some(PayoutRule::Share(Rate::from_decimal(decimal(share)?)?));
        }
        if let Some(fixed) = &self.fixed {
            return Some(PayoutRule::Fixed(money(fixed)?));
        }
        if let Some(paid) = &self.per_sale {
            return Some(PayoutRule::PerSale(money(paid)?));
        }
        if let Some(kept) = &self.margin {
            return Some(PayoutRule::Margin(money(kept)?));
        }
        let band = |(from, rule): &(String, Self)| {
            Some(Band { from: money(from)?, rule: rule.read(currency)? })
        };
        let bands: Option<Vec<Band>> = self.bands.as_ref()?.iter().map(band).collect();
        Some(PayoutRule::Bands(bands?.into()))
    }
}

/// The form in which terms are stored: JSON, amounts in the currency of the attempt.
pub(super) fn text(terms: &PriceTerms) -> String {
    to_json(&Stored {
        change: terms.change.code().to_owned(),
        floor: digits(terms.floor),
        ceiling: digits(terms.ceiling),
        payout: StoredPayout::of(&terms.payout),
        least: terms.least.map(digits),
        stretches: terms.stretches,
    })
}

/// What was stored; nothing when the text is no such form.
pub(super) fn read(text: &str, currency: Currency) -> Option<PriceTerms> {
    let stored: Stored = serde_json::from_str(text).ok()?;
    let money = |text: &str| Some(Money::new(decimal(text)?, currency));
    let least = match &stored.least {
        Some(least) => Some(money(least)?),
        None => None,
    };
    Some(PriceTerms {
        change: PriceChange::from_code(&stored.change)?,
        floor: money(&stored.floor)?,
        ceiling: money(&stored.ceiling)?,
        payout: stored.payout.read(currency)?,
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
        let band = |from, rule| Band { from: usd(from), rule };
        let bands = [
            band("0", PayoutRule::PerSale(usd("1"))),
            band("10.50", PayoutRule::Margin(usd("2.5"))),
        ];
        let bands = PriceTerms { payout: PayoutRule::Bands(bands.into()), ..share };
        for terms in [share, fixed, bands, of_old(usd("12"), usd("5"))] {
            assert_eq!(read(&text(&terms), Currency::USD), Some(terms));
        }
        assert_eq!(read("{}", Currency::USD), None);
    }
}
