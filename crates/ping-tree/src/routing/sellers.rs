//! Sellers and their sources from their files.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use exchange_model::document::Spanned;
use exchange_model::finding::nearest;
use exchange_model::{
    BuyerId, Currency, Document, FieldClass, Findings, Place, SellerId, SourceId, TableReader,
    TreeId, Vertical,
};

use crate::campaign::Status;
use crate::routing::reading::{bounded, not_yet, require, required, schema, status, title};
use crate::routing::{Routing, Sources};
use crate::payout::PayoutRule;
use crate::source::{DuplicateRule, Source};
use crate::tree::Tree;

/// Farthest back that duplicates are looked for.
const DUPLICATE_WINDOW_MAX: Duration = Duration::from_secs(400 * 86_400);
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

const NOT_YET: &[(&str, &str)] =
    &[("rate_limit", "remove it"), ("caps", "remove it: limit campaigns by their own `caps`")];

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
    not_yet(table, NOT_YET, findings);
    let tree_id = required(table, "tree", "\"auto_main\"", TreeId::new, findings);
    let tree = tree_id.as_ref().and_then(|id| tree_of(id, routing, findings));
    let blocked = blocked(table, routing, findings);
    let money = money(table, tree.as_deref(), findings);
    let duplicates = duplicates(table, tree.as_ref().map(|tree| &*tree.vertical), findings);
    let (payout, min_price) = (money.payout?, money.min_price);
    Some(Source {
        id: id.filter(|_| fresh)?.value,
        seller_title: seller.title.clone(),
        status: if seller.status == Status::Paused { Status::Paused } else { own_status },
        alias: alias?,
        tree: tree?.id.clone(),
        payout,
        payout_for: BTreeMap::new(),
        min_price,
        duplicates,
        blocked: blocked.0,
        blocked_place: blocked.1,
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

fn tree_of(
    id: &Spanned<TreeId>,
    routing: &mut Routing,
    findings: &mut Findings,
) -> Option<Arc<Tree>> {
    if routing.names.trees.check(id.value.as_str(), &id.place, "", findings) {
        routing.names.trees.mark_used(id.value.as_str());
    }
    routing.trees.get(&id.value).map(Arc::clone)
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

struct SourceMoney {
    payout: Option<PayoutRule>,
    min_price: Option<exchange_model::Money>,
}

fn money(table: &mut TableReader<'_>, tree: Option<&Tree>, findings: &mut Findings) -> SourceMoney {
    let currency = tree.map_or(Currency::USD, |tree| tree.vertical.currency());
    let payout = payout(table, currency, findings);
    let min_price = table.money("min_price", currency, findings);
    if let (Some(payout), Some(least), Some(tree)) = (&payout, &min_price, tree) {
        warn_unreachable(payout, least, tree, findings);
    }
    SourceMoney { payout, min_price: min_price.map(|least| least.value) }
}

fn payout(
    table: &mut TableReader<'_>,
    currency: Currency,
    findings: &mut Findings,
) -> Option<PayoutRule> {
    const EXAMPLE: &str = "{ share = \"80%\" }";
    require(table, "payout", EXAMPLE, findings);
    let mut payout = table.table("payout", findings)?;
    let written = (payout.node("share").is_some(), payout.node("fixed").is_some());
    let share = payout.percent("share", findings);
    let fixed = payout.money("fixed", currency, findings);
    let place = payout.own_place();
    payout.finish(findings);
    match written {
        (true, false) => share.map(|share| PayoutRule::Share(share.value)),
        (false, true) => fixed.map(|fixed| PayoutRule::Fixed(fixed.value)),
        (true, true) | (false, false) => {
            let message = "a payout is either a share or a fixed amount".to_owned();
            let help = format!("write `payout = {EXAMPLE}` or `payout = {{ fixed = \"9.00\" }}`");
            findings.error("bad_payout", place, message, help);
            None
        }
    }
}

/// Warns when no member of the tree can pay what this source asks for at least.
fn warn_unreachable(
    payout: &PayoutRule,
    least: &Spanned<exchange_model::Money>,
    tree: &Tree,
    findings: &mut Findings,
) {
    let highest = tree
        .members()
        .filter_map(|(_, campaign)| payout.at(campaign.price.most()))
        .max_by_key(|money| money.amount());
    let Some(highest) = highest.filter(|highest| highest.amount() < least.value.amount()) else {
        return;
    };
    let highest = highest.amount_text();
    let message = format!("no campaign of tree `{}` can pay this: the most is {highest}", tree.id);
    let help = format!("write at most \"{highest}\"");
    findings.warning("min_price_unreachable", least.place.clone(), message, help);
}

fn duplicates(
    table: &mut TableReader<'_>,
    vertical: Option<&Vertical>,
    findings: &mut Findings,
) -> Option<DuplicateRule> {
    let mut rule = table.table("duplicates", findings)?;
    require(&mut rule, "window", "\"30d\"", findings);
    require(&mut rule, "on", "[\"phone\", \"email\"]", findings);
    let window = bounded(&mut rule, "window", DUPLICATE_WINDOW_MAX, findings);
    let on = rule.strings("on", findings);
    rule.finish(findings);
    let (window, on) = (window?, on?);
    let on: Vec<String> = on
        .iter()
        .filter(|name| vertical.is_none_or(|vertical| is_contact(name, vertical, findings)))
        .map(|name| name.value.to_owned())
        .collect();
    (!on.is_empty()).then_some(DuplicateRule { window: window.value, on })
}

/// Duplicates are the same person, so they are found by what identifies one.
fn is_contact(name: &Spanned<&str>, vertical: &Vertical, findings: &mut Findings) -> bool {
    let contact = || {
        let all = vertical.fields().filter(|(_, field)| field.class == FieldClass::Contact);
        all.map(|(_, field)| field.name.as_str())
    };
    if contact().any(|field| field == name.value) {
        return true;
    }
    let id = vertical.id();
    let (code, message) = match vertical.index(name.value) {
        Some(_) => ("not_contact", format!("`{}` does not identify a person", name.value)),
        None => ("unknown_field", format!("`{id}` has no field called `{}`", name.value)),
    };
    let help = match nearest(name.value, contact()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("name contact fields: {}", contact().collect::<Vec<_>>().join(", ")),
    };
    findings.error(code, name.place.clone(), message, help);
    false
}
