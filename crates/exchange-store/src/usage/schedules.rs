//! Explores schedules: 64 posts at once under caps from 1 to 10, in every order that a seed gives.
//!
//! The counters and the decision are the real ones; only what makes them durable is left out. Each
//! post looks, reserves, and is then accepted (at its price or below), refused, not sent, or lost
//! and found out later; a write may fail and be undone, and the process may stop and count again
//! from the records. Beside the counters stands a model that is nothing but the list of who is
//! counted, as bits.
//!
//! Checked at every step, for every scope: the counter says what the model says, and never more than
//! the cap. Checked at the end of a schedule: nobody was turned away while there was room, so that a
//! cap is full whenever enough of those who asked would have bought.

use std::sync::Arc;
use std::thread;

use exchange_core::caps::Counted;
use exchange_core::record::{BEGINNING, CapAmount, CapLimit, CapScope, END, Group, Tally, Window};
use exchange_model::reason::CapKind;
use exchange_model::{AttemptId, CampaignId, LeadId, MinorUnits, SourceId, Timestamp};

use super::UsageBook;

/// Posts in a schedule.
const TASKS: usize = 64;
/// Explored in every run of the tests.
const SCHEDULES: u64 = 20_000;
const CAMPAIGNS: [&str; 3] = ["acme/auto", "acme/home", "bolt/auto"];
const SOURCES: [&str; 2] = ["leadgen/web", "quotekart/search"];
const HOUR_MICROS: i64 = 3_600_000_000;

/// A small generator; the same numbers for the same seed.
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x1234_5678_9abc_def1))
    }

    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 32) % u64::try_from(sides).unwrap()).unwrap()
    }

    fn number(&mut self, from: u32, to: u32) -> u32 {
        from + u32::try_from(self.roll(usize::try_from(to - from + 1).unwrap())).unwrap()
    }
}

/// What a buyer will say to a post, whenever it is asked.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    /// Accepted, at so much below what is held; finished afterwards or never.
    Buys { below: i64, finishes: bool },
    /// Refused, or never sent.
    Refuses,
}

/// Where a post stands.
#[derive(Clone, Copy, Debug, PartialEq)]
enum At {
    Looking,
    Reserving,
    /// Turned away while others were under way; asks again when one of them has ended.
    Waiting,
    /// At the buyer. A lost answer waits for a later turn.
    Out {
        lost: bool,
    },
    Bought {
        finishes: bool,
    },
    Ended,
    /// Turned away with nothing under way.
    TurnedAway,
}

struct Task {
    counted: Counted,
    fate: Fate,
    loses_its_answer: bool,
    /// The caps it is under, as the decision gets them and as places in the list of all.
    limits: Vec<CapLimit>,
    caps: Vec<usize>,
    at: At,
}

/// One cap and who counts for it if they are counted.
struct Cap {
    limit: CapLimit,
    members: u64,
}

struct World {
    dice: Dice,
    book: UsageBook,
    tasks: Vec<Task>,
    caps: Vec<Cap>,
    /// The model: who is counted, who is not finished.
    live: u64,
    unfinished: u64,
    /// Who can take a step, and who has something that may come free.
    awake: u64,
    under_way: u64,
}

/// What a schedule came to, over its caps that count leads.
#[derive(Default)]
struct Fill {
    sold: u64,
    could: u64,
    full: u64,
}

fn bit(task: usize) -> u64 {
    1 << task
}

fn base() -> i64 {
    1_764_000_000_000_000
}

fn group() -> Arc<Group> {
    let members = vec![CAMPAIGNS[0].parse().unwrap(), CAMPAIGNS[2].parse().unwrap()];
    Arc::new(Group { name: "texas".to_owned(), members })
}

/// A cap of any scope and kind.
fn cap(dice: &mut Dice) -> CapLimit {
    let campaign: CampaignId = CAMPAIGNS[dice.roll(2)].parse().unwrap();
    let scope = match dice.roll(5) {
        0 | 1 => CapScope::Campaign(campaign),
        2 => CapScope::Source(campaign, SOURCES[dice.roll(2)].parse().unwrap()),
        3 => CapScope::Buyer("acme".parse().unwrap()),
        _ => CapScope::Group(group()),
    };
    let start = Timestamp::from_unix_micros(base());
    let hours = |hours: i64| Timestamp::from_unix_micros(base() + hours * HOUR_MICROS);
    let leads = CapAmount::Leads(dice.number(1, 10));
    let is_campaign = matches!(scope, CapScope::Campaign(_));
    let (kind, window, limit) = match dice.roll(6) {
        0 => (CapKind::Hour, Window { start, end: hours(1) }, leads),
        1 => (CapKind::Total, Window { start: BEGINNING, end: END }, leads),
        2 => {
            let spend = CapAmount::Spend(MinorUnits::new(i64::from(dice.number(500, 12_000))));
            (CapKind::DaySpend, Window { start, end: hours(24) }, spend)
        }
        3 if is_campaign => (CapKind::Open, Window { start, end: END }, leads),
        _ => (CapKind::Day, Window { start, end: hours(24) }, leads),
    };
    CapLimit { scope, kind, window, limit }
}

fn counts(cap: &CapLimit, counted: &Counted) -> bool {
    let whose = match &cap.scope {
        CapScope::Campaign(campaign) => *campaign == counted.campaign,
        CapScope::Source(campaign, source) => {
            *campaign == counted.campaign && *source == counted.source
        }
        CapScope::Buyer(buyer) => *buyer == counted.campaign.buyer(),
        CapScope::Group(group) => group.members.contains(&counted.campaign),
        CapScope::Inbound(_) => false,
    };
    whose && cap.window.contains(counted.at)
}

impl World {
    fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let limits: Vec<CapLimit> = (0..dice.number(1, 4)).map(|_| cap(&mut dice)).collect();
        let tasks: Vec<Task> = (0..TASKS).map(|number| task(number, &limits, &mut dice)).collect();
        let caps = limits.into_iter().enumerate().map(|(at, limit)| {
            let members = (0..TASKS).filter(|task| tasks[*task].caps.contains(&at)).map(bit);
            Cap { limit, members: members.fold(0, |all, one| all | one) }
        });
        let caps = caps.collect();
        Self {
            dice,
            book: UsageBook::default(),
            tasks,
            caps,
            live: 0,
            unfinished: 0,
            awake: u64::MAX,
            under_way: 0,
        }
    }

    /// What the model says is used of a cap.
    fn used(&self, cap: &Cap) -> Tally {
        let mut inside = self.live & cap.members;
        if cap.limit.kind == CapKind::Open {
            inside &= self.unfinished;
            return Tally { leads: inside.count_ones(), spend: MinorUnits::ZERO };
        }
        let mut sum = Tally { leads: inside.count_ones(), spend: MinorUnits::ZERO };
        while inside != 0 {
            let task = usize::try_from(inside.trailing_zeros()).unwrap();
            sum.spend = sum.spend.checked_add(self.tasks[task].counted.price).unwrap();
            inside &= inside - 1;
        }
        sum
    }

    fn model_has_room(&self, task: usize) -> bool {
        let price = self.tasks[task].counted.price;
        let fits = |at: &usize| {
            let cap = &self.caps[*at];
            cap.limit.limit.has_room(self.used(cap), price)
        };
        self.tasks[task].caps.iter().all(fits)
    }

    fn book_has_room(&self, task: usize) -> bool {
        self.book.has_room(&self.tasks[task].limits, self.tasks[task].counted.price).is_ok()
    }

    fn check(&self, seed: u64) {
        for cap in &self.caps {
            let (model, book) = (self.used(cap), self.book.used(&cap.limit));
            assert_eq!(book.leads, model.leads, "seed {seed}: {:?}", cap.limit);
            match cap.limit.limit {
                CapAmount::Leads(most) => {
                    assert!(book.leads <= most, "seed {seed}: over {:?}", cap.limit);
                }
                CapAmount::Spend(most) => {
                    assert_eq!(book.spend, model.spend, "seed {seed}: {:?}", cap.limit);
                    assert!(book.spend <= most, "seed {seed}: over {:?}", cap.limit);
                }
            }
        }
    }

    fn set(&mut self, task: usize, at: At) {
        self.tasks[task].at = at;
        let (awake, under_way) = match at {
            At::Looking => (true, false),
            At::Reserving | At::Out { .. } => (true, true),
            At::Bought { finishes } => (finishes, finishes),
            At::Waiting | At::Ended | At::TurnedAway => (false, false),
        };
        self.awake = if awake { self.awake | bit(task) } else { self.awake & !bit(task) };
        let others = self.under_way & !bit(task);
        self.under_way = if under_way { others | bit(task) } else { others };
    }

    /// Something came free, or nothing will any more: who was turned away asks again.
    fn wake(&mut self) {
        for task in 0..TASKS {
            if self.tasks[task].at == At::Waiting {
                self.set(task, At::Looking);
            }
        }
    }

    /// One step of one post.
    fn turn(&mut self, task: usize, seed: u64) {
        let before = self.live.count_ones();
        let next = match self.tasks[task].at {
            At::Looking if self.book_has_room(task) => At::Reserving,
            At::Looking => self.turned_away(task),
            At::Reserving => self.reserve(task, seed),
            At::Out { lost: false } if self.tasks[task].loses_its_answer => At::Out { lost: true },
            At::Out { .. } => self.conclude(task),
            At::Bought { finishes: true } => self.finish(task),
            still => still,
        };
        self.set(task, next);
        let freed = self.live.count_ones() < before || matches!(next, At::Bought { .. });
        if freed || self.under_way == 0 {
            self.wake();
        }
    }

    fn turned_away(&self, task: usize) -> At {
        if self.under_way & !bit(task) == 0 { At::TurnedAway } else { At::Waiting }
    }

    fn finish(&mut self, task: usize) -> At {
        assert!(self.book.set_open(&self.tasks[task].counted, false));
        self.unfinished &= !bit(task);
        At::Bought { finishes: false }
    }

    /// Commit A: all caps together, and at once.
    fn reserve(&mut self, task: usize, seed: u64) -> At {
        let fits = self.book_has_room(task);
        assert_eq!(fits, self.model_has_room(task), "seed {seed}: a wrong decision");
        if !fits {
            return self.turned_away(task);
        }
        self.book.reserve(&self.tasks[task].counted, true);
        if self.dice.roll(16) == 0 {
            // The write failed: everything is taken back, and the post is tried again.
            assert!(self.book.release(&self.tasks[task].counted));
            return At::Reserving;
        }
        self.live |= bit(task);
        self.unfinished |= bit(task);
        At::Out { lost: false }
    }

    /// Commit B.
    fn conclude(&mut self, task: usize) -> At {
        let counted = self.tasks[task].counted.clone();
        match self.tasks[task].fate {
            Fate::Buys { below, finishes } => {
                let booked = MinorUnits::new(counted.price.get() - below);
                self.book.rebook(&counted, booked);
                if self.dice.roll(16) == 0 {
                    let changed = Counted { price: booked, ..counted };
                    self.book.rebook(
                        &changed,
                        changed.price.checked_add(MinorUnits::new(below)).unwrap(),
                    );
                    return self.tasks[task].at;
                }
                self.tasks[task].counted.price = booked;
                At::Bought { finishes }
            }
            Fate::Refuses => {
                let open = self.book.release(&counted);
                if self.dice.roll(16) == 0 {
                    self.book.reserve(&counted, open);
                    return self.tasks[task].at;
                }
                self.live &= !bit(task);
                self.unfinished &= !bit(task);
                At::Ended
            }
        }
    }

    /// The process stops, and counts again from the records.
    fn restart(&mut self) {
        self.book = UsageBook::default();
        for (number, task) in self.tasks.iter().enumerate() {
            if self.live & bit(number) != 0 {
                self.book.reserve(&task.counted, self.unfinished & bit(number) != 0);
            }
        }
    }

    fn run(&mut self, seed: u64) -> Fill {
        while self.awake != 0 {
            let task = self.pick();
            let looks = self.tasks[task].at == At::Looking;
            self.turn(task, seed);
            if !looks {
                self.check(seed);
            }
            if self.dice.roll(512) == 0 {
                self.restart();
                self.check(seed);
            }
        }
        self.judge(seed)
    }

    fn pick(&mut self) -> usize {
        let mut awake = self.awake;
        for _ in 0..self.dice.roll(usize::try_from(awake.count_ones()).unwrap()) {
            awake &= awake - 1;
        }
        usize::try_from(awake.trailing_zeros()).unwrap()
    }

    /// Nothing is under way: whoever was turned away has a cap that is full of sold leads.
    fn judge(&self, seed: u64) -> Fill {
        for (number, task) in self.tasks.iter().enumerate() {
            assert!(
                !matches!(task.at, At::Waiting | At::Looking),
                "seed {seed}: {number} is forgotten"
            );
            if task.at == At::TurnedAway {
                assert!(!self.model_has_room(number), "seed {seed}: {number} was turned away");
            }
        }
        let mut fill = Fill::default();
        for cap in self.caps.iter().filter(|cap| cap.limit.kind != CapKind::Open) {
            let CapAmount::Leads(most) = cap.limit.limit else { continue };
            let buys = |task: &usize| matches!(self.tasks[*task].fate, Fate::Buys { .. });
            // Only this cap stands in the way of its own.
            let alone = |task: &usize| self.tasks[*task].caps.len() == 1;
            let own: Vec<usize> = (0..TASKS).filter(|task| cap.members & bit(*task) != 0).collect();
            if own.iter().all(alone) {
                let could = u32::try_from(own.iter().filter(|task| buys(task)).count()).unwrap();
                let sold = self.used(cap).leads;
                assert_eq!(sold, could.min(most), "seed {seed}: {:?} is not filled", cap.limit);
                fill.sold += u64::from(sold);
                fill.could += u64::from(could.min(most));
                fill.full += u64::from(sold == most);
            }
        }
        fill
    }
}

fn task(number: usize, limits: &[CapLimit], dice: &mut Dice) -> Task {
    let id = u128::try_from(number).unwrap() + 1;
    let counted = Counted {
        attempt: AttemptId::new(LeadId::from_bytes(id.to_be_bytes()), 1),
        campaign: CAMPAIGNS[dice.roll(3)].parse::<CampaignId>().unwrap(),
        source: SOURCES[dice.roll(2)].parse::<SourceId>().unwrap(),
        // Half of them in the first hour, some before, some later.
        at: Timestamp::from_unix_micros(
            base() + HOUR_MICROS * [0, 0, 0, 0, 2, 5, 20, -3][dice.roll(8)],
        ),
        price: MinorUnits::new(i64::from(dice.number(500, 3_000))),
    };
    let caps: Vec<usize> = (0..limits.len()).filter(|at| counts(&limits[*at], &counted)).collect();
    let own = caps.iter().map(|at| limits[*at].clone()).collect();
    let fate = match dice.roll(3) {
        0 => Fate::Refuses,
        _ => Fate::Buys {
            below: if dice.roll(2) == 0 { 0 } else { i64::from(dice.number(1, 400)) },
            finishes: dice.roll(2) == 0,
        },
    };
    Task { counted, fate, loses_its_answer: dice.roll(4) == 0, limits: own, caps, at: At::Looking }
}

#[test]
fn of_sixty_four_posts_at_once_none_is_ever_one_too_many_and_every_cap_is_filled() {
    let explore = |half: u64| {
        let mut all = Fill::default();
        for seed in (half..SCHEDULES).step_by(2) {
            let fill = World::new(seed).run(seed);
            all = Fill {
                sold: all.sold + fill.sold,
                could: all.could + fill.could,
                full: all.full + fill.full,
            };
        }
        all
    };
    let halves = [0, 1].map(|half| thread::spawn(move || explore(half)));
    let [one, other] = halves.map(|half| half.join().unwrap());
    let (sold, could, full) =
        (one.sold + other.sold, one.could + other.could, one.full + other.full);
    println!(
        "{SCHEDULES} schedules of {TASKS} posts: 0 oversold; {sold} of {could} that fitted were sold, {full} caps filled to the last lead"
    );
    assert!(sold == could && full > SCHEDULES / 10, "{sold} of {could}, {full} full");
}
