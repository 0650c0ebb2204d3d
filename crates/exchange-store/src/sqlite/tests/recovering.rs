//! What a crash leaves behind, and what opening makes of it.

use super::*;

#[test]
fn an_intake_alone_is_abandoned_and_its_key_is_free_again() {
    let mut desk = Desk::new();
    desk.take_in(1);
    assert_eq!(desk.crash(), Recovered { abandoned: 1, unknown: 0, answered: 0 });
    assert_eq!(desk.status(1), Some(LeadStatus::Abandoned));
    let mut retry = desk.intake_of(2, &phone(1));
    retry.idempotency = desk.intake_of(1, &phone(1)).idempotency;
    let reply = desk.store().intake(retry).blocking_wait().unwrap();
    assert_eq!(reply, IntakeReply::Accepted);
    desk.prepare(intent(2, 1, "acme", "12.00")).unwrap();
    desk.verify();
}

#[test]
fn a_post_without_an_outcome_is_unknown_and_its_lead_pending() {
    let mut desk = Desk::new();
    desk.take_in(1);
    desk.prepare(intent(1, 1, "acme", "12.00")).unwrap();
    assert_eq!(desk.crash(), Recovered { abandoned: 0, unknown: 1, answered: 0 });
    assert_eq!(
        (desk.status(1), desk.states(1)),
        (Some(LeadStatus::Pending), vec!["unknown".to_owned()])
    );
    assert_eq!((desk.held(), desk.used("acme")), (vec![attempt(1, 1)], 1));
    assert_eq!(desk.view(1).attempts[0].reason.as_deref(), Some("crash"));
    let key = desk.intake_of(1, &phone(1)).idempotency.unwrap();
    let replay = desk.store().replay(&source(), &key).blocking_wait().unwrap().unwrap();
    assert_eq!((replay.reply, replay.lead), (None, lead_id(1)));
    assert_eq!(replay.standing.unwrap().status, Some(LeadStatus::Pending));
    desk.step(1, Some(concluded(attempt(1, 1), accepted())), Next::Nothing);
    assert_eq!(desk.status(1), Some(LeadStatus::Sold));
    assert_eq!(desk.crash(), Recovered::default());
    desk.verify();
}

#[test]
fn an_outcome_without_an_answer_is_answered_from_the_record() {
    let mut desk = Desk::new();
    desk.take_in(1);
    desk.prepare(intent(1, 1, "acme", "12.00")).unwrap();
    desk.step(1, Some(concluded(attempt(1, 1), accepted())), Next::Nothing);
    desk.take_in(2);
    desk.prepare(intent(2, 1, "acme", "12.00")).unwrap();
    let refused = Intent { caps: vec![leads_a_day(0)], ..intent(2, 2, "bolt", "11.00") };
    let ended = Some(concluded(attempt(2, 1), rejected()));
    desk.step(2, ended, Next::Prepare(Box::new(refused)));
    assert_eq!(desk.crash(), Recovered { abandoned: 0, unknown: 0, answered: 2 });
    let standing = desk.standing(1);
    assert_eq!((standing.status, standing.payout), (Some(LeadStatus::Sold), Some(usd("5.00"))));
    assert_eq!(desk.status(2), Some(LeadStatus::Unsold));
    desk.verify();
}

#[test]
fn what_was_answered_survives_and_is_replayed_byte_for_byte() {
    let mut desk = Desk::new();
    desk.sell(1, "acme", "12.00");
    assert_eq!(desk.crash(), Recovered::default());
    let intake = desk.intake_of(1, &phone(1));
    let (key, body) = (intake.idempotency.clone().unwrap(), intake.fingerprint);
    let replay = desk.store().replay(&source(), &key).blocking_wait().unwrap().unwrap();
    assert_eq!((replay.reply, replay.fingerprint), (Some(stored_reply("the answer")), body));
    let reply = desk.store().intake(intake).blocking_wait().unwrap();
    assert_eq!(reply, IntakeReply::KeyInUse { lead: lead_id(1) });
    desk.verify();
}

#[test]
fn caps_balances_and_the_last_win_are_counted_again() {
    let mut desk = Desk::new();
    desk.sell(1, "acme", "12.00");
    desk.take_in(2);
    desk.prepare(intent(2, 1, "acme", "10.00")).unwrap();
    desk.take_in(3);
    desk.prepare(intent(3, 1, "acme", "10.00")).unwrap();
    desk.answer(3, concluded(attempt(3, 1), rejected()), LeadStatus::Unsold);
    desk.crash();
    let used = desk.tally("acme");
    assert_eq!((used.leads, used.spend.get()), (2, 2_200));
    assert_eq!(desk.available("acme", &generous()), 10_000_000 - 2_200);
    assert_eq!(desk.store().last_won(&campaign("acme/auto")), Some(at(2)));
    desk.verify();
}

#[test]
fn dropping_the_store_writes_what_waits() {
    let mut desk = Desk::new();
    let ticket = desk.store().intake(desk.intake_of(1, &phone(1)));
    desk.store().abandon(lead_id(1), at(2));
    desk.store = None;
    assert_eq!(ticket.blocking_wait().unwrap(), IntakeReply::Accepted);
    assert_eq!(desk.open(), Recovered::default());
    assert_eq!(desk.status(1), Some(LeadStatus::Abandoned));
}

/// Many stores that end in the middle of their work: whatever was acknowledged is there.
#[test]
fn nothing_acknowledged_is_lost_over_many_crashes() {
    let mut desk = Desk::new();
    let mut sold = Vec::new();
    for number in 1..=60_u8 {
        desk.take_in(number);
        let permit = desk.prepare(intent(number, 1, "acme", "12.00")).unwrap();
        let end = Commit {
            lead: permit.lead(),
            at: at(200),
            concluded: Some(concluded(attempt(number, 1), accepted())),
            qualified: Vec::new(),
            next: Next::Answer(answer(LeadStatus::Sold)),
        };
        let ticket = desk.store().commit(end, Some(stored_reply("sold").into()));
        if number % 3 == 0 {
            // Dies with the commit somewhere on its way.
            desk.store.take().unwrap().kill();
            let acknowledged = ticket.blocking_wait().is_ok();
            desk.open();
            let status = desk.status(number);
            assert!(status == Some(LeadStatus::Sold) || !acknowledged);
            if status == Some(LeadStatus::Pending) {
                continue;
            }
        } else {
            ticket.blocking_wait().unwrap();
        }
        sold.push(number);
    }
    for number in &sold {
        assert_eq!(desk.status(*number), Some(LeadStatus::Sold));
    }
    assert_eq!(desk.held().len(), 60 - sold.len());
    assert_eq!(desk.used("acme"), 60);
    desk.verify();
}
