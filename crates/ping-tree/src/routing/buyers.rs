//! Buyers and their campaigns from their files.

use std::sync::Arc;

use exchange_model::document::{NodeKind, Spanned};
use exchange_model::finding::nearest;
use exchange_model::{
    BuyerId, CampaignId, Currency, Document, Findings, Money, TableReader, VerticalId,
};
use jiff::tz::TimeZone;

use crate::campaign::{Buyer, Campaign, PriceChange, PriceMode, UnknownPolicy};
use crate::caps::read_caps;
use crate::filter::{Filter, FilterReader};
use crate::list::Lists;
use crate::routing::reading::{not_yet, require, required, schema, status, title, vertical};
use crate::routing::{CAMPAIGNS_MAX, Routing, Sources, billing};
use crate::schedule::read_schedule;
use crate::shares::Shares;

pub(super) fn read(
    sources: &Sources<'_>,
    lists: &mut Lists<'_>,
    routing: &mut Routing,
    findings: &mut Findings,
) {
    for document in sources.buyers {
        let mut reading = Reading { sources, lists: &mut *lists, routing: &mut *routing };
        reading.buyer(document, findings);
    }
}

struct Reading<'a, 's, 'l> {
    sources: &'a Sources<'s>,
    lists: &'a mut Lists<'l>,
    routing: &'a mut Routing,
}

/// A campaign's table, its name, and what it needs of its buyer's file.
struct Owner<'a> {
    buyer: Option<Arc<Buyer>>,
    id: &'a BuyerId,
    connectors: Vec<&'a str>,
}

impl Reading<'_, '_, '_> {
    fn buyer(&mut self, document: &Document, findings: &mut Findings) {
        let mut reader = document.reader();
        schema(&mut reader, findings);
        let id = required(&mut reader, "id", "\"acme_mutual\"", BuyerId::new, findings);
        let campaigns = reader.tables("campaign", findings);
        let connectors = connector_names(&mut reader);
        let _read_with_the_connectors = reader.node("map");
        let buyer = id.as_ref().and_then(|id| {
            let buyer = self.head(&mut reader, id, &campaigns, findings);
            let fresh = self.routing.names.buyers.declare(id.value.as_str(), &id.place, findings);
            buyer.filter(|_| fresh).map(Arc::new)
        });
        reader.finish(findings);
        let Some(id) = id else { return };
        if let Some(buyer) = &buyer {
            self.routing.buyers.insert(buyer.id.clone(), Arc::clone(buyer));
        }
        let owner = Owner { buyer, id: &id.value, connectors };
        for table in campaigns {
            self.campaign(table, &owner, findings);
        }
    }

    fn head(
        &self,
        reader: &mut TableReader<'_>,
        id: &Spanned<BuyerId>,
        campaigns: &[TableReader<'_>],
        findings: &mut Findings,
    ) -> Option<Buyer> {
        let (status, status_place) = status(reader, &id.place, findings);
        let zone = required(reader, "time_zone", "\"America/Chicago\"", zone, findings);
        let billing = billing::billing(reader, self.currency(campaigns), findings);
        let title = title(reader, id.value.as_str(), findings);
        let (zone, billing) = (zone?.value, billing?);
        Some(Buyer {
            id: id.value.clone(),
            title,
            status,
            zone,
            terms: billing.terms,
            min_balance: billing.min_balance,
            payout: None,
            status_place,
            billing_place: billing.place,
            place: id.place.clone(),
        })
    }

    /// A buyer is billed in the currency of what it buys.
    fn currency(&self, campaigns: &[TableReader<'_>]) -> Currency {
        let named =
            campaigns.iter().filter_map(|table| match &table.raw().get("vertical")?.value.kind {
                NodeKind::String(name) => VerticalId::new(name).ok(),
                _ => None,
            });
        named
            .filter_map(|id| self.sources.verticals.get(&id))
            .map(|vertical| vertical.currency())
            .next()
            .unwrap_or(Currency::USD)
    }

    fn campaign(&mut self, mut table: TableReader<'_>, owner: &Owner<'_>, findings: &mut Findings) {
        let parse = |text: &str| CampaignId::new(owner.id, text);
        let id = required(&mut table, "id", "\"auto-tx\"", parse, findings);
        let fresh = id.as_ref().is_some_and(|id| {
            self.routing.names.campaigns.declare(id.value.as_str(), &id.place, findings)
        });
        if self.routing.names.campaigns.len() > CAMPAIGNS_MAX {
            self.report_too_many(&table, findings);
            return;
        }
        // A campaign without a usable name is read all the same, for what else is wrong with it.
        let unnamed = || CampaignId::new(owner.id, "unnamed").ok();
        let id = id.or_else(|| Some(Spanned { value: unnamed()?, place: table.own_place() }));
        let campaign = id.and_then(|id| self.body(&mut table, id, owner, findings));
        table.finish(findings);
        if let Some(campaign) = campaign.filter(|_| fresh) {
            self.routing.campaigns.insert(campaign.id.clone(), Arc::new(campaign));
        }
    }

    /// Reports the first campaign that is too many, not all of them.
    fn report_too_many(&self, table: &TableReader<'_>, findings: &mut Findings) {
        if self.routing.names.campaigns.len() == CAMPAIGNS_MAX.saturating_add(1) {
            let message = format!("an exchange has at most {CAMPAIGNS_MAX} campaigns");
            let help = "remove campaigns that are no longer used".to_owned();
            findings.error("too_many_campaigns", table.own_place(), message, help);
        }
    }

    fn body(
        &mut self,
        table: &mut TableReader<'_>,
        id: Spanned<CampaignId>,
        owner: &Owner<'_>,
        findings: &mut Findings,
    ) -> Option<Campaign> {
        let (status, status_place) = status(table, &id.place, findings);
        let connector = connector(table, owner, findings);
        let hours = read_schedule(table, findings);
        let unknown = unknown_policy(table, findings);
        let price_change = table.one_of("price_change", PriceChange::WORDS, findings);
        not_yet(table, NOT_YET, findings);
        mark_known(table, &["price", "caps", "accepts"]);
        let vertical = vertical(table, self.sources.verticals, findings)?;
        let price = price(table, vertical.currency(), findings);
        if let (Some(rule), Some(price)) = (&price_change, &price) {
            check_price_change(rule, price, findings);
        }
        let caps = read_caps(table, vertical.currency(), price.as_ref(), findings);
        let accepts = match table.table("accepts", findings) {
            Some(accepts) => FilterReader::new(&vertical, self.lists).read(&accepts, findings),
            None => Filter::default(),
        };
        let connector = connector?;
        Some(Campaign {
            id: id.value,
            buyer: owner.buyer.clone()?,
            vertical,
            connector: connector.value.to_owned(),
            connector_place: connector.place,
            price: price?,
            adjust: Vec::new(),
            haircut: None,
            handicap: None,
            shares: Shares::default(),
            payout: None,
            caps,
            hours,
            accepts,
            unknown,
            price_change: price_change.map(|rule| rule.value).unwrap_or_default(),
            status,
            status_place,
            place: id.place,
        })
    }
}

const NOT_YET: &[(&str, &str)] = &[
    ("handicap", "remove it: bids rank by their price"),
    ("ping_rate", "remove it, or limit the campaign by `caps`"),
    ("fields", "remove it: a post may carry every post field"),
];

/// Marks the keys that can only be read once the vertical is known, so that a wrong vertical does
/// not make them look unknown.
fn mark_known(table: &mut TableReader<'_>, keys: &[&'static str]) {
    for key in keys {
        let _read_later = table.node(key);
    }
}

fn zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name)
        .map_err(|_unknown| format!("no time zone is called {name}; zones are Continent/City"))
}

fn connector_names<'a>(reader: &mut TableReader<'a>) -> Vec<&'a str> {
    match reader.node("connector").map(|node| &node.kind) {
        Some(NodeKind::Table(table)) => {
            table.entries.iter().map(|entry| entry.key.as_str()).collect()
        }
        _ => Vec::new(),
    }
}

fn connector<'a>(
    table: &mut TableReader<'a>,
    owner: &Owner<'_>,
    findings: &mut Findings,
) -> Option<Spanned<&'a str>> {
    let name = table.required_string("connector", "\"main\"", findings)?;
    if owner.connectors.contains(&name.value) {
        return Some(name);
    }
    let help = match nearest(name.value, owner.connectors.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("add a [connector.{}] table to this file", name.value),
    };
    let message = format!("this buyer has no connector called `{}`", name.value);
    findings.error("unknown_connector", name.place, message, help);
    None
}

/// Every sale is exclusive so far, so `cascade` always risks selling a lead twice.
fn unknown_policy(table: &mut TableReader<'_>, findings: &mut Findings) -> UnknownPolicy {
    const WORDS: &[(&str, UnknownPolicy)] =
        &[("hold", UnknownPolicy::Hold), ("cascade", UnknownPolicy::Cascade)];
    let Some(policy) = table.one_of("unknown", WORDS, findings) else { return UnknownPolicy::Hold };
    if policy.value == UnknownPolicy::Cascade {
        let message = "after a lost answer an exclusive lead may be sold twice".to_owned();
        let help = "write `unknown = \"hold\"` unless the buyer has agreed to it".to_owned();
        findings.warning("double_risk", policy.place, message, help);
    }
    policy.value
}

/// Nothing but the price itself honours the limits of a fixed price.
fn check_price_change(rule: &Spanned<PriceChange>, price: &PriceMode, findings: &mut Findings) {
    let moves = matches!(rule.value, PriceChange::Lower | PriceChange::Any);
    if let PriceMode::Fixed { base } = price
        && moves
    {
        let message =
            format!("a fixed price cannot change: `{}` books the price", rule.value.code());
        let base = base.amount_text();
        let help = format!(
            "write `price = {{ mode = \"bid\", floor = \"...\", ceiling = \"{base}\", base = \"{base}\" }}`"
        );
        findings.warning("never_matches", rule.place.clone(), message, help);
    }
}

fn price(
    table: &mut TableReader<'_>,
    currency: Currency,
    findings: &mut Findings,
) -> Option<PriceMode> {
    const EXAMPLE: &str = "{ mode = \"bid\", floor = \"8.00\", ceiling = \"60.00\" }";
    require(table, "price", EXAMPLE, findings);
    let mut price = table.table("price", findings)?;
    require(&mut price, "mode", "\"bid\"", findings);
    let is_bid = price.one_of("mode", &[("bid", true), ("fixed", false)], findings);
    not_yet(&mut price, &[("adjust", "write the price for every lead as `base`")], findings);
    let mode = match is_bid?.value {
        true => bid_limits(&mut price, currency, findings),
        false => fixed_price(&mut price, currency, findings),
    };
    price.finish(findings);
    mode
}

fn bid_limits(
    price: &mut TableReader<'_>,
    currency: Currency,
    findings: &mut Findings,
) -> Option<PriceMode> {
    require(price, "ceiling", "\"60.00\"", findings);
    let floor = price.money("floor", currency, findings);
    let ceiling = price.money("ceiling", currency, findings)?;
    let floor = floor.map_or_else(|| Money::zero(currency), |floor| floor.value);
    if ceiling.value.amount() < floor.amount() || !ceiling.value.is_positive() {
        let message = "no bid can be at least `floor` and at most `ceiling`".to_owned();
        let help = format!("write a ceiling above {}", floor.amount_text());
        findings.error("never_matches", ceiling.place, message, help);
        return None;
    }
    let base = match price.money("base", currency, findings) {
        Some(base) => Some(base_of_bids(&base, floor, ceiling.value, findings)?),
        None => None,
    };
    Some(PriceMode::Bid { floor, ceiling: ceiling.value, base })
}

/// The contract price of a campaign that bids: it is judged like a bid, so it must be one.
fn base_of_bids(
    base: &Spanned<Money>,
    floor: Money,
    ceiling: Money,
    findings: &mut Findings,
) -> Option<Money> {
    let amount = base.value.amount();
    if base.value.is_positive() && floor.amount() <= amount && amount <= ceiling.amount() {
        return Some(base.value);
    }
    let message = "`base` is no bid between `floor` and `ceiling`".to_owned();
    let help = format!(
        "write a base from {} to {}, or leave it out",
        floor.amount_text(),
        ceiling.amount_text()
    );
    findings.error("never_matches", base.place.clone(), message, help);
    None
}

fn fixed_price(
    price: &mut TableReader<'_>,
    currency: Currency,
    findings: &mut Findings,
) -> Option<PriceMode> {
    require(price, "base", "\"7.50\"", findings);
    let base = price.money("base", currency, findings)?;
    if !base.value.is_positive() {
        let message = "a fixed price is more than nothing".to_owned();
        findings.error("bad_value", base.place, message, "write `base = \"7.50\"`".to_owned());
        return None;
    }
    Some(PriceMode::Fixed { base: base.value })
}
