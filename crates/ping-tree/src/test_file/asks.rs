//! What a test's request says beside the lead: `min_price`, `max_buyers`, `exclude`, `consented_to`.

use exchange_model::{BrandList, Currency, Findings, Money, TableReader};

use crate::eligibility::Wishes;
use crate::shares::BUYERS_MAX;

/// What a request says.
pub(super) struct Asks {
    pub(super) min_price: Option<Money>,
    pub(super) wishes: Wishes,
    pub(super) consented_to: Option<BrandList>,
}

pub(super) fn asks(
    table: &mut TableReader<'_>,
    currency: Currency,
    findings: &mut Findings,
) -> Asks {
    let max_buyers = table.integer("max_buyers", 1..=i64::from(BUYERS_MAX), findings);
    Asks {
        min_price: table.money("min_price", currency, findings).map(|least| least.value),
        wishes: Wishes {
            max_buyers: max_buyers.and_then(|most| u8::try_from(most.value).ok()),
            exclude: brands(table, "exclude", findings).unwrap_or_default(),
        },
        consented_to: brands(table, "consented_to", findings),
    }
}

fn brands(
    table: &mut TableReader<'_>,
    key: &'static str,
    findings: &mut Findings,
) -> Option<BrandList> {
    let place = table.node(key).map(|node| node.span.clone()).map(|span| table.place(span))?;
    let names = table.strings(key, findings)?;
    match BrandList::new(names.iter().map(|name| name.value)) {
        Ok(list) => Some(list),
        Err(bad) => {
            let help = format!("write `{key} = [\"Acme Mutual\"]`");
            findings.error("bad_value", place, format!("`{key}`: {bad}"), help);
            None
        }
    }
}
