//! Random orders of everything, with crashes in between: what must hold, holds.

use exchange_core::record::{LegOffer, most_booked};
use exchange_model::outcome::{Brand, Leg};

use super::*;
use crate::recovery::AttemptState;
use crate::view::AttemptView;

const LEADS: u8 = 16;
const STEPS: u8 = 6;
const CAP: u32 = 5;
const BUYERS: [&str; 3] = ["acme", "bolt", "crest"];

/// Two companies behind a buyer.
fn companies() -> Vec<LegOffer> {
    let company = |name: &str, price: &str| {
        let price = usd(price);
        let brand =
            Brand { id: None, name: Some(name.to_owned()), price: Some(price), token: None };
        LegOffer { brand, price, payout: usd("2.50") }
    };
    vec![company("Roof Co", "7.00"), company("Top Roofs", "5.00")]
}

/// Numbers that look random and are the same for the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn byte(&mut self, sides: u8) -> u8 {
        u8::try_from(self.roll(u64::from(sides))).unwrap()
    }

    fn outcome(&mut self) -> AttemptOutcome {
        match self.roll(6) {
            0 => accepted(),
            3 => {
                let acceptance = Acceptance { legs: self.said(), ..Acceptance::default() };
                let (price, payout) = (usd("12"), usd("5"));
                AttemptOutcome::Accepted(Sale { price, payout, acceptance, legs: Vec::new() })
            }
            1 => accepted_at(Some(["7", "10.50", "12", "19.99", "25"][usize::from(self.byte(5))])),
            2 => rejected(),
            _ => lost(),
        }
    }

    fn intent(&mut self, number: u8) -> Intent {
        let buyer = BUYERS[usize::from(self.byte(3))];
        let policy = if self.roll(2) == 0 { UnknownPolicy::Hold } else { UnknownPolicy::Cascade };
        let rules = [PriceChange::Bid, PriceChange::Lower, PriceChange::Any, PriceChange::Reject];
        let on_price = on_price(rules[usize::from(self.byte(4))]);
        let buyers = [1, 1, 1, 3, 4][usize::from(self.byte(5))];
        let legs = if buyers > 2 && self.roll(2) == 0 { companies() } else { Vec::new() };
        Intent {
            hold: most_booked(&on_price, usd("12.00"), &legs),
            on_price,
            caps: vec![leads_a_day(CAP)],
            terms: prepaid(),
            buyers,
            legs,
            unknown: policy,
            ..intent(number, self.byte(STEPS) + 1, buyer, "12.00")
        }
    }

    /// What each of the companies says, if any.
    fn said(&mut self) -> Vec<Leg> {
        let listed = companies().into_iter().filter(|_| self.roll(3) > 0).collect::<Vec<_>>();
        let said = |leg: LegOffer| Leg { brand: leg.brand, accepted: self.roll(3) > 0 };
        listed.into_iter().map(said).collect()
    }

    fn next(&mut self, number: u8) -> Next {
        match self.roll(4) {
            0 => Next::Nothing,
            1 => Next::Answer(answer(LeadStatus::Unsold)),
            2 => Next::Answer(answer(LeadStatus::Pending)),
            _ => Next::Prepare(Box::new(self.intent(number))),
        }
    }
}

/// One thing that may happen. What makes no sense is refused and changes nothing.
fn act(desk: &mut Desk, dice: &mut Dice) {
    let number = dice.byte(LEADS) + 1;
    let done = match dice.roll(12) {
        0 => desk.store().abandon(lead_id(number), at(300)).blocking_wait(),
        1 => desk.store().erase(lead_id(number), at(300)).blocking_wait().map(drop),
        2 if dice.roll(4) == 0 => {
            desk.crash();
            Ok(())
        }
        2 | 3 => {
            let intake = desk.intake_of(number, &phone(number % 8));
            desk.store().intake(intake).blocking_wait().map(drop)
        }
        4..=6 => {
            let prepare = Next::Prepare(Box::new(dice.intent(number)));
            desk.try_step(number, None, prepare).map(drop)
        }
        _ => {
            let ended = concluded(attempt(number, dice.byte(STEPS) + 1), dice.outcome());
            let next = dice.next(number);
            desk.try_step(number, Some(ended), next).map(drop)
        }
    };
    match done {
        Ok(())
        | Err(StoreError::Conflict(_) | StoreError::NoLead(_) | StoreError::NoAttempt(_)) => {}
        // An attempt is prepared once.
        Err(StoreError::Database(text)) => assert!(text.contains("UNIQUE"), "{text}"),
        Err(error) => panic!("{error}"),
    }
}

fn check(desk: &Desk) {
    desk.verify();
    let (mut counted, mut spent) = ([0; 3], [0; 3]);
    for number in 1..=LEADS {
        let Some(view) = desk.store().lead_view(lead_id(number)).blocking_wait().unwrap() else {
            continue;
        };
        check_places(number, &view);
        let states = view.attempts.iter().map(|a| AttemptState::from_code(&a.state).unwrap());
        let bought = states.clone().filter(|state| *state == AttemptState::Accepted).count();
        let sold = view.standing.status == Some(LeadStatus::Sold);
        assert!(!sold || bought > 0, "lead {number} is called sold and is not");
        for (attempt, state) in view.attempts.iter().zip(states) {
            let buyer = BUYERS.iter().position(|b| attempt.campaign.buyer().as_str() == *b);
            let buyer = buyer.unwrap();
            let record = desk.store().attempt(attempt.attempt).blocking_wait().unwrap().unwrap();
            let owed = match attempt.sold {
                Some((price, _payout)) => price,
                None if state.is_open() => record.attempt.intent.hold,
                None => continue,
            };
            counted[buyer] += 1;
            spent[buyer] += owed.to_minor().unwrap().get();
        }
    }
    for (buyer, (counted, spent)) in BUYERS.iter().zip(counted.into_iter().zip(spent)) {
        assert_eq!(desk.used(buyer), counted, "{buyer}");
        let used = desk.tally(buyer);
        assert_eq!(used.spend.get(), spent, "{buyer}: what is held or spent");
        assert!(counted <= CAP, "{buyer} is over its cap");
        let left = desk.available(buyer, &prepaid());
        assert!(left >= 0, "{buyer} is overdrawn");
        assert_eq!(left, 4_000 - spent, "{buyer}");
    }
}

/// Sales by company count one by one.
fn places(attempt: &AttemptView) -> usize {
    attempt.sold_legs.len().max(1)
}

/// A lead has no more buyers than any of them was promised, each is booked once, and its seller is
/// told the sum.
fn check_places(number: u8, view: &LeadView) {
    let is_sold = |attempt: &&AttemptView| attempt.state == "accepted";
    let sold: Vec<&AttemptView> = view.attempts.iter().filter(is_sold).collect();
    let buyers: usize = sold.iter().copied().map(places).sum();
    let least = sold.iter().map(|attempt| usize::from(attempt.buyers)).min();
    assert!(least.is_none_or(|least| buyers <= least), "lead {number}: {buyers} of {least:?}");
    let keeps = |attempt: &&AttemptView| {
        attempt.state == "prepared" || attempt.state == "unknown" && attempt.buyers > 1
    };
    let taken = |attempt: &AttemptView| attempt.legs.len().max(1);
    let kept: usize = view.attempts.iter().filter(keeps).map(taken).sum();
    let open_least = view.attempts.iter().filter(keeps).map(|a| usize::from(a.buyers)).min();
    let alone = view.attempts.iter().any(|a| a.state == "accepted" && a.buyers == 1);
    if let Some(least) = open_least.filter(|_| !alone) {
        let least = least.min(sold.iter().map(|a| usize::from(a.buyers)).min().unwrap_or(least));
        assert!(buyers + kept <= least, "lead {number}: {buyers} sold, {kept} out, of {least}");
    }
    let sales = view.transactions.iter().filter(|t| t.transaction.kind().code() == "sale");
    assert_eq!(sales.count(), buyers, "lead {number}: what is sold is booked, once");
    if view.standing.status == Some(LeadStatus::Sold) {
        let paid = sold.iter().map(|attempt| attempt.sold.unwrap().1.to_minor().unwrap().get());
        let told = view.standing.payout.unwrap().to_minor().unwrap().get();
        assert_eq!(told, paid.sum::<i64>(), "lead {number}: the seller is told the sum");
        let each = view.standing.sales.iter().map(|sale| sale.payout.to_minor().unwrap().get());
        assert!(view.standing.sales.is_empty() || each.sum::<i64>() == told, "lead {number}");
    }
}

#[test]
fn whatever_happens_in_whatever_order_the_books_the_caps_and_the_credit_hold() {
    let (mut sales, mut kinds, mut shared) = (0, Vec::new(), 0);
    for seed in 1..=16 {
        let (mut desk, mut dice) = (Desk::new(), Dice(seed));
        for buyer in BUYERS {
            // Enough for three leads: credit ends before the cap does.
            desk.top_up(buyer, "40", &format!("REF-{buyer}")).unwrap();
        }
        for _ in 0..30 {
            for _ in 0..20 {
                act(&mut desk, &mut dice);
            }
            check(&desk);
        }
        desk.crash();
        check(&desk);
        sales += crate::all_transactions(desk.store())
            .filter(|stored| stored.as_ref().unwrap().transaction.kind().code() == "sale")
            .count();
        kinds.extend(desk.exceptions());
        for number in 1..=LEADS {
            let view = desk.store().lead_view(lead_id(number)).blocking_wait().unwrap();
            shared += usize::from(view.is_some_and(|view| view.standing.sales.len() > 1));
        }
    }
    assert!(sales >= 20, "only {sales} sales: the script tests little");
    assert!(shared >= 5, "only {shared} leads were sold to several");
    for kind in
        ["late_accept_conflict", "contradiction", "price_differs", "price_refused", "second_price"]
    {
        assert!(kinds.iter().any(|seen| seen == kind), "no {kind} ever happened");
    }
}
