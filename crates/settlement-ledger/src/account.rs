//! The chart of accounts.
//!
//! An account is a place where money is counted; its code (`L:Prepaid:acme_mutual`) is what stores,
//! hashes and exports use, and it never changes. The first letter says what kind of account it is:
//! `A` asset, `L` liability, `E` equity, `I` income, `X` expense. A currency is not part of an
//! account: balances are kept per account, currency and layer.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use exchange_model::billing::BillingTerms;
use exchange_model::id::{BuyerId, NAME_MAX, SellerId, VerticalId};

use crate::entry::Side;

/// Where money is counted.
///
/// A closed list, so that no report can meet an account it does not know.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Account {
    /// Money in one of our bank accounts.
    Bank(BankName),
    /// Leads delivered to a buyer on terms and not yet invoiced.
    Unbilled(BuyerId),
    /// Money a buyer has paid in advance.
    Prepaid(BuyerId),
    /// What a seller has earned and is not yet payable.
    SellerAccrued(SellerId),
    /// The other side of every hold. Only the pending layer uses it; its settled balance is zero.
    InFlight,
    /// Balances brought in from books kept elsewhere.
    Opening,
    /// What buyers paid for leads of a vertical.
    LeadSales(VerticalId),
    /// What sellers earned for leads of a vertical.
    SellerCost(VerticalId),
}

impl Account {
    /// The buyer's own account under these terms: where its holds and its sales are booked.
    #[must_use]
    pub fn of_buyer(buyer: BuyerId, terms: &BillingTerms) -> Self {
        match terms {
            BillingTerms::Prepaid { .. } => Self::Prepaid(buyer),
            BillingTerms::Net { .. } => Self::Unbilled(buyer),
        }
    }

    /// The side on which this account grows.
    #[must_use]
    pub fn normal_side(&self) -> Side {
        match self {
            Self::Bank(_) | Self::Unbilled(_) | Self::SellerCost(_) => Side::Debit,
            Self::Prepaid(_)
            | Self::SellerAccrued(_)
            | Self::InFlight
            | Self::Opening
            | Self::LeadSales(_) => Side::Credit,
        }
    }

    /// The buyer whose own account this is.
    #[must_use]
    pub fn buyer(&self) -> Option<&BuyerId> {
        match self {
            Self::Unbilled(buyer) | Self::Prepaid(buyer) => Some(buyer),
            Self::Bank(_)
            | Self::SellerAccrued(_)
            | Self::InFlight
            | Self::Opening
            | Self::LeadSales(_)
            | Self::SellerCost(_) => None,
        }
    }
}

/// The account's code, which [`Account::from_str`] reads back.
impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bank(name) => write!(f, "A:Bank:{name}"),
            Self::Unbilled(buyer) => write!(f, "A:Unbilled:{buyer}"),
            Self::Prepaid(buyer) => write!(f, "L:Prepaid:{buyer}"),
            Self::SellerAccrued(seller) => write!(f, "L:SellerAccrued:{seller}"),
            Self::InFlight => f.write_str("L:InFlight"),
            Self::Opening => f.write_str("E:Opening"),
            Self::LeadSales(vertical) => write!(f, "I:LeadSales:{vertical}"),
            Self::SellerCost(vertical) => write!(f, "X:SellerCost:{vertical}"),
        }
    }
}

/// The text is no account code.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{0}` is no account code; one looks like `L:Prepaid:acme_mutual`")]
pub struct UnknownAccount(String);

impl FromStr for Account {
    type Err = UnknownAccount;

    fn from_str(code: &str) -> Result<Self, UnknownAccount> {
        read_code(code).ok_or_else(|| UnknownAccount(code.chars().take(NAME_MAX).collect()))
    }
}

fn read_code(code: &str) -> Option<Account> {
    match code {
        "L:InFlight" => return Some(Account::InFlight),
        "E:Opening" => return Some(Account::Opening),
        _ => {}
    }
    let (family, name) = code.rsplit_once(':')?;
    match family {
        "A:Bank" => BankName::new(name).ok().map(Account::Bank),
        "A:Unbilled" => name.parse().ok().map(Account::Unbilled),
        "L:Prepaid" => name.parse().ok().map(Account::Prepaid),
        "L:SellerAccrued" => name.parse().ok().map(Account::SellerAccrued),
        "I:LeadSales" => name.parse().ok().map(Account::LeadSales),
        "X:SellerCost" => name.parse().ok().map(Account::SellerCost),
        _ => None,
    }
}

/// What one of our bank accounts is called in the books, like `main`; never its number.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct BankName(Arc<str>);

/// The text is no name of a bank account.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a bank account is named by 1 to {NAME_MAX} characters of a-z, 0-9, `_` and `-`")]
pub struct BadBankName;

impl BankName {
    /// Checks the characters and the length.
    ///
    /// # Errors
    /// [`BadBankName`].
    pub fn new(text: &str) -> Result<Self, BadBankName> {
        let fits = (1..=NAME_MAX).contains(&text.len());
        let plain = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
        if fits && text.bytes().all(plain) { Ok(Self(text.into())) } else { Err(BadBankName) }
    }
}

impl fmt::Display for BankName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for BankName {
    type Err = BadBankName;

    fn from_str(text: &str) -> Result<Self, BadBankName> {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_reads_back_as_its_account() {
        for code in [
            "A:Bank:main",
            "A:Unbilled:bolt",
            "L:Prepaid:acme_mutual",
            "L:SellerAccrued:leadgen-1",
            "L:InFlight",
            "E:Opening",
            "I:LeadSales:auto_insurance",
            "X:SellerCost:auto_insurance",
        ] {
            let account: Account = code.parse().unwrap();
            assert_eq!(account.to_string(), code);
        }
    }

    #[test]
    fn other_text_is_no_account() {
        for code in [
            "",
            "L:Prepaid",
            "L:Prepaid:",
            "L:Prepaid:Acme",
            "L:Prepaid:a:b",
            "A:Bank:ma in",
            "L:InFlight:x",
        ] {
            assert!(code.parse::<Account>().is_err(), "{code}");
        }
    }

    #[test]
    fn assets_and_costs_grow_by_debits() {
        let normal = |code: &str| code.parse::<Account>().unwrap().normal_side();
        assert_eq!(normal("A:Unbilled:bolt"), Side::Debit);
        assert_eq!(normal("X:SellerCost:auto"), Side::Debit);
        assert_eq!(normal("L:Prepaid:acme"), Side::Credit);
        assert_eq!(normal("I:LeadSales:auto"), Side::Credit);
    }
}
