//! What a campaign pays, for how much of a lead, and to whom: everything of its table that is money,
//! but its caps.

use exchange_model::{Findings, Place, TableReader, Vertical};

use crate::amount::Amount;
use crate::campaign::{FromSources, UnknownPolicy};
use crate::list::Lists;
use crate::payout::PayoutRule;
use crate::routing::from_sources::{NamedSource, from_sources};
use crate::routing::prices::{self, Price};
use crate::routing::{amounts, payouts, shares};
use crate::shares::Shares;

/// Keys that need the vertical.
pub(super) const KEYS: &[&str] = &["price", "haircut", "handicap", "shares", "payout"];

/// The terms of a campaign.
pub(super) struct Terms {
    pub(super) price: Option<Price>,
    pub(super) haircut: Option<Amount>,
    pub(super) handicap: Option<Amount>,
    pub(super) shares: Shares,
    pub(super) payout: Option<PayoutRule>,
}

/// Reads them.
pub(super) fn terms(
    table: &mut TableReader<'_>,
    vertical: &Vertical,
    lists: &mut Lists<'_>,
    findings: &mut Findings,
) -> Terms {
    let currency = vertical.currency();
    let price = prices::price(table, vertical, lists, findings);
    let most = price.as_ref().map(|price| price.mode.most());
    let handicap = amounts::amount(table, "handicap", currency, findings);
    Terms {
        haircut: prices::haircut(table, currency, price.as_ref(), findings),
        handicap: handicap.map(|handicap| handicap.value),
        shares: shares::shares(table, currency, most, findings),
        payout: payouts::payout(table, currency, findings),
        price,
    }
}

/// Whose leads a campaign takes, and what a lost answer means: what needs no vertical.
pub(super) struct Policy {
    pub(super) sources: FromSources,
    pub(super) sources_place: Option<Place>,
    pub(super) unknown: Option<UnknownPolicy>,
    pub(super) unknown_place: Option<Place>,
}

/// Reads it; the sources that it names are added to `named`.
pub(super) fn policy(
    table: &mut TableReader<'_>,
    named: &mut Vec<NamedSource>,
    findings: &mut Findings,
) -> Policy {
    const WORDS: &[(&str, UnknownPolicy)] =
        &[("hold", UnknownPolicy::Hold), ("cascade", UnknownPolicy::Cascade)];
    let (sources, sources_place) = from_sources(table, named, findings);
    let unknown = table.one_of("unknown", WORDS, findings);
    Policy {
        sources,
        sources_place,
        unknown: unknown.as_ref().map(|unknown| unknown.value),
        unknown_place: unknown.map(|unknown| unknown.place),
    }
}
