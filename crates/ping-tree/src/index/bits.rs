//! A set of slots, one bit each.

/// Slots of an index.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Slots {
    words: Vec<u64>,
}

fn place(slot: usize) -> (usize, u64) {
    (slot / 64, 1 << (slot % 64))
}

impl Slots {
    /// None of this many.
    #[must_use]
    pub(super) fn none(of: usize) -> Self {
        Self { words: vec![0; of.div_ceil(64)] }
    }

    /// All of this many.
    #[must_use]
    pub(super) fn all(of: usize) -> Self {
        let mut words = vec![u64::MAX; of.div_ceil(64)];
        if let (Some(last), spare @ 1..) = (words.last_mut(), of % 64) {
            *last = (1 << spare) - 1;
        }
        Self { words }
    }

    /// Whether this slot is among them.
    #[must_use]
    pub fn contains(&self, slot: usize) -> bool {
        let (word, bit) = place(slot);
        self.words.get(word).is_some_and(|word| word & bit != 0)
    }

    /// The slots, in order.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.words.iter().enumerate().flat_map(|(at, word)| ones(at, *word))
    }

    /// How many.
    #[must_use]
    pub fn count(&self) -> usize {
        self.words.iter().filter_map(|word| usize::try_from(word.count_ones()).ok()).sum()
    }

    pub(super) fn insert(&mut self, slot: usize) {
        let (word, bit) = place(slot);
        if let Some(word) = self.words.get_mut(word) {
            *word |= bit;
        }
    }

    pub(super) fn remove(&mut self, slot: usize) {
        let (word, bit) = place(slot);
        if let Some(word) = self.words.get_mut(word) {
            *word &= !bit;
        }
    }

    /// Leaves those that are in `other` too.
    pub(super) fn keep(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= other;
        }
    }

    /// Leaves those that are not in `other`.
    pub(super) fn drop_all(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= !other;
        }
    }

    /// Becomes the same as `other`, which is for as many slots.
    pub(super) fn copy(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word = *other;
        }
    }

    /// Those in both, as they are now.
    pub(super) fn both(&self, other: &Self) -> Vec<usize> {
        let words = self.words.iter().zip(&other.words).enumerate();
        words.flat_map(|(at, (word, other))| ones(at, word & other)).collect()
    }

    pub(super) fn bytes(&self) -> usize {
        self.words.len().saturating_mul(8)
    }
}

fn ones(at: usize, word: u64) -> impl Iterator<Item = usize> {
    let first = at.saturating_mul(64);
    let next = |rest: &u64| Some(rest & rest.wrapping_sub(1)).filter(|rest| *rest != 0);
    std::iter::successors(Some(word).filter(|word| *word != 0), next)
        .filter_map(|rest| usize::try_from(rest.trailing_zeros()).ok())
        .map(move |bit| first.saturating_add(bit))
}
