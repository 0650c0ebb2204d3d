//! The tiers of a tree: for which leads, how long, at what least, and who is in them.

use std::sync::Arc;
use std::time::Duration;

use exchange_model::document::Spanned;
use exchange_model::{Findings, Money, Place, TableReader, TreeId, Vertical};

use crate::filter::{Filter, FilterReader};
use crate::list::Lists;
use crate::routing::members::{MembersReader, Seen};
use crate::routing::methods::{self, How};
use crate::routing::reading::{bounded, require, shown};
use crate::routing::{CASCADE_MAX, DEADLINE_MAX, Routing, TIERS_MAX};
use crate::tree::{Tier, TierMember};

/// Further bidders tried where the tier does not say.
const CASCADE_DEFAULT: u8 = 3;

/// The tree that tiers are read for.
pub(super) struct Within<'a> {
    pub(super) tree: &'a TreeId,
    pub(super) vertical: &'a Arc<Vertical>,
    /// What there is to ping; nothing when it cannot be read.
    pub(super) budget: Option<Duration>,
}

/// What tiers are read with.
pub(super) struct With<'a, 'l> {
    pub(super) lists: &'a mut Lists<'l>,
    pub(super) routing: &'a mut Routing,
}

/// Reads `[[tier]]`.
pub(super) fn tiers(
    tables: Vec<TableReader<'_>>,
    within: &Within<'_>,
    place: &Place,
    with: &mut With<'_, '_>,
    findings: &mut Findings,
) -> Vec<Tier> {
    if tables.is_empty() || tables.len() > TIERS_MAX {
        let message = format!("tree `{}` has {} tiers", within.tree, tables.len());
        let help = format!("a tree has 1 to {TIERS_MAX} tiers: add a [[tier]] for each");
        findings.error("bad_tier_count", place.clone(), message, help);
    }
    let mut seen = Seen::default();
    let mut tiers: Vec<Tier> = Vec::new();
    for mut table in tables.into_iter().take(TIERS_MAX) {
        let mut reading = TierReading { within, seen: &mut seen, with: &mut *with };
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

struct TierReading<'a, 'w, 'l> {
    within: &'a Within<'a>,
    seen: &'a mut Seen,
    with: &'a mut With<'w, 'l>,
}

impl TierReading<'_, '_, '_> {
    fn tier(&mut self, table: &mut TableReader<'_>, findings: &mut Findings) -> Option<Tier> {
        let currency = self.within.vertical.currency();
        let name = table.required_string("name", "\"exclusive\"", findings);
        let how = methods::how(table, currency, findings);
        let when = when(table, self.within.vertical, self.with.lists, findings);
        let ping_timeout = self.ping_timeout(table, findings);
        let reserve = table.money("reserve", currency, findings);
        let cascade = table.integer("cascade", 0..=i64::from(CASCADE_MAX), findings);
        let early_close = table.boolean("early_close", findings);
        let label = format!("used in tier `{}`", name.as_ref().map_or("", |name| name.value));
        let members = self.members(table, (&how, &when), &label, findings);
        warn_unreachable_reserve(reserve.as_ref(), &members, findings);
        let name = name?;
        Some(Tier {
            name: name.value.to_owned(),
            when,
            method: how.method,
            sale: how.sale?,
            rank: how.rank,
            ties: how.ties,
            look_back: how.look_back,
            increment: how.increment,
            early_close: early_close.is_none_or(|early| early.value),
            ping_timeout: ping_timeout?,
            reserve: reserve.map(|reserve| reserve.value),
            cascade: cascade
                .and_then(|cascade| u8::try_from(cascade.value).ok())
                .unwrap_or(CASCADE_DEFAULT),
            members,
            place: name.place,
        })
    }

    fn members(
        &mut self,
        table: &mut TableReader<'_>,
        (how, when): (&How, &Filter),
        label: &str,
        findings: &mut Findings,
    ) -> Vec<Arc<TierMember>> {
        let mut reader = MembersReader {
            how,
            always: when.is_empty(),
            label,
            vertical: self.within.vertical,
            seen: &mut *self.seen,
            lists: &mut *self.with.lists,
            routing: &mut *self.with.routing,
        };
        reader.read(table, findings)
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
}

/// Reads `when`; everything where it is absent.
pub(super) fn when(
    table: &mut TableReader<'_>,
    vertical: &Vertical,
    lists: &mut Lists<'_>,
    findings: &mut Findings,
) -> Filter {
    match table.table("when", findings) {
        Some(when) => FilterReader::new(vertical, lists).read(&when, findings),
        None => Filter::default(),
    }
}

/// Reads a duration that must be there.
pub(super) fn required_duration(
    reader: &mut TableReader<'_>,
    key: &'static str,
    example: &str,
    findings: &mut Findings,
) -> Option<Spanned<Duration>> {
    require(reader, key, example, findings);
    bounded(reader, key, DEADLINE_MAX, findings)
}

fn warn_unreachable_reserve(
    reserve: Option<&Spanned<Money>>,
    members: &[Arc<TierMember>],
    findings: &mut Findings,
) {
    let Some(reserve) = reserve else { return };
    let campaigns = members.iter().map(|member| &member.campaign);
    for member in campaigns.filter(|m| m.most_price().amount() < reserve.value.amount()) {
        let most = member.most_price().amount_text();
        let message =
            format!("`{}` pays at most {most} and can never reach the reserve", member.id);
        let help = format!("write at most \"{most}\", or move the campaign to another tier");
        findings.warning("reserve_above_price", reserve.place.clone(), message, help);
    }
}
