//! The least that a buyer may pay for a lead: what it is told as the floor.

use exchange_model::{CampaignId, Money};

use super::appraising::is_shared;
use super::selection::second::least_winning;
use super::{Auction, Seat, Setup};
use crate::price_terms::PriceTerms;

/// The least that the bid of each campaign may be that an auction would ask.
#[must_use]
pub fn floors(setup: &Setup) -> Vec<(CampaignId, Money)> {
    let auction = Auction::new(setup.started_at, setup.clone());
    let seats = (0..auction.members.len()).map(Seat);
    seats
        .map(|seat| (auction.member(seat).campaign.id.clone(), auction.least_price(seat)))
        .collect()
}

impl Auction {
    /// The least that this member's bid may be.
    #[must_use]
    pub fn least_price(&self, seat: Seat) -> Money {
        let rules = self.rules_of(seat);
        let (buyers, _most) = self.buyers_of(rules);
        let terms = self.price_terms(seat, false, buyers);
        if is_shared(rules.sale) {
            // What it pays as one of several is less than its bid: the bid itself is bounded.
            let own = self.member(seat).campaign.price.least();
            let reserve = self.reserve_of(seat).filter(|r| r.at_least(own).unwrap_or(false));
            return reserve.unwrap_or(own);
        }
        terms.least_price()
    }
}

impl PriceTerms {
    /// The least price that keeps every limit: the floor of campaign and tier, the margin, and a
    /// payout that the seller takes.
    #[must_use]
    pub fn least_price(&self) -> Money {
        let most = if self.ceiling.at_least(self.floor).unwrap_or(false) {
            self.ceiling
        } else {
            self.floor
        };
        let keeps = |price: Money| self.payout_at(price).is_some();
        if keeps(self.floor) {
            return self.floor;
        }
        least_winning((self.floor, most), self, keeps)
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
            value: crate::auction::pricing::ValueRule::default(),
            payout: PayoutRule::Share(Rate::parse_percent(percent).unwrap()),
            least_margin: None,
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
            (terms("1", "33.3%", Some("10"), false), "30.02"),
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
