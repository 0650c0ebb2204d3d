//! Caps under many hands at once.

use super::*;

#[test]
fn a_full_cap_refuses_and_a_rejection_makes_room() {
    let desk = Desk::new();
    let order = |number| Intent { caps: vec![leads_a_day(1)], ..intent(number, 1, "acme", "12") };
    desk.take_in(1);
    desk.take_in(2);
    desk.prepare(order(1)).unwrap();
    assert_eq!(desk.prepare(order(2)).unwrap_err(), Refused::Cap);
    desk.answer(1, concluded(attempt(1, 1), rejected()), LeadStatus::Unsold);
    desk.prepare(order(2)).unwrap();
    desk.verify();
}

#[test]
fn an_operation_that_fails_takes_its_reservation_back() {
    let desk = Desk::new();
    desk.sell(1, "acme", "12.00");
    desk.take_in(2);
    desk.prepare(intent(2, 1, "bolt", "12.00")).unwrap();
    // The conclusion releases, then the intent conflicts: everything is as before.
    let next = Next::Prepare(Box::new(intent(1, 2, "acme", "1")));
    let done = desk.try_step(1, Some(concluded(attempt(2, 1), rejected())), next);
    assert!(matches!(done, Err(StoreError::Conflict(_))));
    assert_eq!((desk.used("bolt"), desk.states(2)), (1, vec!["prepared".to_owned()]));
    desk.verify();
}

/// 64 tasks for each cap from 1 to 10: every one that is sold fits, and none that fits is refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_posts_at_once_sell_exactly_the_cap() {
    for cap in 1..=10_u32 {
        let desk = Arc::new(Desk::new());
        let tasks: Vec<_> = (1..=64_u8)
            .map(|number| {
                let desk = Arc::clone(&desk);
                tokio::spawn(async move { try_to_sell(&desk, number, cap).await })
            })
            .collect();
        let mut sold = 0;
        for task in tasks {
            sold += u32::from(task.await.unwrap());
        }
        assert_eq!((sold, desk.used("acme")), (cap, cap));
        let report = desk.store().verify().await.unwrap();
        assert!(report.sound(), "{report}");
        // Dropping the store waits for its threads.
        tokio::task::spawn_blocking(move || drop(desk)).await.unwrap();
    }
}

async fn try_to_sell(desk: &Desk, number: u8, cap: u32) -> bool {
    let taken = desk.store().intake(desk.intake_of(number, &phone(number))).await.unwrap();
    assert_eq!(taken, IntakeReply::Accepted);
    let order = Intent { caps: vec![leads_a_day(cap)], ..intent(number, 1, "acme", "12") };
    let prepare = Commit {
        lead: lead_id(number),
        at: at(100),
        concluded: None,
        qualified: Vec::new(),
        next: Next::Prepare(Box::new(order)),
    };
    let done = desk.store().commit(prepare, None).await.unwrap();
    assert!(desk.used("acme") <= cap, "never above the cap, not even for a moment");
    if done.durable == Durable::Refused(Refused::Cap) {
        return false;
    }
    let end = Commit {
        lead: lead_id(number),
        at: at(101),
        concluded: Some(concluded(attempt(number, 1), accepted())),
        qualified: Vec::new(),
        next: Next::Answer(answer(LeadStatus::Sold)),
    };
    desk.store().commit(end, Some(stored_reply("sold").into())).await.unwrap();
    true
}
