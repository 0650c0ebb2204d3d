//! `bids` and `legs`.

use exchange_model::document::NodeKind;
use exchange_model::{Findings, TableReader};

use super::super::bids::{BIDS_MAX, Bids, Brands, Choose, Legs, PriceIs};
use super::locators::Dialect;

const PRICES: &[(&str, PriceIs)] =
    &[("highest", PriceIs::Highest), ("total", PriceIs::Total), ("stated", PriceIs::Stated)];

impl Dialect<'_> {
    /// A `bids` table.
    pub(super) fn bids(&self, mut table: TableReader<'_>, findings: &mut Findings) -> Option<Bids> {
        let brands = self.brands(&mut table, findings);
        let choose = choose(&mut table, findings);
        let price_is = table.one_of("price_is", PRICES, findings).map(|word| word.value);
        if price_is.is_none() && choose != Choose::Best(1) && table.raw().get("price_is").is_none()
        {
            table.missing("price_is", "\"total\"", findings);
        }
        table.finish(findings);
        Some(Bids { brands: brands?, choose, price_is: price_is.unwrap_or(PriceIs::Highest) })
    }

    /// A `legs` table.
    pub(super) fn legs(&self, mut table: TableReader<'_>, findings: &mut Findings) -> Option<Legs> {
        let brands = self.brands(&mut table, findings);
        let accepted = self.of_items().condition_at(&mut table, "accepted", findings);
        table.finish(findings);
        Some(Legs { brands: brands?, accepted: accepted? })
    }

    fn brands(&self, table: &mut TableReader<'_>, findings: &mut Findings) -> Option<Brands> {
        let items = self.of_items();
        if table.node("at").is_none() {
            table.missing("at", "\"$.bids[*]\"", findings);
        }
        let at = table.node("at").and_then(|_| self.locator(table, findings));
        let price = table.table("price", findings).and_then(|table| items.price(table, findings));
        let brands = Brands {
            id: items.place(table, "id", findings),
            name: items.place(table, "name", findings),
            token: items.place(table, "token", findings),
            price,
            at: at?,
        };
        Some(brands)
    }
}

fn choose(table: &mut TableReader<'_>, findings: &mut Findings) -> Choose {
    let node = table.node("choose");
    match node.map(|node| &node.kind) {
        None => Choose::Best(1),
        Some(NodeKind::Integer(_)) => {
            let most = i64::try_from(BIDS_MAX).unwrap_or(i64::MAX);
            let most = table.integer("choose", 1..=most, findings);
            Choose::Best(most.and_then(|most| usize::try_from(most.value).ok()).unwrap_or(1))
        }
        Some(_) => {
            let words = &[("highest", Choose::Best(1)), ("all", Choose::All)];
            table.one_of("choose", words, findings).map_or(Choose::Best(1), |word| word.value)
        }
    }
}
