//! What a source is paid: its rule, the rules for some buyers, and its least.

use std::collections::BTreeMap;
use std::sync::Arc;

use exchange_model::document::Spanned;
use exchange_model::{Currency, Findings, Money, TableReader};

use crate::campaign::Campaign;
use crate::payout::PayoutRule;
use crate::routing::Routing;
use crate::routing::payouts;
use crate::source::precedence;
use crate::tree::Tree;

/// What a source is paid.
pub(super) struct SourceMoney {
    pub(super) payout: Option<PayoutRule>,
    pub(super) payout_for: BTreeMap<String, PayoutRule>,
    pub(super) min_price: Option<Money>,
}

/// Reads it; `trees` are those that the source's leads go through.
pub(super) fn money(
    table: &mut TableReader<'_>,
    trees: &[Arc<Tree>],
    routing: &Routing,
    findings: &mut Findings,
) -> SourceMoney {
    let currency = trees.first().map_or(Currency::USD, |tree| tree.vertical.currency());
    let payout = payouts::required_payout(table, currency, findings);
    let payout_for = payouts::payout_for(table, currency, &routing.names, findings);
    warn_for_nobody(table, &payout_for, trees, routing, findings);
    let min_price = table.money("min_price", currency, findings);
    if let (Some(payout), Some(least)) = (&payout, &min_price) {
        for tree in trees {
            warn_unreachable((payout, &payout_for), least, tree, findings);
        }
    }
    SourceMoney { payout, payout_for, min_price: min_price.map(|least| least.value) }
}

/// Warns of a rule for somebody whom no lead of this source can reach.
fn warn_for_nobody(
    table: &TableReader<'_>,
    rules: &BTreeMap<String, PayoutRule>,
    trees: &[Arc<Tree>],
    routing: &Routing,
    findings: &mut Findings,
) {
    let sound = trees.iter().all(|tree| !routing.names.broken_trees.contains(&tree.id));
    let is_member = |name: &str| {
        let mut members = trees.iter().flat_map(|tree| tree.members());
        members.any(|(_, c)| c.id.as_str() == name || c.buyer.id.as_str() == name)
    };
    for name in rules.keys().filter(|name| sound && !trees.is_empty() && !is_member(name)) {
        let key = table.raw().get("payout_for").and_then(|entry| match &entry.value.kind {
            exchange_model::document::NodeKind::Table(inner) => inner.get(name),
            _ => None,
        });
        let place = key.map_or_else(|| table.own_place(), |key| table.place(key.key_span.clone()));
        let message = format!("`{name}` is never offered a lead of this source");
        let help = "remove the rule, or name the campaign in a tier of the source's tree";
        findings.warning("payout_unused", place, message, help.to_owned());
    }
}

/// Warns when no member of the tree can pay what this source asks for at least. Of a lead that
/// several may buy the least is one of all their payouts together, so nothing is said.
fn warn_unreachable(
    (own, exceptions): (&PayoutRule, &BTreeMap<String, PayoutRule>),
    least: &Spanned<Money>,
    tree: &Tree,
    findings: &mut Findings,
) {
    if tree.tiers.iter().any(|tier| *tier.sale.buyers().end() > 1) {
        return;
    }
    let most = |campaign: &Campaign| {
        let (rule, _) = precedence(own, exceptions, campaign);
        rule.at(campaign.most_value()?)
    };
    let highest = tree.members().filter_map(|(_, c)| most(c)).max_by_key(Money::amount);
    let Some(highest) = highest.filter(|highest| highest.amount() < least.value.amount()) else {
        return;
    };
    let highest = highest.amount_text();
    let message = format!("no campaign of tree `{}` can pay this: the most is {highest}", tree.id);
    let help = format!("write at most \"{highest}\"");
    findings.warning("min_price_unreachable", least.place.clone(), message, help);
}
