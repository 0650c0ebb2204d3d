//! Trees and their tiers from their files.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use exchange_model::document::Spanned;
use exchange_model::{CampaignId, Findings, Money, Place, TableReader, TreeId, Vertical};
use jiff::tz::TimeZone;

use crate::filter::Filter;
use crate::routing::reading::{
    bounded, not_yet, require, required, schema, shown, title, vertical,
};
use crate::routing::{CASCADE_MAX, DEADLINE_MAX, MEMBERS_MAX, Routing, Sources, TIERS_MAX};
use crate::tree::{LookBack, Method, Rank, SaleKind, Tier, TierMember, Tree};

/// How long a promise lasts where the tree does not say.
const PROMISE_DEFAULT: Duration = Duration::from_secs(60);
/// Longest promise.
const PROMISE_MAX: Duration = Duration::from_secs(3_600);
/// Further bidders tried where the tier does not say.
const CASCADE_DEFAULT: u8 = 3;

pub(super) fn read(sources: &Sources<'_>, routing: &mut Routing, findings: &mut Findings) {
    for document in sources.trees {
        let mut reader = document.reader();
        let mut own = Findings::new();
        let tree = tree(&mut reader, sources, routing, &mut own);
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
    routing: &mut Routing,
    findings: &mut Findings,
) -> Option<Tree> {
    schema(reader, findings);
    let id = required(reader, "id", "\"auto_main\"", TreeId::new, findings);
    let fresh = id
        .as_ref()
        .is_some_and(|id| routing.names.trees.declare(id.value.as_str(), &id.place, findings));
    let title = title(reader, id.as_ref().map_or("", |id| id.value.as_str()), findings);
    let times = times(reader, findings);
    let vertical = vertical(reader, sources.verticals, findings);
    let tables = reader.tables("tier", findings);
    let (vertical, id) = (vertical?, id?);
    let budget = times.as_ref().map(|times| times.deadline.saturating_sub(times.post_reserve));
    let within = Within { tree: &id.value, vertical: &vertical, budget };
    let tiers = tiers(tables, &within, &id.place, (routing, findings));
    let times = times?;
    fresh.then(|| Tree {
        id: id.value.clone(),
        title,
        deadline: times.deadline,
        post_reserve: times.post_reserve,
        promise_lifetime: times.promise_lifetime,
        zone: TimeZone::UTC,
        least_margin: None,
        tiers,
        place: id.place.clone(),
        vertical: Arc::clone(&vertical),
    })
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

fn required_duration(
    reader: &mut TableReader<'_>,
    key: &'static str,
    example: &str,
    findings: &mut Findings,
) -> Option<Spanned<Duration>> {
    require(reader, key, example, findings);
    bounded(reader, key, DEADLINE_MAX, findings)
}

/// The tree that tiers are read for.
struct Within<'a> {
    tree: &'a TreeId,
    vertical: &'a Arc<Vertical>,
    budget: Option<Duration>,
}

fn tiers(
    tables: Vec<TableReader<'_>>,
    within: &Within<'_>,
    place: &Place,
    (routing, findings): (&mut Routing, &mut Findings),
) -> Vec<Tier> {
    if tables.is_empty() || tables.len() > TIERS_MAX {
        let message = format!("tree `{}` has {} tiers", within.tree, tables.len());
        let help = format!("a tree has 1 to {TIERS_MAX} tiers: add a [[tier]] for each");
        findings.error("bad_tier_count", place.clone(), message, help);
    }
    let mut seen = BTreeMap::new();
    let mut tiers: Vec<Tier> = Vec::new();
    for mut table in tables.into_iter().take(TIERS_MAX) {
        let mut reading = TierReading { within, seen: &mut seen, routing };
        let tier = reading.tier(&mut table, findings);
        table.finish(findings);
        let Some(tier) = tier else { continue };
        if tiers.iter().any(|other| other.name == tier.name) {
            let message = format!("another tier of this tree is called `{}`", tier.name);
            let help = "choose another name".to_owned();
            findings.error("duplicate_id", tier.place.clone(), message, help);
        }
        tiers.push(tier);
    }
    check_total(&tiers, within, place, findings);
    tiers
}

/// Tiers run one after another: what the earlier ones use up is lost to the later ones.
fn check_total(tiers: &[Tier], within: &Within<'_>, place: &Place, findings: &mut Findings) {
    let Some(budget) = within.budget else { return };
    let total: Duration = tiers.iter().map(|tier| tier.ping_timeout).sum();
    let each_fits = tiers.iter().all(|tier| tier.ping_timeout <= budget);
    if total > budget && each_fits {
        let (total, budget) = (shown(total), shown(budget));
        let message = format!("the tiers may ping for {total} together, and there are {budget}");
        let help = "shorten ping_timeout, or give the tree a longer deadline".to_owned();
        findings.warning("tiers_exceed_deadline", place.clone(), message, help);
    }
}

struct TierReading<'a> {
    within: &'a Within<'a>,
    seen: &'a mut BTreeMap<CampaignId, Place>,
    routing: &'a mut Routing,
}

impl TierReading<'_> {
    fn tier(&mut self, table: &mut TableReader<'_>, findings: &mut Findings) -> Option<Tier> {
        let name = table.required_string("name", "\"exclusive\"", findings);
        only_supported(table, findings);
        let ping_timeout = self.ping_timeout(table, findings);
        let reserve = table.money("reserve", self.within.vertical.currency(), findings);
        let cascade = table.integer("cascade", 0..=i64::from(CASCADE_MAX), findings);
        let members = self.members(table, name.as_ref().map_or("", |name| name.value), findings);
        warn_unreachable_reserve(reserve.as_ref(), &members, findings);
        let name = name?;
        Some(Tier {
            name: name.value.to_owned(),
            when: Filter::default(),
            method: Method::default(),
            sale: SaleKind::default(),
            rank: Rank::default(),
            ties: Vec::new(),
            look_back: LookBack::default(),
            increment: None,
            early_close: true,
            ping_timeout: ping_timeout?,
            reserve: reserve.map(|reserve| reserve.value),
            cascade: cascade
                .and_then(|cascade| u8::try_from(cascade.value).ok())
                .unwrap_or(CASCADE_DEFAULT),
            members,
            place: name.place,
        })
    }

    fn ping_timeout(
        &self,
        table: &mut TableReader<'_>,
        findings: &mut Findings,
    ) -> Option<Duration> {
        let timeout = required_duration(table, "ping_timeout", "\"900ms\"", findings)?;
        if let Some(budget) = self.within.budget.filter(|budget| timeout.value > *budget) {
            let budget = shown(budget);
            let message = format!("`ping_timeout` is longer than the {budget} there are to ping");
            let help = format!("write at most \"{budget}\": the deadline less post_reserve");
            findings.error("ping_timeout_too_long", timeout.place, message, help);
            return None;
        }
        Some(timeout.value)
    }

    fn members(
        &mut self,
        table: &mut TableReader<'_>,
        tier: &str,
        findings: &mut Findings,
    ) -> Vec<Arc<TierMember>> {
        require(table, "members", "[\"acme_mutual/auto-tx\"]", findings);
        let Some(names) = table.strings("members", findings) else { return Vec::new() };
        if names.is_empty() {
            let message = format!("tier `{tier}` has no members");
            let help = "name at least one campaign, or remove the tier".to_owned();
            findings.error("no_members", table.own_place(), message, help);
        }
        let label = format!("used in tier `{tier}`");
        let members: Vec<_> =
            names.iter().filter_map(|name| self.member(name, &label, findings)).collect();
        if self.seen.len() > MEMBERS_MAX {
            let message = format!("a tree has at most {MEMBERS_MAX} members");
            let help = "split the tree".to_owned();
            findings.error("too_many_members", table.own_place(), message, help);
        }
        members
    }

    fn member(
        &mut self,
        name: &Spanned<&str>,
        label: &str,
        findings: &mut Findings,
    ) -> Option<Arc<TierMember>> {
        if !self.routing.names.campaigns.check(name.value, &name.place, label, findings) {
            return None;
        }
        self.routing.names.campaigns.mark_used(name.value);
        let id: CampaignId = name.value.parse().ok()?;
        if let Some(first) = self.seen.insert(id.clone(), name.place.clone()) {
            let message = format!("`{id}` is a member of this tree already");
            let help = format!("remove it here or in {}", first.file_line());
            findings.error("duplicate_member", name.place.clone(), message, help);
            return None;
        }
        let campaign = self.routing.campaigns.get(&id)?;
        if campaign.vertical.id() != self.within.vertical.id() {
            let (wants, sells) = (campaign.vertical.id(), self.within.vertical.id());
            let message = format!("`{id}` buys `{wants}`, and this tree sells `{sells}`");
            let help = "name a campaign of the tree's own vertical".to_owned();
            findings.error("wrong_vertical", name.place.clone(), message, help);
            return None;
        }
        Some(Arc::new(TierMember {
            campaign: Arc::clone(campaign),
            when: Filter::default(),
            weight: 1,
            share: None,
            handicap: None,
            place: name.place.clone(),
        }))
    }
}

fn only_supported(table: &mut TableReader<'_>, findings: &mut Findings) {
    only(table, "sale", "exclusive", findings);
    only(table, "auction", "highest_bid", findings);
    let ties = "remove it: ties go to the least recent winner, then by name";
    let max_sold = "remove it: a lead is sold to one buyer";
    not_yet(table, &[("ties", ties), ("max_sold", max_sold)], findings);
}

/// A word of which only one value is supported so far.
fn only(table: &mut TableReader<'_>, key: &'static str, word: &str, findings: &mut Findings) {
    let example = format!("\"{word}\"");
    let Some(written) = table.string(key, &example, findings) else { return };
    if written.value != word {
        let message = format!("`{key} = \"{}\"` is not supported", written.value);
        let help = format!("only `{key} = {example}` is supported so far");
        findings.error("not_supported", written.place, message, help);
    }
}

fn warn_unreachable_reserve(
    reserve: Option<&Spanned<Money>>,
    members: &[Arc<TierMember>],
    findings: &mut Findings,
) {
    let Some(reserve) = reserve else { return };
    let campaigns = members.iter().map(|member| &member.campaign);
    for member in campaigns.filter(|m| m.price.most().amount() < reserve.value.amount()) {
        let most = member.price.most().amount_text();
        let message =
            format!("`{}` pays at most {most} and can never reach the reserve", member.id);
        let help = format!("write at most \"{most}\", or move the campaign to another tier");
        findings.warning("reserve_above_price", reserve.place.clone(), message, help);
    }
}
