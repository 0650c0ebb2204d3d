//! Leads that several may buy, in any order of posts, answers, late answers and crashes: after every
//! step the record keeps every promise, and in the end nothing is held, counted or paid that is not
//! sold.

use super::*;
use crate::view::AttemptView;

const SEEDS: u64 = 24;
const POSTS: u8 = 8;
const BUYERS: [&str; 8] = ["acme", "bolt", "crest", "dart", "elm", "fern", "gale", "hill"];

/// Small numbers from a seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695);
        (self.0 >> 33) % sides
    }

    fn byte(&mut self, sides: u64) -> u8 {
        u8::try_from(self.below(sides)).unwrap()
    }

    fn one_in(&mut self, sides: u64) -> bool {
        self.below(sides) == 0
    }
}

fn any_post(dice: &mut Dice, step: u8) -> Intent {
    let own = one_of(1 + dice.byte(4), 1, step, BUYERS[usize::from(step - 1)], "12.00");
    let payout =
        if dice.one_in(2) { PayoutRule::Fixed(usd("7.00")) } else { own.on_price.payout.clone() };
    let change = if dice.one_in(3) { PriceChange::Any } else { PriceChange::Lower };
    let on_price = PriceTerms { payout, change, ..own.on_price.clone() };
    let mut paid = false;
    let legs: Vec<LegOffer> = (0..dice.byte(4))
        .map(|number| {
            let leg = company(&number.to_string(), "Co", "11.00");
            let is_fixed = matches!(on_price.payout, PayoutRule::Fixed(_));
            let payout = on_price.payout_at(leg.price).unwrap();
            let payout = if is_fixed && paid { usd("0") } else { payout };
            paid = true;
            LegOffer { payout, ..leg }
        })
        .collect();
    let payout = match legs.as_slice() {
        [] => on_price.payout_at(own.price).unwrap(),
        legs => legs
            .iter()
            .skip(1)
            .fold(legs[0].payout, |sum, leg| sum.checked_add(leg.payout).unwrap()),
    };
    let unknown = if dice.one_in(4) { UnknownPolicy::Hold } else { UnknownPolicy::Cascade };
    let hold = most_booked(&on_price, own.price, &legs);
    Intent { legs, payout, on_price, hold, unknown, ..own }
}

fn any_answer(dice: &mut Dice) -> AttemptOutcome {
    match dice.below(6) {
        0 => rejected(),
        1 => lost(),
        2 => accepted_at(Some(["9.00", "12.00", "19.00"][usize::from(dice.byte(3))])),
        3 => taken_by(&[["0"], ["1"], ["2"]][usize::from(dice.byte(3))]),
        4 => AttemptOutcome::NotSent(exchange_model::reason::NotSent::Connect),
        _ => accepted(),
    }
}

fn places_sold(post: &AttemptView) -> usize {
    post.sold_legs.len().max(1)
}

impl Desk {
    fn keeps_promises(&self, context: &str) {
        let posts = self.view(1).attempts;
        let sold: Vec<&AttemptView> = posts.iter().filter(|p| p.state == "accepted").collect();
        let taken: usize = sold.iter().map(|post| places_sold(post)).sum();
        let least = sold.iter().map(|post| usize::from(post.buyers)).min().unwrap_or(taken);
        assert!(taken <= least, "{taken} places of {least}: {context}");
    }

    fn owes_what_is_sold(&self, context: &str) {
        let posts = self.view(1).attempts;
        assert_eq!(self.held(), [], "{context}");
        let mut paid = usd("0");
        let mut once = 0;
        for post in &posts {
            let buyer = BUYERS[usize::from(post.attempt.step() - 1)];
            let tally = self.tally(buyer);
            let sold = post.sold.filter(|_| post.state == "accepted");
            let price = sold.map_or(0, |(price, _)| price.to_minor().unwrap().get());
            assert_eq!(tally.leads, u32::from(sold.is_some()), "{buyer} {context}");
            assert_eq!(tally.spend.get(), price, "{buyer} {context}");
            assert_eq!(self.available(buyer, &generous()), 10_000_000 - price, "{buyer} {context}");
            if let Some((price, payout)) = sold {
                assert!(price.at_least(payout).unwrap(), "{context}");
                paid = paid.checked_add(payout).unwrap();
                once += usize::from(payout == usd("7.00"));
            }
        }
        assert!(once <= 1, "what is paid once is paid {once} times: {context}");
        let told = self.standing(1).payout;
        assert_eq!(told.unwrap_or_else(|| usd("0")), paid, "{context}");
    }
}

fn play(seed: u64) {
    let mut dice = Dice(seed.wrapping_mul(7_919).wrapping_add(17));
    let mut desk = Desk::new();
    desk.take_in(1);
    let mut out: Vec<u8> = Vec::new();
    for step in 1..=POSTS {
        let context = format!("seed {seed} step {step}");
        let post = any_post(&mut dice, step);
        let ended = (!out.is_empty() && !dice.one_in(4)).then(|| {
            let at = usize::from(dice.byte(u64::try_from(out.len()).unwrap()));
            concluded(attempt(1, out[at]), any_answer(&mut dice))
        });
        if desk.try_step(1, ended, next(post)).is_ok_and(|done| done.permit.is_some()) {
            out.push(step);
        }
        desk.keeps_promises(&context);
    }
    let sold = desk.states(1).iter().any(|state| state == "accepted");
    desk.step(1, None, end(if sold { LeadStatus::Sold } else { LeadStatus::Pending }));
    if dice.one_in(2) {
        desk.crash();
    }
    for step in out {
        let said = if dice.one_in(2) { accepted() } else { any_answer(&mut dice) };
        desk.later(Some(concluded(attempt(1, step), said)));
        desk.later(Some(concluded(attempt(1, step), rejected())));
        desk.keeps_promises(&format!("seed {seed}, late word of {step}"));
    }
    desk.owes_what_is_sold(&format!("seed {seed}"));
    desk.crash();
    desk.owes_what_is_sold(&format!("seed {seed}, again"));
    desk.verify();
}

#[test]
fn whatever_the_order_of_posts_answers_and_crashes_every_promise_is_kept() {
    for seed in 0..SEEDS {
        play(seed);
    }
}
