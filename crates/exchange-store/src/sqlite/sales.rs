//! The sales of a lead, from the record: what its seller is paid in all, and for each.

use exchange_core::record::{Answer, LegOffer, SoldTo};
use exchange_model::outcome::BidToken;
use exchange_model::reason::LeadStatus;
use exchange_model::{LeadId, Money};
use rusqlite::{Connection, Row};
use settlement_ledger::LedgerError;

use super::attempt::legs;
use super::columns::{all, money};
use crate::error::StoreError;

/// One post that bought.
struct Sold {
    payout: Money,
    redirect_url: Option<String>,
    /// The one company behind the buyer, where there is one.
    company: Option<String>,
    legs: Vec<LegOffer>,
    shared: bool,
}

/// The answer of a lead that is sold: the sum of its sales, in the order in which they became
/// known.
pub(super) fn sold(conn: &Connection, lead: LeadId) -> Result<Answer, StoreError> {
    let found = all_sold(conn, lead)?;
    let mut payouts = found.iter().map(|sold| sold.payout);
    let first = payouts.next().ok_or(StoreError::NoLead(lead))?;
    let total = payouts.try_fold(first, Money::checked_add).map_err(LedgerError::from)?;
    Ok(Answer {
        status: LeadStatus::Sold,
        payout: Some(total),
        redirect_url: found.iter().find_map(|sold| sold.redirect_url.clone()),
        sales: each(found),
        reasons: Vec::new(),
    })
}

/// Each sale of a lead that may go to several buyers; none of one that was sold exclusively.
pub(super) fn sales(conn: &Connection, lead: LeadId) -> Result<Vec<SoldTo>, StoreError> {
    all_sold(conn, lead).map(each)
}

/// The answer of a lead that nobody has bought.
pub(super) fn ended(status: LeadStatus, reason: &str) -> Answer {
    Answer {
        status,
        payout: None,
        redirect_url: None,
        sales: Vec::new(),
        reasons: vec![reason.to_owned()],
    }
}

fn all_sold(conn: &Connection, lead: LeadId) -> Result<Vec<Sold>, StoreError> {
    let sql = "SELECT ifnull(sold_payout, payout) AS payout, currency, redirect_url, buyers,
                 sold_legs, token FROM attempt
               WHERE lead = ?1 AND state = 'accepted' ORDER BY concluded_at, step";
    all(conn, sql, [lead.to_bytes()], |row| {
        Ok(Sold {
            // As it is booked: a total of what was rounded is what the books add up to.
            payout: money(row, "payout", "currency")?.rounded(),
            redirect_url: row.get("redirect_url")?,
            company: company(row)?,
            legs: legs(row, "sold_legs")?,
            shared: row.get::<_, u8>("buyers")? > 1,
        })
    })
}

fn company(row: &Row<'_>) -> Result<Option<String>, StoreError> {
    let token: Option<String> = row.get("token")?;
    let brands = token.as_deref().and_then(BidToken::from_text).unwrap_or_default().brands;
    match brands.as_slice() {
        [one] => Ok(one.name.clone()),
        _ => Ok(None),
    }
}

fn each(found: Vec<Sold>) -> Vec<SoldTo> {
    let shared = found.into_iter().filter(|sold| sold.shared || !sold.legs.is_empty());
    shared.flat_map(parts).collect()
}

/// One sale, or one for each company that bought. Where the consumer may be sent is the same for
/// all companies of one post.
fn parts(sold: Sold) -> Vec<SoldTo> {
    let Sold { payout, redirect_url, company, legs, .. } = sold;
    if legs.is_empty() {
        return vec![SoldTo { payout, redirect_url, name: company }];
    }
    let leg = |leg: LegOffer| SoldTo {
        payout: leg.payout,
        redirect_url: redirect_url.clone(),
        name: leg.brand.name,
    };
    legs.into_iter().map(leg).collect()
}
