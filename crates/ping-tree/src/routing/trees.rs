//! Trees and their tiers from their files.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use exchange_model::{Currency, Findings, TableReader, TreeId};
use jiff::tz::TimeZone;

use crate::amount::Amount;
use crate::index::Places;
use crate::list::Lists;
use crate::routing::reading::{bounded, required, schema, shown, title, vertical, zone};
use crate::routing::tiers::{With, Within, required_duration, tiers};
use crate::routing::{Routing, Sources, amounts};
use crate::tree::{Tier, Tree};

/// How long a promise lasts where the tree does not say.
const PROMISE_DEFAULT: Duration = Duration::from_secs(60);
/// Longest promise.
const PROMISE_MAX: Duration = Duration::from_secs(3_600);

pub(super) fn read(
    sources: &Sources<'_>,
    lists: &mut Lists<'_>,
    routing: &mut Routing,
    findings: &mut Findings,
) {
    for document in sources.trees {
        let mut reader = document.reader();
        let mut own = Findings::new();
        let tree = tree(&mut reader, sources, &mut With { lists, routing }, &mut own);
        reader.finish(&mut own);
        own.sorted().into_iter().for_each(|finding| findings.push(finding.clone()));
        if let Some(tree) = tree {
            if own.has_errors() {
                routing.names.broken_trees.insert(tree.id.clone());
            }
            routing.trees.insert(tree.id.clone(), Arc::new(tree));
        }
    }
}

fn tree(
    reader: &mut TableReader<'_>,
    sources: &Sources<'_>,
    with: &mut With<'_, '_>,
    findings: &mut Findings,
) -> Option<Tree> {
    schema(reader, findings);
    let id = required(reader, "id", "\"auto_main\"", TreeId::new, findings);
    let fresh = id
        .as_ref()
        .is_some_and(|id| with.routing.names.trees.declare(id.value.as_str(), &id.place, findings));
    let title = title(reader, id.as_ref().map_or("", |id| id.value.as_str()), findings);
    let times = times(reader, findings);
    let zone = reader.parsed("time_zone", "\"America/Chicago\"", zone, findings);
    let vertical = vertical(reader, sources.verticals, findings);
    let tables = reader.tables("tier", findings);
    let _read_once_the_currency_is_known = reader.node("least_margin");
    let (vertical, id) = (vertical?, id?);
    let budget = times.as_ref().map(|times| times.deadline.saturating_sub(times.post_reserve));
    let within = Within { tree: &id.value, vertical: &vertical, budget };
    let tiers = tiers(tables, &within, &id.place, with, findings);
    let least_margin = least_margin(reader, vertical.currency(), findings);
    let times = times?;
    fresh.then(|| Tree {
        id: id.value.clone(),
        title,
        deadline: times.deadline,
        post_reserve: times.post_reserve,
        promise_lifetime: times.promise_lifetime,
        zone: zone.map_or(TimeZone::UTC, |zone| zone.value),
        least_margin,
        repeats: repeats(&tiers),
        places: Arc::new(Places::new(&tiers)),
        tiers,
        place: id.place.clone(),
        vertical: Arc::clone(&vertical),
    })
}

fn repeats(tiers: &[Tier]) -> bool {
    let mut seen = BTreeSet::new();
    let members = tiers.iter().flat_map(|tier| &tier.members);
    members.map(|member| &member.campaign.id).any(|id| !seen.insert(id))
}

/// What a sale must leave the exchange: never all of it, because the seller is owed something.
fn least_margin(
    reader: &mut TableReader<'_>,
    currency: Currency,
    findings: &mut Findings,
) -> Option<Amount> {
    let margin = amounts::amount(reader, "least_margin", currency, findings)?;
    amounts::less_than_all("least_margin", margin, None, findings)
}

struct Times {
    deadline: Duration,
    post_reserve: Duration,
    promise_lifetime: Duration,
}

fn times(reader: &mut TableReader<'_>, findings: &mut Findings) -> Option<Times> {
    let promise = bounded(reader, "promise_lifetime", PROMISE_MAX, findings);
    let deadline = required_duration(reader, "deadline", "\"15s\"", findings);
    let reserve = required_duration(reader, "post_reserve", "\"12s\"", findings);
    let (deadline, reserve) = (deadline?, reserve?);
    if reserve.value >= deadline.value {
        let message = "`post_reserve` leaves no time to ping before the deadline".to_owned();
        let help = format!("write less than {}", shown(deadline.value));
        findings.error("no_time_to_ping", reserve.place, message, help);
        return None;
    }
    Some(Times {
        deadline: deadline.value,
        post_reserve: reserve.value,
        promise_lifetime: promise.map_or(PROMISE_DEFAULT, |promise| promise.value),
    })
}
