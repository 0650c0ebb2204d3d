//! What must come of a test.

use std::collections::BTreeMap;

use exchange_model::document::{NodeKind, Spanned};
use exchange_model::finding::nearest;
use exchange_model::reason::{CapKind, CapName, IneligibleKind, LeadStatus};
use exchange_model::{CampaignId, Findings, TableReader, Vertical};

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
    "wrong_currency",
    "connect_error",
    "http_error",
    "bad_reply",
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
        posted: posted(&mut table, members, findings),
        ineligible: ineligible(&mut table, members, findings),
        no_bid: no_bid(&mut table, members, findings),
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

fn posted(
    table: &mut TableReader<'_>,
    members: &Members<'_>,
    findings: &mut Findings,
) -> Option<Spanned<Vec<CampaignId>>> {
    let span = table.node("posted")?.span.clone();
    let names = table.strings("posted", findings)?;
    let found = names.iter().map(|name| members.find(name.value, &name.place, findings));
    let value: Vec<CampaignId> = found.flatten().map(|member| member.id.clone()).collect();
    (value.len() == names.len()).then(|| Spanned { value, place: table.place(span) })
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
        let help = "write `cap(day)`, `cap(source day)`, `cap(buyer day)` or `cap(group texas day)`";
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

/// A lead that nobody buys has no winner, price or payout.
fn contradictions(expect: &Expect, findings: &mut Findings) {
    let Some(status) = expect.status.as_ref().filter(|status| status.value != LeadStatus::Sold)
    else {
        return;
    };
    let places = [
        expect.winner.as_ref().map(|winner| &winner.place),
        expect.price.as_ref().map(|price| &price.place),
        expect.payout.as_ref().map(|payout| &payout.place),
    ];
    for place in places.into_iter().flatten() {
        let message = format!("a lead that ends `{}` is not bought", status.value);
        let help = "write `status = \"sold\"`, or leave winner, price and payout out".to_owned();
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
            NoBid::WrongCurrency,
            NoBid::ConnectError(NotSent::Dns),
            NoBid::HttpError(500),
            NoBid::BadReply(String::new()),
            NoBid::Saturated,
        ];
        assert_eq!(all.iter().map(NoBid::code).collect::<Vec<_>>(), NO_BID_CODES);
    }
}
