//! Whose leads a cap counts.

use std::sync::Arc;

use exchange_model::reason::{CapName, CapOwner};
use exchange_model::{BuyerId, CampaignId, SourceId};

use crate::caps::CapLimit;

/// Campaigns that are counted together.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Its campaigns, in order of their names.
    pub members: Vec<CampaignId>,
}

/// Whose leads a cap counts. A group is counted as the sum of its members, so that a campaign which
/// joins or leaves it takes its history along.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum CapScope {
    /// One campaign's.
    Campaign(CampaignId),
    /// One campaign's from one source.
    Source(CampaignId, SourceId),
    /// All of a buyer's.
    Buyer(BuyerId),
    /// Those of all campaigns of a group.
    Group(Arc<Group>),
    /// Those that a source sends in, whoever buys them.
    Inbound(SourceId),
}

impl CapScope {
    /// How a reason names it.
    #[must_use]
    pub fn owner(&self) -> CapOwner {
        match self {
            Self::Campaign(_) => CapOwner::Campaign,
            Self::Source(..) | Self::Inbound(_) => CapOwner::Source,
            Self::Buyer(_) => CapOwner::Buyer,
            Self::Group(group) => CapOwner::Group(group.name.clone()),
        }
    }
}

impl CapLimit {
    /// How a reason names it.
    #[must_use]
    pub fn name(&self) -> CapName {
        CapName { owner: self.scope.owner(), kind: self.kind }
    }
}
