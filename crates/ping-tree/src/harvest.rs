//! Buyers that take leads' data and buy nothing: what is counted of them, and when they are pinged
//! less.

use exchange_model::{BuyerId, LeadId};

/// Parts per million in the whole.
pub(crate) const WHOLE: u32 = 1_000_000;

/// What a buyer did with what it was given, over the last 7 days.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Scorecard {
    /// Pings that it could have answered.
    pub pings: u64,
    /// Pings that it answered with a price, late ones too.
    pub bids: u64,
    /// Bids that were the best: a post was prepared.
    pub wins: u64,
    /// Posts that may have reached it.
    pub posts: u64,
    /// Posts that it accepted.
    pub accepted: u64,
    /// Posts that it refused.
    pub rejected: u64,
    /// Posts that it has not answered.
    pub unknown: u64,
}

/// When a buyer is throttled, and to what; shares in parts per million.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Harvest {
    /// Fewer pings say nothing.
    pub pings: u64,
    /// It is to bid on this share of them.
    pub least_bid_rate: u32,
    /// Fewer answered posts say nothing.
    pub posts: u64,
    /// Refusing this share of them is too many.
    pub most_reject_rate: u32,
    /// The share of pings that a throttled buyer still gets.
    pub keep: u32,
}

impl Default for Harvest {
    fn default() -> Self {
        Self {
            pings: 2_000,
            least_bid_rate: 1_000,
            posts: 50,
            most_reject_rate: 900_000,
            keep: 50_000,
        }
    }
}

/// Why a buyer is throttled.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum HarvestSign {
    /// It hardly ever bids.
    NeverBids,
    /// It bids, and refuses what it has won.
    Refuses,
}

impl HarvestSign {
    /// The name in logs and reports; it never changes.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NeverBids => "never_bids",
            Self::Refuses => "refuses",
        }
    }
}

impl Harvest {
    /// Whether a buyer with this scorecard is throttled, and why.
    #[must_use]
    pub fn sign(&self, card: &Scorecard) -> Option<HarvestSign> {
        let answered = card.accepted.saturating_add(card.rejected);
        if card.pings >= self.pings && below(card.bids, card.pings, self.least_bid_rate) {
            Some(HarvestSign::NeverBids)
        } else if answered >= self.posts && !below(card.rejected, answered, self.most_reject_rate) {
            Some(HarvestSign::Refuses)
        } else {
            None
        }
    }

    /// Whether a throttled buyer is pinged for this lead all the same. The same leads whenever it
    /// is asked.
    #[must_use]
    pub fn keeps(&self, lead: LeadId, buyer: &BuyerId) -> bool {
        // Another order of leads than where a buyer that is back gets a share of pings.
        let salt = format!("throttled {buyer}");
        lead.place_among(u64::from(WHOLE), &salt) < u64::from(self.keep)
    }
}

/// Whether `part` of `whole` is less than so many parts per million.
fn below(part: u64, whole: u64, share: u32) -> bool {
    u128::from(part) * u128::from(WHOLE) < u128::from(whole) * u128::from(share)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(pings: u64, bids: u64, accepted: u64, rejected: u64) -> Scorecard {
        Scorecard { pings, bids, accepted, rejected, ..Scorecard::default() }
    }

    #[test]
    fn who_never_bids_is_throttled_from_the_two_thousandth_ping_until_it_bids() {
        let rule = Harvest::default();
        assert_eq!(rule.sign(&card(1_999, 0, 0, 0)), None);
        assert_eq!(rule.sign(&card(2_000, 0, 0, 0)), Some(HarvestSign::NeverBids));
        assert_eq!(rule.sign(&card(2_000, 1, 0, 0)), Some(HarvestSign::NeverBids));
        assert_eq!(rule.sign(&card(2_000, 2, 0, 0)), None);
    }

    #[test]
    fn who_refuses_what_it_has_won_is_throttled_until_it_refuses_less() {
        let rule = Harvest::default();
        assert_eq!(rule.sign(&card(100, 100, 0, 49)), None);
        assert_eq!(rule.sign(&card(100, 100, 5, 45)), Some(HarvestSign::Refuses));
        assert_eq!(rule.sign(&card(100, 100, 6, 45)), None);
        let nothing_at_stake = Harvest { pings: 0, posts: 0, ..rule };
        assert_eq!(nothing_at_stake.sign(&card(0, 0, 0, 0)), Some(HarvestSign::Refuses));
    }

    #[test]
    fn a_throttled_buyer_keeps_one_ping_in_twenty_the_same_ones_each_time() {
        let (rule, buyer) = (Harvest::default(), BuyerId::new("acme").unwrap());
        let leads = || (0..10_000_u128).map(|n| LeadId::from_bytes(n.to_be_bytes()));
        let kept: Vec<_> = leads().filter(|lead| rule.keeps(*lead, &buyer)).collect();
        assert!((400..600).contains(&kept.len()), "{}", kept.len());
        assert!(kept.iter().all(|lead| rule.keeps(*lead, &buyer)));
        assert!(leads().all(|lead| Harvest { keep: WHOLE, ..rule }.keeps(lead, &buyer)));
        assert!(!leads().any(|lead| Harvest { keep: 0, ..rule }.keeps(lead, &buyer)));
    }
}
