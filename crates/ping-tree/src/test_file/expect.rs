//! What must come of a test.

use std::collections::BTreeMap;

use exchange_model::document::{NodeKind, Spanned};
use exchange_model::finding::nearest;
use exchange_model::reason::{CapKind, CapName, IneligibleKind, LeadStatus, Passed};
use exchange_model::{CampaignId, Findings, Money, TableReader, Vertical};

use crate::test_file::answers::{Codes, unknown_reason};
use crate::test_file::members::Members;
use crate::test_file::{Expect, IneligiblePattern};

/// Every code of [`exchange_model::reason::NoBid::code`].
const NO_BID_CODES: &[&str] = &[
    "declined",
    "timeout",
    "late",
    "below_floor",
    "above_ceiling",
    "below_reserve",
    "below_min_price",
    "below_margin",
    "wrong_currency",
    "connect_error",
    "http_error",
    "bad_reply",
    "buyer_failed",
    "saturated",
];

pub(super) fn expect(
    mut table: TableReader<'_>,
    members: &Members<'_>,
    findings: &mut Findings,
) -> Expect {
    let currency = members.tree.vertical.currency();
    if table.raw().entries.is_empty() {
        let help = "write at least `expect = { status = \"sold\" }`".to_owned();
        findings.error("no_expectation", table.own_place(), "nothing is expected".to_owned(), help);
    }
    let expect = Expect {
        status: status(&mut table, findings),
        winner: winner(&mut table, members, findings),
        price: table.money("price", currency, findings),
        payout: table.money("payout", currency, findings),
        value: table.money("value", currency, findings),
        winners: winners(&mut table, members, findings),
        legs: legs(&mut table, members, findings),
        pinged: listed(&mut table, "pinged", members, findings),
        unasked: listed(&mut table, "unasked", members, findings),
        closed_early: table.boolean("closed_early", findings),
        posted: listed(&mut table, "posted", members, findings),
        ineligible: ineligible(&mut table, members, findings),
        no_bid: no_bid(&mut table, members, findings),
        passed: passed(&mut table, members, findings),
    };
    table.finish(findings);
    contradictions(&expect, findings);
    expect
}

fn status(table: &mut TableReader<'_>, findings: &mut Findings) -> Option<Spanned<LeadStatus>> {
    let text = table.string("status", "\"sold\"", findings)?;
    let value = Codes::of(LeadStatus::ALL, LeadStatus::code).find(&text, findings)?;
    Some(Spanned { value, place: text.place })
}

fn winner(
    table: &mut TableReader<'_>,
    members: &Members<'_>,
    findings: &mut Findings,
) -> Option<Spanned<CampaignId>> {
    let name = table.string("winner", "\"acme_mutual/auto-tx\"", findings)?;
    let winner = members.find(name.value, &name.place, findings)?;
    Some(Spanned { value: winner.id.clone(), place: name.place })
}

/// A list of members, and where it is written.
fn listed(
    table: &mut TableReader<'_>,
    key: &'static str,
    members: &Members<'_>,
    findings: &mut Findings,
) -> Option<Spanned<Vec<CampaignId>>> {
    let span = table.node(key)?.span.clone();
    let value = members.listed(table, key, findings)?;
    Some(Spanned { value, place: table.place(span) })
}

/// `winners = { "acme_mutual/auto-tx" = "9.50" }`.
fn winners(
    table: &mut TableReader<'_>,
    members: &Members<'_>,
    findings: &mut Findings,
) -> Option<Spanned<BTreeMap<CampaignId, Money>>> {
    let inner = table.table("winners", findings)?;
    let mut winners = BTreeMap::new();
    for (campaign, entry) in members.entries(&inner, findings) {
        let price = match &entry.value.kind {
            NodeKind::String(text) => Money::parse(text, campaign.vertical.currency()).ok(),
            _ => None,
        };
        match price {
            Some(price) => {
                winners.insert(campaign.id.clone(), price);
            }
            None => inner.wrong_type(&entry.value, &entry.key, "\"9.50\"", findings),
        }
    }
    Some(Spanned { value: winners, place: inner.own_place() })
}

/// `legs = { "buyer/campaign" = ["A"] }`.
fn legs(
    table: &mut TableReader<'_>,
    members: &Members<'_>,
    findings: &mut Findings,
) -> BTreeMap<CampaignId, Spanned<Vec<String>>> {
    let Some(inner) = table.table("legs", findings) else { return BTreeMap::new() };
    let mut legs = BTreeMap::new();
    for (campaign, entry) in members.entries(&inner, findings) {
        let NodeKind::Array(items) = &entry.value.kind else {
            inner.wrong_type(&entry.value, &entry.key, "[\"A\"]", findings);
            continue;
        };
        let names = items.iter().filter_map(|item| match &item.kind {
            NodeKind::String(name) => Some(name.clone()),
            _ => None,
        });
        let (value, place) = (names.collect(), inner.place(entry.value.span.clone()));
        legs.insert(campaign.id.clone(), Spanned { value, place });
    }
    legs
}

/// The entries of a table from campaigns to codes.
fn codes<'t>(
    table: &mut TableReader<'t>,
    key: &'static str,
    members: &Members<'_>,
    findings: &mut Findings,
) -> Vec<(CampaignId, Spanned<&'t str>)> {
    let Some(inner) = table.table(key, findings) else { return Vec::new() };
    let mut codes = Vec::new();
    for (member, entry) in members.entries(&inner, findings) {
        match &entry.value.kind {
            NodeKind::String(text) => {
                let place = inner.place(entry.value.span.clone());
                codes.push((member.id.clone(), Spanned { value: text.as_str(), place }));
            }
            _ => inner.wrong_type(&entry.value, &entry.key, "\"closed\"", findings),
        }
    }
    codes
}

fn ineligible(
    table: &mut TableReader<'_>,
    members: &Members<'_>,
    findings: &mut Findings,
) -> BTreeMap<CampaignId, Spanned<IneligiblePattern>> {
    let mut patterns = BTreeMap::new();
    for (campaign, text) in codes(table, "ineligible", members, findings) {
        let pattern = pattern(&text, &members.tree.vertical, findings);
        patterns.extend(pattern.map(|value| (campaign, Spanned { value, place: text.place })));
    }
    patterns
}

/// Reads `closed`, `filtered`, `filtered(state)`, `cap(day)`.
fn pattern(
    text: &Spanned<&str>,
    vertical: &Vertical,
    findings: &mut Findings,
) -> Option<IneligiblePattern> {
    let detail = text.value.strip_suffix(')').and_then(|rest| rest.split_once('('));
    match detail {
        Some(("filtered", field)) => known_field(field, text, vertical, findings)
            .then(|| IneligiblePattern::Filtered(field.to_owned())),
        Some(("cap", kind)) => {
            let kind = Spanned { value: kind, place: text.place.clone() };
            cap(&kind, findings).map(IneligiblePattern::Cap)
        }
        _ => {
            let codes = Codes::of(IneligibleKind::ALL, IneligibleKind::code);
            codes.find(text, findings).map(IneligiblePattern::Kind)
        }
    }
}

/// `day`, `buyer day`, `group texas day`.
fn cap(text: &Spanned<&str>, findings: &mut Findings) -> Option<CapName> {
    let (owner, kind) = match text.value.rsplit_once(' ') {
        Some((owner, kind)) => (Some(owner), kind),
        None => (None, text.value),
    };
    let kind = Spanned { value: kind, place: text.place.clone() };
    Codes::of(CapKind::ALL, CapKind::code).find(&kind, findings)?;
    let cap = CapName::from_text(text.value);
    if let (None, Some(owner)) = (&cap, owner) {
        let message = format!("no cap is one of `{owner}`");
        let help =
            "write `cap(day)`, `cap(source day)`, `cap(buyer day)` or `cap(group texas day)`";
        findings.error("unknown_reason", text.place.clone(), message, help.to_owned());
    }
    cap
}

fn known_field(
    field: &str,
    text: &Spanned<&str>,
    vertical: &Vertical,
    findings: &mut Findings,
) -> bool {
    if vertical.index(field).is_some() {
        return true;
    }
    let help = match nearest(field, vertical.names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("fields are: {}", vertical.names().collect::<Vec<_>>().join(", ")),
    };
    let message = format!("`{}` has no field called `{field}`", vertical.id());
    findings.error("unknown_field", text.place.clone(), message, help);
    false
}

fn no_bid(
    table: &mut TableReader<'_>,
    members: &Members<'_>,
    findings: &mut Findings,
) -> BTreeMap<CampaignId, Spanned<&'static str>> {
    let mut expected = BTreeMap::new();
    for (campaign, text) in codes(table, "no_bid", members, findings) {
        match NO_BID_CODES.iter().find(|code| **code == text.value) {
            Some(code) => {
                expected.insert(campaign, Spanned { value: *code, place: text.place });
            }
            None => unknown_reason(&text, NO_BID_CODES, findings),
        }
    }
    expected
}

fn passed(
    table: &mut TableReader<'_>,
    members: &Members<'_>,
    findings: &mut Findings,
) -> BTreeMap<CampaignId, Spanned<Passed>> {
    let mut expected = BTreeMap::new();
    for (campaign, text) in codes(table, "passed", members, findings) {
        let value = Codes::of(Passed::ALL, Passed::code).find(&text, findings);
        expected.extend(value.map(|value| (campaign, Spanned { value, place: text.place })));
    }
    expected
}

/// A lead that nobody buys has no winner, price or payout.
fn contradictions(expect: &Expect, findings: &mut Findings) {
    let Some(status) = expect.status.as_ref().filter(|status| status.value != LeadStatus::Sold)
    else {
        return;
    };
    // Of a lead that several may buy some may have it while another's answer is outstanding.
    if status.value == LeadStatus::Pending {
        return;
    }
    let places = [
        expect.winner.as_ref().map(|winner| &winner.place),
        expect.price.as_ref().map(|price| &price.place),
        expect.payout.as_ref().map(|payout| &payout.place),
        expect.value.as_ref().map(|value| &value.place),
        expect.winners.as_ref().map(|winners| &winners.place),
    ];
    for place in places.into_iter().flatten() {
        let message = format!("a lead that ends `{}` is not bought", status.value);
        let help =
            "write `status = \"sold\"`, or leave winner, price, value and payout out".to_owned();
        findings.error("bad_expectation", place.clone(), message, help);
    }
}

#[cfg(test)]
mod tests {
    use exchange_model::Money;
    use exchange_model::reason::{NoBid, NotSent, RejectClass, Rejection};

    use super::*;

    #[test]
    fn every_no_bid_code_may_be_expected() {
        let money = Money::zero(exchange_model::Currency::USD);
        let all = [
            NoBid::Declined(Rejection { class: RejectClass::Other, text: None, counter: None }),
            NoBid::Timeout,
            NoBid::Late(money),
            NoBid::BelowFloor(money),
            NoBid::AboveCeiling(money),
            NoBid::BelowReserve(money),
            NoBid::BelowMinPrice(money),
            NoBid::BelowMargin(money),
            NoBid::WrongCurrency,
            NoBid::ConnectError(NotSent::Dns),
            NoBid::HttpError(500),
            NoBid::BadReply(String::new()),
            NoBid::BuyerFailed,
            NoBid::Saturated,
        ];
        assert_eq!(all.iter().map(NoBid::code).collect::<Vec<_>>(), NO_BID_CODES);
    }
}
