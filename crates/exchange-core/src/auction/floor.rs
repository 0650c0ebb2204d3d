//! The least that a buyer may pay for a lead: what it is told as the floor.

use exchange_model::Money;

use super::{Auction, Seat};
use crate::price_terms::PriceTerms;

impl Auction {
    /// The least that this member's bid may be.
    #[must_use]
    pub fn least_price(&self, seat: Seat) -> Money {
        self.price_terms(seat).least_price()
    }
}

impl PriceTerms {
    /// The least price that keeps every limit: the floor of campaign and tier, and a payout that
    /// the seller takes.
    #[must_use]
    pub fn least_price(&self) -> Money {
        let wanted = match self.least {
            // The margin gives way: the promise itself is the limit.
            Some(promised) if self.stretches => Some(promised),
            least => self.payout.value_for(least),
        };
        wanted.filter(|wanted| wanted.at_least(self.floor).unwrap_or(false)).unwrap_or(self.floor)
    }
}

#[cfg(test)]
mod tests {
    use exchange_model::{Currency, Rate};
    use ping_tree::{PayoutRule, PriceChange};

    use super::*;

    fn usd(text: &str) -> Money {
        Money::parse(text, Currency::USD).unwrap()
    }

    fn terms(floor: &str, percent: &str, least: Option<&str>, stretches: bool) -> PriceTerms {
        PriceTerms {
            change: PriceChange::Bid,
            floor: usd(floor),
            ceiling: usd("60"),
            payout: PayoutRule::Share(Rate::parse_percent(percent).unwrap()),
            least: least.map(usd),
            stretches,
        }
    }

    #[test]
    fn a_buyer_is_told_the_least_bid_that_is_taken() {
        for (terms, told) in [
            (terms("8", "80%", None, false), "8"),
            (terms("8", "80%", Some("10"), false), "12.50"),
            (terms("14", "80%", Some("10"), false), "14"),
            (terms("1", "33.3%", Some("10"), false), "30.04"),
            (terms("1", "80%", Some("10"), true), "10"),
        ] {
            assert_eq!(terms.least_price(), usd(told), "{terms:?}");
            // The payout is rounded, so a few cents less may pay as much.
            let less = terms.least_price().checked_sub(usd("0.05")).unwrap();
            let taken = |price: Money| {
                price.at_least(terms.floor).unwrap() && terms.payout_at(price).is_some()
            };
            assert!(taken(terms.least_price()) && !taken(less), "{terms:?}");
        }
        let fixed =
            PriceTerms { payout: PayoutRule::Fixed(usd("9")), ..terms("8", "1%", None, false) };
        assert_eq!(fixed.least_price(), usd("9"), "the exchange does not sell at a loss");
    }
}
