//! Groups of campaigns that are counted together, from `groups.toml`; and what campaigns say of
//! groups and sources, which can only be checked once those are read.

use std::collections::BTreeMap;
use std::sync::Arc;

use exchange_model::document::Spanned;
use exchange_model::{CampaignId, Currency, Document, Findings, SourceId, TableReader};
use jiff::tz::TimeZone;

use crate::campaign::PriceMode;
use crate::caps::{CampaignCaps, CapGroup, Group, Stands, caps_of as read_caps_of, read_caps};
use crate::routing::reading::{required, schema};
use crate::routing::{Routing, Sources};

/// Most groups that one campaign stands in.
const GROUPS_OF_ONE_MAX: usize = 16;

/// What campaigns name that is read after them.
#[derive(Debug, Default)]
pub(super) struct Joins {
    groups: Vec<(CampaignId, Spanned<String>)>,
    sources: Vec<Spanned<SourceId>>,
}

/// The caps of a campaign. What it names is noted.
pub(super) fn caps_of(
    table: &mut TableReader<'_>,
    campaign: &CampaignId,
    (currency, price): (Currency, Option<&PriceMode>),
    joins: &mut Joins,
    findings: &mut Findings,
) -> CampaignCaps {
    let (caps, sources) = read_caps_of(table, currency, price, findings);
    joins.sources.extend(sources);
    let names = table.strings("groups", findings).unwrap_or_default();
    if let Some(name) = names.get(GROUPS_OF_ONE_MAX) {
        let message = format!("a campaign stands in at most {GROUPS_OF_ONE_MAX} groups");
        let help = "take it out of the rest".to_owned();
        findings.error("too_many_groups", name.place.clone(), message, help);
    }
    for name in names.into_iter().take(GROUPS_OF_ONE_MAX) {
        let named = Spanned { value: name.value.to_owned(), place: name.place };
        joins.groups.push((campaign.clone(), named));
    }
    caps
}

/// Reads the groups and lets the campaigns join them.
pub(super) fn read(
    sources: &Sources<'_>,
    joins: &Joins,
    routing: &mut Routing,
    findings: &mut Findings,
) {
    let mut members: BTreeMap<&str, Vec<CampaignId>> = BTreeMap::new();
    for (campaign, name) in &joins.groups {
        members.entry(name.value.as_str()).or_default().push(campaign.clone());
    }
    if let Some(document) = sources.groups {
        document_of(document, members, routing, findings);
    }
    for (campaign, name) in &joins.groups {
        if routing.names.groups.check(&name.value, &name.place, "", findings) {
            join(routing, campaign, &name.value);
        }
    }
}

fn document_of(
    document: &Document,
    mut members: BTreeMap<&str, Vec<CampaignId>>,
    routing: &mut Routing,
    findings: &mut Findings,
) {
    let mut reader = document.reader();
    schema(&mut reader, findings);
    for (name, mut table) in reader.named_tables("group", findings) {
        routing.names.groups.declare(name.value, &name.place, findings);
        let mut members = members.remove(name.value).unwrap_or_default();
        members.sort();
        members.dedup();
        let currency = currency(&members, routing);
        let shared = Stands::Shared { currency: currency.unwrap_or(Currency::USD) };
        let zone = required(&mut table, "time_zone", "\"America/Chicago\"", zone, findings);
        let caps = read_caps(&mut table, "caps", shared, findings);
        table.finish(findings);
        let Some(zone) = zone else { continue };
        let group = Arc::new(Group { name: name.value.to_owned(), members });
        let group = CapGroup { group, zone: zone.value, caps, place: name.place };
        check(&group, currency.is_none(), findings);
        routing.groups.insert(name.value.to_owned(), Arc::new(group));
    }
    reader.finish(findings);
}

/// The one currency of the members, if there is one; without members, any.
fn currency(members: &[CampaignId], routing: &Routing) -> Option<Currency> {
    let mut all = members
        .iter()
        .filter_map(|id| routing.campaigns.get(id))
        .map(|campaign| campaign.vertical.currency());
    let first = all.next().unwrap_or(Currency::USD);
    all.all(|other| other == first).then_some(first)
}

fn check(group: &CapGroup, mixed: bool, findings: &mut Findings) {
    let name = &group.group.name;
    let spend = group.caps.iter().find(|cap| matches!(cap.limit, crate::CapAmount::Spend(_)));
    if let Some(cap) = spend.filter(|_| mixed) {
        let message = format!("the campaigns of `{name}` pay in different currencies");
        let help = "count leads instead, or make a group for each currency".to_owned();
        findings.error("mixed_currencies", cap.place.clone(), message, help);
    }
    if group.caps.is_empty() {
        let message = format!("group `{name}` has no caps");
        let help = "write `caps = { day = 500 }`, or remove it".to_owned();
        findings.warning("group_without_caps", group.place.clone(), message, help);
    }
    if group.group.members.is_empty() {
        let message = format!("no campaign is in group `{name}`");
        let help = format!("write `groups = [\"{name}\"]` in its campaigns, or remove it");
        findings.warning("group_unused", group.place.clone(), message, help);
    }
}

fn join(routing: &mut Routing, campaign: &CampaignId, name: &str) {
    let Some(group) = routing.groups.get(name).map(Arc::clone) else { return };
    let Some(campaign) = routing.campaigns.get_mut(campaign) else { return };
    let caps = &mut Arc::make_mut(campaign).caps;
    if !caps.groups.iter().any(|joined| joined.group == group.group) {
        caps.groups.push(group);
    }
}

fn zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name)
        .map_err(|_unknown| format!("no time zone is called {name}; zones are Continent/City"))
}

/// Every source that a campaign has caps for must be one.
pub(super) fn check_sources(joins: &Joins, routing: &Routing, findings: &mut Findings) {
    for source in &joins.sources {
        routing.names.sources.check(source.value.as_str(), &source.place, "", findings);
    }
}
