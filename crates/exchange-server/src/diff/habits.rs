//! What a campaign usually answers, for leads it was never asked about.
//!
//! > A guess is always the same for the same lead, and always marked as one.

use std::collections::BTreeMap;
use std::time::Duration;

use exchange_model::{CampaignId, LeadId, Money};
use sha2::{Digest as _, Sha256};

use crate::diff::recorded::{Heard, Recorded};

/// What one campaign was seen to do.
#[derive(Clone, Debug, Default)]
struct Habit {
    asked: u32,
    bids: Vec<Money>,
    took: Vec<Duration>,
    posts: u32,
    accepted: u32,
}

/// What every campaign was seen to do.
#[derive(Clone, Debug, Default)]
pub struct Habits(BTreeMap<CampaignId, Habit>);

impl Habits {
    /// Learnt from these leads.
    #[must_use]
    pub fn of<'a>(leads: impl IntoIterator<Item = &'a Recorded>) -> Self {
        let mut habits = Self::default();
        for lead in leads {
            for (campaign, heard) in &lead.heard {
                habits.0.entry(campaign.clone()).or_default().hear(heard);
            }
            for (campaign, took) in &lead.took {
                let habit = habits.0.entry(campaign.clone()).or_default();
                habit.posts = habit.posts.saturating_add(1);
                habit.accepted = habit.accepted.saturating_add(u32::from(*took));
            }
        }
        for habit in habits.0.values_mut() {
            habit.bids.sort_by_key(Money::amount);
            habit.took.sort_unstable();
        }
        habits
    }

    /// Whether anything is known of a campaign.
    #[must_use]
    pub fn knows(&self, campaign: &CampaignId) -> bool {
        self.0.contains_key(campaign)
    }

    /// What it might have answered to a ping: its median bid, as often as it usually bids, after
    /// its median time.
    #[must_use]
    pub fn ping(&self, campaign: &CampaignId, lead: LeadId) -> Option<Heard> {
        let habit = self.0.get(campaign)?;
        let bids = u32::try_from(habit.bids.len()).unwrap_or(u32::MAX);
        let yes = happens(lead, campaign, "bid", bids, habit.asked);
        let price = median(&habit.bids).filter(|_| yes);
        Some(Heard { after: median(&habit.took).unwrap_or_default(), price })
    }

    /// Whether it might have taken a post; one that was never posted to takes it.
    #[must_use]
    pub fn takes(&self, campaign: &CampaignId, lead: LeadId) -> bool {
        self.0.get(campaign).is_none_or(|habit| {
            habit.posts == 0 || happens(lead, campaign, "post", habit.accepted, habit.posts)
        })
    }
}

impl Habit {
    fn hear(&mut self, heard: &Heard) {
        self.asked = self.asked.saturating_add(1);
        self.bids.extend(heard.price);
        self.took.push(heard.after);
    }
}

fn median<T: Copy>(sorted: &[T]) -> Option<T> {
    sorted.get(sorted.len() / 2).copied()
}

/// Something that happens `part` times out of `whole`, decided by the lead.
fn happens(lead: LeadId, campaign: &CampaignId, what: &str, part: u32, whole: u32) -> bool {
    let mut hash = Sha256::new();
    hash.update(lead.to_bytes());
    hash.update(campaign.as_str());
    hash.update(what);
    let digest = hash.finalize();
    let drawn = digest.iter().take(4).fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    // drawn / 2^32 < part / whole, in whole numbers.
    drawn.saturating_mul(u64::from(whole)) < u64::from(part) << 32
}

#[cfg(test)]
mod tests {
    use exchange_model::Timestamp;

    use super::*;

    #[test]
    fn a_guess_is_the_same_every_time_and_as_frequent_as_the_habit() {
        let campaign: CampaignId = "acme/tx".parse().unwrap();
        let lead = |number: u16| {
            let [high, low] = number.to_be_bytes();
            LeadId::new(Timestamp::from_unix_millis(0), [0, 0, 0, 0, 0, 0, 0, 0, high, low])
        };
        let yes = |part, whole| {
            (0..4_000).filter(|n| happens(lead(*n), &campaign, "bid", part, whole)).count()
        };
        assert_eq!((yes(0, 5), yes(5, 5)), (0, 4_000));
        assert!((900..1_100).contains(&yes(1, 4)), "{}", yes(1, 4));
        assert_eq!(yes(1, 4), yes(1, 4));
    }
}
