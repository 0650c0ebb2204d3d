//! The hash of a record is fixed by its meaning, whatever wrote it.

use exchange_model::money::MinorUnits;

use super::*;
use crate::entry::{Header, Stamp};
use crate::samples::{at, held, noon, usd, wired};

#[test]
fn the_format_of_a_record_never_changes() {
    // Computed by another program from the module's list; a change here breaks every stored chain.
    let top_up = wired("acme_mutual", "REF-1", usd("500.00"), at("2026-11-02T15:00:00Z"));
    let hash = link(&GENESIS, &top_up);
    assert_eq!(
        hash.to_string(),
        "6a9d89a9ef68bc9bef2a7830634b6487871b21e11e5863e54cad0e20b56fa618"
    );
}

#[test]
fn a_hash_depends_on_every_part_of_the_record_and_on_the_one_before() {
    let (record, _) = held(1, "12.00", noon(2));
    let base = link(&GENESIS, &record);
    let header = record.header();
    let later = Stamp { recorded_at: noon(3).recorded_at, ..header.stamp.clone() };
    let earlier = Stamp { effective_at: noon(1).effective_at, ..header.stamp.clone() };
    let other_actor = Stamp { actor: "cli".to_owned(), ..header.stamp.clone() };
    for changed in [
        Header { key: "hold:x".to_owned(), ..header.clone() },
        Header { kind: crate::entry::EventKind::Release, ..header.clone() },
        Header { currency: exchange_model::money::Currency::new("EUR").unwrap(), ..header.clone() },
        Header { lead: None, ..header.clone() },
        Header { attempt: None, ..header.clone() },
        Header { memo: "m".to_owned(), ..header.clone() },
        Header { stamp: later, ..header.clone() },
        Header { stamp: earlier, ..header.clone() },
        Header { stamp: other_actor, ..header.clone() },
    ] {
        let changed = Transaction::stored(changed, record.entries().to_vec());
        assert_ne!(link(&GENESIS, &changed), base, "{changed:?}");
    }
    assert_ne!(link(&base, &record), base);
}

#[test]
fn a_hash_depends_on_every_part_of_every_entry() {
    let (record, _) = held(1, "12.00", noon(2));
    let base = link(&GENESIS, &record);
    let [first, second] = record.entries() else { panic!("a hold has two entries") };
    let minor = MinorUnits::new(1_201);
    let settled = crate::entry::Layer::Settled;
    for entries in [
        vec![first.clone()],
        vec![second.clone(), first.clone()],
        vec![Entry { minor, ..first.clone() }, second.clone()],
        vec![Entry { side: first.side.opposite(), ..first.clone() }, second.clone()],
        vec![Entry { layer: settled, ..first.clone() }, second.clone()],
        vec![Entry { account: crate::account::Account::Opening, ..first.clone() }, second.clone()],
    ] {
        let changed = Transaction::stored(record.header().clone(), entries);
        assert_ne!(link(&GENESIS, &changed), base, "{changed:?}");
    }
}

#[test]
fn a_hash_survives_printing() {
    let (record, _) = held(1, "12.00", noon(2));
    let hash = link(&GENESIS, &record);
    assert_eq!(hash.to_string().parse(), Ok(hash));
    assert_eq!(RecordHash::from_bytes(hash.to_bytes()), hash);
    for text in ["", "00", "zz"] {
        assert_eq!(text.parse::<RecordHash>(), Err(BadRecordHash));
    }
}
