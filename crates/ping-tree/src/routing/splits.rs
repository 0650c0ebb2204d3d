//! The trees of a source: `tree = "auto_main"`, or
//! `split = { auto_main = "90%", auto_new = "10%" }`.

use std::sync::Arc;

use exchange_model::document::{Entry, NodeKind, Spanned};
use exchange_model::{Findings, Rate, TableReader, TreeId};
use rust_decimal::Decimal;

use crate::routing::Routing;
use crate::routing::reading::required;
use crate::split::{ARMS_MAX, Arm, Split};
use crate::tree::Tree;

/// What a source says about its trees.
pub(super) struct Trees {
    /// The arms; nothing when they cannot be used.
    pub(super) split: Option<Split>,
    /// The trees that could be read, in the order written.
    pub(super) known: Vec<Arc<Tree>>,
}

/// Reads `tree` or `split`.
pub(super) fn trees(
    table: &mut TableReader<'_>,
    routing: &mut Routing,
    findings: &mut Findings,
) -> Trees {
    let split = table.node("split").map(|node| node.span.clone());
    let has_tree = table.raw().get("tree").is_some();
    match split {
        None => whole(table, routing, findings),
        Some(span) if has_tree => {
            let message = "a source has either `tree` or `split`".to_owned();
            let help = "remove `tree`: every tree of the split is named in it".to_owned();
            findings.error("bad_split", table.place(span), message, help);
            whole(table, routing, findings)
        }
        Some(_) => {
            let arms = table.table("split", findings);
            arms.map_or(Trees { split: None, known: Vec::new() }, |arms| {
                arms_of(&arms, routing, findings)
            })
        }
    }
}

fn whole(table: &mut TableReader<'_>, routing: &mut Routing, findings: &mut Findings) -> Trees {
    let id = required(table, "tree", "\"auto_main\"", TreeId::new, findings);
    let tree = id.and_then(|id| tree_of(&id, routing, findings));
    let split = tree.as_ref().map(|tree| Split::whole(tree.id.clone()));
    Trees { split, known: tree.into_iter().collect() }
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

fn arms_of(table: &TableReader<'_>, routing: &mut Routing, findings: &mut Findings) -> Trees {
    let entries = &table.raw().entries;
    let mut known = Vec::new();
    let mut arms = Vec::new();
    for entry in entries {
        let tree = named(entry, table, routing, findings);
        let share = share(entry, table, findings);
        arms.extend(
            tree.as_ref().zip(share).map(|(tree, share)| Arm { tree: tree.id.clone(), share }),
        );
        known.extend(tree);
    }
    let complete = arms.len() == entries.len();
    let sound = !complete || adds_up(&arms, table, findings);
    one_vertical(&known, table, findings);
    let mut arms = arms.into_iter();
    let split =
        arms.next().filter(|_| complete && sound).map(|first| Split::new(first, arms.collect()));
    Trees { split, known }
}

fn named(
    entry: &Entry,
    table: &TableReader<'_>,
    routing: &mut Routing,
    findings: &mut Findings,
) -> Option<Arc<Tree>> {
    let place = table.place(entry.key_span.clone());
    if !routing.names.trees.check(&entry.key, &place, "in `split`", findings) {
        return None;
    }
    let id = TreeId::new(&entry.key).ok()?;
    tree_of(&Spanned { value: id, place }, routing, findings)
}

fn share(entry: &Entry, table: &TableReader<'_>, findings: &mut Findings) -> Option<Rate> {
    let share = match &entry.value.kind {
        NodeKind::String(text) => Rate::parse_percent(text).ok(),
        _ => None,
    };
    if share.is_none() {
        let message = format!("`{}` needs its share of the traffic", entry.key);
        let help = format!("write `{} = \"10%\"`", entry.key);
        findings.error("bad_split", table.place(entry.value.span.clone()), message, help);
    }
    share
}

fn adds_up(arms: &[Arm], table: &TableReader<'_>, findings: &mut Findings) -> bool {
    let sum: Decimal = arms.iter().map(|arm| arm.share.as_decimal()).sum();
    let (message, help) = if arms.is_empty() || arms.len() > ARMS_MAX {
        let help = format!("name 1 to {ARMS_MAX} trees, like `auto_main = \"100%\"`");
        (format!("`split` names {} trees", arms.len()), help)
    } else if sum != Decimal::ONE {
        let percent = sum.saturating_mul(Decimal::ONE_HUNDRED).normalize();
        let help = "let them add up to 100%, like `{ auto_main = \"90%\", auto_new = \"10%\" }`";
        (format!("the shares of `split` add up to {percent}%"), help.to_owned())
    } else {
        return true;
    };
    findings.error("bad_split", table.own_place(), message, help);
    false
}

/// A lead is read against one vertical before anybody knows its arm.
fn one_vertical(known: &[Arc<Tree>], table: &TableReader<'_>, findings: &mut Findings) {
    let Some((first, others)) = known.split_first() else { return };
    let other = others.iter().find(|tree| tree.vertical.id() != first.vertical.id());
    let Some(other) = other else { return };
    let (sells, first_sells) = (other.vertical.id(), first.vertical.id());
    let message =
        format!("`{}` sells `{sells}`, and `{}` sells `{first_sells}`", other.id, first.id);
    let help = "split the traffic over trees of one vertical".to_owned();
    findings.error("wrong_vertical", table.own_place(), message, help);
}
