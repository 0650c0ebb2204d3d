//! The best set of buyers for one lead.
//!
//! For each number of buyers that everybody allows, the best places that take it; of these sets the
//! one that is worth most. Where bids are ranked this is the best of all sets: a test compares it
//! with every one. A payout that is paid once for the lead counts with one place of a set alone.

use std::cmp::{Ordering, Reverse};

use exchange_model::{Currency, Money};
use rust_decimal::Decimal;

use super::{Candidate, Placed, Worth, order};

/// What is sold already, or may be.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Held {
    /// Places that are taken.
    pub places: u8,
    /// The least number of buyers that anybody who has a place was promised.
    pub most: Option<u8>,
    /// What the seller is paid for what is sold.
    pub payout: Decimal,
    /// Whether what is paid once for the lead was paid.
    pub once_paid: bool,
}

impl Held {
    /// These places are taken too, by somebody who was promised at most so many buyers.
    pub(crate) fn take(&mut self, buyers: u8, places: u8) {
        self.places = self.places.saturating_add(places);
        self.most = Some(self.most.map_or(buyers, |most| most.min(buyers)));
    }
}

/// What the seller must get in all.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Floor {
    /// This much.
    pub least: Decimal,
    /// Whether the margin gives way to it.
    pub stretches: bool,
}

/// Everything that decides about the set.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// Who could be sold to.
    pub candidates: &'a [Candidate<'a>],
    /// To how many buyers in all the lead may go, each choice; least first.
    pub buyers: (u8, u8),
    /// What is sold already.
    pub held: Held,
    /// What the seller must get.
    pub floor: Option<Floor>,
    /// Whether places are taken by worth; otherwise by turn.
    pub by_worth: bool,
    /// Whether more buyers are better where everything else is equal: others may still come.
    pub more: bool,
}

/// A set of places.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Choice {
    /// To how many buyers in all the lead may go.
    pub buyers: u8,
    /// Indices of the candidates, in the order in which they are tried.
    pub picked: Vec<usize>,
    /// The one that what is paid once is paid with.
    pub payer: Option<usize>,
    /// What they are worth together.
    pub total: Decimal,
    /// What the seller is paid for them.
    pub payout: Money,
}

impl<'a> Scene<'a> {
    /// The numbers of buyers that are left, with the places that are free at each.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (u8, u8)> + use<> {
        let (least, most) = self.buyers;
        let held = self.held;
        let most = held.most.map_or(most, |held| held.min(most));
        (least..=most).filter_map(move |buyers| {
            let free = buyers.checked_sub(held.places)?;
            (free > 0).then_some((buyers, free))
        })
    }

    /// Who takes this number of buyers, best first; what is paid once counts where `payer` says.
    pub(crate) fn placed(&self, buyers: u8, payer: Payer) -> Vec<Placed<'a>> {
        let all = self.candidates.iter().enumerate();
        let mut placed: Vec<Placed<'a>> = all
            .filter_map(|(index, candidate)| {
                let at = candidate.terms(buyers)?;
                let worth = if payer.pays(index) { &at.worth } else { &at.unpaid };
                Some(Placed { index, candidate: *candidate, at, worth })
            })
            .collect();
        placed.sort_by(order);
        placed
    }
}

/// With which place what is paid once is paid.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Payer {
    /// Each counts as if it paid.
    Any,
    /// It was paid.
    Nobody,
    /// This one.
    This(usize),
}

impl Payer {
    fn pays(self, index: usize) -> bool {
        match self {
            Self::Any => true,
            Self::Nobody => false,
            Self::This(one) => one == index,
        }
    }
}

/// The best set; nothing when there is none that pays the seller enough.
#[must_use]
pub fn choose(scene: &Scene<'_>) -> Option<Choice> {
    let mut best: Option<Choice> = None;
    for (buyers, free) in scene.counts() {
        let Some(set) = best_of(scene, buyers, free) else { continue };
        if best.as_ref().is_none_or(|best| is_better(scene, &set, best)) {
            best = Some(set);
        }
    }
    best
}

/// The larger total; then fewer buyers.
fn is_better(scene: &Scene<'_>, one: &Choice, other: &Choice) -> bool {
    match one.total.cmp(&other.total) {
        Ordering::Equal if scene.more => true,
        Ordering::Equal => one.picked.len() < other.picked.len(),
        unequal => unequal == Ordering::Greater,
    }
}

/// The best places of those that take this number of buyers.
pub(crate) fn best_of(scene: &Scene<'_>, buyers: u8, free: u8) -> Option<Choice> {
    let free = usize::from(free);
    let all = scene.placed(buyers, Payer::Any);
    let all = if free == 1 { alone(scene, all) } else { all };
    let any_once = all.iter().any(|placed| placed.at.once);
    let set = if scene.held.once_paid {
        let unpaid = resorted(scene, &all, Payer::Nobody);
        take(unpaid, free, None)
    } else if !any_once {
        take(all, free, None)
    } else if scene.by_worth {
        best_payer(scene, &all, free)?
    } else {
        let payer = all.iter().take(free).find(|placed| placed.at.once).map(|placed| placed.index);
        take(all, free, payer)
    };
    let choice = set.into_choice(buyers)?;
    is_enough(scene, &choice).then_some(choice)
}

/// Where one place is left, whoever cannot honour the floor by itself is out.
fn alone<'a>(scene: &Scene<'_>, mut all: Vec<Placed<'a>>) -> Vec<Placed<'a>> {
    if let Some(floor) = scene.floor {
        all.retain(|placed| {
            let paid = if floor.stretches {
                placed.at.price.amount()
            } else if placed.at.once && scene.held.once_paid {
                Decimal::ZERO
            } else {
                placed.at.payout.amount()
            };
            scene.held.payout + paid >= floor.least
        });
    }
    all
}

/// The places again, in their order when somebody else pays.
fn resorted<'a>(scene: &Scene<'_>, all: &[Placed<'a>], payer: Payer) -> Vec<Placed<'a>> {
    let count = |placed: &Placed<'a>| {
        let worth = if payer.pays(placed.index) { &placed.at.worth } else { &placed.at.unpaid };
        Placed { worth, ..*placed }
    };
    let mut all: Vec<Placed<'a>> = all.iter().map(count).collect();
    if scene.by_worth {
        all.sort_by(order);
    }
    all
}

/// The best set over everybody that what is paid once may be paid with.
fn best_payer<'a>(scene: &Scene<'_>, all: &[Placed<'a>], free: usize) -> Option<Set<'a>> {
    let size = free.min(all.len());
    let without: Vec<Placed<'a>> = all.iter().filter(|placed| !placed.at.once).copied().collect();
    let mut sets = Vec::new();
    if without.len() >= size {
        sets.push(take(without, free, None));
    }
    for payer in all.iter().filter(|placed| placed.at.once) {
        let mut rest = resorted(scene, all, Payer::This(payer.index));
        rest.retain(|placed| placed.index != payer.index);
        rest.truncate(free.saturating_sub(1));
        rest.push(Placed { worth: &payer.at.worth, ..*payer });
        sets.push(take_sorted(rest, Some(payer.index)));
    }
    // The first of equal ones: payers come best first.
    sets.into_iter().enumerate().max_by_key(|(at, set)| (set.total(), Reverse(*at))).map(|(_, s)| s)
}

/// Places with what they count for.
struct Set<'a> {
    placed: Vec<Placed<'a>>,
    payer: Option<usize>,
}

fn take(mut placed: Vec<Placed<'_>>, free: usize, payer: Option<usize>) -> Set<'_> {
    placed.truncate(free);
    let count = |placed: Placed<'_>| -> bool { placed.at.once && payer != Some(placed.index) };
    for one in &mut placed {
        if payer.is_some() && count(*one) {
            one.worth = &one.at.unpaid;
        }
    }
    Set { placed, payer }
}

fn take_sorted(mut placed: Vec<Placed<'_>>, payer: Option<usize>) -> Set<'_> {
    placed.sort_by(order);
    Set { placed, payer }
}

impl Set<'_> {
    fn total(&self) -> Decimal {
        self.placed.iter().map(|placed| placed.worth.rank).sum()
    }

    fn into_choice(self, buyers: u8) -> Option<Choice> {
        let currency = self.placed.first()?.at.price.currency();
        let total = self.total();
        let payout = self.placed.iter().map(|placed| paid(placed, self.payer)).sum();
        let mut picked: Vec<usize> = self.placed.iter().map(|placed| placed.index).collect();
        // Nobody else of those that are paid once goes before the one that it is paid with.
        if let Some(payer) = self.payer {
            let first = self.placed.iter().position(|placed| placed.at.once);
            let at = picked.iter().position(|index| *index == payer);
            if let (Some(first), Some(at)) = (first, at)
                && first < at
            {
                picked.remove(at);
                picked.insert(first, payer);
            }
        }
        let payout = money(payout, currency);
        Some(Choice { buyers, picked, payer: self.payer, total, payout })
    }
}

fn paid(placed: &Placed<'_>, payer: Option<usize>) -> Decimal {
    if placed.at.once && payer != Some(placed.index) {
        Decimal::ZERO
    } else {
        placed.at.payout.amount()
    }
}

fn money(amount: Decimal, currency: Currency) -> Money {
    Money::new(amount, currency)
}

/// Whether the seller gets enough of the set and what is sold.
fn is_enough(scene: &Scene<'_>, choice: &Choice) -> bool {
    let Some(floor) = scene.floor else { return true };
    let paid = if floor.stretches {
        let price = |index: &usize| scene.candidates.get(*index)?.terms(choice.buyers);
        choice.picked.iter().filter_map(price).map(|at| at.price.amount()).sum()
    } else {
        choice.payout.amount()
    };
    scene.held.payout + paid >= floor.least
}

impl<'a> Scene<'a> {
    /// Who could have one of the places that are left: nobody who could not honour the floor where
    /// it is the last one.
    pub(crate) fn rivals(&self, buyers: u8, payer: Payer) -> Vec<Placed<'a>> {
        let placed = self.placed(buyers, payer);
        let is_last = buyers.saturating_sub(self.held.places) == 1;
        if is_last { alone(self, placed) } else { placed }
    }

    /// Everybody who takes this number of buyers, best first.
    #[must_use]
    pub(crate) fn ordered(&self, buyers: u8) -> Vec<Placed<'a>> {
        self.placed(buyers, if self.held.once_paid { Payer::Nobody } else { Payer::Any })
    }
}

/// The best place that is not in the set and takes its number of buyers, with what it counts for
/// beside this place of the set.
#[must_use]
pub fn passed_over<'a>(
    scene: &Scene<'a>,
    choice: &Choice,
    beside: usize,
) -> Option<(Candidate<'a>, Worth)> {
    let payer = match choice.payer {
        // Whoever would be there instead of the payer would pay what is paid once.
        Some(payer) if payer != beside => Payer::This(payer),
        Some(_) => Payer::Any,
        None if scene.held.once_paid => Payer::Nobody,
        None => Payer::Any,
    };
    let placed = scene.rivals(choice.buyers, payer);
    let left = placed.into_iter().find(|placed| !choice.picked.contains(&placed.index))?;
    Some((left.candidate, left.worth.clone()))
}
