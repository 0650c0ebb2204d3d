//! What a buyer may pay other than its bid, decided before the post and durable with it.
//!
//! A buyer may name another price when it accepts, or offer one when it refuses. Both are judged
//! by these terms alone, so that an answer that comes after a crash or a change of config is
//! booked as it would have been at once.

use exchange_model::Money;
use ping_tree::{Amount, PayoutRule, PriceChange};

use crate::auction::pricing::{ValueRule, left, payout};

/// The terms of one post.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PriceTerms {
    /// What another price in an acceptance means.
    pub change: PriceChange,
    /// The least that the campaign and its tier sell at.
    pub floor: Money,
    /// The most that the campaign takes.
    pub ceiling: Money,
    /// From the price to the value.
    pub value: ValueRule,
    /// From the value to the payout.
    pub payout: PayoutRule,
    /// The least that the exchange keeps of the value.
    pub least_margin: Option<Amount>,
    /// The least that this post must pay the seller: what it was promised or takes at least, less
    /// what its other sales bring.
    pub least: Option<Money>,
    /// Whether the margin gives way to `least`, as it does for a promise.
    pub stretches: bool,
}

/// Why a counter-offer is not taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NoCounter {
    /// It is not below the bid.
    NotLower,
    /// Below the floor of the campaign or its tier.
    BelowFloor,
    /// Its payout would break what the seller was promised, or takes at least.
    BelowPromise,
    /// The next bid pays more.
    Outbid,
    /// This bid was posted at a counter-offer before.
    Again,
    /// The buyer's token has expired.
    Expired,
    /// The time left cannot hold another post.
    NoTimeLeft,
}

impl NoCounter {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotLower => "not_lower",
            Self::BelowFloor => "below_floor",
            Self::BelowPromise => "below_promise",
            Self::Outbid => "outbid",
            Self::Again => "again",
            Self::Expired => "expired",
            Self::NoTimeLeft => "no_time_left",
        }
    }
}

impl PriceTerms {
    /// The most that an acceptance of this bid may be booked at: what is held.
    #[must_use]
    pub fn most(&self, bid: Money) -> Money {
        let higher = self.change == PriceChange::Any && is_above(self.ceiling, bid);
        if higher { self.ceiling } else { bid }
    }

    /// What a sale at this price is worth, and what the seller is paid for it; nothing when that
    /// would be a loss, or would break what the seller was promised.
    #[must_use]
    pub fn payout_at(&self, price: Money) -> Option<Money> {
        let own = self.own_payout(price);
        let keeps = |own: &Money, least: Money| own.at_least(least).unwrap_or(false);
        match (self.least, self.stretches) {
            // The margin shrinks before the promise breaks.
            (Some(promised), true) => own
                .filter(|own| keeps(own, promised))
                .or_else(|| price.at_least(promised).ok()?.then_some(promised)),
            (Some(least), false) => own.filter(|own| keeps(own, least)),
            (None, _) => own,
        }
    }

    fn own_payout(&self, price: Money) -> Option<Money> {
        let value = self.value.value(price)?;
        let paid = payout(&self.payout, value, price)?;
        (self.stretches || self.keeps_margin(value, price)).then_some(paid)
    }

    /// Whether enough of the value is left.
    pub(crate) fn keeps_margin(&self, value: Money, price: Money) -> bool {
        let Some(least) = &self.least_margin else { return true };
        let enough = |left: Money| left.at_least(least.of(value)?).ok();
        left(&self.payout, value, price).and_then(enough).unwrap_or(false)
    }

    /// Price and payout of an acceptance that names this price, for what was bid; nothing when
    /// the contract takes no other price than the bid.
    #[must_use]
    pub fn booked(&self, bid: (Money, Money), named: Option<Money>) -> Option<(Money, Money)> {
        let Some(named) = named.filter(|named| *named != bid.0) else { return Some(bid) };
        let taken = match self.change {
            PriceChange::Reject => return None,
            PriceChange::Bid => None,
            PriceChange::Lower => self.taken(named, bid.0),
            PriceChange::Any => self.taken(named, self.most(bid.0)),
        };
        Some(taken.unwrap_or(bid))
    }

    fn taken(&self, named: Money, most: Money) -> Option<(Money, Money)> {
        let within = named.is_positive()
            && named.at_least(self.floor).unwrap_or(false)
            && most.at_least(named).unwrap_or(false);
        Some((named, self.payout_at(named).filter(|_| within)?))
    }

    /// The payout of a refused bid at what its buyer would pay instead.
    ///
    /// # Errors
    /// Why it is not taken.
    pub fn counter(&self, bid: Money, offered: Money) -> Result<Money, NoCounter> {
        if !offered.is_positive() || !is_above(bid, offered) {
            return Err(NoCounter::NotLower);
        }
        if !offered.at_least(self.floor).unwrap_or(false) {
            return Err(NoCounter::BelowFloor);
        }
        self.payout_at(offered).ok_or(NoCounter::BelowPromise)
    }
}

/// Whether one amount is more than the other, in the same currency.
fn is_above(one: Money, other: Money) -> bool {
    one != other && one.at_least(other).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use exchange_model::{Currency, Rate};

    use super::*;
    use crate::auction::pricing::Change;

    fn usd(text: &str) -> Money {
        Money::parse(text, Currency::USD).unwrap()
    }

    fn terms(change: PriceChange) -> PriceTerms {
        PriceTerms {
            change,
            floor: usd("8"),
            ceiling: usd("60"),
            value: ValueRule::default(),
            payout: PayoutRule::Share(Rate::parse_percent("80%").unwrap()),
            least_margin: None,
            least: Some(usd("8")),
            stretches: false,
        }
    }

    /// A bid of 15.00 that pays 12.00, accepted at another price.
    fn accepted(change: PriceChange, named: Money) -> Option<(String, String)> {
        let booked = terms(change).booked((usd("15"), usd("12")), Some(named));
        booked.map(|(price, payout)| (price.amount_text(), payout.amount_text()))
    }

    fn pair(price: &str, payout: &str) -> Option<(String, String)> {
        Some((price.to_owned(), payout.to_owned()))
    }

    #[test]
    fn each_rule_books_its_own_price_of_an_acceptance_at_another() {
        let bid = pair("15.00", "12.00");
        let cases = [
            (PriceChange::Bid, "11", bid.clone()),
            (PriceChange::Bid, "20", bid.clone()),
            (PriceChange::Lower, "11", pair("11.00", "8.80")),
            (PriceChange::Lower, "20", bid.clone()),
            (PriceChange::Any, "11", pair("11.00", "8.80")),
            (PriceChange::Any, "60", pair("60.00", "48.00")),
            (PriceChange::Any, "60.01", bid.clone()),
            (PriceChange::Reject, "11", None),
            (PriceChange::Reject, "20", None),
            (PriceChange::Reject, "15.00", bid),
        ];
        for (change, named, expected) in cases {
            assert_eq!(accepted(change, usd(named)), expected, "{change:?} {named}");
        }
    }

    #[test]
    fn a_lower_price_that_breaks_floor_or_promise_is_booked_at_the_bid() {
        let bid = pair("15.00", "12.00");
        assert_eq!(accepted(PriceChange::Lower, usd("9.99")), bid, "it would pay 7.99");
        assert_eq!(accepted(PriceChange::Any, usd("0")), bid);
        let euro = Money::parse("12", Currency::new("EUR").unwrap()).unwrap();
        assert_eq!(accepted(PriceChange::Any, euro), bid, "another currency");
        let promise = PriceTerms { stretches: true, ..terms(PriceChange::Lower) };
        let booked = promise.booked((usd("15"), usd("12")), Some(usd("8.50")));
        assert_eq!(booked, Some((usd("8.50"), usd("8"))), "the margin gives way to a promise");
        let floor = PriceTerms { floor: usd("9"), ..promise };
        assert_eq!(floor.booked((usd("15"), usd("12")), Some(usd("8.50"))).unwrap().0, usd("15"));
    }

    #[test]
    fn what_is_held_is_the_most_that_may_be_booked() {
        assert_eq!(terms(PriceChange::Lower).most(usd("15")), usd("15"));
        assert_eq!(terms(PriceChange::Any).most(usd("15")), usd("60"));
    }

    #[test]
    fn a_counter_offer_is_below_the_bid_and_above_every_floor() {
        let counter = |offered| terms(PriceChange::Bid).counter(usd("15"), usd(offered));
        assert_eq!(counter("12"), Ok(usd("9.60")));
        assert_eq!(counter("15"), Err(NoCounter::NotLower));
        assert_eq!(counter("16"), Err(NoCounter::NotLower));
        assert_eq!(counter("0"), Err(NoCounter::NotLower));
        assert_eq!(counter("7.99"), Err(NoCounter::BelowFloor));
        assert_eq!(counter("9.99"), Err(NoCounter::BelowPromise));
    }

    #[test]
    fn another_price_is_judged_by_its_value_and_by_what_it_leaves() {
        let off = Change { amount: Amount::Money(usd("2")), takes_off: true };
        let value = ValueRule { changes: vec![off], haircut: None };
        let terms = PriceTerms { value, least: None, ..terms(PriceChange::Lower) };
        assert_eq!(terms.counter(usd("15"), usd("12")), Ok(usd("8")), "80% of 10.00");
        let least_margin = Some(Amount::Money(usd("2.10")));
        let margin = PriceTerms { least_margin, ..terms };
        assert_eq!(margin.counter(usd("15"), usd("12")), Err(NoCounter::BelowPromise));
        assert_eq!(margin.counter(usd("15"), usd("12.50")), Ok(usd("8.40")));
    }
}
