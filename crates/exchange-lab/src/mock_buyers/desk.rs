//! What a buyer decides: which leads it wants, what it bids, what it buys.
//!
//! A bid depends on the content of the ping and the buyer's seed and on nothing else, so a run
//! repeats. The token carries the bid, signed, so a post is priced without remembering the ping.
//! A post that says what it costs costs that: a share of the bid, or what the second had paid. One
//! that costs more than was offered, or nothing, is refused.

use std::sync::atomic::{AtomicU64, Ordering};

use rust_decimal::Decimal;

use super::answer::{Offered, Refusal};
use super::book::{Book, Entered, Purchase};
use crate::random::hash;

/// What a buyer wants and pays, in cents and in parts of a thousand.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Appetite {
    /// The lowest bid, in cents; also the contract price of a buyer that takes no ping.
    pub lowest_cents: u32,
    /// The highest bid, in cents; also the most that a buyer which takes no ping lets itself be told.
    pub highest_cents: u32,
    /// How many pings in a thousand get no bid.
    pub no_bid_per_mille: u32,
    /// How many posts in a thousand are refused although the ping got a bid.
    pub reject_per_mille: u32,
}

impl Default for Appetite {
    /// Bids 10.00 to 20.00 on everything and refuses nothing.
    fn default() -> Self {
        Self { lowest_cents: 1000, highest_cents: 2000, no_bid_per_mille: 0, reject_per_mille: 0 }
    }
}

/// What became of a post.
pub(crate) enum Verdict {
    Bought(Purchase),
    Repeat(Purchase),
    Refused(Refusal),
}

/// A buyer's mind; its memory is the book.
#[derive(Debug)]
pub(crate) struct Desk {
    appetite: Appetite,
    seed: u64,
    minted: AtomicU64,
}

impl Desk {
    pub(crate) const fn new(appetite: Appetite, seed: u64) -> Self {
        Self { appetite, seed, minted: AtomicU64::new(0) }
    }

    /// The bid for this content, in cents.
    pub(crate) fn bid(&self, content: &str) -> Option<u64> {
        let draw = hash(self.seed, content.as_bytes());
        if draw % 1000 < u64::from(self.appetite.no_bid_per_mille) {
            return None;
        }
        let lowest = u64::from(self.appetite.lowest_cents);
        let span = u64::from(self.appetite.highest_cents).saturating_sub(lowest) + 1;
        Some(lowest + (draw / 1000) % span)
    }

    /// A new token that carries this bid: number, cents, check.
    pub(crate) fn mint(&self, cents: u64) -> String {
        let number = self.minted.fetch_add(1, Ordering::Relaxed);
        format!("{number:06x}-{cents}-{:08x}", self.check(number, cents))
    }

    /// Decides on a post and writes the book. This blocks on the disk.
    pub(crate) fn decide(&self, book: &Book, offered: Offered) -> std::io::Result<Verdict> {
        let Some(offer) = self.offer_of(offered.token) else {
            return Ok(Verdict::Refused(Refusal::UnknownToken));
        };
        let Some(price) = offer.owed(offered.told.as_deref()) else {
            return Ok(Verdict::Refused(Refusal::Price));
        };
        let draw = hash(!self.seed, offered.phone.as_bytes());
        if draw % 1000 < u64::from(self.appetite.reject_per_mille) {
            return Ok(Verdict::Refused(Refusal::Filter));
        }
        let purchase = Purchase {
            idempotency_key: offered.idempotency_key,
            lead_ref: offer.lead_ref,
            phone: offered.phone,
            price,
            at_ms: 0,
            repeat: false,
        };
        Ok(match book.enter(purchase)? {
            Entered::Bought(purchase) => Verdict::Bought(purchase),
            Entered::Repeat(purchase) => Verdict::Repeat(purchase),
            Entered::Duplicate => Verdict::Refused(Refusal::Duplicate),
        })
    }

    /// What it said it would pay: its token's bid, or the contract where there was no ping.
    fn offer_of(&self, token: Option<String>) -> Option<Offer> {
        let Some(token) = token else {
            let number = self.minted.fetch_add(1, Ordering::Relaxed) + 1;
            let Appetite { lowest_cents, highest_cents, .. } = self.appetite;
            let (untold, most) = (price(lowest_cents.into()), price(highest_cents.into()));
            return Some(Offer { lead_ref: number.to_string(), untold, most });
        };
        let mut parts = token.split('-');
        let number = u64::from_str_radix(parts.next()?, 16).ok()?;
        let cents = parts.next()?.parse().ok()?;
        let check = u64::from_str_radix(parts.next()?, 16).ok()?;
        let bid = price(cents);
        let offer = Offer { lead_ref: token, untold: bid, most: bid };
        (check == self.check(number, cents)).then_some(offer)
    }

    fn check(&self, number: u64, cents: u64) -> u64 {
        hash(self.seed, format!("{number}:{cents}").as_bytes()) & 0xFFFF_FFFF
    }
}

/// What a buyer said it would pay for a lead.
struct Offer {
    lead_ref: String,
    /// What it owes when nobody says what.
    untold: Decimal,
    /// The most that it may be told.
    most: Decimal,
}

impl Offer {
    /// What it owes; nothing where what it is told is no price, or not one that it offered.
    fn owed(&self, told: Option<&str>) -> Option<Decimal> {
        let Some(told) = told else { return Some(self.untold) };
        let told: Decimal = told.parse().ok()?;
        (told > Decimal::ZERO && told <= self.most).then_some(told)
    }
}

/// Cents as an amount with two decimals.
pub(crate) fn price(cents: u64) -> Decimal {
    Decimal::new(i64::try_from(cents).unwrap_or(i64::MAX), 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn desk(appetite: Appetite) -> Desk {
        Desk::new(appetite, 7)
    }

    fn offered(token: Option<&str>, phone: &str) -> Offered {
        Offered {
            token: token.map(str::to_owned),
            told: None,
            idempotency_key: None,
            phone: phone.to_owned(),
        }
    }

    /// What the desk owes for a post that says this price, or why it refuses it.
    fn told(desk: &Desk, token: Option<&str>, told: &str) -> Result<Decimal, Refusal> {
        let offered = Offered { told: Some(told.to_owned()), ..offered(token, "5125550134") };
        match desk.decide(&Book::in_memory(), offered).unwrap() {
            Verdict::Bought(bought) | Verdict::Repeat(bought) => Ok(bought.price),
            Verdict::Refused(refusal) => Err(refusal),
        }
    }

    #[test]
    fn a_bid_repeats_and_stays_within_the_appetite() {
        let appetite = Appetite { no_bid_per_mille: 300, ..Appetite::default() };
        let bids = |desk: &Desk| -> Vec<Option<u64>> {
            (0..500).map(|zip| desk.bid(&format!("{zip}"))).collect()
        };
        let first = bids(&desk(appetite));
        assert_eq!(first, bids(&desk(appetite)));
        assert!(first.iter().flatten().all(|cents| (1000..=2000).contains(cents)));
        let passes = first.iter().filter(|bid| bid.is_none()).count();
        assert!((100..200).contains(&passes), "{passes}");
    }

    #[test]
    fn a_token_prices_its_post_and_a_forged_one_is_refused() {
        let (desk, book) = (desk(Appetite::default()), Book::in_memory());
        let token = desk.mint(1234);
        let verdict = desk.decide(&book, offered(Some(&token), "5125550134")).unwrap();
        assert!(matches!(verdict, Verdict::Bought(bought) if bought.price == price(1234)));
        for forged in [token.replace("1234", "9999"), "x".to_owned(), String::new()] {
            let verdict = desk.decide(&book, offered(Some(&forged), "5125550135")).unwrap();
            assert!(matches!(verdict, Verdict::Refused(Refusal::UnknownToken)), "{forged}");
        }
    }

    #[test]
    fn a_buyer_books_what_it_is_told_and_refuses_what_it_never_offered() {
        let desk = desk(Appetite::default());
        let token = desk.mint(1234);
        assert_eq!(told(&desk, Some(&token), "7.41"), Ok(price(741)));
        assert_eq!(told(&desk, Some(&token), "12.34"), Ok(price(1234)));
        for wrong in ["12.35", "0", "-1.00", "", "7,41", "$7.41"] {
            assert_eq!(told(&desk, Some(&token), wrong), Err(Refusal::Price), "{wrong}");
        }
        assert_eq!(told(&desk, None, "20.00"), Ok(price(2000)));
        assert_eq!(told(&desk, None, "20.01"), Err(Refusal::Price));
    }

    #[test]
    fn without_a_ping_the_contract_price_holds() {
        let verdict =
            desk(Appetite::default()).decide(&Book::in_memory(), offered(None, "5125550134"));
        assert!(matches!(verdict.unwrap(), Verdict::Bought(bought) if bought.price == price(1000)));
    }
}
