//! Names and identifiers.
//!
//! Names come from config files (`acme_mutual/auto-tx`); identifiers are made for each lead and
//! sort by the time they were made. Both are cheap to clone and print the way they are typed.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::timestamp::Timestamp;

/// Longest name accepted in config, in bytes.
pub const NAME_MAX: usize = 64;

/// Why a text is no name or identifier.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum IdError {
    /// Names are 1 to [`NAME_MAX`] characters of `a-z 0-9 _ -`.
    #[error("a name is 1 to {NAME_MAX} characters of a-z, 0-9, `_` and `-`")]
    BadName,
    /// A two-part name lacks its `/` or has too many.
    #[error("expected `{0}`")]
    NotTwoParts(&'static str),
    /// An identifier lacks its prefix or its 26 characters of base32.
    #[error("expected `{0}` followed by 26 characters")]
    BadIdentifier(&'static str),
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= NAME_MAX
        && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'))
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $type(Arc<str>);

        impl $type {
            /// Checks the characters and the length.
            ///
            /// # Errors
            /// [`IdError::BadName`].
            pub fn new(text: &str) -> Result<Self, IdError> {
                if is_name(text) { Ok(Self(text.into())) } else { Err(IdError::BadName) }
            }

            /// The name as typed in config.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $type {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }
    };
}

macro_rules! two_part_name {
    ($(#[$doc:meta])* $type:ident, $owner:ident, $owner_fn:ident, $shape:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $type {
            text: Arc<str>,
            slash: usize,
        }

        impl $type {
            /// Joins the owner and the last part.
            ///
            /// # Errors
            /// [`IdError::BadName`] when `last` is no name.
            pub fn new(owner: &$owner, last: &str) -> Result<Self, IdError> {
                if !is_name(last) {
                    return Err(IdError::BadName);
                }
                Ok(Self { text: format!("{owner}/{last}").into(), slash: owner.as_str().len() })
            }

            #[doc = concat!("Both parts, `", $shape, "`.")]
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.text
            }

            /// The part before the slash.
            #[must_use]
            pub fn $owner_fn(&self) -> $owner {
                let (owner, _) = self.text.split_at(self.slash);
                $owner(owner.into())
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.text)
            }
        }

        impl FromStr for $type {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let (owner, last) = text.split_once('/').ok_or(IdError::NotTwoParts($shape))?;
                Self::new(&$owner::new(owner)?, last)
            }
        }
    };
}

name!(
    /// Who posts leads to us.
    SellerId
);
name!(
    /// Who bids and pays.
    BuyerId
);
name!(
    /// An ordered set of tiers of campaigns.
    TreeId
);
name!(
    /// A kind of lead; owns the field schema.
    VerticalId
);
two_part_name!(
    /// One traffic stream of a seller.
    SourceId,
    SellerId,
    seller,
    "seller/source"
);
two_part_name!(
    /// A buyer's standing order.
    CampaignId,
    BuyerId,
    buyer,
    "buyer/campaign"
);

/// Crockford base32, lower case: no `i l o u`, so that an id survives being read aloud.
const BASE32: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const BASE32_LEN: usize = 26;

fn base32(bits: u128) -> String {
    (0..BASE32_LEN)
        .rev()
        .map(|place| {
            let digit = usize::try_from((bits >> (place * 5)) & 31).expect("five bits fit usize");
            char::from(*BASE32.get(digit).expect("five bits index 32 characters"))
        })
        .collect()
}

fn from_base32(text: &str) -> Option<u128> {
    if text.len() != BASE32_LEN || !matches!(text.as_bytes().first(), Some(b'0'..=b'7')) {
        return None;
    }
    text.bytes().try_fold(0_u128, |bits, byte| {
        let digit = BASE32.iter().position(|b| *b == byte)?;
        Some((bits << 5) | u128::try_from(digit).ok()?)
    })
}

/// A UUID version 7 (RFC 9562): 48 bits of milliseconds, then random bits.
fn uuid_v7(now: Timestamp, random: [u8; 10]) -> u128 {
    let millis = u128::from(now.unix_millis().unsigned_abs()) & 0xffff_ffff_ffff;
    let noise = random.iter().fold(0_u128, |bits, byte| (bits << 8) | u128::from(*byte));
    let rand_a = (noise >> 62) & 0xfff;
    let rand_b = noise & 0x3fff_ffff_ffff_ffff;
    (millis << 80) | (0x7 << 76) | (rand_a << 64) | (0b10 << 62) | rand_b
}

macro_rules! identifier {
    ($(#[$doc:meta])* $type:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $type(u128);

        impl $type {
            /// A UUID version 7 made of the time and ten random bytes, both from the caller.
            #[must_use]
            pub fn new(now: Timestamp, random: [u8; 10]) -> Self {
                Self(uuid_v7(now, random))
            }

            /// The 128 bits, big-endian: what stores and keyed hashes use.
            #[must_use]
            pub fn to_bytes(self) -> [u8; 16] {
                self.0.to_be_bytes()
            }

            /// The identifier with these bits.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(u128::from_be_bytes(bytes))
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}{}", $prefix, base32(self.0))
            }
        }

        impl FromStr for $type {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                text.strip_prefix($prefix)
                    .and_then(from_base32)
                    .map(Self)
                    .ok_or(IdError::BadIdentifier($prefix))
            }
        }
    };
}

identifier!(
    /// One lead, for ever.
    LeadId,
    "lead_"
);
impl LeadId {
    /// The lead's place among `count`, from 0: evenly spread, and the same wherever it is worked
    /// out. Each `salt` spreads anew. For samples of leads that nobody gains by being in.
    #[must_use]
    pub fn place_among(self, count: u64, salt: &str) -> u64 {
        let bytes = self.to_bytes();
        let hash = bytes
            .iter()
            .chain(salt.as_bytes())
            .fold(FNV_BASIS, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(FNV_PRIME));
        mixed(hash).checked_rem(count).unwrap_or(0)
    }
}

/// FNV-1a.
const FNV_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0100_0000_01b3;

/// The last step of `SplitMix64`: every bit depends on every bit.
const fn mixed(bits: u64) -> u64 {
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

identifier!(
    /// One seller's ping, and the promise made for it.
    PingId,
    "ping_"
);

/// One post of one lead to one campaign: the lead's id and the number of the step, from 1.
///
/// It is derived rather than drawn, so that a replayed auction names its attempts alike.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct AttemptId {
    lead: LeadId,
    step: u8,
}

impl AttemptId {
    /// The attempt that is step `step` (from 1) of this lead's cascade.
    #[must_use]
    pub fn new(lead: LeadId, step: u8) -> Self {
        Self { lead, step }
    }

    /// The lead that was posted.
    #[must_use]
    pub fn lead(self) -> LeadId {
        self.lead
    }

    /// The step of the cascade, from 1.
    #[must_use]
    pub fn step(self) -> u8 {
        self.step
    }
}

impl fmt::Display for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "att_{}_{}", base32(self.lead.0), self.step)
    }
}

impl FromStr for AttemptId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let bad = || IdError::BadIdentifier("att_");
        let (lead, step) =
            text.strip_prefix("att_").and_then(|rest| rest.split_once('_')).ok_or_else(bad)?;
        let lead = from_base32(lead).map(LeadId).ok_or_else(bad)?;
        Ok(Self { lead, step: step.parse().map_err(|_ignored| bad())? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leads_spread_evenly_and_each_salt_spreads_anew() {
        let leads = || (0..2_000_u128).map(LeadId);
        let tenth = |salt| leads().filter(move |lead| lead.place_among(10, salt) == 0);
        for salt in ["", "acme_mutual", "bravo"] {
            assert!((150..250).contains(&tenth(salt).count()), "{}", tenth(salt).count());
        }
        let both = tenth("acme_mutual").filter(|lead| lead.place_among(10, "bravo") == 0);
        assert!((5..40).contains(&both.count()));
    }

    #[test]
    fn identifiers_survive_printing_and_sort_by_time() {
        let early = LeadId::new(Timestamp::from_unix_millis(1_000), [0xff; 10]);
        let late = LeadId::new(Timestamp::from_unix_millis(2_000), [0; 10]);
        assert!(early < late);
        assert!(early.to_string() < late.to_string());
        assert_eq!(early.to_string().parse(), Ok(early));
        let attempt = AttemptId::new(late, 3);
        assert_eq!(attempt.to_string().parse(), Ok(attempt));
    }

    #[test]
    fn foreign_text_is_no_identifier() {
        for text in
            ["", "lead_", "ping_00000000000000000000000000", "lead_zzzzzzzzzzzzzzzzzzzzzzzzzz"]
        {
            assert_eq!(text.parse::<LeadId>(), Err(IdError::BadIdentifier("lead_")), "{text}");
        }
    }

    #[test]
    fn a_campaign_knows_its_buyer() {
        let campaign: CampaignId = "acme_mutual/auto-tx".parse().unwrap();
        assert_eq!(campaign.buyer().as_str(), "acme_mutual");
        assert_eq!("acme".parse::<CampaignId>(), Err(IdError::NotTwoParts("buyer/campaign")));
        assert_eq!("Acme/auto".parse::<CampaignId>(), Err(IdError::BadName));
    }
}
