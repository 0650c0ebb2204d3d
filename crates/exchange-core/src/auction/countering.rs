//! A refusal that names a price: the same bid posted once more, when that pays best.

use exchange_model::{Money, Timestamp};
use ping_tree::PriceMode;

use super::appraising::{is_shared, price_at, value_rule};
use super::ranking::Bid;
use super::selection::{Candidate, choose};
use super::setup::{Goal, Seat};
use super::{Auction, POST_LEAST};
use crate::price_terms::{NoCounter, PriceTerms};
use crate::trace::TraceEvent;

impl Auction {
    /// What a buyer may pay as one of at most so many.
    pub(super) fn price_terms(&self, seat: Seat, contract: bool, buyers: u8) -> PriceTerms {
        let member = self.member(seat);
        let rules = self.rules_of(seat);
        let (least, most) = match (member.campaign.price, member.contract) {
            (PriceMode::Fixed { .. }, Some(price)) => (price, price),
            (PriceMode::Fixed { base }, None) => (base, base),
            (PriceMode::Bid { floor, ceiling, .. }, _) => (floor, ceiling),
        };
        let own = price_at(member, buyers, least).unwrap_or(least);
        let most = price_at(member, buyers, most).unwrap_or(most);
        let reserve = self.reserve_of(seat).filter(|least| least.at_least(own).unwrap_or(false));
        let promised = matches!(self.setup.goal, Goal::Fulfil(_));
        PriceTerms {
            change: member.campaign.price_change,
            floor: reserve.unwrap_or(own),
            ceiling: most,
            value: value_rule(member, contract),
            payout: member.payout.clone(),
            least_margin: rules.least_margin,
            // Of a lead that may go to several, what its sales bring together counts.
            least: self.least().filter(|_| !is_shared(rules.sale)),
            stretches: promised,
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
                declined: judged.as_ref().err().map(|why| why.code().to_owned()),
            },
        );
        let same_key = self.member(bid.seat).delivery.counter_key_same;
        let key = same_key.then(|| self.attempt());
        let again = judged.ok()?;
        Some(Bid { key, countered: true, ..again })
    }

    fn judge_counter(&self, now: Timestamp, bid: &Bid, offered: Money) -> Result<Bid, NoCounter> {
        if bid.countered {
            return Err(NoCounter::Again);
        }
        // A price for several companies together says nothing of each.
        if !bid.post.legs.is_empty() {
            return Err(NoCounter::NotLower);
        }
        let payout = self.post_terms(bid).counter(bid.price, offered)?;
        let again = Bid { price: offered, payout, ..bid.clone() };
        if self.is_outbid(now, &again) {
            return Err(NoCounter::Outbid);
        }
        if bid.is_expired(now) {
            return Err(NoCounter::Expired);
        }
        if self.post_until(now, bid.seat) < now.after(POST_LEAST) {
            return Err(NoCounter::NoTimeLeft);
        }
        Ok(again)
    }

    /// Whether what would be tried next pays as much.
    fn is_outbid(&self, now: Timestamp, bid: &Bid) -> bool {
        // The next bid is no rival when this tier may post no more.
        if self.posts_left == 0 {
            return false;
        }
        let left: Vec<Candidate<'_>> = self.candidates();
        let stands = |candidate: &Candidate<'_>| {
            self.bids.get(candidate.bid).is_some_and(|next| !next.is_expired(now))
        };
        let left: Vec<Candidate<'_>> = left.into_iter().filter(stands).collect();
        let Some(next) = choose(&self.scene(&left)) else { return false };
        if next.buyers != bid.post.buyers {
            return !self.is_of_the_best(bid, &left);
        }
        let rivals = next.picked.iter().filter_map(|index| {
            let at = left.get(*index)?.terms(next.buyers)?;
            Some((at.payout.amount(), at.price.amount()))
        });
        let free = next.buyers.saturating_sub(self.held.places);
        // Where a place is left beside all of them, nobody is in its way.
        usize::from(free) <= next.picked.len()
            && rivals.min().is_some_and(|least| least >= (bid.payout.amount(), bid.price.amount()))
    }

    /// Whether the bid would be one of the best set: another number of buyers may pay more in all.
    fn is_of_the_best(&self, bid: &Bid, left: &[Candidate<'_>]) -> bool {
        let terms = self.terms_at(bid.seat, (bid.price, bid.contract), bid.post.buyers);
        let Ok(at) = terms.map(|at| [at]) else { return false };
        let own = Candidate { bid: self.bids.len(), leg: 0, precedence: &bid.precedence, at: &at };
        let all: Vec<Candidate<'_>> = left.iter().copied().chain([own]).collect();
        choose(&self.scene(&all)).is_some_and(|best| best.picked.contains(&left.len()))
    }
}
