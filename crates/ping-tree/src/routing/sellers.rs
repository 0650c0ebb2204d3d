//! Sellers and their sources from their files.

use std::sync::Arc;

use exchange_model::{BuyerId, Document, Findings, Place, SellerId, SourceId, TableReader};

use crate::campaign::Status;
use crate::caps::{Stands, ping_rate, read_caps};
use crate::routing::reading::{required, schema, status, title};
use crate::routing::{Routing, Sources, people, source_money, splits};
use crate::source::{OnMismatch, Source};

/// Longest alias, in characters.
const ALIAS_MAX: usize = 64;

pub(super) fn read(sources: &Sources<'_>, routing: &mut Routing, findings: &mut Findings) {
    for document in sources.sellers {
        seller(document, routing, findings);
    }
}

struct Seller {
    id: SellerId,
    title: String,
    status: Status,
}

fn seller(document: &Document, routing: &mut Routing, findings: &mut Findings) {
    let mut reader = document.reader();
    schema(&mut reader, findings);
    let id = required(&mut reader, "id", "\"quotekart\"", SellerId::new, findings);
    let tables = reader.tables("source", findings);
    let title = title(&mut reader, id.as_ref().map_or("", |id| id.value.as_str()), findings);
    let place = id.as_ref().map_or_else(|| reader.own_place(), |id| id.place.clone());
    let (status, _) = status(&mut reader, &place, findings);
    if tables.is_empty() && reader.node("source").is_none() {
        reader.missing("source", "[{ ... }], or a [[source]] for each", findings);
    }
    reader.finish(findings);
    let Some(id) = id else { return };
    let fresh = routing.names.sellers.declare(id.value.as_str(), &id.place, findings);
    let seller = Seller { id: id.value, title, status };
    for mut table in tables {
        let source = source(&mut table, &seller, routing, findings);
        table.finish(findings);
        if let Some(source) = source.filter(|_| fresh) {
            routing.sources.insert(source.id.clone(), Arc::new(source));
        }
    }
}

fn source(
    table: &mut TableReader<'_>,
    seller: &Seller,
    routing: &mut Routing,
    findings: &mut Findings,
) -> Option<Source> {
    let parse = |text: &str| SourceId::new(&seller.id, text);
    let id = required(table, "id", "\"search\"", parse, findings);
    let place = id.as_ref().map_or_else(|| table.own_place(), |id| id.place.clone());
    let fresh = id
        .as_ref()
        .is_some_and(|id| routing.names.sources.declare(id.value.as_str(), &id.place, findings));
    let (own_status, _) = status(table, &place, findings);
    let alias = alias(table, findings);
    let _only_for_people = table.strings("keys", findings);
    let _the_only_one = table.one_of("profile", &[("rialto", ())], findings);
    let caps = read_caps(table, "caps", Stands::Source, findings);
    let rate_limit = ping_rate(table, "rate_limit", findings);
    let trees = splits::trees(table, routing, findings);
    let blocked = blocked(table, routing, findings);
    let money = source_money::money(table, &trees.known, routing, findings);
    let on_mismatch = table.one_of("on_mismatch", OnMismatch::WORDS, findings);
    let vertical = trees.known.first().map(|tree| &*tree.vertical);
    let resubmissions = people::resubmissions(table, vertical, findings);
    let duplicates = people::sold_before(table, vertical, findings);
    let (payout, min_price) = (money.payout?, money.min_price);
    Some(Source {
        id: id.filter(|_| fresh)?.value,
        seller_title: seller.title.clone(),
        status: if seller.status == Status::Paused { Status::Paused } else { own_status },
        alias: alias?,
        split: trees.split?,
        payout,
        payout_for: money.payout_for,
        min_price,
        resubmissions,
        duplicates,
        on_mismatch: on_mismatch.map(|rule| rule.value).unwrap_or_default(),
        blocked: blocked.0,
        blocked_place: blocked.1,
        caps,
        rate_limit,
        place,
    })
}

fn alias(table: &mut TableReader<'_>, findings: &mut Findings) -> Option<String> {
    let alias = table.required_string("alias", "\"QK-1107\"", findings)?;
    let length = alias.value.chars().count();
    if (1..=ALIAS_MAX).contains(&length) && !alias.value.chars().any(char::is_control) {
        return Some(alias.value.to_owned());
    }
    let message = format!("an alias is 1 to {ALIAS_MAX} printable characters");
    findings.error("bad_value", alias.place, message, "write `alias = \"QK-1107\"`".to_owned());
    None
}

fn blocked(
    table: &mut TableReader<'_>,
    routing: &Routing,
    findings: &mut Findings,
) -> (Vec<BuyerId>, Option<Place>) {
    let place = table.node("block").map(|node| node.span.clone()).map(|span| table.place(span));
    let names = table.strings("block", findings).unwrap_or_default();
    let mut blocked: Vec<BuyerId> = names
        .iter()
        .filter(|name| routing.names.buyers.check(name.value, &name.place, "", findings))
        .filter_map(|name| BuyerId::new(name.value).ok())
        .collect();
    blocked.sort();
    blocked.dedup();
    (blocked, place)
}
