//! Everything an exchange routes by, compiled from the operator's files.
//!
//! [`compile`] never stops at the first mistake: whatever cannot be read is reported and left out,
//! and the rest is checked all the same. A [`Routing`] is immutable; a reload makes a new one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use exchange_model::{
    BuyerId, CampaignId, Document, Findings, SourceFile, SourceId, TreeId, Vertical, VerticalId,
};

use crate::campaign::{Buyer, Campaign};
use crate::caps::CapGroup;
use crate::list::Lists;
use crate::routing::groups::Joins;
use crate::routing::names::Declared;
use crate::source::Source;
use crate::tree::Tree;

mod amounts;
mod billing;
mod buyers;
mod check;
mod from_sources;
mod groups;
mod harvest;
mod members;
mod methods;
pub(crate) mod names;
mod payouts;
mod people;
mod prices;
mod reading;
mod sellers;
mod shares;
mod source_money;
mod splits;
mod terms;
mod tiers;
mod trees;

/// Most campaigns of an exchange.
pub const CAMPAIGNS_MAX: usize = 20_000;
/// Most tiers of a tree.
pub const TIERS_MAX: usize = 20;
/// Most members of a tree, all tiers together.
pub const MEMBERS_MAX: usize = 20_000;
/// Most further bidders tried after a rejected post, per tier.
pub const CASCADE_MAX: u8 = 10;

/// Longest deadline of a tree.
pub const DEADLINE_MAX: Duration = Duration::from_secs(300);

/// Finds a list file by its path as written, like `lists/blocked.txt`.
pub type FindList<'a> = dyn Fn(&str) -> Option<Arc<SourceFile>> + 'a;

/// The operator's files, parsed but not yet understood.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    /// What everything is checked against.
    pub verticals: &'a BTreeMap<VerticalId, Arc<Vertical>>,
    /// `buyers/*.toml`.
    pub buyers: &'a [Document],
    /// `sellers/*.toml`.
    pub sellers: &'a [Document],
    /// `trees/*.toml`.
    pub trees: &'a [Document],
    /// `groups.toml`, if there is one.
    pub groups: Option<&'a Document>,
    /// `lists/*`, by path as written.
    pub lists: &'a FindList<'a>,
}

impl std::fmt::Debug for Sources<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let counts = [self.buyers.len(), self.sellers.len(), self.trees.len()];
        f.debug_tuple("Sources").field(&counts).finish()
    }
}

/// Everything an exchange routes by.
#[derive(Clone, Debug, Default)]
pub struct Routing {
    buyers: BTreeMap<BuyerId, Arc<Buyer>>,
    campaigns: BTreeMap<CampaignId, Arc<Campaign>>,
    trees: BTreeMap<TreeId, Arc<Tree>>,
    sources: BTreeMap<SourceId, Arc<Source>>,
    groups: BTreeMap<String, Arc<CapGroup>>,
    person_fields: BTreeMap<VerticalId, Vec<String>>,
    pub(crate) names: Declared,
}

/// Understands the operator's files; every mistake is reported, and what it spoils is left out.
#[must_use]
pub fn compile(sources: &Sources<'_>, findings: &mut Findings) -> Routing {
    let mut routing = Routing::default();
    let mut lists = Lists::new(sources.lists);
    let mut joins = Joins::default();
    buyers::read(sources, &mut lists, &mut routing, &mut joins, findings);
    groups::read(sources, &joins, &mut routing, findings);
    trees::read(sources, &mut lists, &mut routing, findings);
    sellers::read(sources, &mut routing, findings);
    groups::check_sources(&joins, &routing, findings);
    from_sources::check(&routing.names.named_sources, &routing.names, findings);
    check::double_risk(&routing, findings);
    check::whole(&routing, findings);
    routing.person_fields = people::fields(&routing);
    routing
}

impl Routing {
    /// The contact fields by which rules of campaigns and sources of this vertical know a person
    /// again; none when nobody asks.
    #[must_use]
    pub fn person_fields(&self, vertical: &VerticalId) -> &[String] {
        self.person_fields.get(vertical).map_or(&[], Vec::as_slice)
    }

    /// Every buyer, by name.
    pub fn buyers(&self) -> impl Iterator<Item = &Arc<Buyer>> {
        self.buyers.values()
    }

    /// One buyer.
    #[must_use]
    pub fn buyer(&self, id: &BuyerId) -> Option<&Arc<Buyer>> {
        self.buyers.get(id)
    }

    /// Every campaign, by name.
    pub fn campaigns(&self) -> impl Iterator<Item = &Arc<Campaign>> {
        self.campaigns.values()
    }

    /// One campaign.
    #[must_use]
    pub fn campaign(&self, id: &CampaignId) -> Option<&Arc<Campaign>> {
        self.campaigns.get(id)
    }

    /// Every group of caps, by name.
    pub fn groups(&self) -> impl Iterator<Item = &Arc<CapGroup>> {
        self.groups.values()
    }

    /// Every tree, by name.
    pub fn trees(&self) -> impl Iterator<Item = &Arc<Tree>> {
        self.trees.values()
    }

    /// One tree.
    #[must_use]
    pub fn tree(&self, id: &TreeId) -> Option<&Arc<Tree>> {
        self.trees.get(id)
    }

    /// Every source, by name.
    pub fn sources(&self) -> impl Iterator<Item = &Arc<Source>> {
        self.sources.values()
    }

    /// One source.
    #[must_use]
    pub fn source(&self, id: &SourceId) -> Option<&Arc<Source>> {
        self.sources.get(id)
    }
}
