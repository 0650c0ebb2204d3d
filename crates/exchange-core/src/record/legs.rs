//! A post that is offered to several companies behind one buyer: which of them an acceptance buys
//! for, and at what price.
//!
//! > Every leg is priced and rounded by itself, so that what is booked for it can be given back by
//! > itself, and the parts always add up to the whole.

use exchange_model::Money;
use exchange_model::outcome::{Acceptance, Brand, Leg};
use exchange_model::reason::{RejectClass, Rejection};

use super::{AttemptOutcome, Intent, LegOffer, Sale};
use crate::auction::pricing::is_once;
use crate::price_terms::PriceTerms;
use ping_tree::{PayoutRule, PriceChange};

/// The most that an acceptance may be booked at: what is held. Each leg is held by itself.
#[must_use]
pub fn most(on_price: &PriceTerms, price: Money, legs: &[LegOffer]) -> Money {
    let held = legs.iter().map(|leg| on_price.most(leg.price).rounded());
    match held.reduce(|sum, leg| sum.checked_add(leg).unwrap_or(sum)) {
        Some(sum) => sum,
        None => on_price.most(price),
    }
}

/// How an acceptance of a post with legs is booked. No leg in the answer: it takes them all.
pub(super) fn accepted(intent: &Intent, acceptance: Acceptance) -> AttemptOutcome {
    let offered = offered(&intent.legs, &acceptance.legs);
    if offered.is_empty() {
        let said_no = !acceptance.legs.iter().any(|leg| leg.accepted);
        // Whoever took something that was not offered has the lead: a person asks what it meant.
        return if said_no {
            AttemptOutcome::Rejected(Rejection::new(RejectClass::Other, None))
        } else {
            AttemptOutcome::Mispriced(acceptance)
        };
    }
    if refuses_total(intent, &offered, acceptance.price) {
        return AttemptOutcome::Mispriced(acceptance);
    }
    let priced = |(offer, named): (&LegOffer, Option<Money>)| {
        at_price(intent, offer, named).map(|booked| (rounded(offer), booked))
    };
    let (bids, booked): (Vec<_>, Vec<_>) = offered.into_iter().filter_map(priced).unzip();
    let mut legs = if breaks_promise(intent, &booked) { bids } else { booked };
    pay_once(intent, &mut legs);
    match (sum(&legs), sum_of(&legs, |leg| leg.payout)) {
        (Some(price), Some(payout)) => {
            AttemptOutcome::Accepted(Sale { price, payout, acceptance, legs })
        }
        (None, _) | (_, None) => AttemptOutcome::Mispriced(acceptance),
    }
}

/// The offers that were taken, each with the price that the answer names for it. An offer is taken
/// once, a word of the answer counts for one offer.
fn offered<'a>(offers: &'a [LegOffer], said: &[Leg]) -> Vec<(&'a LegOffer, Option<Money>)> {
    if said.is_empty() {
        return offers.iter().map(|offer| (offer, None)).collect();
    }
    let mut left: Vec<&Leg> = said.iter().collect();
    let mut taken = Vec::new();
    for offer in offers {
        let Some(at) = left.iter().position(|leg| means(&leg.brand, &offer.brand)) else {
            continue;
        };
        let leg = left.remove(at);
        if leg.accepted {
            taken.push((offer, leg.brand.price));
        }
    }
    taken
}

/// Whether a leg of an answer is this offer: by its id, or by its name where either has none.
#[must_use]
pub fn means(said: &Brand, offered: &Brand) -> bool {
    match (&said.id, &offered.id) {
        (Some(said), Some(offered)) => said == offered,
        _ => match (&said.name, &offered.name) {
            (Some(said), Some(offered)) => said.trim().eq_ignore_ascii_case(offered.trim()),
            _ => false,
        },
    }
}

/// The leg at the price that the contract makes of the one that was named; nothing where it takes
/// no other price than the bid.
fn at_price(intent: &Intent, offer: &LegOffer, named: Option<Money>) -> Option<LegOffer> {
    let terms = PriceTerms {
        // A payout for the lead, however many buy it, stays where the offer has put it.
        payout: if is_paid_once(intent, offer) {
            PayoutRule::Fixed(offer.payout)
        } else {
            intent.on_price.payout.clone()
        },
        // What the seller takes at least is meant of all its sales.
        least: None,
        ..intent.on_price.clone()
    };
    let (price, payout) = terms.booked((offer.price, offer.payout), named)?;
    Some(rounded(&LegOffer { brand: offer.brand.clone(), price, payout }))
}

fn is_paid_once(intent: &Intent, leg: &LegOffer) -> bool {
    is_once_at(intent, leg.price)
}

fn is_once_at(intent: &Intent, price: Money) -> bool {
    let value = intent.on_price.value.value(price);
    value.is_some_and(|value| is_once(&intent.on_price.payout, value))
}

/// A payout for the lead that was to come with a leg that was not taken comes with the first one
/// that was, never above its price.
fn pay_once(intent: &Intent, legs: &mut [LegOffer]) {
    let paid_once = |leg: &&LegOffer| is_paid_once(intent, leg) && leg.payout.is_positive();
    let Some(due) = intent.legs.iter().find(paid_once).map(|leg| leg.payout) else { return };
    if legs.iter().any(|leg| paid_once(&leg)) {
        return;
    }
    if let Some(first) = legs.iter_mut().find(|leg| is_paid_once(intent, leg)) {
        let covered = first.price.at_least(due).unwrap_or(false);
        first.payout = if covered { due.rounded() } else { first.price };
    }
}

impl Intent {
    /// Whether a sale of this post brings the seller what is paid once for the lead.
    #[must_use]
    pub fn pays_once(&self, sale: &Sale) -> bool {
        let pays = |leg: &LegOffer| is_paid_once(self, leg) && leg.payout.is_positive();
        if sale.legs.is_empty() {
            is_once_at(self, sale.price) && sale.payout.is_positive()
        } else {
            sale.legs.iter().any(pays)
        }
    }

    /// The sale where another one has brought the seller what is paid once for the lead.
    #[must_use]
    pub fn paid_before(&self, mut sale: Sale) -> Sale {
        for leg in sale.legs.iter_mut().filter(|leg| is_paid_once(self, leg)) {
            leg.payout = Money::zero(leg.payout.currency());
        }
        if let Some(payout) = sum_of(&sale.legs, |leg| leg.payout) {
            sale.payout = payout;
        } else if is_once_at(self, sale.price) {
            sale.payout = Money::zero(sale.payout.currency());
        }
        sale
    }
}

/// Whether the answer names another total than the bids, no parts, and the contract takes none.
fn refuses_total(
    intent: &Intent,
    offered: &[(&LegOffer, Option<Money>)],
    total: Option<Money>,
) -> bool {
    let parts = offered.iter().any(|(_offer, named)| named.is_some());
    let bids: Vec<LegOffer> = offered.iter().map(|(offer, _named)| rounded(offer)).collect();
    let other = total.is_some_and(|total| sum(&bids) != Some(total));
    intent.on_price.change == PriceChange::Reject && !parts && other
}

fn rounded(leg: &LegOffer) -> LegOffer {
    let (price, payout) = (leg.price.rounded(), leg.payout.rounded());
    LegOffer { brand: leg.brand.clone(), price, payout }
}

/// Whether other prices than the bids would pay the seller less than it takes.
fn breaks_promise(intent: &Intent, booked: &[LegOffer]) -> bool {
    match (intent.on_price.least, sum_of(booked, |leg| leg.payout)) {
        (Some(least), Some(paid)) => !paid.at_least(least).unwrap_or(false),
        _ => false,
    }
}

fn sum(legs: &[LegOffer]) -> Option<Money> {
    sum_of(legs, |leg| leg.price)
}

fn sum_of(legs: &[LegOffer], of: fn(&LegOffer) -> Money) -> Option<Money> {
    let (first, rest) = legs.split_first()?;
    rest.iter().try_fold(of(first), |sum, leg| sum.checked_add(of(leg)).ok())
}

#[cfg(test)]
mod tests;
