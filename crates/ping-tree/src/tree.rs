//! An ordered set of tiers of campaigns.

use std::sync::Arc;
use std::time::Duration;

use exchange_model::{Money, Place, TreeId, Vertical};

use crate::campaign::Campaign;

/// Campaigns that are pinged together.
#[derive(Clone, Debug)]
pub struct Tier {
    /// Its name in reports.
    pub name: String,
    /// How long its members may take to bid.
    pub ping_timeout: Duration,
    /// The least price this tier sells at.
    pub reserve: Option<Money>,
    /// After a rejected post, how many further bidders of this tier are tried.
    pub cascade: u8,
    /// Its members, in the order written.
    pub members: Vec<Arc<Campaign>>,
    /// Where its name is written.
    pub place: Place,
}

/// An ordered set of tiers.
#[derive(Clone, Debug)]
pub struct Tree {
    /// Its name.
    pub id: TreeId,
    /// The kind of lead it sells.
    pub vertical: Arc<Vertical>,
    /// Its name for people.
    pub title: String,
    /// From the first byte of the request to the answer.
    pub deadline: Duration,
    /// What is kept back from the deadline for posting and replying.
    pub post_reserve: Duration,
    /// How long the answer to a seller's ping may be posted on.
    pub promise_lifetime: Duration,
    /// The tiers, in order.
    pub tiers: Vec<Tier>,
    /// Where its name is written.
    pub place: Place,
}

impl Tree {
    /// Every campaign with the index of its tier, in order.
    pub fn members(&self) -> impl Iterator<Item = (usize, &Arc<Campaign>)> {
        self.tiers
            .iter()
            .enumerate()
            .flat_map(|(tier, t)| t.members.iter().map(move |campaign| (tier, campaign)))
    }
}
