//! The terms of a post as they are stored: what its answer may be booked at, whenever it comes.
#![expect(
    clippy::disallowed_types,
    reason = "flattening names every type of JSON; amounts are texts"
)]

use exchange_core::auction::pricing::{Change, ValueRule};
use exchange_core::price_terms::PriceTerms;
use exchange_core::record::{Amount, Band, PayoutRule, PriceChange};
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
    /// What changes the value: `+1.50`, `-0.1*` for a tenth.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    changes: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    haircut: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    least_margin: Option<String>,
}

/// `1.50`, or `0.1*` for a share.
fn amount_text(amount: &Amount) -> String {
    match amount {
        Amount::Money(money) => digits(*money),
        Amount::Share(share) => format!("{}*", share.as_decimal()),
    }
}

fn read_amount(text: &str, currency: Currency) -> Option<Amount> {
    match text.strip_suffix('*') {
        Some(share) => Some(Amount::Share(Rate::from_decimal(decimal(share)?)?)),
        None => Some(Amount::Money(Money::new(decimal(text)?, currency))),
    }
}

fn change_text(change: &Change) -> String {
    format!("{}{}", if change.takes_off { '-' } else { '+' }, amount_text(&change.amount))
}

fn read_change(text: &str, currency: Currency) -> Option<Change> {
    let takes_off = text.starts_with('-');
    let amount = read_amount(text.strip_prefix(['+', '-'])?, currency)?;
    Some(Change { amount, takes_off })
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
        changes: terms.value.changes.iter().map(change_text).collect(),
        haircut: terms.value.haircut.as_ref().map(amount_text),
        least_margin: terms.least_margin.as_ref().map(amount_text),
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
    let amount = |text: &Option<String>| match text {
        Some(text) => read_amount(text, currency).map(Some),
        None => Some(None),
    };
    let changes = stored.changes.iter().map(|change| read_change(change, currency));
    Some(PriceTerms {
        change: PriceChange::from_code(&stored.change)?,
        floor: money(&stored.floor)?,
        ceiling: money(&stored.ceiling)?,
        value: ValueRule {
            changes: changes.collect::<Option<_>>()?,
            haircut: amount(&stored.haircut)?,
        },
        payout: stored.payout.read(currency)?,
        least_margin: amount(&stored.least_margin)?,
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
        value: ValueRule::default(),
        payout: PayoutRule::Fixed(payout),
        least_margin: None,
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
        let tenth = Amount::Share(Rate::parse_percent("10%").unwrap());
        let change = |amount, takes_off| Change { amount, takes_off };
        let share = PriceTerms {
            change: PriceChange::Lower,
            floor: usd("8.00"),
            ceiling: usd("60"),
            value: ValueRule {
                changes: vec![change(tenth, true), change(Amount::Money(usd("1.50")), false)],
                haircut: Some(tenth),
            },
            least_margin: Some(Amount::Money(usd("0.25"))),
            payout: PayoutRule::Share(Rate::parse_percent("12.5%").unwrap()),
            least: Some(usd("5.5")),
            stretches: true,
        };
        let fixed =
            PriceTerms { payout: PayoutRule::Fixed(usd("5")), least: None, ..share.clone() };
        let band = |from, rule| Band { from: usd(from), rule };
        let bands = [
            band("0", PayoutRule::PerSale(usd("1"))),
            band("10.50", PayoutRule::Margin(usd("2.5"))),
        ];
        let bands =
            PriceTerms { payout: PayoutRule::Bands(bands.into()), ..of_old(usd("9"), usd("4")) };
        for terms in [share, fixed, bands, of_old(usd("12"), usd("5"))] {
            assert_eq!(read(&text(&terms), Currency::USD), Some(terms));
        }
        assert_eq!(read("{}", Currency::USD), None);
    }
}
