//! What buyers answer in a test: to pings and to posts.

use std::collections::BTreeMap;
use std::time::Duration;

use exchange_model::document::{Entry, Node, NodeKind, Spanned};
use exchange_model::finding::nearest;
use exchange_model::outcome::{Acceptance, PingAnswer, PostAnswer};
use exchange_model::reason::{NoBid, NotSent, RejectClass, Rejection, Unknown};
use exchange_model::{CampaignId, Findings, Money, Place, TableReader};

use crate::campaign::{Campaign, PriceMode};
use crate::test_file::members::Members;
use crate::test_file::{ScriptedBid, brands};

pub(super) fn bids(
    table: &TableReader<'_>,
    members: &Members<'_>,
    findings: &mut Findings,
) -> BTreeMap<CampaignId, ScriptedBid> {
    let mut bids = BTreeMap::new();
    for (campaign, entry) in members.entries(table, findings) {
        let bid = bid(campaign, entry, table, findings);
        bids.extend(bid.map(|bid| (campaign.id.clone(), bid)));
    }
    bids
}

fn bid(
    campaign: &Campaign,
    entry: &Entry,
    table: &TableReader<'_>,
    findings: &mut Findings,
) -> Option<ScriptedBid> {
    let place = table.place(entry.value.span.clone());
    match &entry.value.kind {
        NodeKind::String(text) => {
            let answer = answer(campaign, text, place, findings)?;
            Some(ScriptedBid { after: Duration::ZERO, answer })
        }
        NodeKind::Table(inner) => {
            let span = entry.key_span.clone();
            slow_bid(campaign, table.inner(inner, span), findings)
        }
        NodeKind::Integer(_) | NodeKind::Float(_) => {
            let message = "a price is money and must be quoted".to_owned();
            findings.error("bare_money", place, message, bid_help(campaign));
            None
        }
        NodeKind::Array(items) => several(campaign, items, table, place, findings)
            .map(|answer| ScriptedBid { after: Duration::ZERO, answer }),
        NodeKind::Boolean(_) | NodeKind::Datetime(_) => {
            bad_bid(campaign, place, findings);
            None
        }
    }
}

/// Several bids in one answer, of a campaign that bids.
fn several(
    campaign: &Campaign,
    items: &[Node],
    table: &TableReader<'_>,
    place: Place,
    findings: &mut Findings,
) -> Option<PingAnswer> {
    if let PriceMode::Fixed { .. } = campaign.price {
        bad_bid(campaign, place, findings);
        return None;
    }
    brands::bid(items, campaign.vertical.currency(), table, place, findings)
}

/// `{ after = "950ms", price = "55.00" }`, `{ answer = "yes" }`, `{ declined = "duplicate" }`, or
/// `{ after = "1s", bids = [...] }`.
fn slow_bid(
    campaign: &Campaign,
    mut table: TableReader<'_>,
    findings: &mut Findings,
) -> Option<ScriptedBid> {
    let after = table.duration("after", findings).map_or(Duration::ZERO, |after| after.value);
    let price = table.string("price", "\"31.00\"", findings);
    let text = table.string("answer", "\"yes\"", findings);
    let declined = class(&mut table, "declined", findings);
    let place = table.own_place();
    let bids = match table.node("bids").map(|node| &node.kind) {
        Some(NodeKind::Array(items)) => {
            Some(several(campaign, items, &table, place.clone(), findings)?)
        }
        Some(_) => {
            bad_bid(campaign, place, findings);
            return None;
        }
        None => None,
    };
    table.finish(findings);
    let answer = match (price.or(text), declined, bids) {
        (Some(text), None, None) => answer(campaign, text.value, text.place, findings)?,
        (None, Some(class), None) => declined_as(class),
        (None, None, Some(bids)) => bids,
        _ => {
            bad_bid(campaign, place, findings);
            return None;
        }
    };
    Some(ScriptedBid { after, answer })
}

/// A price for a bidder, `yes` where the campaign has a price of its own, `no` for either.
fn answer(
    campaign: &Campaign,
    text: &str,
    place: Place,
    findings: &mut Findings,
) -> Option<PingAnswer> {
    match (text, campaign.price) {
        ("no", _) => Some(declined_as(RejectClass::Other)),
        ("yes", PriceMode::Fixed { .. } | PriceMode::Bid { base: Some(_), .. }) => {
            Some(PingAnswer::Available { token: None })
        }
        (_, PriceMode::Bid { .. }) => match Money::parse(text, campaign.vertical.currency()) {
            Ok(price) => Some(PingAnswer::Bid { price, token: None }),
            Err(_no_amount) => {
                bad_bid(campaign, place, findings);
                None
            }
        },
        (_, PriceMode::Fixed { .. }) => {
            bad_bid(campaign, place, findings);
            None
        }
    }
}

fn declined_as(class: RejectClass) -> PingAnswer {
    PingAnswer::NoBid(NoBid::Declined(Rejection { class, text: None, counter: None }))
}

fn bad_bid(campaign: &Campaign, place: Place, findings: &mut Findings) {
    let message = format!("`{}` cannot answer a ping like this", campaign.id);
    findings.error("bad_bid", place, message, bid_help(campaign));
}

fn bid_help(campaign: &Campaign) -> String {
    match campaign.price {
        PriceMode::Bid { .. } => {
            "it bids: write \"31.00\", \"no\", [{ name = \"A\", price = \"31.00\" }] or { after = \"950ms\", price = \"31.00\" }"
        }
        PriceMode::Fixed { .. } => {
            "its price is fixed: write \"yes\", \"no\" or { after = \"950ms\", answer = \"yes\" }"
        }
    }
    .to_owned()
}

pub(super) fn posts(
    table: &TableReader<'_>,
    members: &Members<'_>,
    bids: &BTreeMap<CampaignId, ScriptedBid>,
    findings: &mut Findings,
) -> BTreeMap<CampaignId, PostAnswer> {
    let mut posts = BTreeMap::new();
    for (campaign, entry) in members.entries(table, findings) {
        let post = match &entry.value.kind {
            NodeKind::Table(inner) => {
                let span = entry.key_span.clone();
                let bid = bids.get(&campaign.id);
                post(table.inner(inner, span), campaign, bid, findings)
            }
            NodeKind::String(text) if text == "accepted" => {
                Some(PostAnswer::Accepted(Acceptance::default()))
            }
            NodeKind::String(text) if text == "not_sent" => {
                Some(PostAnswer::NotSent(NotSent::Connect))
            }
            _ => {
                bad_post(table.place(entry.value.span.clone()), findings);
                None
            }
        };
        posts.extend(post.map(|post| (campaign.id.clone(), post)));
    }
    posts
}

/// `{ rejected = "duplicate" }`, with `counter = "12.00"` what it would pay instead,
/// `{ accepted = "14.00" }`, `{ legs = ["A"] }`, `{ unknown = "timeout" }` or
/// `{ not_sent = "connect" }`.
fn post(
    mut table: TableReader<'_>,
    campaign: &Campaign,
    bid: Option<&ScriptedBid>,
    findings: &mut Findings,
) -> Option<PostAnswer> {
    let place = table.own_place();
    let entries = table.raw().entries.len();
    let currency = campaign.vertical.currency();
    let counter = table.money("counter", currency, findings).map(|counter| counter.value);
    let accepted = table.money("accepted", currency, findings).map(|price| {
        PostAnswer::Accepted(Acceptance { price: Some(price.value), ..Acceptance::default() })
    });
    let rejected = class(&mut table, "rejected", findings)
        .map(|class| PostAnswer::Rejected(Rejection { class, text: None, counter }));
    let legs = legs(&mut table, bid, findings);
    let unknown = code(&mut table, "unknown", Codes::of(Unknown::ALL, Unknown::code), findings);
    let not_sent = code(&mut table, "not_sent", Codes::of(NotSent::ALL, NotSent::code), findings);
    table.finish(findings);
    let counters = usize::from(counter.is_some() && rejected.is_some());
    if entries != counters.saturating_add(1) {
        bad_post(place, findings);
        return None;
    }
    rejected
        .or(accepted)
        .or(legs)
        .or_else(|| unknown.map(PostAnswer::Unknown))
        .or_else(|| not_sent.map(PostAnswer::NotSent))
}

/// The brands that took the lead, of those that bid.
fn legs(
    table: &mut TableReader<'_>,
    bid: Option<&ScriptedBid>,
    findings: &mut Findings,
) -> Option<PostAnswer> {
    let place = table.node("legs").map(|node| node.span.clone()).map(|span| table.place(span))?;
    let names = table.strings("legs", findings)?;
    let names: Vec<&str> = names.iter().map(|name| name.value).collect();
    if brands::all_bid(&names, bid) {
        return Some(PostAnswer::Accepted(brands::accepted_by(&names, bid)));
    }
    let message = "`legs` names a brand that has not bid".to_owned();
    let help = "name brands of this test's `bids`: [{ name = \"A\", price = \"5.00\" }]";
    findings.error("bad_post", place, message, help.to_owned());
    None
}

fn bad_post(place: Place, findings: &mut Findings) {
    let message = "a buyer cannot answer a post like this".to_owned();
    let help = "write \"accepted\", \"not_sent\", { rejected = \"duplicate\" }, { legs = [\"A\"] } or { unknown = \"timeout\" }";
    findings.error("bad_post", place, message, help.to_owned());
}

fn class(
    table: &mut TableReader<'_>,
    key: &'static str,
    findings: &mut Findings,
) -> Option<RejectClass> {
    code(table, key, Codes::of(RejectClass::ALL, RejectClass::code), findings)
}

/// One closed family of reason codes.
pub(super) struct Codes<T: 'static> {
    all: &'static [T],
    code: fn(T) -> &'static str,
}

impl<T: Copy> Codes<T> {
    pub(super) fn of(all: &'static [T], code: fn(T) -> &'static str) -> Self {
        Self { all, code }
    }

    /// The reason with this code; reports a code that is none.
    pub(super) fn find(&self, text: &Spanned<&str>, findings: &mut Findings) -> Option<T> {
        let found = self.all.iter().copied().find(|one| (self.code)(*one) == text.value);
        if found.is_none() {
            let codes = self.all.iter().map(|one| (self.code)(*one));
            unknown_reason(text, &codes.collect::<Vec<_>>(), findings);
        }
        found
    }
}

pub(super) fn unknown_reason(text: &Spanned<&str>, codes: &[&str], findings: &mut Findings) {
    let help = match nearest(text.value, codes.iter().copied()) {
        Some(near) => format!("did you mean `{near}`? Codes are: {}", codes.join(", ")),
        None => format!("codes are: {}", codes.join(", ")),
    };
    let message = format!("no reason is called `{}`", text.value);
    findings.error("unknown_reason", text.place.clone(), message, help);
}

fn code<T: Copy>(
    table: &mut TableReader<'_>,
    key: &'static str,
    codes: Codes<T>,
    findings: &mut Findings,
) -> Option<T> {
    let text = table.string(key, "\"...\"", findings)?;
    codes.find(&text, findings)
}
