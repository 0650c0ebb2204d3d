//! A refusal that names a price: the same bid posted once more, when that pays best.

use exchange_model::{Money, Timestamp};

use super::ranking::Bid;
use super::setup::{Goal, Seat};
use super::{Auction, POST_LEAST};
use crate::price_terms::{NoCounter, PriceTerms};
use crate::trace::TraceEvent;

impl Auction {
    /// What a buyer may pay other than its bid.
    pub(super) fn price_terms(&self, seat: Seat) -> PriceTerms {
        let campaign = &self.member(seat).campaign;
        let own = campaign.price.least();
        let reserve = self.reserve_of(seat).filter(|least| least.at_least(own).unwrap_or(false));
        let promised = match &self.setup.goal {
            Goal::Fulfil(promise) => Some(promise.payout),
            Goal::Sell | Goal::Quote { .. } => None,
        };
        PriceTerms {
            change: campaign.price_change,
            floor: reserve.unwrap_or(own),
            ceiling: campaign.price.most(),
            payout: self.setup.seller.payout.clone(),
            least: promised.or(self.setup.seller.least),
            stretches: promised.is_some(),
        }
    }

    /// The bid at what its buyer would pay instead, if it is taken up.
    pub(super) fn counter(&mut self, now: Timestamp, bid: &Bid, offered: Money) -> Option<Bid> {
        let judged = self.judge_counter(now, bid, offered);
        self.record(
            now,
            TraceEvent::Countered {
                campaign: self.name(bid.seat),
                bid: bid.price.to_string(),
                offered: offered.to_string(),
                declined: judged.err().map(|why| why.code().to_owned()),
            },
        );
        let same_key = self.member(bid.seat).delivery.counter_key_same;
        let key = same_key.then(|| self.attempt());
        let payout = judged.ok()?;
        Some(Bid { price: offered, payout, key, countered: true, ..bid.clone() })
    }

    fn judge_counter(&self, now: Timestamp, bid: &Bid, offered: Money) -> Result<Money, NoCounter> {
        if bid.countered {
            return Err(NoCounter::Again);
        }
        let payout = self.price_terms(bid.seat).counter(bid.price, offered)?;
        let next = self.bids.iter().find(|next| !next.is_expired(now));
        // The next bid is no rival when this tier may post no more.
        let next = next.filter(|_| self.posts_left > 0);
        let pays = |paid: Money, price: Money| (paid.amount(), price.amount());
        if next.is_some_and(|next| pays(next.payout, next.price) >= pays(payout, offered)) {
            return Err(NoCounter::Outbid);
        }
        if bid.is_expired(now) {
            return Err(NoCounter::Expired);
        }
        if self.post_until(now, bid.seat) < now.after(POST_LEAST) {
            return Err(NoCounter::NoTimeLeft);
        }
        Ok(payout)
    }
}
