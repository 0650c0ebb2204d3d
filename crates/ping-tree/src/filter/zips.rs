//! A set of codes of five digits, small enough to keep thousands of long lists.

use std::fmt;

/// How many codes of five digits there are.
pub(crate) const CODES: u32 = 100_000;
/// Where the upper half begins: codes are kept in 16 bits, those from here less this.
const UPPER: u32 = 65_536;

/// Codes of five digits, sorted; two bytes each.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Zips {
    lower: Box<[u16]>,
    upper: Box<[u16]>,
}

impl Zips {
    /// The set of codes whose bit is set, the first code in the lowest bit of the first word.
    pub(crate) fn of_bits(bits: &[u64]) -> Self {
        let (mut lower, mut upper) = (Vec::new(), Vec::new());
        for (word, at) in bits.iter().zip((0_u32..).step_by(64)) {
            let mut rest = *word;
            while rest != 0 {
                let code = at.saturating_add(rest.trailing_zeros());
                rest &= rest.wrapping_sub(1);
                match u16::try_from(code) {
                    Ok(code) => lower.push(code),
                    Err(_above) => upper.extend(u16::try_from(code.saturating_sub(UPPER))),
                }
            }
        }
        Self { lower: lower.into(), upper: upper.into() }
    }

    /// Whether this text is one of them.
    #[must_use]
    pub fn contains(&self, text: &str) -> bool {
        code(text).is_some_and(|code| match u16::try_from(code) {
            Ok(code) => self.lower.binary_search(&code).is_ok(),
            Err(_above) => {
                let code = u16::try_from(code.saturating_sub(UPPER));
                code.is_ok_and(|code| self.upper.binary_search(&code).is_ok())
            }
        })
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lower.len().saturating_add(self.upper.len())
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The codes as numbers, in order.
    pub fn codes(&self) -> impl Iterator<Item = u32> + '_ {
        let upper = self.upper.iter().map(|code| u32::from(*code).saturating_add(UPPER));
        self.lower.iter().map(|code| u32::from(*code)).chain(upper)
    }
}

/// The number that five digits are.
pub(crate) fn code(text: &str) -> Option<u32> {
    if text.len() != 5 {
        return None;
    }
    text.bytes().try_fold(0_u32, |code, byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
        code.checked_mul(10)?.checked_add(u32::from(digit))
    })
}

impl fmt::Debug for Zips {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Zips").field(&self.len()).finish()
    }
}
