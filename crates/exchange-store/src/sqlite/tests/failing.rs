//! The first failure of the disk or the file stops the store for good.

use std::io::Write as _;
use std::sync::Mutex;

use super::*;

/// Breaks the database under the running store: every page but the first is overwritten.
fn break_file(desk: &Desk) {
    // Everything must be in the database and nothing in the log, or the log would heal it.
    desk.store().erase(lead_id(1), at(9)).blocking_wait().unwrap();
    let length = std::fs::metadata(desk.path()).unwrap().len();
    let mut file = std::fs::OpenOptions::new().write(true).open(desk.path()).unwrap();
    let noise = vec![0xff; usize::try_from(length).unwrap()];
    file.write_all(&noise).unwrap();
}

#[test]
fn a_broken_file_stops_the_store_and_everybody_is_told() {
    let desk = Desk::new();
    desk.take_in(1);
    let failure = desk.store().failure();
    assert_eq!(failure.now(), None);
    break_file(&desk);
    // The writer's cache may still answer a few; the file cannot.
    let mut told = None;
    for number in 2..=250 {
        let intake = desk.intake_of(number, &phone(number));
        if let Err(error) = desk.store().intake(intake).blocking_wait() {
            told = Some(error);
            break;
        }
        let read = desk.store().status(&source(), lead_id(number)).blocking_wait();
        if let Err(error) = read {
            told = Some(error);
            break;
        }
    }
    assert!(matches!(told, Some(StoreError::Failed(_))), "{told:?}");
    assert!(failure.now().is_some());
    let later = desk.store().abandon(lead_id(1), at(10)).blocking_wait();
    assert!(matches!(later, Err(StoreError::Failed(_))), "nothing succeeds any more");
    let read = desk.store().status(&source(), lead_id(1)).blocking_wait();
    assert!(matches!(read, Err(StoreError::Failed(_))));
}

#[test]
fn a_full_disk_at_the_commit_stops_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let options = StoreOptions::new(folder.path().join("rialto.db"));
    let (store, _) = SqliteStore::open(options, RootKey::from_bytes(ROOT), at(0)).unwrap();
    let failure = store.failure();
    // What SQLite says when a page does not fit any more is what it says when the disk is full.
    let limit = store.write(|txn| {
        txn.conn.query_row("PRAGMA max_page_count = 1", [], |_row| Ok(()))?;
        Ok(())
    });
    limit.blocking_wait().unwrap();
    let mut desk = Desk { folder, store: Some(store) };
    let mut refused = false;
    for number in 1..=200 {
        let intake = desk.intake_of(number, &phone(number));
        let answer = desk.store().intake(intake).blocking_wait();
        refused |= matches!(answer, Err(StoreError::Failed(_)));
        if refused {
            break;
        }
    }
    assert!(refused);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert!(runtime.block_on(failure.wait()).contains("full"));
    // After space has come back, a restart goes on.
    desk.store.take().unwrap().kill();
    desk.open();
    desk.take_in(250);
}

#[test]
fn a_panic_in_the_writer_stops_the_store() {
    let desk = Desk::new();
    let panicked = desk.store().write::<()>(|_txn| panic!("a bug"));
    assert!(matches!(panicked.blocking_wait(), Err(StoreError::Failed(_))));
    desk.store().failure().now().unwrap_or_else(|| {
        let later = desk.store().abandon(lead_id(1), at(1)).blocking_wait();
        assert!(matches!(later, Err(StoreError::Failed(_))));
        String::new()
    });
}

#[test]
fn too_much_waiting_refuses_new_leads_and_still_finishes_those_under_way() {
    let desk = Desk::new();
    desk.take_in(1);
    let stalled = desk.stall();
    let prepare = Commit {
        lead: lead_id(1),
        at: at(2),
        concluded: None,
        qualified: Vec::new(),
        next: Next::Prepare(Box::new(intent(1, 1, "acme", "12.00"))),
    };
    for _ in 0..super::super::INTAKES_WAITING_MAX {
        drop(desk.store().flush());
    }
    let refused = desk.store().intake(desk.intake_of(2, &phone(2))).blocking_wait();
    assert!(matches!(refused, Err(StoreError::Overloaded)));
    let under_way = desk.store().commit(prepare, None);
    drop(stalled);
    assert!(under_way.blocking_wait().unwrap().permit.is_some());
    desk.take_in(2);
    desk.verify();
}

#[test]
fn journeys_that_find_no_room_are_dropped_and_counted_and_nobody_waits() {
    let desk = Desk::new();
    desk.take_in(1);
    let stalled = desk.stall();
    for _ in 0..super::super::TRACES_WAITING_MAX + 3 {
        desk.store().trace(lead_id(1), exchange_core::trace::Trace::default());
    }
    drop(stalled);
    assert_eq!(desk.view(1).traces.len(), super::super::TRACES_WAITING_MAX);
    assert_eq!(desk.store().stats().traces_dropped, 3);
}

#[test]
fn commits_are_shared_and_reported() {
    let folder = tempfile::tempdir().unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&seen);
    let options = StoreOptions {
        on_commit: Some(Arc::new(move |_took, operations| sink.lock().unwrap().push(operations))),
        ..StoreOptions::new(folder.path().join("rialto.db"))
    };
    let (store, _) = SqliteStore::open(options, RootKey::from_bytes(ROOT), at(0)).unwrap();
    let desk = Desk { folder, store: Some(store) };
    let tickets: Vec<_> =
        (1..=200).map(|n| desk.store().intake(desk.intake_of(n, &phone(n)))).collect();
    for ticket in tickets {
        assert_eq!(ticket.blocking_wait().unwrap(), IntakeReply::Accepted);
    }
    let stats = desk.store().stats();
    assert_eq!((stats.operations, stats.waiting), (200, 0));
    assert!(stats.commits < 200, "{} commits for 200 operations", stats.commits);
    assert_eq!(seen.lock().unwrap().iter().sum::<usize>(), 200);
}
