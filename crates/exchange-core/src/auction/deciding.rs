//! Choosing among the bids of a tier: whom to post to, whether to wait, when the tier is over.
//!
//! Every answer brings the choice up anew, with what is sold and what may be sold fixed.

use exchange_model::reason::IneligibleKind;
use exchange_model::{Money, Timestamp};
use ping_tree::{Method, PayoutRule};
use rust_decimal::Decimal;

use super::appraising::{is_by_turn, is_shared};
use super::pricing::{is_once, payout};
use super::ranking::{Bid, Posted};
use super::selection::closing::is_settled;
use super::selection::second::least_winning;
use super::selection::{
    At, Candidate, Choice, Floor, Placed, Scene, Worth, choose, compare, passed_over,
};
use super::setup::Goal;
use super::{Auction, POST_LEAST, Phase};
use crate::price_terms::PriceTerms;
use crate::record::LegOffer;
use crate::trace::TraceEvent;

/// One place of the set, with what is paid for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paid {
    pub(super) bid: usize,
    leg: usize,
    price: Money,
    pub(super) payout: Money,
    unpaid: bool,
}

impl Auction {
    /// Posts what is best, waits while that could change, or goes on to the next tier.
    pub(super) fn advance(&mut self, now: Timestamp) {
        // An answer of this very moment still counts; the timer comes after it.
        self.drop_overdue(|until| until < now, now);
        self.pass_expired(now);
        loop {
            let open = self.posts_left > 0 && self.has_room();
            let choice = if open { self.choose() } else { None };
            match choice {
                Some(choice) if !self.must_wait(&choice) => {
                    return self.take_up(now, &choice);
                }
                None if open && self.awaited.is_empty() && self.ask_next(now) => {}
                Some(_) => break,
                None if open && !self.awaited.is_empty() => break,
                None => return self.tier_over(now),
            }
        }
        self.phase = Phase::Pinging;
    }

    /// Whether any place of the lead is free in this tier.
    pub(super) fn has_room(&self) -> bool {
        self.scene(&[]).counts().next().is_some()
    }

    pub(super) fn choose(&self) -> Option<Choice> {
        choose(&self.scene(&self.candidates()))
    }

    pub(super) fn candidates(&self) -> Vec<Candidate<'_>> {
        let places = |(bid, one): (usize, &'_ Bid)| (bid, one.places.len());
        let all = self.bids.iter().enumerate().map(places);
        let mut candidates = Vec::new();
        for (bid, legs) in all {
            for leg in 0..legs {
                candidates.extend(self.candidate(bid, leg));
            }
        }
        candidates
    }

    fn candidate(&self, bid: usize, leg: usize) -> Option<Candidate<'_>> {
        let one = self.bids.get(bid)?;
        let place = one.places.get(leg)?;
        Some(Candidate { bid, leg, precedence: &one.precedence, at: &place.at })
    }

    pub(super) fn scene<'a>(&self, candidates: &'a [Candidate<'a>]) -> Scene<'a> {
        let method = self.rules.method;
        Scene {
            candidates,
            buyers: self.buyers_of(&self.rules),
            held: self.held,
            floor: self.least().map(|least| Floor {
                least: least.amount(),
                stretches: matches!(self.setup.goal, Goal::Fulfil(_)),
            }),
            by_worth: !is_by_turn(method),
            more: matches!(method, Method::FirstBid | Method::InOrder),
        }
    }

    /// What the seller was promised, or takes at least.
    pub(super) fn least(&self) -> Option<Money> {
        match &self.setup.goal {
            Goal::Fulfil(promise) => Some(promise.payout),
            Goal::Sell | Goal::Quote { .. } => self.setup.seller.least,
        }
    }

    /// Whether somebody who has not answered yet could change what was chosen.
    fn must_wait(&self, choice: &Choice) -> bool {
        let method = self.rules.method;
        if self.awaited.is_empty() || matches!(method, Method::FirstBid | Method::InOrder) {
            return false;
        }
        let beyond = usize::from(method == Method::SecondPrice);
        let settled = |outstanding: Vec<_>| {
            is_settled(&self.scene(&self.candidates()), choice, &outstanding, beyond)
        };
        !self.rules.early_close || !self.outstanding().is_some_and(settled)
    }

    /// The set is what it is: it is promised, or the first of it is posted.
    fn take_up(&mut self, now: Timestamp, choice: &Choice) {
        let paid = self.paid(choice);
        if !self.closed {
            self.closed = true;
            self.record_choice(now, choice, &paid);
        }
        if let Goal::Quote { .. } = self.setup.goal {
            return self.promise_choice(now, choice, &paid);
        }
        let Some(first) = paid.first() else { return self.tier_over(now) };
        let bid = self.posted(first.bid, choice.buyers, &paid);
        if self.post_until(now, bid.seat) < now.after(POST_LEAST) {
            self.note_reason("ineligible", IneligibleKind::NoTimeLeft.code());
            return self.finish(now);
        }
        self.bids.remove(first.bid);
        self.posts_left = self.posts_left.saturating_sub(1);
        self.prepare(now, bid);
    }

    /// One bid with what it is posted with: its own places of the set.
    fn posted(&self, index: usize, buyers: u8, paid: &[Paid]) -> Bid {
        let mut bid = self.bids.get(index).cloned().expect("what is chosen is among the bids");
        let (own, others): (Vec<&Paid>, Vec<&Paid>) = paid.iter().partition(|p| p.bid == index);
        let currency = bid.price.currency();
        let sum = |of: &mut dyn Iterator<Item = Money>| {
            Money::new(of.map(|money| money.amount()).sum(), currency)
        };
        bid.price = sum(&mut own.iter().map(|paid| paid.price));
        bid.payout = sum(&mut own.iter().map(|paid| paid.payout));
        let elsewhere = sum(&mut others.iter().map(|paid| paid.payout));
        let brand = |paid: &&Paid| {
            let brand = bid.places.get(paid.leg)?.brand.clone()?;
            Some(LegOffer { brand, price: paid.price, payout: paid.payout })
        };
        let legs: Vec<LegOffer> = own.iter().filter_map(brand).collect();
        if let (false, Some(token)) = (legs.is_empty(), &mut bid.token) {
            token.brands = legs.iter().map(|leg| leg.brand.clone()).collect();
        }
        let least =
            self.least().map(|least| least.amount() - self.held.payout - elsewhere.amount());
        bid.post = Posted {
            buyers,
            legs,
            least: least.filter(|l| *l > Decimal::ZERO).map(|least| Money::new(least, currency)),
            unpaid: own.iter().all(|paid| paid.unpaid),
        };
        bid
    }

    /// What is paid for each place of the set, in the order in which they are tried.
    pub(super) fn paid(&self, choice: &Choice) -> Vec<Paid> {
        let candidates = self.candidates();
        let own = self.paid_at(choice, &candidates, |_index, _candidate, at| at.price);
        if self.rules.method != Method::SecondPrice {
            return self.stretched(own);
        }
        let scene = self.scene(&candidates);
        let second = self.paid_at(choice, &candidates, |index, candidate, at| {
            let loser = passed_over(&scene, choice, index);
            let other = choice.payer.is_some_and(|payer| payer != index);
            let paid = self.held.once_paid || other;
            self.second_price(choice, (candidate, paid), at, loser.as_ref())
        });
        let total: Decimal = second.iter().map(|paid| paid.payout.amount()).sum();
        let enough = self.least().is_none_or(|least| self.held.payout + total >= least.amount());
        if enough { second } else { self.stretched(own) }
    }

    fn paid_at(
        &self,
        choice: &Choice,
        candidates: &[Candidate<'_>],
        price: impl Fn(usize, &Candidate<'_>, &At) -> Money,
    ) -> Vec<Paid> {
        // Whoever it is paid with comes before all others that are paid once.
        let mut once_paid = self.held.once_paid;
        let paid = |index: &usize| {
            let candidate = candidates.get(*index)?;
            let at = candidate.terms(choice.buyers)?;
            let price = price(*index, candidate, at);
            let once = self.is_once_at(candidate, at, price);
            let unpaid = once && once_paid;
            once_paid |= once;
            let payout = self.payout_of(candidate, at, (price, unpaid))?;
            let (bid, leg) = (candidate.bid, candidate.leg);
            Some(Paid { bid, leg, price, payout, unpaid })
        };
        choice.picked.iter().filter_map(paid).collect()
    }

    /// Whether the payout at this price is one for the lead: another band may decide than at the bid.
    fn is_once_at(&self, candidate: &Candidate<'_>, at: &At, price: Money) -> bool {
        let Some(bid) = self.bids.get(candidate.bid).filter(|_| price != at.price) else {
            return at.once;
        };
        let terms = self.price_terms(bid.seat, bid.contract, at.buyers);
        terms.value.value(price).is_some_and(|value| is_once(&terms.payout, value))
    }

    fn payout_of(
        &self,
        candidate: &Candidate<'_>,
        at: &At,
        (price, unpaid): (Money, bool),
    ) -> Option<Money> {
        if unpaid {
            return Some(Money::zero(price.currency()));
        }
        if price == at.price {
            return Some(at.payout);
        }
        let bid = self.bids.get(candidate.bid)?;
        let terms = self.price_terms(bid.seat, bid.contract, at.buyers);
        payout(&terms.payout, terms.value.value(price)?, price)
    }

    /// The margin gives way to what was promised: the first of the set gives most.
    fn stretched(&self, mut paid: Vec<Paid>) -> Vec<Paid> {
        let (Goal::Fulfil(_), Some(least)) = (&self.setup.goal, self.least()) else { return paid };
        let total: Decimal = paid.iter().map(|paid| paid.payout.amount()).sum();
        let mut missing = least.amount() - self.held.payout - total;
        for one in &mut paid {
            if missing > Decimal::ZERO {
                let more = (one.price.amount() - one.payout.amount()).min(missing);
                one.payout = Money::new(one.payout.amount() + more, one.price.currency());
                one.unpaid &= more <= Decimal::ZERO;
                missing -= more;
            }
        }
        paid
    }

    /// The least price at which a place would still be in the set, and what the tier adds to it.
    fn second_price(
        &self,
        choice: &Choice,
        (candidate, paid): (&Candidate<'_>, bool),
        at: &At,
        loser: Option<&(Candidate<'_>, Worth)>,
    ) -> Money {
        let Some(bid) = self.bids.get(candidate.bid) else { return at.price };
        let terms = self.price_terms(bid.seat, bid.contract, choice.buyers);
        // What was promised is paid without giving way where the bid allows it.
        let terms = PriceTerms { stretches: false, ..terms };
        let wins = |price: Money| {
            let Some(value) = terms.value.value(price) else { return false };
            let Some(payout) = terms.payout_at(price) else { return false };
            // What is paid once for the lead, and with another sale, counts for nothing here.
            let unpaid = paid && is_once(&terms.payout, value);
            let payout = if unpaid { Money::zero(price.currency()) } else { payout };
            let worth = self.worth(bid.seat, (price, value, payout));
            loser
                .is_none_or(|(other, others)| compare((candidate, &worth), (other, others)).is_lt())
        };
        let least = least_winning((terms.floor, at.price), &terms, wins);
        let Some(increment) = self.rules.increment else { return least };
        match least.checked_add(increment) {
            Ok(more) if !more.at_least(at.price).unwrap_or(true) => {
                least_winning((more, at.price), &terms, wins)
            }
            Ok(_) | Err(_) => at.price,
        }
    }

    fn record_choice(&mut self, now: Timestamp, choice: &Choice, paid: &[Paid]) {
        let tier = self.tier_name();
        if !self.awaited.is_empty() {
            let waiting = self.awaited.iter().map(|awaited| self.name(awaited.seat)).collect();
            self.record(now, TraceEvent::ClosedEarly { tier: tier.clone(), waiting });
        }
        self.settle_lateness();
        let order = self.ranked(choice.buyers);
        self.record(now, TraceEvent::Ranked { tier: tier.clone(), order });
        if is_shared(self.rules.sale) {
            let name = |paid: &Paid| self.bids.get(paid.bid).map(|bid| self.name(bid.seat));
            let members = paid.iter().filter_map(name).collect();
            let total: Decimal = paid.iter().map(|paid| paid.payout.amount()).sum();
            let total = Money::new(total, choice.payout.currency()).to_string();
            let buyers = choice.buyers;
            self.record(now, TraceEvent::Chosen { tier, buyers, members, total });
        }
        self.record_second_prices(now, choice, paid);
    }

    fn record_second_prices(&mut self, now: Timestamp, choice: &Choice, paid: &[Paid]) {
        let candidates = self.candidates();
        let lower = |(index, paid): (&usize, &Paid)| {
            let at = candidates.get(*index)?.terms(choice.buyers)?;
            let campaign = self.name(self.bids.get(paid.bid)?.seat);
            let (bid, pays) = (at.price.to_string(), paid.price.to_string());
            (at.price != paid.price).then_some(TraceEvent::SecondPrice { campaign, bid, pays })
        };
        let events: Vec<TraceEvent> = choice.picked.iter().zip(paid).filter_map(lower).collect();
        for event in events {
            self.record(now, event);
        }
    }

    /// Everybody in order: those that take this number of buyers first.
    pub(super) fn ranked(&self, buyers: u8) -> Vec<String> {
        let candidates = self.candidates();
        let scene = self.scene(&candidates);
        let placed: Vec<Placed<'_>> = scene.ordered(buyers);
        let mut names: Vec<String> = Vec::new();
        let first = placed.iter().filter_map(|placed| self.bids.get(placed.candidate.bid));
        for name in first.chain(&self.bids).map(|bid| self.name(bid.seat)) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// What a post may be booked at.
    pub(super) fn post_terms(&self, bid: &Bid) -> PriceTerms {
        let own = self.price_terms(bid.seat, bid.contract, bid.post.buyers);
        let nothing = PayoutRule::Fixed(Money::zero(bid.price.currency()));
        PriceTerms {
            least: bid.post.least,
            payout: if bid.post.unpaid { nothing } else { own.payout.clone() },
            ..own
        }
    }
}
