//! When a buyer that harvests is pinged less, from the `harvest` table of its file.

use std::ops::RangeInclusive;

use exchange_model::{Findings, Rate, TableReader};
use rust_decimal::prelude::ToPrimitive as _;

use crate::harvest::{Harvest, WHOLE};

/// How many pings or posts a rule may want to see first.
const COUNTS: RangeInclusive<i64> = 1..=1_000_000_000;

/// The buyer's rule; nothing when it is never throttled.
pub(super) fn harvest(reader: &mut TableReader<'_>, findings: &mut Findings) -> Option<Harvest> {
    let usual = Harvest::default();
    let Some(mut table) = reader.table("harvest", findings) else { return Some(usual) };
    let enabled = match table.node("enabled") {
        None => true,
        Some(_) => table.boolean("enabled", findings).is_none_or(|enabled| enabled.value),
    };
    let pings = count(&mut table, "pings", usual.pings, findings);
    let least_bid_rate = share(&mut table, "least_bid_rate", usual.least_bid_rate, findings);
    let posts = count(&mut table, "posts", usual.posts, findings);
    let most_reject_rate = share(&mut table, "most_reject_rate", usual.most_reject_rate, findings);
    let keep = share(&mut table, "keep", usual.keep, findings);
    table.finish(findings);
    enabled.then_some(Harvest { pings, least_bid_rate, posts, most_reject_rate, keep })
}

fn count(
    table: &mut TableReader<'_>,
    key: &'static str,
    usual: u64,
    findings: &mut Findings,
) -> u64 {
    let count = table.integer(key, COUNTS, findings);
    count.and_then(|count| u64::try_from(count.value).ok()).unwrap_or(usual)
}

/// A percentage, in parts per million.
fn share(
    table: &mut TableReader<'_>,
    key: &'static str,
    usual: u32,
    findings: &mut Findings,
) -> u32 {
    let share = table.parsed(key, "\"5%\"", Rate::parse_percent, findings);
    share.and_then(|share| per_million(share.value)).unwrap_or(usual)
}

fn per_million(share: Rate) -> Option<u32> {
    share.as_decimal().checked_mul(WHOLE.into())?.to_u32()
}
