//! A sale: the buyer owes the price, the seller earns the payout.
//!
//! Both amounts are rounded to whole minor units once, half to even. The margin is what is left
//! between them; it is never rounded and never booked by itself, so every sale balances without a
//! rounding account. Revenue is booked gross (the price) and the payout as its cost.

use exchange_model::id::{AttemptId, SellerId, VerticalId};
use exchange_model::money::{Currency, MinorUnits, Money};

use crate::account::Account;
use crate::entry::{Entry, EventKind, Header, Stamp, Transaction};
use crate::error::LedgerError;
use crate::hold::{Hold, HoldState};

/// Whether a payout may be more than the price.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum LossPolicy {
    /// Such a sale is refused.
    #[default]
    Refuse,
    /// The exchange pays the difference.
    Allow,
}

/// What was sold, and for how much.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SaleRequest {
    /// The attempt that was accepted.
    pub attempt: AttemptId,
    /// Who posted the lead.
    pub seller: SellerId,
    /// The kind of lead.
    pub vertical: VerticalId,
    /// What the buyer owes.
    pub price: Money,
    /// What the seller earns.
    pub payout: Money,
    /// Whether the payout may be more than the price.
    pub loss: LossPolicy,
    /// When and by whom.
    pub stamp: Stamp,
}

/// What a sale writes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BookedSale {
    /// The entries, or none when nothing moves: no hold, no price, no payout.
    pub transaction: Option<Transaction>,
    /// The captured hold, which replaces the open one.
    pub hold: Option<Hold>,
    /// What the buyer owes.
    pub price: MinorUnits,
    /// What the seller earns.
    pub payout: MinorUnits,
    /// Price less payout; below zero for a loss that was allowed.
    pub margin: MinorUnits,
}

/// Books a sale: captures the price from the hold, gives back the rest, and accrues the payout.
///
/// `hold` is the attempt's open hold; `None` only for an attempt that needed none because its price
/// could not be above zero. The transaction's key is `sale:{attempt}`.
///
/// # Errors
/// [`LedgerError::AmountNotPositive`] for a price or payout below zero,
/// [`LedgerError::CurrencyMismatch`], [`LedgerError::Overflow`],
/// [`LedgerError::HoldOfAnotherAttempt`], [`LedgerError::HoldNotOpen`],
/// [`LedgerError::PriceAboveHold`], [`LedgerError::PayoutAbovePrice`], and
/// [`LedgerError::BadText`] for the stamp's actor.
pub fn book(request: SaleRequest, hold: Option<&Hold>) -> Result<BookedSale, LedgerError> {
    let price = not_negative(request.price)?;
    let payout = not_negative(request.payout)?;
    let currency = request.price.currency();
    same_currency(currency, request.payout.currency())?;
    check_hold(&request, price, hold)?;
    if payout > price && request.loss == LossPolicy::Refuse {
        let (payout, price) = (request.payout, request.price);
        return Err(LedgerError::PayoutAbovePrice { payout, price });
    }
    let margin = price.checked_sub(payout).ok_or(LedgerError::Overflow)?;
    let entries = entries(&request, price, payout, hold);
    let transaction =
        if entries.is_empty() { None } else { Some(Transaction::new(header(request), entries)?) };
    let hold =
        hold.map(|hold| Hold { state: HoldState::Captured { captured: price }, ..hold.clone() });
    Ok(BookedSale { transaction, hold, price, payout, margin })
}

fn not_negative(amount: Money) -> Result<MinorUnits, LedgerError> {
    let minor = amount.to_minor()?;
    if minor < MinorUnits::ZERO { Err(LedgerError::AmountNotPositive(amount)) } else { Ok(minor) }
}

fn same_currency(one: Currency, other: Currency) -> Result<(), LedgerError> {
    if one == other { Ok(()) } else { Err(LedgerError::CurrencyMismatch(one, other)) }
}

fn check_hold(
    request: &SaleRequest,
    price: MinorUnits,
    hold: Option<&Hold>,
) -> Result<(), LedgerError> {
    let currency = request.price.currency();
    let mut held = MinorUnits::ZERO;
    if let Some(hold) = hold {
        same_currency(currency, hold.currency)?;
        hold.check_open(request.attempt)?;
        held = hold.amount;
    }
    if price <= held {
        return Ok(());
    }
    let held = Money::from_minor(held, currency);
    Err(LedgerError::PriceAboveHold { price: request.price, held })
}

fn entries(
    request: &SaleRequest,
    price: MinorUnits,
    payout: MinorUnits,
    hold: Option<&Hold>,
) -> Vec<Entry> {
    let mut entries = Vec::new();
    if let Some(hold) = hold {
        entries.extend(hold.mirror());
        if price > MinorUnits::ZERO {
            entries.push(Entry::debit(hold.account.clone(), price));
            entries.push(Entry::credit(Account::LeadSales(request.vertical.clone()), price));
        }
    }
    if payout > MinorUnits::ZERO {
        entries.push(Entry::debit(Account::SellerCost(request.vertical.clone()), payout));
        entries.push(Entry::credit(Account::SellerAccrued(request.seller.clone()), payout));
    }
    entries
}

fn header(request: SaleRequest) -> Header {
    Header {
        key: format!("sale:{}", request.attempt),
        kind: EventKind::Sale,
        currency: request.price.currency(),
        stamp: request.stamp,
        lead: Some(request.attempt.lead()),
        attempt: Some(request.attempt),
        memo: String::new(),
    }
}

#[cfg(test)]
mod tests;
