//! What happened before a test: who was served, who is paused, what caps have left.
//!
//! A test without a history shows what the files say in an exchange where nothing was sold yet.

use std::collections::BTreeMap;

use exchange_model::document::{Entry, NodeKind};
use exchange_model::reason::CapKind;
use exchange_model::{
    BuyerId, CampaignId, Findings, MinorUnits, Money, Rate, TableReader, Timestamp,
};

use crate::caps::{CapLimit, CapScope, Tally};
use crate::eligibility::Standing;
use crate::test_file::answers::Codes;
use crate::test_file::members::Members;

/// Largest count that a history may name.
const COUNT_MAX: u32 = 1_000_000_000;

/// What happened before a test.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Campaigns that were paused while running.
    pub paused: Vec<CampaignId>,
    /// Leads that each campaign was sold in its tier, within the tier's window.
    pub served: BTreeMap<CampaignId, u32>,
    /// Leads that each campaign made a usable bid for in its tier, within the tier's window.
    pub qualified: BTreeMap<CampaignId, u32>,
    /// When each campaign last won.
    pub last_won: BTreeMap<CampaignId, Timestamp>,
    /// The measured chance that a post to the campaign is accepted.
    pub chance: BTreeMap<CampaignId, Rate>,
    /// What each campaign's caps have counted, by the cap's kind.
    pub used: BTreeMap<CampaignId, Vec<(CapKind, Tally)>>,
}

impl Standing for History {
    fn paused(&self, campaign: &CampaignId) -> bool {
        self.paused.contains(campaign)
    }

    /// Caps over several campaigns count what all of theirs have used.
    fn used(&self, cap: &CapLimit) -> Tally {
        let counted = self.used.iter().filter(|(campaign, _)| covers(&cap.scope, campaign));
        let kind = if cap.kind == CapKind::Pace { CapKind::Day } else { cap.kind };
        let tallies = counted.flat_map(|(_, used)| used).filter(|(of, _)| *of == kind);
        tallies.fold(Tally::default(), |sum, (_, tally)| sum.plus(*tally))
    }

    fn available(&self, _: &BuyerId) -> Option<MinorUnits> {
        None
    }
}

fn covers(scope: &CapScope, campaign: &CampaignId) -> bool {
    match scope {
        CapScope::Campaign(own) | CapScope::Source(own, _) => own == campaign,
        CapScope::Buyer(buyer) => {
            campaign.as_str().split_once('/').is_some_and(|(of, _)| of == buyer.as_str())
        }
        CapScope::Group(group) => group.members.binary_search(campaign).is_ok(),
        CapScope::Inbound(_) => false,
    }
}

pub(super) fn history(
    mut table: TableReader<'_>,
    members: &Members<'_>,
    findings: &mut Findings,
) -> History {
    let read = History {
        paused: members.listed(&mut table, "paused", findings).unwrap_or_default(),
        served: each(&mut table, "served", members, COUNT, findings),
        qualified: each(&mut table, "qualified", members, COUNT, findings),
        last_won: each(&mut table, "last_won", members, MOMENT, findings),
        chance: each(&mut table, "chance", members, CHANCE, findings),
        used: used(&mut table, members, findings),
    };
    table.finish(findings);
    read
}

/// How a value is written.
struct Form<T> {
    read: fn(&NodeKind) -> Option<T>,
    example: &'static str,
}

const COUNT: Form<u32> = Form { read: count, example: "40" };
const MOMENT: Form<Timestamp> = Form { read: moment, example: "\"2026-11-23T08:00:00-06:00\"" };
const CHANCE: Form<Rate> = Form { read: chance, example: "\"70%\"" };

/// A table from campaigns to values of one form.
fn each<T>(
    table: &mut TableReader<'_>,
    key: &'static str,
    members: &Members<'_>,
    form: Form<T>,
    findings: &mut Findings,
) -> BTreeMap<CampaignId, T> {
    let Some(inner) = table.table(key, findings) else { return BTreeMap::new() };
    let mut values = BTreeMap::new();
    for (campaign, entry) in members.entries(&inner, findings) {
        match (form.read)(&entry.value.kind) {
            Some(value) => {
                values.insert(campaign.id.clone(), value);
            }
            None => inner.wrong_type(&entry.value, &entry.key, form.example, findings),
        }
    }
    values
}

fn count(kind: &NodeKind) -> Option<u32> {
    let NodeKind::Integer(number) = kind else { return None };
    u32::try_from(*number).ok().filter(|number| *number <= COUNT_MAX)
}

fn moment(kind: &NodeKind) -> Option<Timestamp> {
    match kind {
        NodeKind::String(text) | NodeKind::Datetime(text) => text.parse().ok(),
        _ => None,
    }
}

fn chance(kind: &NodeKind) -> Option<Rate> {
    let NodeKind::String(text) = kind else { return None };
    Rate::parse_percent(text).ok()
}

/// `used = { "acme_mutual/auto-tx" = { day = 150, day_spend = "3000.00" } }`.
fn used(
    table: &mut TableReader<'_>,
    members: &Members<'_>,
    findings: &mut Findings,
) -> BTreeMap<CampaignId, Vec<(CapKind, Tally)>> {
    let Some(inner) = table.table("used", findings) else { return BTreeMap::new() };
    let mut all = BTreeMap::new();
    for (campaign, entry) in members.entries(&inner, findings) {
        let NodeKind::Table(caps) = &entry.value.kind else {
            inner.wrong_type(&entry.value, &entry.key, "{ day = 150 }", findings);
            continue;
        };
        let caps = inner.inner(caps, entry.key_span.clone());
        let currency = campaign.vertical.currency();
        let of = |cap: &Entry| tally(cap, currency, &caps, findings);
        let tallies: Vec<_> = caps.raw().entries.iter().filter_map(of).collect();
        all.insert(campaign.id.clone(), tallies);
    }
    all
}

fn tally(
    cap: &Entry,
    currency: exchange_model::Currency,
    table: &TableReader<'_>,
    findings: &mut Findings,
) -> Option<(CapKind, Tally)> {
    let place = table.place(cap.key_span.clone());
    let name = exchange_model::document::Spanned { value: cap.key.as_str(), place };
    let kind = Codes::of(CapKind::ALL, CapKind::code).find(&name, findings)?;
    let read = match &cap.value.kind {
        NodeKind::String(text) if cap.key.ends_with("_spend") => {
            let spend = Money::parse(text, currency).ok().and_then(|money| money.to_minor().ok());
            spend.map(|spend| Tally { leads: 0, spend })
        }
        number if !cap.key.ends_with("_spend") => {
            count(number).map(|leads| Tally { leads, spend: MinorUnits::ZERO })
        }
        _ => None,
    };
    if read.is_none() {
        let example = if cap.key.ends_with("_spend") { "\"3000.00\"" } else { "150" };
        table.wrong_type(&cap.value, &cap.key, example, findings);
    }
    read.map(|tally| (kind, tally))
}
