//! `like = "ping"`: a stage that starts as a copy of another.
//!
//! What only the copied stage can have is left behind; where a ping is copied, its bid reads as an
//! acceptance and its no-bid as a rejection.

use exchange_model::document::{Entry, NodeKind, SourceMap, Table};
use exchange_model::finding::nearest;
use exchange_model::{Findings, Place};

use super::merge::merged;

const LIKE: &str = "like";
const REPLY: &str = "reply";
/// Keys of one kind of stage.
const OWN_KEYS: [&str; 6] =
    ["allow_hashed", "allow_combined", "least_timeout", "fields", "poll", "answer"];
/// Keys of a ping's reply.
const PING_REPLY: [&str; 4] = ["token", "tokens", "lifetime", "bids"];
/// Keys of a reply to a post.
const POST_REPLY: [&str; 2] = ["legs", "counter"];

/// Fills in every `like` of a connector.
pub(super) fn filled(connector: &mut Table, sources: &SourceMap, findings: &mut Findings) {
    let stages: Vec<String> = connector.entries.iter().map(|entry| entry.key.clone()).collect();
    for stage in stages {
        if let Some(whole) = stage_of(connector, &stage, &mut Vec::new(), sources, findings)
            && let Some(entry) = connector.entries.iter_mut().find(|entry| entry.key == stage)
        {
            entry.value.kind = NodeKind::Table(whole);
        }
    }
}

/// The whole table of a stage that is like another; nothing when it is like none.
fn stage_of(
    connector: &Table,
    stage: &str,
    asked: &mut Vec<String>,
    sources: &SourceMap,
    findings: &mut Findings,
) -> Option<Table> {
    let NodeKind::Table(own) = &connector.get(stage)?.value.kind else { return None };
    let like = own.get(LIKE)?;
    let place = sources.place(like.value.span.clone());
    let mut own = own.clone();
    own.entries.retain(|entry| entry.key != LIKE);
    let NodeKind::String(other) = &like.value.kind else {
        let help = "write `like = \"ping\"`".to_owned();
        findings.error("wrong_type", place, "`like` names a stage".to_owned(), help);
        return Some(own);
    };
    asked.push(stage.to_owned());
    if asked.contains(other) {
        let message = format!("`{stage}` and `{other}` are each like the other");
        let help = "write one of them out".to_owned();
        findings.error("like_cycle", place, message, help);
        return Some(own);
    }
    let base = stage_of(connector, other, asked, sources, findings);
    let base = base.or_else(|| written(connector, other));
    let Some(base) = base else {
        unknown_stage(connector, stage, other, place, findings);
        return Some(own);
    };
    Some(merged(copied(base, other, stage), own))
}

fn written(connector: &Table, stage: &str) -> Option<Table> {
    match &connector.get(stage)?.value.kind {
        NodeKind::Table(table) => Some(table.clone()),
        _ => None,
    }
}

fn unknown_stage(
    connector: &Table,
    stage: &str,
    other: &str,
    place: Place,
    findings: &mut Findings,
) {
    let stages = connector
        .entries
        .iter()
        .filter(|entry| entry.key != stage && matches!(entry.value.kind, NodeKind::Table(_)));
    let stages: Vec<&str> = stages.map(|entry| entry.key.as_str()).collect();
    let help = match nearest(other, stages.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "name a stage of this connector".to_owned(),
    };
    findings.error("unknown_stage", place, format!("there is no stage `{other}`"), help);
}

/// What a stage takes over from another.
fn copied(mut base: Table, from: &str, to: &str) -> Table {
    base.entries.retain(|entry| !OWN_KEYS.contains(&entry.key.as_str()));
    let (of_ping, to_ping) = (is_ping(from), is_ping(to));
    for entry in &mut base.entries {
        if let (REPLY, NodeKind::Table(reply)) = (entry.key.as_str(), &mut entry.value.kind) {
            if of_ping && !to_ping {
                reply.entries.retain(|entry| !PING_REPLY.contains(&entry.key.as_str()));
                without_else(reply);
            } else if to_ping && !of_ping {
                reply.entries.retain(|entry| !POST_REPLY.contains(&entry.key.as_str()));
            }
            reply.entries.iter_mut().for_each(|entry| translate(entry, to_ping));
        }
    }
    base
}

/// A post without a price is booked at the bid, whatever the ping does without one.
fn without_else(reply: &mut Table) {
    let price = reply.entries.iter_mut().find(|entry| entry.key == "price");
    if let Some(NodeKind::Table(price)) = price.map(|entry| &mut entry.value.kind) {
        price.entries.retain(|entry| entry.key != "else");
    }
}

fn is_ping(stage: &str) -> bool {
    matches!(stage, "ping" | "pre_ping")
}

/// The words of a ping for those of a post, or back.
fn translate(entry: &mut Entry, to_ping: bool) {
    match (entry.key.as_str(), &mut entry.value.kind) {
        ("rules" | "rules_first", NodeKind::Array(rules)) => {
            for rule in rules {
                if let NodeKind::Table(rule) = &mut rule.kind {
                    rule.entries.iter_mut().for_each(|entry| translate(entry, to_ping));
                }
            }
        }
        ("then" | "otherwise", NodeKind::String(word)) => {
            let other = match (word.as_str(), to_ping) {
                ("bid", false) => "accepted",
                ("no_bid", false) => "rejected",
                ("accepted", true) => "bid",
                ("rejected", true) => "no_bid",
                _ => return,
            };
            other.clone_into(word);
        }
        _ => {}
    }
}
