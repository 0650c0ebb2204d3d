//! What tiers gave their members: kept up to date by commits, the same after a crash.

use exchange_core::record::Qualified;

use super::*;
use crate::{TierMembership, TierRecord};

fn member(tier: &str, buyer: &str) -> TierMembership {
    let campaign = campaign(&format!("{buyer}/auto"));
    TierMembership { tree: "main".to_owned(), tier: tier.to_owned(), campaign }
}

fn record(desk: &Desk, tier: &str, buyer: &str) -> TierRecord {
    desk.store().served(&member(tier, buyer), at(0), at(500))
}

/// When it was last served, how many it bought or may buy, how many it bid for.
fn served(desk: &Desk, buyer: &str) -> (Option<Timestamp>, u32, u32) {
    let record = record(desk, "exclusive", buyer);
    (record.last, record.delivered, record.qualified)
}

fn bid(buyer: &str) -> Qualified {
    let TierMembership { tree, tier, campaign } = member("exclusive", buyer);
    Qualified { tree, tier, campaign }
}

/// The first post of a lead, with these usable bids.
fn bids(number: u8, intent: Intent, qualified: Vec<Qualified>) -> Commit {
    let next = Next::Prepare(Box::new(intent));
    Commit { lead: lead_id(number), at: at(100), concluded: None, qualified, next }
}

#[test]
fn posts_and_bids_of_a_tier_are_counted_and_a_crash_loses_none_of_them() {
    let mut desk = Desk::new();
    desk.sell(1, "acme", "12.00");
    desk.take_in(2);
    let step = bids(2, intent(2, 1, "acme", "12.00"), vec![bid("acme"), bid("bolt")]);
    desk.store().commit(step, None).blocking_wait().unwrap();
    let under_way = (Some(at(100)), 2, 1);
    assert_eq!((served(&desk, "acme"), served(&desk, "bolt")), (under_way, (None, 0, 1)));
    desk.crash();
    assert_eq!((served(&desk, "acme"), served(&desk, "bolt")), (under_way, (None, 0, 1)));
    // Found out later: it was refused.
    desk.step(2, Some(concluded(attempt(2, 1), rejected())), Next::Nothing);
    let refused = (Some(at(2)), 1, 1);
    assert_eq!(served(&desk, "acme"), refused);
    assert_eq!(record(&desk, "exclusive", "acme").answers.posts, 2_000);
    desk.crash();
    assert_eq!(served(&desk, "acme"), refused);
    desk.verify();
}

#[test]
fn a_step_that_fails_counts_nothing() {
    let desk = Desk::new();
    desk.sell(1, "acme", "12.00");
    desk.take_in(2);
    let before = served(&desk, "acme");
    let euros = Money::parse("5", Currency::new("EUR").unwrap()).unwrap();
    let odd = Intent { payout: euros, ..intent(2, 1, "acme", "12") };
    let failed = desk.store().commit(bids(2, odd, vec![bid("acme")]), None).blocking_wait();
    assert!(matches!(failed, Err(StoreError::Conflict(_))));
    desk.prepare(intent(2, 1, "acme", "12")).unwrap();
    let sold = Some(concluded(attempt(2, 1), accepted()));
    let nonsense = Next::Prepare(Box::new(intent(3, 1, "acme", "12")));
    assert!(desk.try_step(2, sold, nonsense).is_err());
    desk.step(2, Some(concluded(attempt(2, 1), rejected())), Next::Nothing);
    assert_eq!(served(&desk, "acme"), before);
    desk.verify();
}

#[test]
fn a_tier_counts_nothing_of_another_and_begins_afresh_under_another_name() {
    let mut desk = Desk::new();
    desk.sell(1, "acme", "12.00");
    desk.take_in(2);
    let elsewhere = Intent { tier: "rest".to_owned(), ..intent(2, 1, "acme", "12.00") };
    desk.prepare(elsewhere).unwrap();
    let both = |desk: &Desk| [record(desk, "exclusive", "acme"), record(desk, "rest", "acme")];
    let found = both(&desk);
    assert_eq!(found.map(|record| record.delivered), [1, 1]);
    assert_eq!(found.map(|record| record.last), [Some(at(2)), Some(at(3))]);
    assert_eq!(record(&desk, "renamed", "acme"), TierRecord::default());
    desk.crash();
    assert_eq!(both(&desk), found);
}

#[test]
fn bids_of_leads_long_past_are_forgotten() {
    let mut desk = Desk::new();
    let rows = |desk: &Desk| {
        let asked = desk.store().write(|txn| {
            let sql = "SELECT leads FROM qualified";
            super::super::columns::all(txn.conn, sql, [], |row| Ok(row.get::<_, u32>(0)?))
        });
        asked.blocking_wait().unwrap()
    };
    let old = "INSERT INTO qualified VALUES ('main', 'exclusive', 'acme/auto', 0, 7)";
    let written = desk.store().write(move |txn| super::super::columns::run(txn.conn, old, []));
    written.blocking_wait().unwrap();
    for number in 1..=2 {
        desk.take_in(number);
        let step = bids(number, intent(number, 1, "acme", "12"), vec![bid("acme")]);
        desk.store().commit(step, None).blocking_wait().unwrap();
    }
    assert_eq!(rows(&desk), [2]);
    desk.crash();
    assert_eq!(served(&desk, "acme").2, 2);
}
