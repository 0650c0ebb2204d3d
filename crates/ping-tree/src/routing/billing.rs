//! How a buyer pays, from its `billing` table.

use exchange_model::{BillingTerms, Currency, Findings, Money, Place, TableReader};

use crate::routing::reading::{not_yet, require, required};

/// Longest time to pay, in days.
const NET_DAYS_MAX: u16 = 180;

pub(super) struct Billing {
    pub(super) terms: BillingTerms,
    pub(super) min_balance: Option<Money>,
    pub(super) place: Place,
}

enum Kind {
    Prepaid,
    Net(u16),
}

/// Reads `prepaid`, `net7`, `net30`.
fn kind(text: &str) -> Result<Kind, String> {
    if text == "prepaid" {
        return Ok(Kind::Prepaid);
    }
    text.strip_prefix("net")
        .and_then(|days| days.parse().ok())
        .filter(|days| (1..=NET_DAYS_MAX).contains(days))
        .map(Kind::Net)
        .ok_or_else(|| format!("terms are prepaid, or net and up to {NET_DAYS_MAX} days"))
}

pub(super) fn billing(
    reader: &mut TableReader<'_>,
    currency: Currency,
    findings: &mut Findings,
) -> Option<Billing> {
    require(reader, "billing", "{ terms = \"prepaid\" }", findings);
    let mut table = reader.table("billing", findings)?;
    let place = table.own_place();
    let kind = required(&mut table, "terms", "\"prepaid\"", kind, findings);
    not_yet(&mut table, &[("returns", "remove it: leads cannot be returned yet")], findings);
    let (mut terms, mut min_balance) = (None, None);
    match kind.map(|kind| kind.value) {
        Some(Kind::Prepaid) => {
            let line = table.money("credit_line", currency, findings);
            let credit_line = line.map_or_else(|| Money::zero(currency), |line| line.value);
            min_balance = table.money("min_balance", currency, findings).map(|least| least.value);
            terms = Some(BillingTerms::Prepaid { credit_line });
        }
        Some(Kind::Net(days)) => {
            require(&mut table, "credit_limit", "\"10000.00\"", findings);
            let limit = table.money("credit_limit", currency, findings);
            terms = limit.map(|limit| BillingTerms::Net { days, credit_limit: limit.value });
        }
        None => {
            for key in ["credit_line", "min_balance", "credit_limit"] {
                let _known = table.node(key);
            }
        }
    }
    table.finish(findings);
    Some(Billing { terms: terms?, min_balance, place })
}
