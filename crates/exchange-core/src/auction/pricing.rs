//! From what a buyer pays to what the sale is worth, and to what the seller is paid.
//!
//! > price → value (adjustments, haircut) → payout. A payout is rounded once, half to even, and is
//! > never above the price: the exchange does not sell at a loss.

use exchange_model::Money;
use ping_tree::{Amount, PayoutRule};
use rust_decimal::RoundingStrategy;

/// A rule that holds and changes the value of a bid.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Change {
    /// How much; a share is one of the price.
    pub amount: Amount,
    /// Whether it is taken off, not added.
    pub takes_off: bool,
}

/// From the price of one lead to its value.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ValueRule {
    /// The rules that hold for the lead, each counted of the price itself.
    pub changes: Vec<Change>,
    /// Taken off what these make of it.
    pub haircut: Option<Amount>,
}

impl ValueRule {
    /// The haircut alone: of a price that the rules have changed already.
    #[must_use]
    pub fn haircut_only(&self) -> Self {
        Self { changes: Vec::new(), haircut: self.haircut }
    }

    /// What a sale at this price is worth; perhaps less than nothing. Nothing when it cannot be
    /// counted.
    #[must_use]
    pub fn value(&self, price: Money) -> Option<Money> {
        let mut value = price;
        for change in &self.changes {
            let amount = change.amount.of(price)?;
            let changed = if change.takes_off {
                value.checked_sub(amount)
            } else {
                value.checked_add(amount)
            };
            value = changed.ok()?;
        }
        match &self.haircut {
            Some(haircut) => value.checked_sub(haircut.of(value)?).ok(),
            None => Some(value),
        }
    }
}

/// The rule of a payout that decides at this value: of bands, the one that it lies in.
#[must_use]
pub fn deciding(rule: &PayoutRule, value: Money) -> Option<&PayoutRule> {
    let PayoutRule::Bands(bands) = rule else { return Some(rule) };
    let reached = bands.iter().rev().find(|band| value.at_least(band.from).unwrap_or(false));
    reached.map(|band| &band.rule)
}

/// Whether the payout at this value is one for the lead, however many buy it.
#[must_use]
pub fn is_once(rule: &PayoutRule, value: Money) -> bool {
    matches!(deciding(rule, value), Some(PayoutRule::Fixed(_)))
}

/// The payout for a sale at this price that is worth `value`; nothing when it would be negative, or
/// when a fixed one is above the price.
#[must_use]
pub fn payout(rule: &PayoutRule, value: Money, price: Money) -> Option<Money> {
    let owed = rule.at(value)?.rounded();
    let owes_nothing = owed.amount().is_sign_negative() && !owed.amount().is_zero();
    if owes_nothing || owed.currency() != price.currency() {
        return None;
    }
    if price.at_least(owed).ok()? {
        return Some(owed);
    }
    match deciding(rule, value)? {
        PayoutRule::Fixed(_) | PayoutRule::PerSale(_) => None,
        PayoutRule::Share(_) | PayoutRule::Margin(_) | PayoutRule::Bands(_) => Some(whole(price)),
    }
}

/// What a sale leaves the exchange of its value, before the payout is rounded.
#[must_use]
pub fn left(rule: &PayoutRule, value: Money, price: Money) -> Option<Money> {
    let owed = rule.at(value)?;
    let owed = if price.at_least(owed).ok()? { owed } else { price };
    value.checked_sub(owed).ok()
}

/// The price in whole units, rounded down.
fn whole(price: Money) -> Money {
    let (places, down) = (price.currency().exponent(), RoundingStrategy::ToZero);
    Money::new(price.amount().round_dp_with_strategy(places, down), price.currency())
}

#[cfg(test)]
mod tests {
    use exchange_model::{Currency, Rate};
    use ping_tree::Band;

    use super::*;

    fn usd(text: &str) -> Money {
        Money::parse(text, Currency::USD).unwrap()
    }

    fn percent(text: &str) -> Rate {
        Rate::parse_percent(text).unwrap()
    }

    fn share(text: &str) -> PayoutRule {
        PayoutRule::Share(percent(text))
    }

    fn paid(rule: &PayoutRule, price: &str) -> Option<String> {
        payout(rule, usd(price), usd(price)).map(|paid| paid.amount_text())
    }

    #[test]
    fn a_share_is_rounded_once_half_to_even() {
        assert_eq!(paid(&share("80%"), "31.00").unwrap(), "24.80");
        assert_eq!(paid(&share("33.3%"), "0.05").unwrap(), "0.02");
        assert_eq!(paid(&share("50%"), "0.01").unwrap(), "0.00");
        assert_eq!(paid(&share("50%"), "0.03").unwrap(), "0.02");
    }

    #[test]
    fn nothing_is_sold_at_a_loss() {
        assert_eq!(paid(&PayoutRule::Fixed(usd("9")), "8.99"), None);
        assert_eq!(paid(&PayoutRule::PerSale(usd("9")), "9").unwrap(), "9.00");
        assert_eq!(paid(&PayoutRule::Margin(usd("9")), "8.99"), None);
        let dear = payout(&share("80%"), usd("20"), usd("15.005")).unwrap();
        assert_eq!(dear.amount_text(), "15.00", "a value above the price pays the price at most");
    }

    #[test]
    fn changes_count_of_the_price_and_the_haircut_of_what_they_make_of_it() {
        let change = |amount, takes_off| Change { amount, takes_off };
        let rule = ValueRule {
            changes: vec![
                change(Amount::Share(percent("10%")), false),
                change(Amount::Money(usd("1.50")), false),
                change(Amount::Money(usd("0.50")), true),
            ],
            haircut: Some(Amount::Share(percent("5%"))),
        };
        assert_eq!(rule.value(usd("20")), Some(usd("21.85")));
        assert_eq!(rule.haircut_only().value(usd("20")), Some(usd("19")));
        let less =
            ValueRule { changes: vec![change(Amount::Money(usd("3")), true)], haircut: None };
        assert!(less.value(usd("1")).unwrap().amount().is_sign_negative());
    }

    #[test]
    fn the_band_that_the_value_lies_in_decides() {
        let band = |from, rule| Band { from: usd(from), rule };
        let rule = PayoutRule::Bands(
            [
                band("5", PayoutRule::Fixed(usd("3"))),
                band("20", share("80%")),
                band("50", PayoutRule::Margin(usd("8"))),
            ]
            .into(),
        );
        assert_eq!(paid(&rule, "4.99"), None);
        assert_eq!(paid(&rule, "19.99").unwrap(), "3.00");
        assert_eq!(paid(&rule, "20").unwrap(), "16.00");
        assert_eq!(paid(&rule, "50").unwrap(), "42.00");
        assert!(is_once(&rule, usd("6")) && !is_once(&rule, usd("30")));
    }
}
