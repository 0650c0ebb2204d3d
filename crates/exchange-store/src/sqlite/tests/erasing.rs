//! Erased means undecryptable, and gone from our files.

use exchange_core::trace::{Trace, TraceEvent};
use rusqlite::{Connection, OpenFlags};

use super::*;
use crate::vault::Vaulted;

/// Every byte of the store's files.
fn files(desk: &Desk) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(desk.folder.path()).unwrap() {
        all.extend(std::fs::read(entry.unwrap().path()).unwrap());
    }
    all
}

fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

fn blob(desk: &Desk, sql: &str) -> Vec<u8> {
    let conn = Connection::open_with_flags(desk.path(), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    conn.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn contact_data_is_never_in_our_files_in_the_clear() {
    let desk = Desk::new();
    desk.sell(1, "acme", "12.00");
    desk.view(1);
    let all = files(&desk);
    assert!(holds(&all, b"78701"), "the search finds what is there");
    for planted in [phone(1).as_bytes(), b"planted-canary", b"k1\0"] {
        assert!(!holds(&all, planted));
    }
}

#[test]
fn an_erased_lead_cannot_be_opened_even_with_a_copy_of_the_ciphertext() {
    let desk = Desk::new();
    desk.take_in(1);
    let person = desk.person(&phone(1), at(0));
    desk.prepare(Intent { person, ..intent(1, 1, "acme", "12.00") }).unwrap();
    desk.answer(1, concluded(attempt(1, 1), accepted()), LeadStatus::Sold);
    let mut trace = Trace::new("auto_main", at(1));
    let text = Some(format!("we know {}", phone(1)));
    let no_bid =
        TraceEvent::NoBid { campaign: "a/b".into(), reason: "declined".into(), text, late: None };
    trace.push(Duration::ZERO, no_bid);
    desk.store().trace(lead_id(1), trace);
    desk.view(1);
    let sealed = blob(&desk, "SELECT sealed FROM contact");
    let wrapped = blob(&desk, "SELECT wrapped FROM lead_key");
    let claimed = blob(&desk, "SELECT fingerprint FROM person_claim");
    assert!([&sealed, &wrapped, &claimed].iter().all(|bytes| holds(&files(&desk), bytes)));
    assert!(holds(&files(&desk), phone(1).as_bytes()), "the buyer's words echo the phone");

    let erasure = desk.store().erase(lead_id(1), at(50)).blocking_wait().unwrap().unwrap();
    assert_eq!(erasure.erased_at, at(50));
    let all = files(&desk);
    for gone in [&sealed, &wrapped, &claimed, &phone(1).into_bytes()] {
        assert!(!holds(&all, gone), "an old copy is left");
    }

    let view = desk.view(1);
    assert!(view.parts.sealed.is_none());
    assert_eq!(view.erased_at, Some(at(50)));
    assert!(matches!(view.parts.restore(&vertical(), TODAY), Err(StoreError::Vault(_))));
    // The copy of the ciphertext, the root key, and every wrapped key that is left: none opens it.
    desk.take_in(2);
    let others = blob(&desk, "SELECT wrapped FROM lead_key");
    let root = RootKey::from_bytes(ROOT);
    let copy = Vaulted { sealed: sealed.clone(), wrapped_key: others };
    assert!(root.sealed_contact(lead_id(1), copy).is_err());
    // With the wrapped key it would have opened: the key is what was destroyed.
    let copy = Vaulted { sealed, wrapped_key: wrapped };
    let opened = root.sealed_contact(lead_id(1), copy).unwrap().open(&vertical()).unwrap();
    assert_eq!(&opened, lead(1, &phone(1)).contact());
    desk.verify();
}

#[test]
fn erasing_keeps_the_books_and_may_be_repeated() {
    let desk = Desk::new();
    desk.sell(1, "acme", "12.00");
    let books = desk.view(1).transactions;
    desk.store().erase(lead_id(1), at(50)).blocking_wait().unwrap().unwrap();
    let again = desk.store().erase(lead_id(1), at(60)).blocking_wait().unwrap().unwrap();
    assert_eq!(again.erased_at, at(50));
    assert_eq!((desk.view(1).transactions, desk.status(1)), (books, Some(LeadStatus::Sold)));
    assert!(desk.store().erase(lead_id(9), at(50)).blocking_wait().unwrap().is_none());
    desk.verify();
}

#[test]
fn an_unknown_attempt_of_an_erased_lead_is_not_posted_again() {
    let mut desk = Desk::new();
    desk.take_in(1);
    desk.prepare(intent(1, 1, "acme", "12.00")).unwrap();
    desk.crash();
    desk.store().erase(lead_id(1), at(50)).blocking_wait().unwrap().unwrap();
    assert!(desk.store().reopen(attempt(1, 1)).blocking_wait().unwrap().is_none());
    assert_eq!(desk.store().open_attempts().blocking_wait().unwrap().len(), 1);
    desk.verify();
}
