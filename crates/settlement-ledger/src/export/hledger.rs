//! A journal that hledger and ledger accept, and can prove wrong.
//!
//! Only what is owed appears: settled entries, accounts and commodities declared, and at the end an
//! assertion of every account's stored balance. The tool adds up the entries by itself, so an
//! amount that is off by the smallest unit anywhere makes its check fail. Holds and releases settle
//! nothing and produce nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use exchange_model::money::{Currency, MinorUnits, Money};
use exchange_model::timestamp::Date;
use jiff::tz::TimeZone;

use crate::account::Account;
use crate::balance::BalanceKey;
use crate::entry::{Entry, Layer, Transaction};

const LEAD_TAG: &str = "lead";
const ATTEMPT_TAG: &str = "attempt";

/// A settled balance as the store keeps it, to be asserted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredBalance {
    /// Of which account.
    pub account: Account,
    /// In which currency.
    pub currency: Currency,
    /// Debits less credits.
    pub balance: MinorUnits,
}

/// Why a journal was not written.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ExportError {
    /// The writer refused; what was written so far is no journal.
    #[error("the journal could not be written")]
    Write(#[from] fmt::Error),
}

impl StoredBalance {
    /// From a row of the store's balances; `None` for the pending layer, which is not exported.
    #[must_use]
    pub fn settled(key: BalanceKey, balance: MinorUnits) -> Option<Self> {
        let BalanceKey { account, currency, layer } = key;
        (layer == Layer::Settled).then_some(Self { account, currency, balance })
    }
}

type Accounts = BTreeMap<(Account, Currency), MinorUnits>;

/// Writes the whole ledger as an hledger journal.
///
/// `transactions` is the whole ledger in any order; the journal is in the order of their effective
/// dates, in `zone`. `balances` are the stored ones, which the journal asserts at its end; an
/// account that moved and has no stored balance is asserted to be empty.
///
/// # Errors
/// [`ExportError::Write`].
pub fn hledger<W: fmt::Write>(
    out: &mut W,
    transactions: &[Transaction],
    balances: &[StoredBalance],
    zone: &TimeZone,
) -> Result<(), ExportError> {
    let mut settled: Vec<&Transaction> = transactions.iter().filter(|t| settles(t)).collect();
    settled.sort_by_key(|transaction| transaction.effective_at());
    let accounts = accounts(&settled, balances);
    if accounts.is_empty() {
        return Ok(());
    }
    declare(out, &accounts)?;
    for transaction in &settled {
        write_transaction(out, transaction, zone)?;
    }
    if let Some(last) = settled.last() {
        assert_balances(out, &accounts, last.effective_at().date_in(zone))?;
    }
    Ok(())
}

fn settles(transaction: &Transaction) -> bool {
    transaction.entries().iter().any(|entry| entry.layer == Layer::Settled)
}

/// Every account of the journal, with the balance to assert.
fn accounts(settled: &[&Transaction], balances: &[StoredBalance]) -> Accounts {
    let mut accounts = Accounts::new();
    for transaction in settled {
        for entry in settled_entries(transaction) {
            let key = (entry.account.clone(), transaction.currency());
            accounts.insert(key, MinorUnits::ZERO);
        }
    }
    for stored in balances {
        accounts.insert((stored.account.clone(), stored.currency), stored.balance);
    }
    accounts
}

fn settled_entries(transaction: &Transaction) -> impl Iterator<Item = &Entry> {
    transaction.entries().iter().filter(|entry| entry.layer == Layer::Settled)
}

/// Commodities, tags, then accounts; never with a comment, which other readers take for part of the name.
fn declare<W: fmt::Write>(out: &mut W, accounts: &Accounts) -> fmt::Result {
    let currencies: BTreeSet<Currency> = accounts.keys().map(|(_, currency)| *currency).collect();
    for currency in currencies {
        writeln!(out, "commodity {currency}{}", format_line(currency))?;
    }
    for tag in [LEAD_TAG, ATTEMPT_TAG] {
        writeln!(out, "tag {tag}")?;
    }
    let names: BTreeSet<String> = accounts.keys().map(|(account, _)| name(account)).collect();
    for name in names {
        writeln!(out, "account {name}")?;
    }
    Ok(())
}

/// Shows how many decimals the currency has. A currency without any has no such line: hledger wants
/// a point in it and ledger wants none.
fn format_line(currency: Currency) -> String {
    match usize::try_from(currency.exponent()) {
        Ok(decimals @ 1..) => format!("\n    format 1000.{} {currency}", "0".repeat(decimals)),
        Ok(0) | Err(_) => String::new(),
    }
}

fn write_transaction<W: fmt::Write>(
    out: &mut W,
    transaction: &Transaction,
    zone: &TimeZone,
) -> fmt::Result {
    let header = transaction.header();
    let date = transaction.effective_at().date_in(zone);
    let (key, description) = (plain(&header.key), description(transaction));
    writeln!(out, "\n{date} * ({key}) {description}")?;
    if let Some(lead) = header.lead {
        writeln!(out, "    ; {LEAD_TAG}: {lead}")?;
    }
    if let Some(attempt) = header.attempt {
        writeln!(out, "    ; {ATTEMPT_TAG}: {attempt}")?;
    }
    for entry in settled_entries(transaction) {
        let account = name(&entry.account);
        writeln!(out, "    {account:44}  {:>14}", amount(entry.signed(), transaction.currency()))?;
    }
    Ok(())
}

fn description(transaction: &Transaction) -> String {
    let (kind, memo) = (transaction.kind(), &transaction.header().memo);
    if memo.is_empty() { kind.to_string() } else { format!("{kind} {}", plain(memo)) }
}

/// Replaces what would end a code, a description or a line: texts come from people and from banks.
fn plain(text: &str) -> String {
    let means_something = |c: char| c.is_control() || matches!(c, '(' | ')' | ';' | '|');
    text.chars().map(|c| if means_something(c) { ' ' } else { c }).collect()
}

fn assert_balances<W: fmt::Write>(out: &mut W, accounts: &Accounts, date: Date) -> fmt::Result {
    writeln!(out, "\n{date} * stored balances")?;
    for ((account, currency), balance) in accounts {
        let (nothing, balance) = (amount(MinorUnits::ZERO, *currency), amount(*balance, *currency));
        writeln!(out, "    {:44}  {nothing:>14} = {balance}", name(account))?;
    }
    Ok(())
}

fn amount(minor: MinorUnits, currency: Currency) -> String {
    Money::from_minor(minor, currency).to_string()
}

/// The account as a tree that accountants know; the first word tells the tool its kind.
fn name(account: &Account) -> String {
    match account {
        Account::Bank(bank) => format!("assets:bank:{bank}"),
        Account::Unbilled(buyer) => format!("assets:unbilled:{buyer}"),
        Account::Prepaid(buyer) => format!("liabilities:prepaid:{buyer}"),
        Account::SellerAccrued(seller) => format!("liabilities:seller-accrued:{seller}"),
        Account::InFlight => "liabilities:in-flight".to_owned(),
        Account::Opening => "equity:opening".to_owned(),
        Account::LeadSales(vertical) => format!("revenues:lead-sales:{vertical}"),
        Account::SellerCost(vertical) => format!("expenses:seller-cost:{vertical}"),
    }
}

#[cfg(test)]
mod tests;
