//! Scorecards: what every buyer did with what it was given, over the last 7 days.
//!
//! Posts are counted by the store, in whose record nothing can be lost. Pings and bids are counted
//! here by the hour and written behind: a process that dies loses those of the last
//! `SAVE_EVERY`. A buyer that takes pings and buys nothing is throttled by the rule of its file;
//! the verdict is looked at again every second.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use exchange_model::outcome::PingAnswer;
use exchange_model::reason::NoBid;
use exchange_model::{BuyerId, Timestamp};
use exchange_store::{ExchangeStore, PingCount, PostTally, StoreError};
use ping_tree::{Buyer, HarvestSign, Scorecard};
use serde::Serialize;

use crate::exchange::Engine;
use crate::metrics;

/// What scorecards speak of.
pub const WINDOW: Duration = Duration::from_secs(7 * 24 * 3_600);
/// How often verdicts are looked at.
const JUDGE_EVERY: Duration = Duration::from_secs(1);
/// How many looks there are between two writes of what was counted: 5 seconds.
const SAVE_EVERY: u32 = 5;

/// Pings and bids.
#[derive(Clone, Copy, Debug, Default)]
struct Pings {
    pings: u64,
    bids: u64,
}

impl Pings {
    fn add(&mut self, more: Self) {
        self.pings = self.pings.saturating_add(more.pings);
        self.bids = self.bids.saturating_add(more.bids);
    }
}

/// One buyer's pings by hour, and those of them that are not written yet.
#[derive(Debug, Default)]
struct Hours {
    all: BTreeMap<Timestamp, Pings>,
    unsaved: BTreeMap<Timestamp, Pings>,
}

/// The scorecards of all buyers.
#[derive(Debug, Default)]
pub struct Scores {
    pings: Mutex<BTreeMap<BuyerId, Hours>>,
    throttled: RwLock<BTreeMap<BuyerId, HarvestSign>>,
}

impl Scores {
    fn pings(&self) -> MutexGuard<'_, BTreeMap<BuyerId, Hours>> {
        self.pings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a ping by how it ended. One that never left the house says nothing of its buyer.
    pub fn pinged(&self, buyer: &BuyerId, at: Timestamp, answer: &PingAnswer) {
        let bids = match answer {
            PingAnswer::NoBid(NoBid::ConnectError(_) | NoBid::Saturated) => return,
            PingAnswer::Bid { .. } | PingAnswer::Available { .. } => 1,
            PingAnswer::NoBid(_) => 0,
        };
        let (hour, more) = (PingCount::hour_of(at), Pings { pings: 1, bids });
        let mut known = self.pings();
        if !known.contains_key(buyer) {
            known.insert(buyer.clone(), Hours::default());
        }
        if let Some(hours) = known.get_mut(buyer) {
            hours.all.entry(hour).or_default().add(more);
            hours.unsaved.entry(hour).or_default().add(more);
        }
    }

    /// Takes up what an earlier process has counted.
    pub fn restore(&self, counts: Vec<PingCount>) {
        let mut known = self.pings();
        for PingCount { buyer, hour, pings, bids } in counts {
            let hours = known.entry(buyer).or_default();
            hours.all.entry(hour).or_default().add(Pings { pings, bids });
        }
    }

    /// What is to be written, and to be put back when that fails.
    fn take_unsaved(&self) -> Vec<PingCount> {
        let mut counts = Vec::new();
        for (buyer, hours) in self.pings().iter_mut() {
            let unsaved = std::mem::take(&mut hours.unsaved);
            counts.extend(unsaved.into_iter().map(|(hour, Pings { pings, bids })| PingCount {
                buyer: buyer.clone(),
                hour,
                pings,
                bids,
            }));
        }
        counts
    }

    fn put_back(&self, counts: Vec<PingCount>) {
        let mut known = self.pings();
        for PingCount { buyer, hour, pings, bids } in counts {
            let hours = known.entry(buyer).or_default();
            hours.unsaved.entry(hour).or_default().add(Pings { pings, bids });
        }
    }

    /// Writes what was counted.
    ///
    /// # Errors
    /// [`StoreError`]; it is tried again with the next.
    pub async fn save(&self, store: &dyn ExchangeStore, now: Timestamp) -> Result<(), StoreError> {
        let counts = self.take_unsaved();
        if counts.is_empty() {
            return Ok(());
        }
        let saved = store.add_pings(counts.clone(), now).await;
        if saved.is_err() {
            self.put_back(counts);
        }
        saved
    }

    /// The scorecard of a buyer.
    #[must_use]
    pub fn card(&self, buyer: &BuyerId, store: &dyn ExchangeStore, now: Timestamp) -> Scorecard {
        let since = now.before(WINDOW);
        let mut sum = Pings::default();
        if let Some(hours) = self.pings().get_mut(buyer) {
            hours.all = hours.all.split_off(&PingCount::hour_of(since));
            hours.all.values().for_each(|more| sum.add(*more));
        }
        card_of(sum.pings, sum.bids, store.posts(buyer, since))
    }

    /// Why a buyer is throttled, if it is.
    #[must_use]
    pub fn sign(&self, buyer: &BuyerId) -> Option<HarvestSign> {
        self.throttled.read().unwrap_or_else(PoisonError::into_inner).get(buyer).copied()
    }

    /// Works out who is throttled; each change is told once.
    fn judge(&self, buyers: &[Arc<Buyer>], store: &dyn ExchangeStore, now: Timestamp) {
        for buyer in buyers {
            let card = self.card(&buyer.id, store, now);
            let sign = buyer.harvest.and_then(|rule| rule.sign(&card));
            metrics::throttled(&buyer.id, sign.is_some());
            if self.change(&buyer.id, sign) {
                tell(&buyer.id, sign, &card);
            }
        }
    }

    /// Whether the buyer is throttled now and was not, or the other way round.
    fn change(&self, buyer: &BuyerId, sign: Option<HarvestSign>) -> bool {
        let mut throttled = self.throttled.write().unwrap_or_else(PoisonError::into_inner);
        let before = match sign {
            Some(sign) => throttled.insert(buyer.clone(), sign),
            None => throttled.remove(buyer),
        };
        before.is_some() != sign.is_some()
    }
}

/// A scorecard of pings and what became of posts.
#[must_use]
pub const fn card_of(pings: u64, bids: u64, posts: PostTally) -> Scorecard {
    let PostTally { wins, posts, accepted, rejected, unknown } = posts;
    Scorecard { pings, bids, wins, posts, accepted, rejected, unknown }
}

fn tell(buyer: &BuyerId, sign: Option<HarvestSign>, card: &Scorecard) {
    let Scorecard { pings, bids, accepted, rejected, .. } = *card;
    match sign {
        Some(sign) => {
            let why = sign.code();
            tracing::warn!(
                %buyer, why, pings, bids, accepted, rejected,
                "a buyer takes pings and buys nothing: it is throttled"
            );
        }
        None => {
            tracing::info!(
                %buyer, pings, bids, accepted, rejected, "a buyer is no longer throttled"
            );
        }
    }
}

/// Takes up what was counted before, and judges and writes from then on.
///
/// # Errors
/// [`StoreError`] when the counts cannot be read.
pub async fn start(engine: &Arc<Engine>) -> Result<(), StoreError> {
    let since = engine.now().before(WINDOW);
    engine.scores().restore(engine.store().ping_counts(since).await?);
    judge(engine);
    let watched = Arc::clone(engine);
    engine.spawn_background(async move { watch(&watched).await });
    Ok(())
}

fn judge(engine: &Engine) {
    let buyers: Vec<Arc<Buyer>> = engine.config().routing.buyers().cloned().collect();
    engine.scores().judge(&buyers, &**engine.store(), engine.now());
}

#[expect(clippy::infinite_loop, reason = "it ends with the task that it runs in")]
async fn watch(engine: &Engine) {
    loop {
        for _ in 0..SAVE_EVERY {
            tokio::time::sleep(JUDGE_EVERY).await;
            judge(engine);
        }
        if let Err(error) = engine.scores().save(&**engine.store(), engine.now()).await {
            tracing::warn!(code = error.code(), "counts of pings are written later");
        }
    }
}

/// A scorecard as the operator's API and commands tell it.
#[derive(Debug, Serialize)]
pub struct ShownScore {
    /// Whose.
    pub buyer: String,
    /// Pings of the last 7 days.
    pub pings: u64,
    /// Bids among them.
    pub bids: u64,
    /// Bids that were the best.
    pub wins: u64,
    /// Posts.
    pub posts: u64,
    /// Posts that were accepted.
    pub accepted: u64,
    /// Posts that were refused.
    pub rejected: u64,
    /// Posts without an answer.
    pub unknown: u64,
    /// Why it is throttled; nothing when it is not.
    pub throttled: Option<&'static str>,
}

impl ShownScore {
    /// The scorecard of this buyer.
    #[must_use]
    pub fn new(buyer: &BuyerId, card: &Scorecard, sign: Option<HarvestSign>) -> Self {
        let Scorecard { pings, bids, wins, posts, accepted, rejected, unknown } = *card;
        let (buyer, throttled) = (buyer.to_string(), sign.map(HarvestSign::code));
        Self { buyer, pings, bids, wins, posts, accepted, rejected, unknown, throttled }
    }
}

/// Every buyer's scorecard at this moment, by name.
#[must_use]
pub fn shown(engine: &Engine) -> Vec<ShownScore> {
    let config = engine.config();
    let (scores, now) = (engine.scores(), engine.now());
    let shown = config.routing.buyers().map(|buyer| {
        let card = scores.card(&buyer.id, &**engine.store(), now);
        ShownScore::new(&buyer.id, &card, scores.sign(&buyer.id))
    });
    shown.collect()
}
