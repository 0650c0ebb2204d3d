//! A small seeded generator (`SplitMix64`): the same numbers on every machine and in every release.
//!
//! It is for test worlds. It is not for keys, tokens or anything a stranger must not guess.

/// What one step adds to the state.
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// A seeded stream of numbers.
#[derive(Clone, Debug)]
pub struct Random {
    state: u64,
}

impl Random {
    /// The stream of this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(STEP);
        mix(self.state)
    }

    /// A number below `limit`; 0 where the limit is 0. The bias of the remainder is far below
    /// anything a test could notice.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.next_u64().checked_rem(limit).unwrap_or(0)
    }

    /// A number from `low` up to and including `high`.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low).saturating_add(1))
    }

    /// True in `per_mille` of a thousand cases.
    pub fn chance(&mut self, per_mille: u32) -> bool {
        self.below(1000) < u64::from(per_mille)
    }

    /// One of the items.
    ///
    /// # Panics
    /// When there is none: the lists are tables in this crate.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        let count = u64::try_from(items.len()).expect("a table fits in 64 bits");
        let index = usize::try_from(self.below(count)).expect("below the length of a slice");
        items.get(index).expect("the tables of this crate are not empty")
    }
}

/// A number that depends on nothing but the seed and the text: what makes a bid repeatable.
#[must_use]
pub fn hash(seed: u64, text: &[u8]) -> u64 {
    let folded = text.iter().fold(seed ^ 0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3)
    });
    mix(folded.wrapping_add(STEP))
}

const fn mix(state: u64) -> u64 {
    let a = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let b = (a ^ (a >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    b ^ (b >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_the_published_one() {
        let mut random = Random::new(1_234_567);
        assert_eq!(random.next_u64(), 6_457_827_717_110_365_317);
        assert_eq!(random.next_u64(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn a_hash_depends_on_seed_and_text() {
        assert_eq!(hash(1, b"78701"), hash(1, b"78701"));
        assert_ne!(hash(1, b"78701"), hash(2, b"78701"));
        assert_ne!(hash(1, b"78701"), hash(1, b"78702"));
    }

    #[test]
    fn numbers_stay_within_their_bounds() {
        let mut random = Random::new(7);
        for _ in 0..1000 {
            assert!((3..=9).contains(&random.between(3, 9)));
            assert!(random.below(5) < 5);
        }
        assert_eq!(random.below(0), 0);
    }
}
