//! Buyers and their campaigns from their files.

use std::sync::Arc;

use exchange_model::document::{NodeKind, Spanned};
use exchange_model::finding::nearest;
use exchange_model::{
    Brand, BuyerId, CampaignId, Currency, Document, Findings, TableReader, VerticalId,
};

use crate::campaign::{Buyer, Campaign, PriceChange};
use crate::caps::{Stands, ping_rate, read_caps};
use crate::filter::{Filter, FilterReader};
use crate::list::Lists;
use crate::routing::groups::Joins;
use crate::routing::reading::{not_yet, required, schema, status, title, vertical, zone};
use crate::routing::{
    CAMPAIGNS_MAX, Routing, Sources, billing, groups, harvest, payouts, people, prices, terms,
};
use crate::schedule::read_schedule;

pub(super) fn read(
    sources: &Sources<'_>,
    lists: &mut Lists<'_>,
    routing: &mut Routing,
    joins: &mut Joins,
    findings: &mut Findings,
) {
    for document in sources.buyers {
        let mut reading =
            Reading { sources, lists: &mut *lists, routing: &mut *routing, joins: &mut *joins };
        reading.buyer(document, findings);
    }
}

struct Reading<'a, 's, 'l> {
    sources: &'a Sources<'s>,
    lists: &'a mut Lists<'l>,
    routing: &'a mut Routing,
    joins: &'a mut Joins,
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
        let shared = Stands::Shared { currency: self.currency(campaigns) };
        let caps = read_caps(reader, "caps", shared, findings);
        let ping_rate = ping_rate(reader, "ping_rate", findings);
        let harvest = harvest::harvest(reader, findings);
        let payout = payouts::payout(reader, self.currency(campaigns), findings);
        let (zone, billing) = (zone?.value, billing?);
        Some(Buyer {
            id: id.value.clone(),
            brands: vec![Brand::new(id.value.as_str()), Brand::new(&title)],
            title,
            status,
            zone,
            terms: billing.terms,
            min_balance: billing.min_balance,
            payout,
            caps,
            ping_rate,
            harvest,
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
        let policy = terms::policy(table, &mut self.routing.names.named_sources, findings);
        let price_change = table.one_of("price_change", PriceChange::WORDS, findings);
        not_yet(table, NOT_YET, findings);
        let ping_rate = ping_rate(table, "ping_rate", findings);
        mark_known(table, terms::KEYS);
        mark_known(table, &["caps", "each_source", "by_source", "groups", "accepts"]);
        mark_known(table, people::CAMPAIGN_KEYS);
        let vertical = vertical(table, self.sources.verticals, findings)?;
        let terms = terms::terms(table, &vertical, self.lists, findings);
        let price = terms.price.as_ref().map(|price| &price.mode);
        if let (Some(rule), Some(price)) = (&price_change, price) {
            prices::check_price_change(rule, price, findings);
        }
        let money = (vertical.currency(), price);
        let caps = groups::caps_of(table, &id.value, money, self.joins, findings);
        let accepts = match table.table("accepts", findings) {
            Some(accepts) => FilterReader::new(&vertical, self.lists).read(&accepts, findings),
            None => Filter::default(),
        };
        let title = owner.buyer.as_ref().map_or("", |buyer| &buyer.title);
        let person = people::of_campaign(table, title, &vertical, findings);
        let (connector, price) = (connector?, terms.price?);
        Some(Campaign {
            id: id.value,
            buyer: owner.buyer.clone()?,
            vertical,
            connector: connector.value.to_owned(),
            connector_place: connector.place,
            price: price.mode,
            adjust: price.adjust,
            haircut: terms.haircut,
            handicap: terms.handicap,
            shares: terms.shares,
            payout: terms.payout,
            caps,
            ping_rate,
            hours,
            accepts,
            person,
            sources: policy.sources,
            sources_place: policy.sources_place,
            unknown: policy.unknown,
            unknown_place: policy.unknown_place,
            price_change: price_change.map(|rule| rule.value).unwrap_or_default(),
            status,
            status_place,
            place: id.place,
        })
    }
}

const NOT_YET: &[(&str, &str)] = &[("fields", "remove it: a post may carry every post field")];

/// Marks the keys that can only be read once the vertical is known, so that a wrong vertical does
/// not make them look unknown.
fn mark_known(table: &mut TableReader<'_>, keys: &[&'static str]) {
    for key in keys {
        let _read_later = table.node(key);
    }
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
