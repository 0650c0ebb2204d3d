//! The whole store under caps, with threads: some hundreds of schedules of 64 posts, in the order
//! that the machine gives them.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use exchange_core::record::{BEGINNING, END, Group};

use super::*;

const SCHEDULES: usize = 200;
const POSTS: usize = 64;
/// Schedules that run beside each other on one store.
const AT_ONCE: usize = 8;

/// One schedule: the caps, and how many have bought or may still.
struct Schedule {
    number: usize,
    most: u32,
    caps: Vec<CapLimit>,
    out: AtomicU32,
    sold: AtomicU32,
    would_buy: AtomicU32,
    /// It is over a cap: nobody waits any longer.
    broken: AtomicBool,
}

fn schedule(number: usize) -> Schedule {
    let most = u32::try_from(number % 10).unwrap() + 1;
    let limit = CapAmount::Leads(most);
    let own = campaign(&format!("b{number}/auto"));
    let group = Group { name: "all".to_owned(), members: vec![own.clone()] };
    let all_time = Window { start: BEGINNING, end: END };
    let scope = match number % 4 {
        0 => CapScope::Campaign(own),
        1 => CapScope::Buyer(own.buyer()),
        2 => CapScope::Source(own, source()),
        _ => CapScope::Group(Arc::new(group)),
    };
    let caps = [(CapKind::Total, all_time), (CapKind::Day, day())].map(|(kind, window)| CapLimit {
        scope: scope.clone(),
        kind,
        window,
        limit,
    });
    let zero = || AtomicU32::new(0);
    Schedule {
        number,
        most,
        caps: caps.into(),
        out: zero(),
        sold: zero(),
        would_buy: zero(),
        broken: AtomicBool::new(false),
    }
}

/// What becomes of a post, by its number: seven in ten buy, some after their answer was lost.
fn fate(post: usize) -> (bool, bool) {
    let mixed = post.wrapping_mul(2_654_435_761) >> 7;
    (mixed % 10 < 7, mixed.is_multiple_of(3))
}

/// A lead id that no other post has.
fn own_id(schedule: usize, post: usize) -> LeadId {
    let number = u128::try_from(schedule * POSTS + post + 1).unwrap();
    LeadId::from_bytes((number << 64).to_be_bytes())
}

fn step(desk: &Desk, lead: LeadId, concluded: Option<Concluded>, next: Next) -> Durable {
    let answers = matches!(next, Next::Answer(_));
    let commit = Commit { lead, at: at(100), concluded, qualified: Vec::new(), next };
    let reply = answers.then(|| stored_reply("the answer").into());
    desk.store().commit(commit, reply).blocking_wait().unwrap().durable
}

fn one_post(desk: &Desk, schedule: &Schedule, post: usize) {
    let lead = own_id(schedule.number, post);
    let from = desk.intake_of(1, &phone(1));
    let fields =
        [("zip", "78701"), ("phone", "5125550134")].map(|(a, b)| (a.to_owned(), b.to_owned()));
    let fields = IntakeFields {
        stage: Stage::Post,
        fields: &fields,
        sealed: Vec::new(),
        pinged: None,
        ping_counts: false,
        today: TODAY,
    };
    let taken = intake(lead, &vertical(), fields).unwrap().lead;
    let from = Intake { lead: Arc::new(taken), idempotency: None, callback_url: None, ..from };
    assert_eq!(desk.store().intake(from).blocking_wait().unwrap(), IntakeReply::Accepted);
    let (buys, loses) = fate(schedule.number * POSTS + post);
    schedule.would_buy.fetch_add(u32::from(buys), Ordering::SeqCst);
    let attempt = AttemptId::new(lead, 1);
    let order = Intent {
        attempt,
        request_key: attempt,
        campaign: campaign(&format!("b{}/auto", schedule.number)),
        caps: schedule.caps.clone(),
        ..intent(1, 1, "acme", "12.00")
    };
    while !is_prepared(desk, schedule, lead, &order) {
        // Turned away. With nothing under way that is the last word; otherwise it asks again.
        let under_way = schedule.out.load(Ordering::SeqCst) > 0;
        if !under_way && schedule.sold.load(Ordering::SeqCst) >= schedule.most {
            return;
        }
        assert!(!schedule.broken.load(Ordering::SeqCst));
        thread::yield_now();
    }
    if loses {
        step(
            desk,
            lead,
            Some(concluded(attempt, lost())),
            Next::Answer(answer(LeadStatus::Pending)),
        );
        never_over(desk, schedule);
    }
    let (outcome, status) =
        if buys { (accepted(), LeadStatus::Sold) } else { (rejected(), LeadStatus::Unsold) };
    let next = if loses { Next::Nothing } else { Next::Answer(answer(status)) };
    if buys {
        schedule.sold.fetch_add(1, Ordering::SeqCst);
    }
    step(desk, lead, Some(concluded(attempt, outcome)), next);
    never_over(desk, schedule);
    schedule.out.fetch_sub(1, Ordering::SeqCst);
}

/// Looks as eligibility does, then asks for commit A.
fn is_prepared(desk: &Desk, schedule: &Schedule, lead: LeadId, order: &Intent) -> bool {
    if schedule.caps.iter().any(|cap| desk.store().used(cap).leads >= schedule.most) {
        return false;
    }
    schedule.out.fetch_add(1, Ordering::SeqCst);
    let done = step(desk, lead, None, Next::Prepare(Box::new(order.clone())));
    never_over(desk, schedule);
    if done == Durable::Done {
        return true;
    }
    schedule.out.fetch_sub(1, Ordering::SeqCst);
    false
}

fn never_over(desk: &Desk, schedule: &Schedule) {
    for cap in &schedule.caps {
        let used = desk.store().used(cap).leads;
        schedule.broken.fetch_or(used > schedule.most, Ordering::SeqCst);
        assert!(used <= schedule.most, "{used} of {cap:?}");
    }
}

fn run(desk: &Desk, schedule: &Schedule) {
    thread::scope(|threads| {
        for post in 0..POSTS {
            threads.spawn(move || one_post(desk, schedule, post));
        }
    });
    let (sold, could) =
        (schedule.sold.load(Ordering::SeqCst), schedule.would_buy.load(Ordering::SeqCst));
    assert_eq!(sold, could.min(schedule.most), "schedule {}", schedule.number);
    for cap in &schedule.caps {
        assert_eq!(desk.store().used(cap).leads, sold, "schedule {}", schedule.number);
    }
}

#[test]
fn the_store_sells_exactly_the_cap_whatever_the_threads_do() {
    let mut desk = Desk::new();
    let schedules: Vec<Schedule> = (0..SCHEDULES).map(schedule).collect();
    for some in schedules.chunks(AT_ONCE) {
        let desk = &desk;
        thread::scope(|threads| {
            for schedule in some {
                threads.spawn(move || run(desk, schedule));
            }
        });
    }
    desk.crash();
    for schedule in &schedules {
        for cap in &schedule.caps {
            let sold = schedule.sold.load(Ordering::SeqCst);
            assert_eq!(desk.store().used(cap).leads, sold, "after a restart");
        }
    }
    desk.verify();
}
