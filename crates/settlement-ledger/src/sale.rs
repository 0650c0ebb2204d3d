//! A sale: the buyer owes the price, the seller earns the payout.
//!
//! Both amounts are rounded to whole minor units once, half to even. The margin is what is left
//! between them; it is never rounded and never booked by itself, so every sale balances without a
//! rounding account. Revenue is booked gross (the price) and the payout as its cost.
//!
//! A post that was offered to several companies behind one buyer is booked leg by leg: one
//! transaction for each company that took the lead, so that a leg can be given back by itself. The
//! hold is one; the first leg that is booked ends it.

use exchange_model::id::{AttemptId, SellerId, VerticalId};
use exchange_model::money::{Currency, MinorUnits, Money};

use crate::account::Account;
use crate::entry::{Entry, EventKind, Header, Stamp, TEXT_MAX, Transaction};
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

/// One company's part of a sale to several behind one buyer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SaleLeg {
    /// Its place in the offer, from 1: names the leg for good.
    pub number: u8,
    /// The company, or nothing; never contact data. What the ledger cannot keep is left out.
    pub company: String,
    /// What the buyer owes for it.
    pub price: Money,
    /// What the seller earns by it.
    pub payout: Money,
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
    /// The companies that took the lead, where it was offered to several; price and payout are
    /// their sums. None: the sale is one.
    pub legs: Vec<SaleLeg>,
    /// Whether the payout may be more than the price.
    pub loss: LossPolicy,
    /// When and by whom.
    pub stamp: Stamp,
}

/// What a sale writes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BookedSale {
    /// One for the sale, or one for each leg that moves something; none when nothing does: no hold,
    /// no price, no payout. They belong into one write.
    pub transactions: Vec<Transaction>,
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
/// could not be above zero. The transaction's key is `sale:{attempt}`, that of a leg
/// `sale:{attempt}#{number}`, and a leg's memo is its company.
///
/// # Errors
/// [`LedgerError::AmountNotPositive`] for a price or payout below zero,
/// [`LedgerError::CurrencyMismatch`], [`LedgerError::Overflow`], [`LedgerError::LegsDoNotAddUp`],
/// [`LedgerError::HoldOfAnotherAttempt`], [`LedgerError::HoldNotOpen`],
/// [`LedgerError::PriceAboveHold`], [`LedgerError::PayoutAbovePrice`], and
/// [`LedgerError::BadText`] for the stamp's actor.
pub fn book(request: SaleRequest, hold: Option<&Hold>) -> Result<BookedSale, LedgerError> {
    let parts = parts(&request)?;
    let (price, payout) = totals(&request, &parts)?;
    check_hold(&request, price, hold)?;
    if payout > price && request.loss == LossPolicy::Refuse {
        let (payout, price) = (request.payout, request.price);
        return Err(LedgerError::PayoutAbovePrice { payout, price });
    }
    let margin = price.checked_sub(payout).ok_or(LedgerError::Overflow)?;
    let transactions = transactions(&request, parts, hold)?;
    let hold =
        hold.map(|hold| Hold { state: HoldState::Captured { captured: price }, ..hold.clone() });
    Ok(BookedSale { transactions, hold, price, payout, margin })
}

/// What becomes one transaction.
struct Part {
    key: String,
    memo: String,
    price: MinorUnits,
    payout: MinorUnits,
}

impl Part {
    fn new(key: String, memo: String, price: Money, payout: Money) -> Result<Self, LedgerError> {
        Ok(Self { key, memo, price: not_negative(price)?, payout: not_negative(payout)? })
    }
}

fn parts(request: &SaleRequest) -> Result<Vec<Part>, LedgerError> {
    let key = format!("sale:{}", request.attempt);
    if request.legs.is_empty() {
        return Ok(vec![Part::new(key, String::new(), request.price, request.payout)?]);
    }
    let leg = |leg: &SaleLeg| {
        let key = format!("{key}#{}", leg.number);
        Part::new(key, remark(&leg.company), leg.price, leg.payout)
    };
    request.legs.iter().map(leg).collect()
}

/// The leg that a sale's key names.
pub(crate) fn leg_of(key: &str) -> Option<u8> {
    key.strip_prefix("sale:")?.split_once('#')?.1.parse().ok()
}

/// A company's name as a memo: without control characters, and no longer than a memo may be.
fn remark(company: &str) -> String {
    let mut kept: String = company.chars().filter(|c| !c.is_control()).collect();
    while kept.len() > TEXT_MAX {
        kept.pop();
    }
    kept
}

/// Price and payout in all; those of legs add up to what the request says.
fn totals(request: &SaleRequest, parts: &[Part]) -> Result<(MinorUnits, MinorUnits), LedgerError> {
    let currency = request.price.currency();
    same_currency(currency, request.payout.currency())?;
    for leg in &request.legs {
        same_currency(currency, leg.price.currency())?;
        same_currency(currency, leg.payout.currency())?;
    }
    let sum = |of: fn(&Part) -> MinorUnits| {
        let added = parts.iter().try_fold(MinorUnits::ZERO, |sum, part| sum.checked_add(of(part)));
        added.ok_or(LedgerError::Overflow)
    };
    let totals = (sum(|part| part.price)?, sum(|part| part.payout)?);
    if totals == (not_negative(request.price)?, not_negative(request.payout)?) {
        Ok(totals)
    } else {
        Err(LedgerError::LegsDoNotAddUp(request.attempt))
    }
}

fn transactions(
    request: &SaleRequest,
    parts: Vec<Part>,
    hold: Option<&Hold>,
) -> Result<Vec<Transaction>, LedgerError> {
    // The hold ends with the first part; where it is booked is the same for all.
    let account = hold.map(|hold| &hold.account);
    let mut mirror: Vec<Entry> = hold.map(Hold::mirror).into_iter().flatten().collect();
    let mut booked = Vec::new();
    for part in parts {
        let mut entries = std::mem::take(&mut mirror);
        entries.extend(settled(request, &part, account));
        if !entries.is_empty() {
            booked.push(Transaction::new(header(request, part), entries)?);
        }
    }
    Ok(booked)
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

fn settled(request: &SaleRequest, part: &Part, buyer: Option<&Account>) -> Vec<Entry> {
    let mut entries = Vec::new();
    if let Some(buyer) = buyer.filter(|_| part.price > MinorUnits::ZERO) {
        entries.push(Entry::debit(buyer.clone(), part.price));
        entries.push(Entry::credit(Account::LeadSales(request.vertical.clone()), part.price));
    }
    if part.payout > MinorUnits::ZERO {
        entries.push(Entry::debit(Account::SellerCost(request.vertical.clone()), part.payout));
        entries.push(Entry::credit(Account::SellerAccrued(request.seller.clone()), part.payout));
    }
    entries
}

fn header(request: &SaleRequest, part: Part) -> Header {
    Header {
        key: part.key,
        kind: EventKind::Sale,
        currency: request.price.currency(),
        stamp: request.stamp.clone(),
        lead: Some(request.attempt.lead()),
        attempt: Some(request.attempt),
        memo: part.memo,
    }
}

#[cfg(test)]
mod tests;
