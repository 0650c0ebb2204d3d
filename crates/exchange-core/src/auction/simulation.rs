//! Random auctions against hostile buyers and slow disks, from seeds.
//!
//! The world keeps its own truth (which buyers really took the lead, what was durable when) and an
//! oracle of its own judges the auction by it. A failure prints its seed; `SEEDS` says how many run.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use exchange_model::outcome::Acceptance;
use exchange_model::reason::{NoBid, NotSent, Refused, RejectClass, Rejection, Unknown};

use super::tests::{at_ms, setup};
use super::*;
use crate::record::{Next, UnknownPolicy};

const SEEDS: u64 = 20_000;

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }
}

fn random_tree(dice: &mut Dice) -> String {
    let mut tree = String::new();
    let mut number = 0;
    for tier in 0..dice.below(4) {
        let reserve = if dice.percent(50) { " reserve 14.00" } else { "" };
        tree += &format!("tier t{tier}{reserve} cascade {}\n", dice.below(4));
        for _ in 0..dice.below(5) {
            number += 1;
            let fixed = if dice.percent(25) { " fixed 9.50" } else { "" };
            let direct = if !fixed.is_empty() && dice.percent(50) { " direct" } else { "" };
            let repost = if dice.percent(30) { " repost" } else { "" };
            let cascade = if dice.percent(15) { " cascade" } else { "" };
            tree += &format!("b{number}{fixed}{direct}{repost}{cascade}\n");
        }
    }
    tree
}

/// What really happened, whatever the auction believes.
#[derive(Default)]
struct Truth {
    durable_a: BTreeSet<AttemptId>,
    asked_a: Option<AttemptId>,
    policies: BTreeMap<AttemptId, UnknownPolicy>,
    holders: BTreeMap<Seat, bool>,
    concluded: BTreeMap<AttemptId, &'static str>,
    unknown_under_hold: bool,
    commits: u32,
    posts: u32,
    answers: Vec<String>,
    last_answer_at: Option<Timestamp>,
}

struct World {
    dice: Dice,
    auction: Auction,
    now: Timestamp,
    queue: BinaryHeap<Reverse<(Timestamp, usize)>>,
    events: Vec<Option<Event>>,
    truth: Truth,
    slow_disk: bool,
}

impl World {
    fn later(&mut self, after: u64, event: Event) {
        self.queue.push(Reverse((self.now.after(Duration::from_millis(after)), self.events.len())));
        self.events.push(Some(event));
    }

    fn ping(&mut self, seat: Seat) {
        let after = self.dice.below(260);
        let price =
            Money::new((800 + self.dice.below(2_000)).into(), exchange_model::Currency::USD);
        let price = Money::from_minor(
            exchange_model::MinorUnits::new(i64::try_from(price.amount()).unwrap()),
            exchange_model::Currency::USD,
        );
        let answer = match self.dice.below(10) {
            0 => return,
            1 => PingAnswer::NoBid(NoBid::Timeout),
            2 => PingAnswer::Available { token: None },
            _ => PingAnswer::Bid { price, token: None },
        };
        self.later(after, Event::PingAnswer(seat, answer));
    }

    fn persist(&mut self, commit: &Commit) {
        self.truth.commits += 1;
        if let Some(concluded) = &commit.concluded {
            let before = self.truth.concluded.insert(concluded.attempt, concluded.outcome.code());
            assert_eq!(before, None, "an attempt is concluded once");
            let hold = self.truth.policies.get(&concluded.attempt) == Some(&UnknownPolicy::Hold);
            if concluded.outcome.code() == "unknown" && hold {
                self.truth.unknown_under_hold = true;
            }
        }
        let mut durable = Durable::Done;
        if let Next::Prepare(intent) = &commit.next {
            assert!(intent.price.at_least(intent.payout).unwrap(), "never sold at a loss");
            self.truth.policies.insert(intent.attempt, intent.unknown);
            if self.dice.percent(10) {
                durable = Durable::Refused(Refused::Cap);
            } else {
                self.truth.asked_a = Some(intent.attempt);
            }
        }
        let stall = if self.slow_disk && self.dice.percent(20) { 2_000 } else { 0 };
        let takes = 1 + self.dice.below(5) + stall;
        self.later(takes, Event::Durable(durable));
    }

    fn post(&mut self, attempt: AttemptId, seat: Seat, again: bool) {
        assert!(self.truth.durable_a.contains(&attempt), "contact left before A was durable");
        assert!(!self.truth.unknown_under_hold, "a held lead was offered to another buyer");
        self.truth.posts += 1;
        let took = self.truth.holders.get(&seat).copied();
        let takes_it = match took {
            Some(before) => before,
            None => self.dice.percent(60),
        };
        let reached = again || !self.dice.percent(10);
        if reached {
            self.truth.holders.insert(seat, takes_it);
        }
        let truthful = if !reached {
            PostAnswer::NotSent(NotSent::Connect)
        } else if takes_it {
            PostAnswer::Accepted(Acceptance::default())
        } else {
            PostAnswer::Rejected(Rejection {
                class: RejectClass::Filter,
                text: None,
                counter: None,
            })
        };
        let after = 5 + self.dice.below(450);
        match self.dice.below(10) {
            0 if reached => {}
            1 if reached => {
                self.later(after, Event::PostAnswer(attempt, PostAnswer::Unknown(Unknown::Reset)));
            }
            _ => self.later(after, Event::PostAnswer(attempt, truthful)),
        }
    }

    fn answer(&mut self, text: String) {
        self.truth.answers.push(text);
        self.truth.last_answer_at = Some(self.now);
    }

    /// Obeys until the auction waits; nothing when it is over.
    fn obey(&mut self) -> Option<Timestamp> {
        loop {
            match self.auction.poll() {
                Command::Wait(at) => return Some(at),
                Command::Done => return None,
                Command::Ping { seat, .. } => self.ping(seat),
                Command::Persist(commit) => self.persist(&commit),
                Command::PersistPromise(_) => self.later(1, Event::Durable(Durable::Done)),
                Command::Post { attempt, seat, .. } => self.post(attempt, seat, false),
                Command::Repost { attempt, seat, .. } => self.post(attempt, seat, true),
                Command::Reply(answer) => self.answer(answer.status.to_string()),
                Command::ReplyPromise(_) => self.answer("bid".to_owned()),
                Command::GiveUp { pending } => self.answer(format!("gave up, pending {pending}")),
                Command::HandOver(_) => {}
            }
        }
    }

    fn run(&mut self) {
        let mut steps = 0;
        while let Some(wake_at) = self.obey() {
            steps += 1;
            assert!(steps < 2_000, "the auction does not end");
            let due = self.queue.peek().map(|Reverse(next)| *next).filter(|next| next.0 <= wake_at);
            let event = match due {
                Some((at, number)) => {
                    self.queue.pop();
                    self.now = self.now.max(at);
                    self.events[number].take().unwrap()
                }
                None => {
                    self.now = self.now.max(wake_at);
                    Event::Timer
                }
            };
            if let Event::Durable(Durable::Done) = event
                && let Some(attempt) = self.truth.asked_a.take()
            {
                self.truth.durable_a.insert(attempt);
            }
            self.auction.handle(self.now, event);
        }
    }
}

fn play(seed: u64) -> World {
    let mut dice = Dice(seed);
    let tree = random_tree(&mut dice);
    let slow_disk = dice.percent(20);
    let auction = Auction::new(at_ms("0"), setup(&tree, Goal::Sell));
    let now = at_ms("0");
    let (queue, events, truth) = (BinaryHeap::new(), Vec::new(), Truth::default());
    let mut world = World { dice, auction, now, queue, events, truth, slow_disk };
    world.run();
    world
}

fn judge(seed: u64, world: &World) {
    let truth = &world.truth;
    assert_eq!(truth.answers.len(), 1, "seed {seed}: one answer, got {:?}", truth.answers);
    let answer = &truth.answers[0];
    let ended = |code| truth.concluded.values().filter(|c| **c == code).count();
    let (accepted, unknown) = (ended("accepted"), ended("unknown"));
    assert!(accepted <= 1, "seed {seed}: sold twice");
    let holders = truth.holders.values().filter(|took| **took).count();
    assert!(holders <= 1 + unknown, "seed {seed}: {holders} buyers hold an exclusive lead");
    assert!(holders == 0 || accepted + unknown > 0, "seed {seed}: a buyer's purchase is forgotten");
    assert_eq!(
        truth.durable_a.len(),
        truth.concluded.len(),
        "seed {seed}: an attempt is left open"
    );
    match answer.as_str() {
        "sold" => assert_eq!(accepted, 1, "seed {seed}"),
        "unsold" => assert_eq!(accepted + unknown, 0, "seed {seed}"),
        "pending" => assert!(unknown > 0, "seed {seed}"),
        other => assert!(other.starts_with("gave up") && world.slow_disk, "seed {seed}: {other}"),
    }
    // The answer follows its commit, which the auction asks for with the reply reserve in hand.
    let answered = truth.last_answer_at.unwrap();
    assert!(answered <= at_ms("1000"), "seed {seed}: answered at {answered:?}");
    let refused = truth.commits - u32::try_from(truth.durable_a.len()).unwrap();
    assert!(refused >= 1, "seed {seed}: no final commit");
}

#[test]
fn no_schedule_of_answers_losses_and_stalls_breaks_a_promise() {
    let mut reached: BTreeMap<&str, u32> = BTreeMap::new();
    for seed in 0..SEEDS {
        let world = play(seed);
        judge(seed, &world);
        for code in world.truth.concluded.values() {
            *reached.entry(code).or_default() += 1;
        }
        *reached
            .entry(if world.truth.posts > 3 { "deep cascade" } else { "other" })
            .or_default() += 1;
        if world.truth.answers[0].starts_with("gave up") {
            *reached.entry("gave up").or_default() += 1;
        }
    }
    for situation in ["accepted", "rejected", "not_sent", "unknown", "deep cascade", "gave up"] {
        let times = reached.get(situation).copied().unwrap_or(0);
        assert!(times >= 50, "`{situation}` was reached only {times} times: {reached:?}");
    }
}

#[test]
fn the_same_seed_gives_the_same_journey() {
    for seed in 0..200 {
        assert_eq!(play(seed).auction.trace(), play(seed).auction.trace(), "seed {seed}");
    }
}
