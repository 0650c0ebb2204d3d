//! A script: the parts of mock buyers, from a TOML file.

use std::time::Duration;

use buyer_connectors::{Preset, presets};
use exchange_model::document::{NodeKind, parse_duration};
use exchange_model::finding::nearest;
use exchange_model::money::parse_amount;
use exchange_model::{Document, Findings, TableReader};
use rust_decimal::Decimal;

use super::decimal_range::DecimalRange;
use super::part::{Counter, Part, Repeats};
use crate::faults::{Fault, FaultPlan, Rates};

/// Most buyers in one script.
pub const BUYERS_MAX: usize = 200;
/// Longest pause of a mock.
const LATENCY_MAX: Duration = Duration::from_secs(600);
/// Most times a pending post is asked for.
const ASKS_MAX: i64 = 1_000;
/// How slowly a dripping answer comes.
const DRIP: Fault = Fault::Drip { bytes: 8, every: Duration::from_millis(100) };

/// What may go wrong, as a script names it.
pub const FAULT_NAMES: [&str; 12] = [
    "hang", "reset", "truncate", "drip", "lost", "garbage", "html", "empty", "huge", "500", "502",
    "503",
];

fn fault(name: &str) -> Fault {
    match name {
        "hang" => Fault::Hang,
        "reset" => Fault::ResetAfterRead,
        "truncate" => Fault::Truncate,
        "drip" => DRIP,
        "lost" => Fault::AcceptThenDrop,
        "garbage" => Fault::Garbage,
        "html" => Fault::HtmlPage,
        "empty" => Fault::EmptyBody,
        "huge" => Fault::HugeBody,
        status => Fault::Status(status.parse().unwrap_or(500)),
    }
}

/// Reads a script. A buyer with a mistake is left out; the findings say why.
#[must_use]
pub fn read_script(document: &Document, findings: &mut Findings) -> Vec<Part> {
    let mut reader = document.reader();
    let seed = reader.integer("seed", 0..=i64::MAX, findings).map_or(1, |seed| seed.value);
    let tables = reader.tables("buyer", findings);
    if tables.is_empty() || tables.len() > BUYERS_MAX {
        let message = format!("this script has {} buyers", tables.len());
        let help = format!("write 1 to {BUYERS_MAX}, each under a [[buyer]]");
        findings.error("bad_buyer_count", reader.own_place(), message, help);
    }
    reader.finish(findings);
    let seed = u64::try_from(seed).unwrap_or(1);
    let parts = tables.into_iter().take(BUYERS_MAX);
    parts.filter_map(|table| part(table, seed, findings)).collect()
}

fn part(mut table: TableReader<'_>, seed: u64, findings: &mut Findings) -> Option<Part> {
    let before = findings.len();
    let preset = preset(&mut table, findings);
    let name = table.string("name", "\"acme\"", findings).map(|name| name.value.to_owned());
    let port = table.integer("port", 0..=i64::from(u16::MAX), findings);
    let bid = bid(&mut table, findings);
    let latency = latency(&mut table, findings);
    let [no_bid, reject, pending] =
        ["no_bid", "reject", "pending"].map(|key| rate(&mut table, key, findings));
    let asks = table.integer("pending_asks", 0..=ASKS_MAX, findings);
    let counter = counter(&mut table, findings);
    const WORDS: &[(&str, Repeats)] = &[("same", Repeats::Same), ("duplicate", Repeats::Duplicate)];
    let repeats = table.one_of("repeats", WORDS, findings);
    let faults = faults(&mut table, seed, findings);
    table.finish(findings);
    let default = Part::new(preset?);
    let part = Part {
        name: name.unwrap_or_else(|| default.name.clone()),
        port: port.and_then(|port| u16::try_from(port.value).ok()).unwrap_or(0),
        bid: bid.unwrap_or(default.bid),
        latency: latency.unwrap_or(default.latency),
        no_bid,
        reject,
        pending,
        pending_asks: asks.and_then(|asks| u32::try_from(asks.value).ok()).unwrap_or(1),
        counter,
        repeats: repeats.map_or(default.repeats, |word| word.value),
        faults,
        seed,
        preset: default.preset,
    };
    (findings.len() == before).then_some(part)
}

fn preset(table: &mut TableReader<'_>, findings: &mut Findings) -> Option<&'static Preset> {
    let name = table.required_string("preset", "\"generic_json\"", findings)?;
    let found = Preset::named(name.value);
    if found.is_none() {
        let names = || presets().iter().map(|preset| preset.name);
        let help = match nearest(name.value, names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`rialto connector presets` lists them".to_owned(),
        };
        let message = format!("no preset is called `{}`", name.value);
        findings.error("unknown_preset", name.place, message, help);
    }
    found
}

/// `"12.50"` or `{ from = "8.00", to = "25.00" }`.
fn bid(table: &mut TableReader<'_>, findings: &mut Findings) -> Option<DecimalRange> {
    const EXAMPLE: &str = "\"12.50\" or { from = \"8.00\", to = \"25.00\" }";
    let node = table.node("bid")?;
    let range = match &node.kind {
        NodeKind::String(text) => amount(text).and_then(|price| DecimalRange::new(price, price)),
        NodeKind::Table(inner) => {
            let mut inner = table.inner(inner, node.span.clone());
            let [from, to] = ["from", "to"].map(|key| {
                let text = inner.required_string(key, "\"8.00\"", findings);
                text.and_then(|text| amount(text.value))
            });
            inner.finish(findings);
            from.zip(to).and_then(|(from, to)| DecimalRange::new(from, to))
        }
        _ => None,
    };
    refuse_unread(range, "bid", EXAMPLE, (table, findings))
}

fn amount(text: &str) -> Option<Decimal> {
    parse_amount(text).ok().filter(|price| !price.is_sign_negative())
}

/// `"40ms"` or `{ from = "20ms", to = "180ms" }`.
fn latency(table: &mut TableReader<'_>, findings: &mut Findings) -> Option<(Duration, Duration)> {
    const EXAMPLE: &str = "\"40ms\" or { from = \"20ms\", to = \"180ms\" }";
    let node = table.node("latency")?;
    let range = match &node.kind {
        NodeKind::String(text) => parse_duration(text).ok().map(|pause| (pause, pause)),
        NodeKind::Table(inner) => {
            let mut inner = table.inner(inner, node.span.clone());
            let [from, to] = ["from", "to"].map(|key| inner.duration(key, findings));
            inner.finish(findings);
            from.zip(to).map(|(from, to)| (from.value, to.value))
        }
        _ => None,
    };
    let range = range.filter(|(from, to)| from <= to && *to <= LATENCY_MAX);
    refuse_unread(range, "latency", EXAMPLE, (table, findings))
}

/// `{ share = "10%", price = "9.00" }`.
fn counter(table: &mut TableReader<'_>, findings: &mut Findings) -> Option<Counter> {
    let mut inner = table.table("counter", findings)?;
    let rate = rate(&mut inner, "share", findings);
    let price = inner.required_string("price", "\"9.00\"", findings);
    inner.finish(findings);
    let price = price.and_then(|text| amount(text.value));
    let example = "{ share = \"10%\", price = \"9.00\" }";
    let counter = price.map(|price| Counter { rate, price });
    refuse_unread(counter, "counter", example, (table, findings))
}

fn refuse_unread<T>(
    read: Option<T>,
    key: &'static str,
    example: &str,
    (table, findings): (&mut TableReader<'_>, &mut Findings),
) -> Option<T> {
    if read.is_none()
        && let Some(node) = table.node(key)
    {
        table.wrong_type(node, key, example, findings);
    }
    read
}

/// `"2.5%"`, in parts of a thousand.
fn rate(table: &mut TableReader<'_>, key: &'static str, findings: &mut Findings) -> u32 {
    table.parsed(key, "\"10%\"", per_mille, findings).map_or(0, |rate| rate.value)
}

fn per_mille(text: &str) -> Result<u32, String> {
    let form = || "write a share between 0% and 100%, like \"2.5%\"".to_owned();
    let share = text.strip_suffix('%').and_then(amount).ok_or_else(form)?;
    let per_mille = share.checked_mul(Decimal::TEN).ok_or_else(form)?;
    u32::try_from(per_mille).ok().filter(|rate| *rate <= 1000).ok_or_else(form)
}

/// `{ ping = { hang = "1%" }, post = { lost = "2%" } }`.
fn faults(table: &mut TableReader<'_>, seed: u64, findings: &mut Findings) -> FaultPlan {
    let Some(mut inner) = table.table("faults", findings) else { return FaultPlan::healthy() };
    let [pings, posts] = ["ping", "post"].map(|stage| {
        let stage = inner.table(stage, findings);
        stage.map_or_else(Rates::new, |stage| rates(stage, findings))
    });
    inner.finish(findings);
    FaultPlan::rates(seed, pings, posts)
}

fn rates(mut table: TableReader<'_>, findings: &mut Findings) -> Rates {
    let rates: Rates = FAULT_NAMES
        .into_iter()
        .map(|name| (fault(name), rate(&mut table, name, findings)))
        .filter(|(_, rate)| *rate > 0)
        .collect();
    table.finish(findings);
    rates
}
