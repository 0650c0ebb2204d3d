//! What each tier of each tree gave each of its members, in memory: what rotation looks back on.
//!
//! Filled from the attempts when the store opens and changed inside the operation that makes a
//! change durable. A post counts from its preparation until it is known not to have bought. Trees
//! and tiers are known by their names: a tier under another name begins afresh, and nothing else
//! that is written about it changes what is counted.
//!
//! > A lead belongs to the quarter of an hour in which it was taken in, so what is added and what
//! > is taken back of one post are given the same moments.

use std::collections::btree_map::Range;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use dashmap::DashMap;
use exchange_core::caps::STEP;
use exchange_model::{AttemptId, CampaignId, Timestamp};

use crate::recovery::AttemptState;
use crate::track_record::Chance;

/// How far back counts are kept: longer than any window of a tier. Whoever was served longer ago
/// counts as never served.
pub(crate) const SERVED_KEPT: Duration = Duration::from_hours(24 * 92);
/// Thousandths: what a [`Chance`] counts in.
const MILLI: u64 = 1_000;

/// A campaign's membership of a tier.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct TierMembership {
    /// The tree's name.
    pub tree: String,
    /// The tier's name in it.
    pub tier: String,
    /// Whose.
    pub campaign: CampaignId,
}

/// One post, as its tier counts it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ServedPost {
    /// Which.
    pub attempt: AttemptId,
    /// To whom, and by which tier.
    pub by: TierMembership,
    /// When its lead was taken in.
    pub taken_in: Timestamp,
    /// When it was prepared.
    pub prepared_at: Timestamp,
}

/// What a tier gave a member in a window.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct TierRecord {
    /// When the latest post was prepared that bought or may still buy; within the window or not.
    pub last: Option<Timestamp>,
    /// Leads that were bought or may still be.
    pub delivered: u32,
    /// Leads that it made a usable bid for, while its tier sold by share.
    pub qualified: u32,
    /// Posts that were accepted and refused, each of the same weight.
    pub answers: Chance,
}

/// What is counted of one quarter of an hour, or of a window.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Counts {
    delivered: u32,
    qualified: u32,
    accepted: u32,
    refused: u32,
}

impl Counts {
    const fn of(state: AttemptState) -> Self {
        let mut counts = Self { delivered: 0, qualified: 0, accepted: 0, refused: 0 };
        match state {
            AttemptState::Prepared | AttemptState::Unknown => counts.delivered = 1,
            AttemptState::Accepted => {
                counts.delivered = 1;
                counts.accepted = 1;
            }
            // It said yes, and did not get the lead.
            AttemptState::LateAcceptConflict => counts.accepted = 1,
            AttemptState::Rejected => counts.refused = 1,
            AttemptState::NotSent => {}
        }
        counts
    }

    fn both(self, other: Self, with: impl Fn(u32, u32) -> u32) -> Self {
        Self {
            delivered: with(self.delivered, other.delivered),
            qualified: with(self.qualified, other.qualified),
            accepted: with(self.accepted, other.accepted),
            refused: with(self.refused, other.refused),
        }
    }

    fn plus(self, other: Self) -> Self {
        self.both(other, u32::saturating_add)
    }

    fn less(self, other: Self) -> Self {
        self.both(other, u32::saturating_sub)
    }
}

/// What one member got from its tier.
#[derive(Clone, Debug, Default)]
pub struct TierCount {
    /// By the start of the quarter of an hour.
    steps: BTreeMap<Timestamp, Counts>,
    /// The sum since the moment that was asked for last.
    sum: Option<(Timestamp, Counts)>,
    /// Posts without an outcome yet, by the moment they were prepared.
    under_way: BTreeSet<(Timestamp, AttemptId)>,
    /// When the latest post was prepared that bought.
    bought: Option<Timestamp>,
}

impl TierCount {
    /// A post changes from one state into another; from none when it is prepared, into none when
    /// that is taken back. When the latest one was bought before.
    pub fn change(
        &mut self,
        post: &ServedPost,
        from: Option<AttemptState>,
        into: Option<AttemptState>,
    ) -> Option<Timestamp> {
        let before = self.bought;
        if let Some(state) = from {
            self.count(post.taken_in, |counts| counts.less(Counts::of(state)));
            self.under_way.remove(&(post.prepared_at, post.attempt));
        }
        if let Some(state) = into {
            self.count(post.taken_in, |counts| counts.plus(Counts::of(state)));
            if state.is_open() {
                self.under_way.insert((post.prepared_at, post.attempt));
            } else if state == AttemptState::Accepted {
                self.bought = self.bought.max(Some(post.prepared_at));
            }
        }
        before
    }

    /// Takes a change back, given the moment that it answered.
    fn undo(
        &mut self,
        post: &ServedPost,
        (from, into): (Option<AttemptState>, AttemptState),
        bought: Option<Timestamp>,
    ) {
        self.change(post, Some(into), from);
        self.bought = bought;
    }

    /// It made usable bids for so many leads taken in at `at`; whether they are the first of their
    /// quarter of an hour.
    pub fn qualify(&mut self, at: Timestamp, leads: u32) -> bool {
        let first = self.steps.get(&step_of(at)).is_none_or(|counts| counts.qualified == 0);
        self.count(at, |counts| counts.plus(Counts { qualified: leads, ..Counts::default() }));
        first
    }

    fn disqualify(&mut self, at: Timestamp) {
        self.count(at, |counts| counts.less(Counts { qualified: 1, ..Counts::default() }));
    }

    /// What it got since the quarter of an hour that `since` lies in.
    pub fn record(&mut self, since: Timestamp, now: Timestamp) -> TierRecord {
        let sum = self.since(step_of(since));
        let last = self.under_way.last().map(|(at, _)| *at).max(self.bought);
        let answers = u64::from(sum.accepted).saturating_add(u64::from(sum.refused));
        TierRecord {
            last: last.filter(|last| *last >= now.before(SERVED_KEPT)),
            delivered: sum.delivered,
            qualified: sum.qualified,
            answers: Chance {
                accepted: u64::from(sum.accepted).saturating_mul(MILLI),
                posts: answers.saturating_mul(MILLI),
            },
        }
    }

    /// A window moves on a little between two leads: only what it leaves behind is looked at.
    fn since(&mut self, since: Timestamp) -> Counts {
        let add = |steps: Range<'_, Timestamp, Counts>| {
            steps.fold(Counts::default(), |sum, (_, counts)| sum.plus(*counts))
        };
        let sum = match self.sum {
            Some((from, sum)) if from <= since => sum.less(add(self.steps.range(from..since))),
            Some((from, sum)) => sum.plus(add(self.steps.range(since..from))),
            None => add(self.steps.range(since..)),
        };
        self.sum = Some((since, sum));
        sum
    }

    fn count(&mut self, at: Timestamp, change: impl Fn(Counts) -> Counts) {
        let step = step_of(at);
        let is_new = !self.steps.contains_key(&step);
        let counts = self.steps.entry(step).or_default();
        *counts = change(*counts);
        if *counts == Counts::default() {
            self.steps.remove(&step);
        }
        if let Some((from, sum)) = &mut self.sum
            && *from <= step
        {
            *sum = change(*sum);
        }
        if is_new {
            self.forget_old();
        }
    }

    fn forget_old(&mut self) {
        let Some((newest, _)) = self.steps.last_key_value() else { return };
        let kept_from = newest.before(SERVED_KEPT);
        if self.steps.first_key_value().is_some_and(|(oldest, _)| *oldest < kept_from) {
            self.steps = self.steps.split_off(&kept_from);
            self.sum = self.sum.filter(|(from, _)| *from >= kept_from);
        }
    }
}

/// The start of the quarter of an hour that `at` lies in.
pub(crate) fn step_of(at: Timestamp) -> Timestamp {
    let step = i64::try_from(STEP.as_micros()).unwrap_or(i64::MAX);
    let micros = at.unix_micros();
    Timestamp::from_unix_micros(micros.saturating_sub(micros.rem_euclid(step)))
}

/// Every member of every tier.
#[derive(Debug, Default)]
pub(crate) struct ServedBook(DashMap<TierMembership, TierCount>);

impl ServedBook {
    pub(crate) fn change(
        &self,
        post: &ServedPost,
        from: Option<AttemptState>,
        into: Option<AttemptState>,
    ) -> Option<Timestamp> {
        self.0.entry(post.by.clone()).or_default().change(post, from, into)
    }

    pub(crate) fn undo(
        &self,
        post: &ServedPost,
        states: (Option<AttemptState>, AttemptState),
        bought: Option<Timestamp>,
    ) {
        self.0.entry(post.by.clone()).or_default().undo(post, states, bought);
    }

    pub(crate) fn qualify(&self, member: &TierMembership, at: Timestamp, leads: u32) -> bool {
        self.0.entry(member.clone()).or_default().qualify(at, leads)
    }

    pub(crate) fn disqualify(&self, member: &TierMembership, at: Timestamp) {
        self.0.entry(member.clone()).or_default().disqualify(at);
    }

    /// Makes no entry for a member that nothing is known of.
    pub(crate) fn record(
        &self,
        member: &TierMembership,
        since: Timestamp,
        now: Timestamp,
    ) -> TierRecord {
        let found = self.0.get_mut(member).map(|mut counts| counts.record(since, now));
        found.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
