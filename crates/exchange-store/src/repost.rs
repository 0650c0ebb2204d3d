//! A lead that is posted again because nobody bought it: which ones belong together, and how often.
//!
//! All of them name the first. Whether one more may run is decided where it is recorded, so that no
//! two of them run at once and none runs after a sale.

use std::time::Duration;

use exchange_core::trace::Trace;
use exchange_model::{CampaignId, LeadId, Timestamp};

/// How long after the first a lead may be posted again.
pub const REPOST_WITHIN: Duration = Duration::from_secs(3_600);
/// How often a lead may be posted again.
pub const REPOSTS_MAX: usize = 8;

/// Why a lead may not be posted again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NotRepostable {
    /// The source has no lead by that id.
    Unknown,
    /// It is not unsold: it is sold, may be, or its auction runs.
    NotUnsold,
    /// The first came in more than [`REPOST_WITHIN`] ago.
    TooLate,
    /// It was posted again [`REPOSTS_MAX`] times already.
    TooOften,
}

impl NotRepostable {
    /// What the seller is told.
    #[must_use]
    pub const fn detail(self) -> &'static str {
        match self {
            Self::Unknown => "no lead of this source has this id",
            Self::NotUnsold => "only a lead that is `unsold` may be posted again",
            Self::TooLate => "a lead may be posted again within an hour",
            Self::TooOften => "a lead may be posted again at most 8 times",
        }
    }
}

/// What became of a lead so far, each time it was posted.
#[derive(Clone, Debug)]
pub struct EarlierPosts {
    /// The first.
    pub first: LeadId,
    /// In the order in which they came in.
    pub posts: Vec<EarlierPost>,
}

/// One time that a lead was posted.
#[derive(Clone, Debug)]
pub struct EarlierPost {
    /// Which.
    pub lead: LeadId,
    /// When it came in.
    pub received_at: Timestamp,
    /// Campaigns that refused it, have it or may have it.
    pub posted_to: Vec<CampaignId>,
    /// Its journey, where it is written already; a ping's before it.
    pub traces: Vec<Trace>,
}
