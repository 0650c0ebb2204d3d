//! Which tree a lead of a source goes through, where its traffic is split.
//!
//! The arm follows from the lead's id and the source's name alone: no random number is drawn and
//! nothing is kept, so it is the same at every look, on every node and after every restart. A ping
//! and the post on it have the same bits, so they share the arm.

use exchange_model::{LeadId, Rate, SourceId, TreeId};
use rust_decimal::Decimal;
use sha2::{Digest as _, Sha256};

/// Most trees that the traffic of one source is split over.
pub const ARMS_MAX: usize = 10;
/// Keeps these hashes apart from all others.
const DOMAIN: &[u8] = b"traffic split\0";

/// A tree and its part of the traffic.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Arm {
    /// The tree.
    pub tree: TreeId,
    /// Its part of the leads.
    pub share: Rate,
}

/// The trees of a source with their parts of its traffic, which add up to the whole.
///
/// The first arm begins where the hash is nothing, so a change of shares moves only the leads that
/// it must.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Split {
    first: Arm,
    others: Vec<Arm>,
}

impl Split {
    /// Everything through one tree.
    #[must_use]
    pub const fn whole(tree: TreeId) -> Self {
        Self { first: Arm { tree, share: Rate::WHOLE }, others: Vec::new() }
    }

    /// These arms, in the order written. What their shares leave over falls to the last one.
    #[must_use]
    pub const fn new(first: Arm, others: Vec<Arm>) -> Self {
        Self { first, others }
    }

    /// The tree of its first arm.
    #[must_use]
    pub const fn first(&self) -> &TreeId {
        &self.first.tree
    }

    /// Its arms, in the order written.
    pub fn arms(&self) -> impl Iterator<Item = &Arm> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// The tree that this lead of this source goes through.
    #[must_use]
    pub fn tree_for(&self, source: &SourceId, lead: LeadId) -> &TreeId {
        if self.others.is_empty() {
            return &self.first.tree;
        }
        let point = point(source, lead);
        let mut end = Decimal::ZERO;
        let reached = self.arms().find(|arm| {
            end = end.saturating_add(arm.share.as_decimal());
            point < end
        });
        &reached.or_else(|| self.others.last()).unwrap_or(&self.first).tree
    }
}

/// Where a lead stands between 0 and 1, in steps of a billionth.
fn point(source: &SourceId, lead: LeadId) -> Decimal {
    let mut hash = Sha256::new();
    hash.update(DOMAIN);
    hash.update(source.as_str().as_bytes());
    hash.update([0]);
    hash.update(lead.to_bytes());
    let bits =
        hash.finalize().iter().take(7).fold(0_i64, |bits, byte| (bits << 8) | i64::from(*byte));
    Decimal::new(bits % 1_000_000_000, 9)
}

#[cfg(test)]
mod tests {
    use exchange_model::{PingId, SellerId};

    use super::*;

    fn source(name: &str) -> SourceId {
        SourceId::new(&SellerId::new("quotekart").unwrap(), name).unwrap()
    }

    fn arm(tree: &str, share: &str) -> Arm {
        Arm { tree: TreeId::new(tree).unwrap(), share: Rate::parse_percent(share).unwrap() }
    }

    fn split(shares: [&str; 2]) -> Split {
        Split::new(arm("auto_main", shares[0]), vec![arm("auto_new", shares[1])])
    }

    /// The leads of 10,000 that take the second arm.
    fn second(split: &Split, source: &SourceId) -> Vec<u128> {
        let lead = |n: &u128| LeadId::from_bytes(n.to_be_bytes());
        (0..10_000).filter(|n| split.tree_for(source, lead(n)).as_str() == "auto_new").collect()
    }

    #[test]
    fn each_tree_gets_its_share_of_the_leads() {
        let found = second(&split(["90%", "10%"]), &source("search")).len();
        assert!((900..1_100).contains(&found), "{found}");
        assert_eq!(second(&split(["100%", "0%"]), &source("search")).len(), 0);
        assert_eq!(second(&split(["0%", "100%"]), &source("search")).len(), 10_000);
    }

    #[test]
    fn a_lead_keeps_its_arm_while_the_second_grows() {
        let small = second(&split(["90%", "10%"]), &source("search"));
        let large = second(&split(["80%", "20%"]), &source("search"));
        assert!(small.iter().all(|lead| large.binary_search(lead).is_ok()));
    }

    #[test]
    fn the_arms_of_two_sources_have_nothing_to_do_with_each_other() {
        let split = split(["50%", "50%"]);
        let (one, other) = (second(&split, &source("search")), second(&split, &source("social")));
        let both = one.iter().filter(|lead| other.binary_search(lead).is_ok()).count();
        assert!((2_300..2_700).contains(&both), "{both}");
    }

    #[test]
    fn a_ping_and_the_post_on_it_share_the_arm() {
        let ping = PingId::from_bytes([7; 16]);
        let lead = LeadId::from_bytes(ping.to_bytes());
        let split = split(["50%", "50%"]);
        assert_eq!(
            split.tree_for(&source("search"), lead),
            split.tree_for(&source("search"), LeadId::from_bytes([7; 16]))
        );
    }
}
