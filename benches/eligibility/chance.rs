//! Chance from a seed, so that every run sees the same campaigns and leads.

/// Numbers that look random (splitmix64).
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number from nothing to less than `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end.max(1)).unwrap_or(1);
        usize::try_from(self.next() % end).unwrap_or(0)
    }

    /// A number between two, both possible.
    pub(crate) fn between(&mut self, least: usize, most: usize) -> usize {
        least.saturating_add(self.below(most.saturating_sub(least).saturating_add(1)))
    }

    /// One of these.
    pub(crate) fn of<'w>(&mut self, words: &[&'w str]) -> &'w str {
        let at = self.below(words.len());
        words.get(at).copied().unwrap_or_default()
    }

    /// So many of these, all different, in their order.
    pub(crate) fn several<'w>(&mut self, count: usize, words: &[&'w str]) -> Vec<&'w str> {
        let mut left: Vec<&str> = words.to_vec();
        while left.len() > count.max(1) {
            let at = self.below(left.len());
            left.remove(at);
        }
        left
    }
}
