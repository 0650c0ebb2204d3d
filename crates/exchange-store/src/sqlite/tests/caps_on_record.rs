//! Caps of every scope inside the write, and what a restart or an edit of the config makes of them:
//! nothing.

use exchange_core::record::{BEGINNING, END, Group};

use super::*;
use crate::intake::FullCap;
use crate::view::Finished;

fn scoped(scope: CapScope, kind: CapKind, most: u32) -> CapLimit {
    let window = if kind == CapKind::Total { all_time() } else { day() };
    CapLimit { scope, kind, window, limit: CapAmount::Leads(most) }
}

fn all_time() -> Window {
    Window { start: BEGINNING, end: END }
}

fn buyer(name: &str, kind: CapKind, most: u32) -> CapLimit {
    scoped(CapScope::Buyer(name.parse().unwrap()), kind, most)
}

fn group(members: &[&str], kind: CapKind, most: u32) -> CapLimit {
    let members = members.iter().map(|name| campaign(&format!("{name}/auto"))).collect();
    scoped(CapScope::Group(Arc::new(Group { name: "texas".to_owned(), members })), kind, most)
}

fn from_source(name: &str, kind: CapKind, most: u32) -> CapLimit {
    scoped(CapScope::Source(campaign(&format!("{name}/auto")), source()), kind, most)
}

fn open(name: &str, most: u32) -> CapLimit {
    let window = Window { start: at(-1_200), end: END };
    CapLimit {
        window,
        ..scoped(CapScope::Campaign(campaign(&format!("{name}/auto"))), CapKind::Open, most)
    }
}

fn capped(number: u8, name: &str, caps: Vec<CapLimit>) -> Intent {
    Intent { caps, ..intent(number, 1, name, "12.00") }
}

fn leads(desk: &Desk, cap: &CapLimit) -> u32 {
    desk.store().used(cap).leads
}

#[test]
fn every_scope_is_decided_inside_the_write_and_all_or_none() {
    let desk = Desk::new();
    desk.sell(1, "acme", "12.00");
    desk.sell(2, "bolt", "12.00");
    for (number, cap) in [
        (3, buyer("acme", CapKind::Day, 1)),
        (4, group(&["bolt", "acme"], CapKind::Day, 2)),
        (5, from_source("acme", CapKind::Day, 1)),
        (6, scoped(CapScope::Campaign(campaign("acme/auto")), CapKind::Total, 1)),
    ] {
        desk.take_in(number);
        let roomy = buyer("acme", CapKind::Day, 9);
        let refused = desk.prepare(capped(number, "acme", vec![roomy.clone(), cap.clone()]));
        assert_eq!(refused.unwrap_err(), Refused::Cap, "{cap:?}");
        assert_eq!(leads(&desk, &roomy), 1, "what has room took nothing");
        let CapAmount::Leads(most) = cap.limit else { unreachable!() };
        let one_more = CapLimit { limit: CapAmount::Leads(most + 1), ..cap };
        desk.prepare(capped(number, "acme", vec![one_more.clone()])).unwrap();
        assert_eq!(leads(&desk, &one_more), most + 1);
        desk.answer(number, concluded(attempt(number, 1), rejected()), LeadStatus::Unsold);
        assert_eq!(leads(&desk, &one_more), most, "a refusal gives every scope its place back");
    }
    desk.verify();
}

#[test]
fn a_new_cap_knows_todays_sales_and_a_restart_forgets_nothing() {
    let mut desk = Desk::new();
    for number in 1..=3 {
        desk.sell(number, "acme", "12.00");
    }
    desk.sell(4, "bolt", "12.00");
    desk.take_in(5);
    desk.prepare(intent(5, 1, "acme", "12.00")).unwrap();
    let caps = [
        scoped(CapScope::Campaign(campaign("acme/auto")), CapKind::Day, 9),
        from_source("acme", CapKind::Day, 9),
        buyer("acme", CapKind::Total, 9),
        group(&["acme", "bolt"], CapKind::Day, 9),
        open("acme", 9),
    ];
    let counted = |desk: &Desk| caps.each_ref().map(|cap| leads(desk, cap));
    assert_eq!(counted(&desk), [4, 4, 4, 5, 4]);
    desk.crash();
    assert_eq!(counted(&desk), [4, 4, 4, 5, 4], "the post that was out may still buy");
    desk.step(5, Some(concluded(attempt(5, 1), rejected())), Next::Nothing);
    assert_eq!(counted(&desk), [3, 3, 3, 4, 3]);
    // Another group of the same campaigns, as an edit makes it, has the same history.
    assert_eq!(leads(&desk, &group(&["bolt"], CapKind::Day, 9)), 1);
    desk.verify();
}

#[test]
fn a_sale_below_the_hold_gives_the_difference_back_to_every_scope() {
    let mut desk = Desk::new();
    desk.take_in(1);
    let terms = on_price(PriceChange::Any);
    desk.prepare(Intent { on_price: terms, hold: usd("20"), ..intent(1, 1, "acme", "12.00") })
        .unwrap();
    let caps = [
        scoped(CapScope::Campaign(campaign("acme/auto")), CapKind::DaySpend, 0),
        from_source("acme", CapKind::DaySpend, 0),
        buyer("acme", CapKind::TotalSpend, 0),
        group(&["acme"], CapKind::DaySpend, 0),
    ];
    let spent = |desk: &Desk| caps.each_ref().map(|cap| desk.store().used(cap).spend.get());
    assert_eq!(spent(&desk), [2_000; 4]);
    desk.answer(1, concluded(attempt(1, 1), accepted_at(Some("9.50"))), LeadStatus::Sold);
    assert_eq!(spent(&desk), [950; 4]);
    desk.crash();
    assert_eq!(spent(&desk), [950; 4]);
}

#[test]
fn a_lead_is_open_until_its_buyer_is_done_with_it_whatever_restarts() {
    let mut desk = Desk::new();
    let finished = |desk: &Desk, number| {
        desk.store()
            .finished(&campaign("acme/auto"), lead_id(number), at(9))
            .blocking_wait()
            .unwrap()
    };
    desk.sell(1, "acme", "12.00");
    desk.sell(2, "acme", "12.00");
    desk.take_in(3);
    let order = || capped(3, "acme", vec![open("acme", 2)]);
    assert_eq!(desk.prepare(order()).unwrap_err(), Refused::Cap);
    assert_eq!(finished(&desk, 1), Finished::Done);
    assert_eq!(finished(&desk, 1), Finished::Before);
    assert_eq!(finished(&desk, 3), Finished::NoPost);
    desk.crash();
    assert_eq!(leads(&desk, &open("acme", 2)), 1);
    assert_eq!(
        leads(&desk, &scoped(CapScope::Campaign(campaign("acme/auto")), CapKind::Day, 2)),
        2
    );
    desk.sell(4, "bolt", "12.00");
    desk.take_in(5);
    desk.prepare(capped(5, "acme", vec![open("acme", 2)])).unwrap();
}

#[test]
fn a_source_sends_no_more_than_its_cap_and_pings_do_not_count() {
    let mut desk = Desk::new();
    let cap = scoped(CapScope::Inbound(source()), CapKind::Day, 2);
    let full = FullCap { kind: CapKind::Day, window: day(), limit: CapAmount::Leads(2) };
    let send = |desk: &Desk, number, kind| {
        let from = desk.intake_of(number, &phone(number));
        let idempotency = None;
        let intake = Intake { kind, caps: vec![cap.clone()], idempotency, ..from };
        desk.store().intake(intake).blocking_wait().unwrap()
    };
    assert_eq!(send(&desk, 1, IntakeKind::Lead), IntakeReply::Accepted);
    assert_eq!(send(&desk, 2, IntakeKind::Ping), IntakeReply::Accepted);
    assert_eq!(send(&desk, 3, IntakeKind::Lead), IntakeReply::Accepted);
    assert_eq!(send(&desk, 4, IntakeKind::Lead), IntakeReply::SourceCap(full));
    assert_eq!(send(&desk, 5, IntakeKind::Ping), IntakeReply::Accepted);
    desk.crash();
    assert_eq!(leads(&desk, &cap), 2);
    assert_eq!(send(&desk, 6, IntakeKind::Lead), IntakeReply::SourceCap(full));
}

/// A `total` since a day that lies before what memory keeps step by step.
#[test]
fn a_total_since_a_day_long_past_is_added_up_from_the_records() {
    let mut desk = Desk::new();
    for number in 1..=4 {
        desk.sell(number, "acme", "12.00");
    }
    let long_ago = |days: i64, number: u8| (at(-days * 86_400).unix_micros(), lead_id(number));
    for (counted_at, lead) in [long_ago(200, 1), long_ago(150, 2), long_ago(100, 3)] {
        let age = move |txn: &mut crate::sqlite::txn::Txn<'_>| {
            let sql = "UPDATE attempt SET counted_at = ?2 WHERE lead = ?1";
            super::super::columns::run(txn.conn, sql, (lead.to_bytes(), counted_at)).map(drop)
        };
        desk.store().write(age).blocking_wait().unwrap();
    }
    desk.crash();
    let window = |days: i64| Window { start: at(-days * 86_400), end: END };
    let scopes = [
        CapScope::Campaign(campaign("acme/auto")),
        CapScope::Source(campaign("acme/auto"), source()),
        CapScope::Buyer("acme".parse().unwrap()),
    ];
    for (number, scope) in (10..).zip(scopes) {
        let total = |days, most| {
            let limit = CapAmount::Leads(most);
            CapLimit { scope: scope.clone(), kind: CapKind::Total, window: window(days), limit }
        };
        assert_eq!(leads(&desk, &scoped(scope.clone(), CapKind::Total, 9)), 4, "all of them");
        assert_eq!(leads(&desk, &total(300, 9)), 4, "there was none before");
        desk.take_in(number);
        let refused = desk.prepare(capped(number, "acme", vec![total(160, 3)]));
        assert_eq!(refused.unwrap_err(), Refused::Cap, "three since then");
        assert_eq!(leads(&desk, &total(160, 9)), 3, "and from now on it is known");
        desk.prepare(capped(number, "acme", vec![total(160, 4)])).unwrap();
        assert_eq!(leads(&desk, &total(160, 9)), 4);
        desk.answer(number, concluded(attempt(number, 1), rejected()), LeadStatus::Unsold);
    }
}
