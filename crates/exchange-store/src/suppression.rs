//! Whom buyers do not want, in memory.
//!
//! A list is a sorted array of 16-byte entries and a small set of those that came lately; a look is
//! a binary search. Filled when the store opens. Only the writer changes it, after the commit that
//! made the change durable and before anybody hears of it.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use exchange_model::lead::ListHash;
use exchange_model::{BuyerId, Timestamp};

/// Most entries taken in one step: the writer has other work.
pub const SUPPRESSION_CHUNK_MAX: usize = 1_000;
/// Most entries that wait to be sorted in, whatever the length of a list.
const RECENT_LEAST: usize = 16_384;

/// A list as operators see it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SuppressionList {
    /// Whose.
    pub buyer: BuyerId,
    /// Its name.
    pub name: String,
    /// How many entries.
    pub entries: u64,
    /// When it was last changed.
    pub changed_at: Timestamp,
}

/// A list that is being uploaded to take another's place.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SuppressionUpload(pub i64);

/// Where entries go.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SuppressionTarget {
    /// Into a list; made when there is none.
    List(BuyerId, String),
    /// Into an upload.
    Upload(SuppressionUpload),
}

/// What a step added.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct SuppressionAdded {
    /// New entries.
    pub added: u64,
    /// Entries that were there already.
    pub known: u64,
}

/// The entries of one list.
#[derive(Debug, Default)]
struct Entries {
    sorted: Arc<[ListHash]>,
    recent: HashSet<ListHash>,
}

impl Entries {
    fn has(&self, entry: &ListHash) -> bool {
        self.sorted.binary_search(entry).is_ok() || self.recent.contains(entry)
    }

    fn is_due(&self) -> bool {
        let share = self.sorted.len().checked_div(8).unwrap_or(0);
        self.recent.len() > share.max(RECENT_LEAST)
    }

    fn merged(&self) -> Arc<[ListHash]> {
        let mut all: Vec<ListHash> = Vec::with_capacity(self.sorted.len() + self.recent.len());
        all.extend(self.sorted.iter().chain(&self.recent).copied());
        // Mostly sorted already: the sort finds the runs.
        all.sort();
        all.into()
    }
}

/// Every list.
#[derive(Debug, Default)]
struct Lists {
    live: BTreeMap<(BuyerId, String), i64>,
    entries: BTreeMap<i64, Entries>,
}

/// Every list, shared.
#[derive(Debug, Default)]
pub(crate) struct SuppressionBook(RwLock<Lists>);

impl SuppressionBook {
    fn read(&self) -> RwLockReadGuard<'_, Lists> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Lists> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether one of these lists of the buyer names the person.
    pub(crate) fn names(&self, buyer: &BuyerId, lists: &[String], as_: &[ListHash]) -> bool {
        let book = self.read();
        lists.iter().any(|name| {
            let id = book.live.get(&(buyer.clone(), name.clone()));
            let entries = id.and_then(|id| book.entries.get(id));
            entries.is_some_and(|entries| as_.iter().any(|entry| entries.has(entry)))
        })
    }

    /// A list that was read from disk, in order.
    pub(crate) fn fill(&self, id: i64, of: (BuyerId, String), sorted: Vec<ListHash>) {
        let mut book = self.write();
        book.live.insert(of, id);
        book.entries.insert(id, Entries { sorted: sorted.into(), recent: HashSet::new() });
    }

    /// Entries that are durable now.
    pub(crate) fn add(&self, id: i64, entries: &[ListHash]) {
        let due = {
            let mut book = self.write();
            let list = book.entries.entry(id).or_default();
            let new = entries.iter().filter(|entry| list.sorted.binary_search(entry).is_err());
            let new: Vec<ListHash> = new.copied().collect();
            list.recent.extend(new);
            list.is_due()
        };
        if due {
            self.sort_in(id);
        }
    }

    /// Sorts the recent entries in. Nobody is kept waiting while it is done: only the writer adds.
    fn sort_in(&self, id: i64) {
        let merged = self.read().entries.get(&id).map(Entries::merged);
        if let Some(merged) = merged
            && let Some(list) = self.write().entries.get_mut(&id)
        {
            list.sorted = merged;
            list.recent = HashSet::new();
        }
    }

    /// From now on this is the list of that name.
    pub(crate) fn go_live(&self, id: i64, of: (BuyerId, String)) {
        let mut book = self.write();
        book.entries.entry(id).or_default();
        if let Some(before) = book.live.insert(of, id).filter(|before| *before != id) {
            book.entries.remove(&before);
        }
    }

    /// From now on there is no list of that name.
    pub(crate) fn remove(&self, of: &(BuyerId, String)) {
        let mut book = self.write();
        if let Some(id) = book.live.remove(of) {
            book.entries.remove(&id);
        }
    }

    /// An upload that nobody goes on with.
    pub(crate) fn forget(&self, id: i64) {
        self.write().entries.remove(&id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(n: u32) -> ListHash {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&n.wrapping_mul(2_654_435_761).to_be_bytes());
        bytes[12..].copy_from_slice(&n.to_be_bytes());
        ListHash::from_bytes(bytes)
    }

    #[test]
    fn entries_are_found_whether_they_are_sorted_in_yet_or_not() {
        let book = SuppressionBook::default();
        let acme: BuyerId = "acme".parse().unwrap();
        let names = ["customers".to_owned()];
        book.go_live(7, (acme.clone(), names[0].clone()));
        for chunk in (0..40_000).collect::<Vec<u32>>().chunks(1_000) {
            book.add(7, &chunk.iter().map(|n| entry(*n)).collect::<Vec<_>>());
        }
        for n in [0, 1, 16_384, 39_999] {
            assert!(book.names(&acme, &names, &[entry(n)]), "{n}");
        }
        assert!(!book.names(&acme, &names, &[entry(40_000)]));
        assert!(!book.names(&acme, &["other".to_owned()], &[entry(1)]));
        assert!(!book.names(&"bell".parse().unwrap(), &names, &[entry(1)]));
        book.remove(&(acme.clone(), names[0].clone()));
        assert!(!book.names(&acme, &names, &[entry(1)]));
    }
}
