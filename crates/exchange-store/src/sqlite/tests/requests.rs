//! Intake, pings, keys and journeys.

use exchange_core::record::{Promise, PromisedBid};
use exchange_core::trace::{Trace, TraceEvent};
use exchange_model::PingId;
use exchange_model::outcome::BidToken;

use super::*;
use crate::api_key::{ApiKey, KeyMode};

fn ping_id(number: u8) -> PingId {
    PingId::from_bytes(lead_id(number).to_bytes())
}

fn promise(number: u8) -> Promise {
    let token = BidToken::single("t7");
    Promise {
        ping: ping_id(number),
        payout: usd("9.60"),
        expires_at: at(60),
        bids: vec![PromisedBid {
            campaign: campaign("acme/auto"),
            tier: "exclusive".to_owned(),
            price: usd("12.005"),
            contract: true,
            buyers: 3,
            token: Some(BidToken { lifetime: Some(Duration::from_secs(30)), ..token }),
            answered_at: at(3),
        }],
    }
}

fn ping(desk: &Desk, number: u8) {
    let mut intake = desk.intake_of(number, &phone(number));
    intake.kind = IntakeKind::Ping;
    intake.idempotency = Some(IdempotencyKey::new(IntakeKind::Ping, "p").unwrap());
    assert_eq!(desk.store().intake(intake).blocking_wait().unwrap(), IntakeReply::Accepted);
}

#[test]
fn a_ping_is_promised_posted_on_once_and_read_back() {
    let desk = Desk::new();
    ping(&desk, 1);
    desk.store().promise(promise(1), stored_reply("a bid")).blocking_wait().unwrap();
    let found = desk.store().ping(&source(), ping_id(1)).blocking_wait().unwrap().unwrap();
    assert_eq!((found.promise, found.used), (Some(promise(1)), false));
    let pinged = found.parts.restore(&vertical(), TODAY).unwrap();
    assert_eq!(pinged.contact(), lead(1, &phone(1)).contact());
    desk.take_in(1);
    let found = desk.store().ping(&source(), ping_id(1)).blocking_wait().unwrap().unwrap();
    assert!(found.used);
    let mut again = desk.intake_of(1, &phone(1));
    again.idempotency = Some(IdempotencyKey::new(IntakeKind::Lead, "other").unwrap());
    assert_eq!(desk.store().intake(again).blocking_wait().unwrap(), IntakeReply::PingUsed);
    let other: SourceId = "else/web".parse().unwrap();
    assert!(desk.store().ping(&other, ping_id(1)).blocking_wait().unwrap().is_none());
    assert!(desk.store().status(&other, lead_id(1)).blocking_wait().unwrap().is_none());
}

#[test]
fn a_ping_is_answered_once_and_its_answer_replayed() {
    let desk = Desk::new();
    ping(&desk, 1);
    desk.store().no_bid(ping_id(1), stored_reply("no bid")).blocking_wait().unwrap();
    let late = desk.store().promise(promise(1), stored_reply("a bid")).blocking_wait();
    assert!(matches!(late, Err(StoreError::Conflict(_))));
    let key = IdempotencyKey::new(IntakeKind::Ping, "p").unwrap();
    let replay = desk.store().replay(&source(), &key).blocking_wait().unwrap().unwrap();
    assert_eq!((replay.kind, replay.reply), (IntakeKind::Ping, Some(stored_reply("no bid"))));
    let as_lead = IdempotencyKey::new(IntakeKind::Lead, "p").unwrap();
    assert!(desk.store().replay(&source(), &as_lead).blocking_wait().unwrap().is_none());
}

#[test]
fn a_ping_without_an_answer_is_abandoned_by_a_crash_and_its_key_is_free() {
    let mut desk = Desk::new();
    ping(&desk, 1);
    assert_eq!(desk.crash(), Recovered { abandoned: 1, unknown: 0, answered: 0 });
    ping(&desk, 2);
    let found = desk.store().ping(&source(), ping_id(1)).blocking_wait().unwrap().unwrap();
    assert_eq!((found.promise, found.used), (None, false));
    let free = IdempotencyKey::new(IntakeKind::Ping, "p").unwrap();
    desk.crash();
    assert!(desk.store().replay(&source(), &free).blocking_wait().unwrap().is_none());
}

#[test]
fn an_abandoned_post_gives_its_ping_and_its_key_free() {
    let desk = Desk::new();
    ping(&desk, 1);
    desk.store().promise(promise(1), stored_reply("a bid")).blocking_wait().unwrap();
    desk.take_in(1);
    desk.store().abandon(lead_id(1), at(2)).blocking_wait().unwrap();
    desk.store().abandon(lead_id(1), at(3)).blocking_wait().unwrap();
    desk.take_in(1);
    desk.step(1, None, Next::Answer(answer(LeadStatus::Abandoned)));
    let key = desk.intake_of(1, &phone(1)).idempotency.unwrap();
    let replay = || desk.store().replay(&source(), &key).blocking_wait().unwrap().unwrap();
    assert_eq!(replay().reply, Some(stored_reply("the answer")));
    desk.take_in(1);
    assert_eq!(replay().reply, None, "the new post has no answer yet");
    desk.prepare(intent(1, 1, "acme", "12.00")).unwrap();
    let gone = desk.store().abandon(lead_id(1), at(4)).blocking_wait();
    assert!(matches!(gone, Err(StoreError::Conflict(_))), "the lead has left the house");
    desk.verify();
}

#[test]
fn a_journey_is_written_behind_and_read_back() {
    let desk = Desk::new();
    desk.take_in(1);
    let mut trace = Trace::new("auto_main", at(1));
    trace.push(Duration::from_millis(3), TraceEvent::Committed);
    desk.store().trace(lead_id(1), trace.clone());
    assert_eq!(desk.view(1).traces, [trace]);
    assert_eq!(desk.store().stats().traces_dropped, 0);
}

#[test]
fn api_keys_are_kept_found_and_revoked_once() {
    let desk = Desk::new();
    let key = ApiKey {
        id: "abc".to_owned(),
        source: source(),
        mode: KeyMode::Test,
        hash: desk.store().keys().api_key_hash(b"secret"),
        created_at: at(0),
        revoked_at: None,
    };
    desk.store().add_key(key.clone()).blocking_wait().unwrap();
    assert_eq!(desk.store().key_by_id("abc").blocking_wait().unwrap(), Some(key.clone()));
    assert!(desk.store().revoke_key("abc", at(5)).blocking_wait().unwrap());
    assert!(desk.store().revoke_key("abc", at(6)).blocking_wait().unwrap());
    assert!(!desk.store().revoke_key("none", at(5)).blocking_wait().unwrap());
    let keys = ExchangeStore::keys(desk.store()).blocking_wait().unwrap();
    assert_eq!(keys, [ApiKey { revoked_at: Some(at(5)), ..key }]);
}
