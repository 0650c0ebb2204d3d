//! The places of a lead: to how many buyers it may go, and who has them or may have them.
//!
//! A buyer is sold *one of at most so many*. The least of these promises binds the lead:
//!
//! > Posts that are sold, out or unanswered never take more places than any of them was promised.
//!
//! An exclusive post whose lead may be passed on when its answer is lost (`cascade`) gives its
//! place up then; it buys after all only while nobody else has bought. Every other post keeps its
//! places until its buyer has said no. The database enforces both rules once more, with triggers.

use exchange_core::record::{Intent, Sale, UnknownPolicy};
use exchange_model::reason::Refused;
use exchange_model::{CampaignId, LeadId};
use rusqlite::Connection;

use super::attempt::read_policy;
use super::columns::{all, coded, parsed};
use crate::error::StoreError;
use crate::recovery::AttemptState;

/// One post of a lead, as far as places go.
#[derive(Clone, Debug)]
pub(super) struct Post {
    pub(super) step: u8,
    pub(super) campaign: CampaignId,
    pub(super) state: AttemptState,
    policy: UnknownPolicy,
    buyers: u8,
    places: u8,
}

impl Post {
    fn is_sold(&self) -> bool {
        self.state == AttemptState::Accepted
    }

    fn is_exclusive(&self) -> bool {
        self.buyers == 1
    }

    /// Whether nobody else may have its places.
    fn keeps_places(&self) -> bool {
        match self.state {
            AttemptState::Prepared | AttemptState::Accepted => true,
            AttemptState::Unknown => !self.is_exclusive() || self.policy != UnknownPolicy::Cascade,
            AttemptState::NotSent | AttemptState::Rejected | AttemptState::LateAcceptConflict => {
                false
            }
        }
    }

    /// Whether its buyer has the lead or may have it.
    fn may_have_it(&self) -> bool {
        self.is_sold() || self.state.is_open()
    }
}

/// The posts of a lead, in order.
pub(super) fn posts(conn: &Connection, lead: LeadId) -> Result<Vec<Post>, StoreError> {
    let sql = "SELECT step, campaign, state, policy, buyers, places FROM attempt
               WHERE lead = ?1 ORDER BY step";
    all(conn, sql, [lead.to_bytes()], |row| {
        Ok(Post {
            step: row.get("step")?,
            campaign: parsed(row, "campaign")?,
            state: coded(row, "state", AttemptState::from_code)?,
            policy: coded(row, "policy", read_policy)?,
            buyers: row.get("buyers")?,
            places: row.get("places")?,
        })
    })
}

/// Why a post may not be made.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum NoPlace {
    /// The auction could not know: a late truth came in between.
    Refused(Refused),
    /// The auction knows better than to ask; this is where it is stopped.
    Never(&'static str),
}

/// Whether one more post may be made beside these.
pub(super) fn check_post(posts: &[Post], intent: &Intent) -> Result<(), NoPlace> {
    let alone = intent.buyers == 1;
    if posts.iter().any(|post| post.is_sold() && (alone || post.is_exclusive())) {
        return Err(NoPlace::Refused(Refused::Sold));
    }
    for post in posts {
        if post.state == AttemptState::Prepared && (alone || post.is_exclusive()) {
            return Err(NoPlace::Never("another post is out"));
        }
        if post.state == AttemptState::Unknown && post.policy == UnknownPolicy::Hold {
            return Err(NoPlace::Never("a buyer may have the lead"));
        }
        if post.may_have_it() && post.campaign == intent.campaign {
            return Err(NoPlace::Never("the campaign has the lead, or may have it"));
        }
    }
    if intent.places() > intent.buyers {
        return Err(NoPlace::Never("more companies than places"));
    }
    let kept = posts.iter().filter(|post| post.keeps_places());
    if fits(kept, intent.buyers, intent.places()) {
        Ok(())
    } else {
        Err(NoPlace::Refused(Refused::NoSlot))
    }
}

/// Whether this sale of a post has a place among what is sold.
pub(super) fn has_place(posts: &[Post], step: u8, sale: &Sale) -> bool {
    let (own, others): (Vec<&Post>, Vec<&Post>) = posts.iter().partition(|post| post.step == step);
    let Some(own) = own.first() else { return false };
    let sold = others.into_iter().filter(|post| post.is_sold());
    fits(sold, own.buyers, places_of(sale))
}

/// The places that a sale takes: one, or one for each company that bought.
pub(super) fn places_of(sale: &Sale) -> u8 {
    u8::try_from(sale.legs.len()).unwrap_or(u8::MAX).max(1)
}

fn fits<'a>(taken: impl Iterator<Item = &'a Post>, buyers: u8, places: u8) -> bool {
    let add = |(least, taken): (u8, u8), post: &Post| {
        (least.min(post.buyers), taken.saturating_add(post.places))
    };
    let (least, all) = taken.fold((buyers, places), add);
    all <= least
}

/// Whether a buyer has bought the lead.
pub(super) fn is_sold(posts: &[Post]) -> bool {
    posts.iter().any(Post::is_sold)
}

/// Whether a buyer may have the lead.
pub(super) fn is_awaited(posts: &[Post]) -> bool {
    posts.iter().any(|post| post.state.is_open())
}
