//! The part of one mock buyer: which preset it plays, and how.

use std::time::Duration;

use buyer_connectors::Preset;
use rust_decimal::Decimal;

use super::decimal_range::DecimalRange;
use crate::faults::FaultPlan;

/// What a mock of a preset does. Rates are parts of a thousand.
#[derive(Clone, Debug)]
pub struct Part {
    /// Its name in the log; several mocks may play one preset.
    pub name: String,
    /// What it plays.
    pub preset: &'static Preset,
    /// Where it listens on 127.0.0.1; 0 for any free port.
    pub port: u16,
    /// What it bids.
    pub bid: DecimalRange,
    /// How long it thinks before it answers.
    pub latency: (Duration, Duration),
    /// How many pings get no bid.
    pub no_bid: u32,
    /// How many posts are rejected.
    pub reject: u32,
    /// How many posts are answered later.
    pub pending: u32,
    /// How many times a pending post is asked for before it is accepted.
    pub pending_asks: u32,
    /// How many posts get a lower offer, and which.
    pub counter: Option<Counter>,
    /// What a post that comes twice under one idempotency key is told.
    pub repeats: Repeats,
    /// What goes wrong, by pings and posts.
    pub faults: FaultPlan,
    /// Makes bids, rates and pauses.
    pub seed: u64,
}

/// A counter-offer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Counter {
    /// How many posts get one.
    pub rate: u32,
    /// What the buyer would pay.
    pub price: Decimal,
}

/// What a repeated post is told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Repeats {
    /// The same as the first time, where it carries the same `Idempotency-Key` header or is the same
    /// to the last byte.
    Same,
    /// That it is a duplicate, as most buyers do.
    Duplicate,
}

impl Part {
    /// A willing buyer on a free port: bids 12.50 at once and accepts everything.
    #[must_use]
    pub fn new(preset: &'static Preset) -> Self {
        Self {
            name: preset.name.to_owned(),
            preset,
            port: 0,
            bid: DecimalRange::one(Decimal::new(1250, 2)),
            latency: (Duration::ZERO, Duration::ZERO),
            no_bid: 0,
            reject: 0,
            pending: 0,
            pending_asks: 1,
            counter: None,
            repeats: Repeats::Duplicate,
            faults: FaultPlan::healthy(),
            seed: 1,
        }
    }
}
