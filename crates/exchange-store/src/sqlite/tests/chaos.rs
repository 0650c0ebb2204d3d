//! Random orders of everything, with crashes in between: what must hold, holds.

use super::*;
use crate::recovery::AttemptState;

const LEADS: u8 = 24;
const CAP: u32 = 5;
const BUYERS: [&str; 3] = ["acme", "bolt", "crest"];

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
        match self.roll(5) {
            0 => accepted(),
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
        Intent {
            hold: on_price.most(usd("12.00")),
            on_price,
            caps: vec![leads_a_day(CAP)],
            terms: prepaid(),
            unknown: policy,
            ..intent(number, self.byte(4) + 1, buyer, "12.00")
        }
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
            let ended = concluded(attempt(number, dice.byte(4) + 1), dice.outcome());
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
        let states = view.attempts.iter().map(|a| AttemptState::from_code(&a.state).unwrap());
        let bought = states.clone().filter(|state| *state == AttemptState::Accepted).count();
        assert!(bought <= 1, "lead {number} is sold twice");
        let sales = view.transactions.iter().filter(|t| t.transaction.kind().code() == "sale");
        assert_eq!(sales.count(), bought, "lead {number}: what is sold is booked, once");
        let sold = view.standing.status == Some(LeadStatus::Sold);
        assert!(!sold || bought == 1, "lead {number} is called sold and is not");
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

#[test]
fn whatever_happens_in_whatever_order_the_books_the_caps_and_the_credit_hold() {
    let (mut sales, mut kinds) = (0, Vec::new());
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
    }
    assert!(sales >= 20, "only {sales} sales: the script tests little");
    for kind in
        ["late_accept_conflict", "contradiction", "price_differs", "price_refused", "second_price"]
    {
        assert!(kinds.iter().any(|seen| seen == kind), "no {kind} ever happened");
    }
}
