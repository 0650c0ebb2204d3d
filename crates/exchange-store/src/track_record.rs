//! What became of posts: by campaign for the chance that the next one is accepted, by buyer for
//! its scorecard. In memory.
//!
//! Filled from the attempts when the store opens and changed inside the operation that makes a
//! change durable, so that nothing of it can be lost. A post counts at the moment it was prepared,
//! whenever its outcome is known.

use std::collections::BTreeMap;

use dashmap::DashMap;
use exchange_model::{BuyerId, CampaignId, Timestamp};

use crate::recovery::AttemptState;

/// Microseconds in an hour.
const HOUR: i64 = 3_600_000_000;
/// Microseconds in a day.
const DAY: i64 = 24 * HOUR;
/// Days whose posts still weigh something in a [`Chance`]: ten times halved, a thousandth is left.
pub(crate) const DAYS_KEPT: u32 = 70;
/// Hours of which a scorecard can speak: a week, and the one under way.
const HOURS_KEPT: usize = 24 * 7 + 1;
/// What a post weighs that is so many days old, in parts of 2^20: halved every 7 days.
const WEIGHTS: [u64; 7] = [1_048_576, 949_720, 860_184, 779_089, 705_639, 639_114, 578_861];
/// Parts of a whole post in [`WEIGHTS`].
const WHOLE: u64 = 1 << 20;
/// Thousandths: what a [`Chance`] counts in.
const MILLI: u64 = 1_000;
/// Parts per million.
const MILLION: u64 = 1_000_000;
/// Posts at the tree's mean that are added to a campaign's own, so that few posts say little.
const PRIOR_POSTS: u64 = 8;

/// How many posts were decided, and how many of them accepted, in thousandths of a post: counts
/// are halved every 7 days. Posts without an answer count as neither.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Chance {
    /// Accepted.
    pub accepted: u64,
    /// Accepted or refused.
    pub posts: u64,
}

impl Chance {
    /// Both together: of the campaigns of a tree, for example.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            accepted: self.accepted.saturating_add(other.accepted),
            posts: self.posts.saturating_add(other.posts),
        }
    }

    /// The share that was accepted, in parts per million; all, while nothing was posted.
    #[must_use]
    pub fn share(self) -> u32 {
        per_million(self.accepted, self.posts).unwrap_or(1_000_000)
    }

    /// The chance that the next post is accepted, in parts per million: its own posts and 8 at the
    /// mean of its tree, which is in parts per million too.
    #[must_use]
    pub fn with_mean(self, mean: u32) -> u32 {
        let prior = PRIOR_POSTS.saturating_mul(u64::from(mean)) / (MILLION / MILLI);
        let accepted = self.accepted.saturating_add(prior);
        let posts = self.posts.saturating_add(PRIOR_POSTS.saturating_mul(MILLI));
        per_million(accepted, posts).unwrap_or(mean)
    }
}

fn per_million(part: u64, whole: u64) -> Option<u32> {
    let scaled = u128::from(part).saturating_mul(u128::from(MILLION));
    let share = scaled.checked_div(u128::from(whole))?;
    Some(u32::try_from(share).unwrap_or(u32::MAX).min(1_000_000))
}

/// What became of the posts to a buyer.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct PostTally {
    /// Its bid was the best: a post was prepared.
    pub wins: u64,
    /// It may have been given the lead.
    pub posts: u64,
    /// It bought.
    pub accepted: u64,
    /// It refused.
    pub rejected: u64,
    /// It has not said.
    pub unknown: u64,
}

impl PostTally {
    fn of(state: AttemptState) -> Self {
        Self {
            wins: 1,
            posts: u64::from(state != AttemptState::NotSent),
            accepted: u64::from(is_accepted(state)),
            rejected: u64::from(state == AttemptState::Rejected),
            unknown: u64::from(state.is_open()),
        }
    }

    fn both(self, other: Self, with: impl Fn(u64, u64) -> u64) -> Self {
        Self {
            wins: with(self.wins, other.wins),
            posts: with(self.posts, other.posts),
            accepted: with(self.accepted, other.accepted),
            rejected: with(self.rejected, other.rejected),
            unknown: with(self.unknown, other.unknown),
        }
    }
}

/// Pings to a buyer within one hour, and bids of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PingCount {
    /// Whose.
    pub buyer: BuyerId,
    /// The beginning of the hour.
    pub hour: Timestamp,
    /// Pings that were answered, or could have been.
    pub pings: u64,
    /// Those that were answered with a price.
    pub bids: u64,
}

impl PingCount {
    /// The beginning of the hour of a moment.
    #[must_use]
    pub fn hour_of(at: Timestamp) -> Timestamp {
        let hours = at.unix_micros().div_euclid(HOUR);
        Timestamp::from_unix_micros(hours.saturating_mul(HOUR))
    }
}

const fn is_accepted(state: AttemptState) -> bool {
    matches!(state, AttemptState::Accepted | AttemptState::LateAcceptConflict)
}

/// One campaign's decided posts by day.
#[derive(Debug, Default)]
struct Days {
    by_day: BTreeMap<i64, Chance>,
    /// The day that the sum was made for.
    summed: Option<(i64, Chance)>,
}

impl Days {
    fn change(&mut self, day: i64, by: Chance, with: impl Fn(u64, u64) -> u64) {
        let count = self.by_day.entry(day).or_default();
        count.accepted = with(count.accepted, by.accepted);
        count.posts = with(count.posts, by.posts);
        while self.by_day.len() > usize::try_from(DAYS_KEPT).unwrap_or(usize::MAX) {
            self.by_day.pop_first();
        }
        self.summed = None;
    }

    fn chance(&mut self, today: i64) -> Chance {
        if let Some((_, sum)) = self.summed.filter(|(day, _)| *day == today) {
            return sum;
        }
        let sum = self.by_day.iter().fold(Chance::default(), |sum, (day, count)| {
            let weight = weight(today.saturating_sub(*day));
            let weighed =
                |count: u64| count.saturating_mul(MILLI).saturating_mul(weight).div_euclid(WHOLE);
            sum.and(Chance { accepted: weighed(count.accepted), posts: weighed(count.posts) })
        });
        self.summed = Some((today, sum));
        sum
    }
}

/// What a post weighs after so many days.
fn weight(days: i64) -> u64 {
    let days = u32::try_from(days.max(0)).unwrap_or(u32::MAX);
    let part = WEIGHTS.get(usize::try_from(days % 7).unwrap_or(0)).copied().unwrap_or(0);
    if days >= DAYS_KEPT { 0 } else { part >> (days / 7) }
}

/// Every campaign's and every buyer's posts.
#[derive(Debug, Default)]
pub(crate) struct TrackRecord {
    campaigns: DashMap<CampaignId, Days>,
    buyers: DashMap<BuyerId, BTreeMap<i64, PostTally>>,
}

impl TrackRecord {
    /// A post that was prepared at `at` changes from one state into another; from none when it is
    /// prepared, into none when that is taken back.
    pub(crate) fn change(
        &self,
        campaign: &CampaignId,
        at: Timestamp,
        from: Option<AttemptState>,
        into: Option<AttemptState>,
    ) {
        if let Some(state) = from {
            self.count(campaign, at, (state, 1), u64::saturating_sub);
        }
        if let Some(state) = into {
            self.count(campaign, at, (state, 1), u64::saturating_add);
        }
    }

    /// Counts so many posts that were prepared in the hour of `at` and are in this state.
    pub(crate) fn fill(&self, campaign: &CampaignId, at: Timestamp, state: AttemptState, n: u64) {
        self.count(campaign, at, (state, n), u64::saturating_add);
    }

    fn count(
        &self,
        campaign: &CampaignId,
        at: Timestamp,
        (state, n): (AttemptState, u64),
        with: impl Fn(u64, u64) -> u64 + Copy,
    ) {
        let micros = at.unix_micros();
        let times = |tally: PostTally| tally.both(PostTally::default(), |a, _| a.saturating_mul(n));
        let mut hours = self.buyers.entry(campaign.buyer()).or_default();
        let hour = hours.entry(micros.div_euclid(HOUR)).or_default();
        *hour = hour.both(times(PostTally::of(state)), with);
        while hours.len() > HOURS_KEPT {
            hours.pop_first();
        }
        drop(hours);
        let accepted = is_accepted(state);
        if accepted || state == AttemptState::Rejected {
            let by = Chance { accepted: if accepted { n } else { 0 }, posts: n };
            let mut days = self.campaigns.entry(campaign.clone()).or_default();
            days.change(micros.div_euclid(DAY), by, with);
        }
    }

    pub(crate) fn chance(&self, campaign: &CampaignId, now: Timestamp) -> Chance {
        let today = now.unix_micros().div_euclid(DAY);
        self.campaigns.get_mut(campaign).map(|mut days| days.chance(today)).unwrap_or_default()
    }

    /// What became of a buyer's posts since the hour of `since`.
    pub(crate) fn posts(&self, buyer: &BuyerId, since: Timestamp) -> PostTally {
        let first = since.unix_micros().div_euclid(HOUR);
        let Some(hours) = self.buyers.get(buyer) else { return PostTally::default() };
        hours
            .range(first..)
            .fold(PostTally::default(), |sum, (_, tally)| sum.both(*tally, u64::saturating_add))
    }
}

#[cfg(test)]
mod tests;
