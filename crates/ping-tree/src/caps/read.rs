//! Caps from their table.

use exchange_model::document::Spanned;
use exchange_model::reason::CapKind;
use exchange_model::{Currency, Findings, MinorUnits, TableReader};

use crate::campaign::PriceMode;
use crate::caps::{Cap, CapAmount, Caps};

const COUNTS: &[(&str, CapKind)] =
    &[("hour", CapKind::Hour), ("day", CapKind::Day), ("month", CapKind::Month)];
const SPENDS: &[(&str, CapKind)] = &[
    ("hour_spend", CapKind::HourSpend),
    ("day_spend", CapKind::DaySpend),
    ("month_spend", CapKind::MonthSpend),
];
/// Keys that a later version will understand.
const NOT_YET: &[&str] = &["open", "pace", "week", "day_by_source", "week_spend"];
/// Largest count a cap may name.
const COUNT_MAX: u32 = 1_000_000_000;

/// The `caps` of a campaign.
pub(crate) fn caps(
    reader: &mut TableReader<'_>,
    currency: Currency,
    price: Option<&PriceMode>,
    findings: &mut Findings,
) -> Caps {
    let Some(mut table) = reader.table("caps", findings) else { return Caps::default() };
    let mut caps = Vec::new();
    for (key, kind) in COUNTS {
        let count = table.integer(key, 1..=i64::from(COUNT_MAX), findings);
        caps.extend(count.and_then(|count| {
            let limit = CapAmount::Leads(u32::try_from(count.value).ok()?);
            Some(Cap { kind: *kind, limit, place: count.place })
        }));
    }
    for (key, kind) in SPENDS {
        let Some(spend) = table.money(key, currency, findings) else { continue };
        let Ok(most) = spend.value.to_minor() else { continue };
        warn_if_too_small(
            key,
            &Spanned { value: most, place: spend.place.clone() },
            price,
            findings,
        );
        caps.push(Cap { kind: *kind, limit: CapAmount::Spend(most), place: spend.place });
    }
    not_yet(&mut table, findings);
    table.finish(findings);
    Caps::new(caps)
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

fn not_yet(table: &mut TableReader<'_>, findings: &mut Findings) {
    for key in NOT_YET {
        let Some(node) = table.node(key) else { continue };
        let place = table.place(node.span.clone());
        let message = format!("caps.{key} is not supported yet");
        let help = "caps are hour, day, month, hour_spend, day_spend and month_spend".to_owned();
        findings.error("not_supported", place, message, help);
    }
}
