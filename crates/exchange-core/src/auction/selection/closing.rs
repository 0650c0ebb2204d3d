//! Whether bids that are outstanding could still change the set.
//!
//! An outstanding bidder is bounded by the most that its contract takes. Where even that could
//! neither bring it into the set nor make another number of buyers worth as much, whatever it
//! answers changes nothing. Every comparison is made in its favour, equal ones too: a tier may
//! close later than it had to, never too early.

use rust_decimal::Decimal;

use super::winners::Payer;
use super::{Choice, Placed, Scene};

/// A bidder that has not answered yet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Outstanding {
    /// Its turn in the method's order.
    pub turn: Decimal,
    /// For each number of buyers that it puts up with, the most that it may be worth.
    pub most: Vec<(u8, Decimal)>,
    /// Whether it may bid for several companies.
    pub several: bool,
}

impl Outstanding {
    fn at(&self, buyers: u8) -> Option<Decimal> {
        self.most.iter().find(|(at, _)| *at == buyers).map(|(_, most)| *most)
    }
}

/// Whether the set stays as it is, whatever these bid. `beyond` is how many places after the set
/// must stay as well: one where the best loser sets the price.
#[must_use]
pub fn is_settled(
    scene: &Scene<'_>,
    choice: &Choice,
    outstanding: &[Outstanding],
    beyond: usize,
) -> bool {
    outstanding.is_empty()
        || keeps_out(scene, choice, outstanding, beyond)
            && scene.counts().filter(|(buyers, _)| *buyers != choice.buyers).all(
                |(buyers, free)| {
                    most_total(scene, buyers, free, outstanding)
                        .is_none_or(|most| most < choice.total)
                },
            )
}

/// Whether nobody outstanding gets into the set at its own number of buyers.
fn keeps_out(
    scene: &Scene<'_>,
    choice: &Choice,
    outstanding: &[Outstanding],
    beyond: usize,
) -> bool {
    let comers: Vec<(Decimal, Decimal)> =
        outstanding.iter().filter_map(|one| Some((one.turn, one.at(choice.buyers)?))).collect();
    if comers.is_empty() {
        return true;
    }
    let free = usize::from(choice.buyers.saturating_sub(scene.held.places));
    let full = choice.picked.len() >= free;
    let payer = match (scene.held.once_paid, choice.payer) {
        (true, _) => Payer::Nobody,
        (false, Some(payer)) => Payer::This(payer),
        (false, None) => Payer::Any,
    };
    let placed = scene.rivals(choice.buyers, payer);
    let (inside, outside): (Vec<Placed<'_>>, Vec<Placed<'_>>) =
        placed.into_iter().partition(|placed| choice.picked.contains(&placed.index));
    if !full || outside.len() < beyond {
        return false;
    }
    let guards: Vec<Placed<'_>> =
        inside.into_iter().chain(outside.into_iter().take(beyond)).collect();
    comers.iter().all(|(turn, most)| {
        guards.iter().all(|guard| {
            let guard_turn = guard.candidate.precedence.turn;
            guard_turn < *turn || guard_turn == *turn && guard.worth.rank > *most
        })
    })
}

/// The most that any set at this number of buyers may be worth with these; nothing when none of
/// them takes part in it.
fn most_total(
    scene: &Scene<'_>,
    buyers: u8,
    free: u8,
    outstanding: &[Outstanding],
) -> Option<Decimal> {
    let comers: Vec<(Decimal, bool)> =
        outstanding.iter().filter_map(|one| Some((one.at(buyers)?, one.several))).collect();
    if comers.is_empty() {
        return None;
    }
    let free = usize::from(free);
    let known = scene.placed(buyers, Payer::Any).into_iter().map(|placed| placed.worth.rank);
    let copies = |(most, several): (Decimal, bool)| {
        std::iter::repeat_n(most, if several { free } else { 1 })
    };
    let mut worths: Vec<Decimal> = known.chain(comers.into_iter().flat_map(copies)).collect();
    worths.sort_by(|a, b| b.cmp(a));
    Some(worths.into_iter().take(free).map(|worth| worth.max(Decimal::ZERO)).sum())
}
