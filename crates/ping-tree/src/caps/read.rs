//! Caps from their tables.

use std::time::Duration;

use exchange_model::document::{Node, NodeKind, Spanned};
use exchange_model::reason::CapKind;
use exchange_model::{Currency, Date, Findings, MinorUnits, RateLimit, SourceId, TableReader};

use crate::campaign::PriceMode;
use crate::caps::{CampaignCaps, Cap, CapAmount, Caps};

const COUNTS: &[(&str, CapKind)] = &[
    ("second", CapKind::Second),
    ("hour", CapKind::Hour),
    ("day", CapKind::Day),
    ("week", CapKind::Week),
    ("month", CapKind::Month),
    ("total", CapKind::Total),
];
const SPENDS: &[(&str, CapKind)] = &[
    ("hour_spend", CapKind::HourSpend),
    ("day_spend", CapKind::DaySpend),
    ("week_spend", CapKind::WeekSpend),
    ("month_spend", CapKind::MonthSpend),
    ("total_spend", CapKind::TotalSpend),
];
/// Largest count a cap may name.
const COUNT_MAX: u32 = 1_000_000_000;
/// Longest that a lead counts as open which nobody called finished.
pub(crate) const OPEN_FOR_MAX: Duration = Duration::from_hours(24);
/// Most sources that a campaign has caps of their own for.
const BY_SOURCE_MAX: usize = 1_000;

/// Where a table of caps stands: what it may say.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stands<'a> {
    /// At a campaign: everything.
    Campaign { currency: Currency, price: Option<&'a PriceMode> },
    /// Wherever leads are only counted and paid: everything but `open`.
    Shared { currency: Currency },
    /// At a source, where nothing is paid and hours are nobody's: counts alone.
    Source,
}

impl<'a> Stands<'a> {
    const fn currency(self) -> Option<Currency> {
        match self {
            Self::Campaign { currency, .. } | Self::Shared { currency } => Some(currency),
            Self::Source => None,
        }
    }

    const fn price(self) -> Option<&'a PriceMode> {
        match self {
            Self::Campaign { price, .. } => price,
            Self::Shared { .. } | Self::Source => None,
        }
    }
}

/// The caps that stand at a campaign: its own, and those by source. Groups are joined later.
pub(crate) fn caps_of(
    reader: &mut TableReader<'_>,
    currency: Currency,
    price: Option<&PriceMode>,
    findings: &mut Findings,
) -> (CampaignCaps, Vec<Spanned<SourceId>>) {
    let own = caps(reader, "caps", Stands::Campaign { currency, price }, findings);
    let each_source = caps(reader, "each_source", Stands::Shared { currency }, findings);
    let mut all = CampaignCaps { own, each_source, ..CampaignCaps::default() };
    let mut named = Vec::new();
    for (name, table) in reader.named_tables("by_source", findings).into_iter().take(BY_SOURCE_MAX)
    {
        let caps = read(table, Stands::Shared { currency }, findings);
        match name.value.parse::<SourceId>() {
            Ok(source) => {
                named.push(Spanned { value: source.clone(), place: name.place });
                all.by_source.insert(source, caps);
            }
            Err(error) => {
                let message = format!("`{}` is no source: {error}", name.value);
                let help = "write `by_source = { \"quotekart/search\" = { day = 50 } }`".to_owned();
                findings.error("bad_value", name.place, message, help);
            }
        }
    }
    (all, named)
}

/// The caps under a key; none when it is absent.
pub(crate) fn caps(
    reader: &mut TableReader<'_>,
    key: &'static str,
    stands: Stands<'_>,
    findings: &mut Findings,
) -> Caps {
    reader.table(key, findings).map(|table| read(table, stands, findings)).unwrap_or_default()
}

fn read(mut table: TableReader<'_>, stands: Stands<'_>, findings: &mut Findings) -> Caps {
    let mut caps = Vec::new();
    for (key, kind) in COUNTS {
        caps.extend(count(&mut table, key, *kind, findings));
    }
    spends(&mut table, stands, &mut caps, findings);
    let open_for = open(&mut table, stands, &mut caps, findings);
    let even = even(&mut table, stands, &caps, findings);
    let since = since(&mut table, &caps, findings);
    table.finish(findings);
    Caps { since, open_for: open_for.unwrap_or_default(), even, ..Caps::new(caps) }
}

fn count(
    table: &mut TableReader<'_>,
    key: &'static str,
    kind: CapKind,
    findings: &mut Findings,
) -> Option<Cap> {
    let count = table.integer(key, 1..=i64::from(COUNT_MAX), findings)?;
    let limit = CapAmount::Leads(u32::try_from(count.value).ok()?);
    Some(Cap { kind, limit, place: count.place })
}

fn spends(
    table: &mut TableReader<'_>,
    stands: Stands<'_>,
    caps: &mut Vec<Cap>,
    findings: &mut Findings,
) {
    for (key, kind) in SPENDS {
        let Some(currency) = stands.currency() else {
            not_here(
                table,
                key,
                "write it in the `caps` of campaigns; of a source leads are counted",
                findings,
            );
            continue;
        };
        let Some(spend) = table.money(key, currency, findings) else { continue };
        let Ok(most) = spend.value.to_minor() else { continue };
        let spent = Spanned { value: most, place: spend.place.clone() };
        warn_if_too_small(key, &spent, stands.price(), findings);
        caps.push(Cap { kind: *kind, limit: CapAmount::Spend(most), place: spend.place });
    }
}

/// `open` and how long it counts.
fn open(
    table: &mut TableReader<'_>,
    stands: Stands<'_>,
    caps: &mut Vec<Cap>,
    findings: &mut Findings,
) -> Option<Duration> {
    if !matches!(stands, Stands::Campaign { .. }) {
        not_here(table, "open", "write `open` in the `caps` of a campaign", findings);
        not_here(table, "open_for", "write `open_for` in the `caps` of a campaign", findings);
        return None;
    }
    let open = count(table, "open", CapKind::Open, findings);
    let open_for = table.duration("open_for", findings);
    if open.is_some() && table.node("open_for").is_none() {
        table.missing("open_for", "\"20m\"", findings);
    }
    caps.extend(open);
    let open_for = open_for?;
    if open_for.value.is_zero() || open_for.value > OPEN_FOR_MAX {
        let message = "`open_for` is out of range".to_owned();
        let help = "write more than 0s and at most 24h".to_owned();
        findings.error("out_of_range", open_for.place, message, help);
        return None;
    }
    Some(open_for.value)
}

fn even(
    table: &mut TableReader<'_>,
    stands: Stands<'_>,
    caps: &[Cap],
    findings: &mut Findings,
) -> Option<exchange_model::Place> {
    if matches!(stands, Stands::Source) {
        not_here(table, "pace", "write `pace` in the `caps` of a campaign", findings);
        return None;
    }
    let pace = table.one_of("pace", &[("even", ())], findings)?;
    if !caps.iter().any(|cap| matches!(cap.kind, CapKind::Day | CapKind::DaySpend)) {
        let message = "there is no day's cap to spread".to_owned();
        let help = "write `day = 150` or `day_spend = \"3000.00\"` beside `pace`".to_owned();
        findings.error("pace_without_day", pace.place, message, help);
        return None;
    }
    Some(pace.place)
}

fn since(table: &mut TableReader<'_>, caps: &[Cap], findings: &mut Findings) -> Option<Date> {
    let node = table.node("since")?;
    let place = table.place(node.span.clone());
    let Some(date) = date(node) else {
        let message = "`since` is no date".to_owned();
        findings.error("bad_value", place, message, "write `since = \"2026-11-01\"`".to_owned());
        return None;
    };
    if !caps.iter().any(|cap| matches!(cap.kind, CapKind::Total | CapKind::TotalSpend)) {
        let message =
            "`since` says from when on `total` counts, and there is no `total`".to_owned();
        let help = "write `total` or `total_spend`, or remove `since`".to_owned();
        findings.warning("since_without_total", place, message, help);
    }
    Some(date)
}

fn date(node: &Node) -> Option<Date> {
    match &node.kind {
        NodeKind::String(text) | NodeKind::Datetime(text) if text.len() == 10 => text.parse().ok(),
        _ => None,
    }
}

/// A cap that cannot stand where it stands.
fn not_here(table: &mut TableReader<'_>, key: &'static str, help: &str, findings: &mut Findings) {
    // Asked for only when it is there: it is no key to suggest.
    if table.raw().get(key).is_none() {
        return;
    }
    let Some(node) = table.node(key) else { return };
    let place = table.place(node.span.clone());
    findings.error("not_here", place, format!("`{key}` cannot stand here"), help.to_owned());
}

fn warn_if_too_small(
    key: &str,
    spend: &Spanned<MinorUnits>,
    price: Option<&PriceMode>,
    findings: &mut Findings,
) {
    let Some(price) = price.filter(|price| price.least_charge() > spend.value) else { return };
    let least = price.least().amount_text();
    let message = format!("`{key}` leaves no room for a single lead at {least}");
    let help = format!("write at least \"{least}\", or pause the campaign");
    findings.warning("cap_below_price", spend.place.clone(), message, help);
}

/// How many pings may leave: `ping_rate = "50/s"`; of a source, requests that may come in.
pub(crate) fn ping_rate(
    reader: &mut TableReader<'_>,
    key: &'static str,
    findings: &mut Findings,
) -> Option<RateLimit> {
    let read = reader.parsed(key, "\"50/s\"", str::parse::<RateLimit>, findings)?;
    Some(read.value)
}
