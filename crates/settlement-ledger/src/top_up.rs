//! Top-ups: a buyer pays in advance.
//!
//! Money counts once the bank has it. A payment that was promised or authorised credits nothing.

use exchange_model::id::BuyerId;
use exchange_model::money::{MinorUnits, Money};

use crate::account::{Account, BankName};
use crate::entry::{Entry, EventKind, Header, Stamp, Transaction};
use crate::error::LedgerError;

/// A transfer that arrived.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WireTopUp {
    /// Who paid.
    pub buyer: BuyerId,
    /// Which of our bank accounts received it.
    pub bank: BankName,
    /// The bank's own reference, which makes the event unique.
    pub bank_ref: String,
    /// How much arrived.
    pub amount: Money,
    /// When and by whom.
    pub stamp: Stamp,
    /// A remark for finance, or nothing.
    pub memo: String,
}

/// Books money that arrived at the bank as the buyer's.
///
/// The transaction's key is `tu:{bank_ref}`, so the same transfer cannot be booked twice.
///
/// # Errors
/// [`LedgerError::AmountNotPositive`], [`LedgerError::NotWholeUnits`], [`LedgerError::Overflow`],
/// [`LedgerError::BadKey`] for the bank's reference, [`LedgerError::BadText`].
pub fn wire(top_up: WireTopUp) -> Result<Transaction, LedgerError> {
    let minor = top_up.amount.to_minor()?;
    if minor <= MinorUnits::ZERO {
        return Err(LedgerError::AmountNotPositive(top_up.amount));
    }
    if Money::from_minor(minor, top_up.amount.currency()) != top_up.amount {
        return Err(LedgerError::NotWholeUnits(top_up.amount));
    }
    if top_up.bank_ref.is_empty() {
        return Err(LedgerError::BadKey);
    }
    let entries = vec![
        Entry::debit(Account::Bank(top_up.bank), minor),
        Entry::credit(Account::Prepaid(top_up.buyer), minor),
    ];
    let header = Header {
        key: format!("tu:{}", top_up.bank_ref),
        kind: EventKind::TopUp,
        currency: top_up.amount.currency(),
        stamp: top_up.stamp,
        lead: None,
        attempt: None,
        memo: top_up.memo,
    };
    Transaction::new(header, entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{entries_text, noon, usd, wired};

    fn arrived(bank_ref: &str, amount: &str) -> WireTopUp {
        WireTopUp {
            buyer: "acme_mutual".parse().unwrap(),
            bank: BankName::new("main").unwrap(),
            bank_ref: bank_ref.to_owned(),
            amount: usd(amount),
            stamp: noon(1),
            memo: String::new(),
        }
    }

    #[test]
    fn money_that_arrived_is_the_buyers() {
        let top_up = wired("acme_mutual", "REF-1", usd("500"), noon(1));
        assert_eq!(top_up.key(), "tu:REF-1");
        assert_eq!(
            entries_text(&top_up),
            "settled debit A:Bank:main 500.00\nsettled credit L:Prepaid:acme_mutual 500.00\n"
        );
    }

    #[test]
    fn nothing_and_parts_of_a_cent_do_not_arrive() {
        let code = |top_up: WireTopUp| wire(top_up).unwrap_err().code();
        assert_eq!(code(arrived("1", "0")), "amount_not_positive");
        assert_eq!(code(arrived("1", "10.005")), "not_whole_units");
        assert_eq!(code(arrived("", "1")), "bad_key");
        assert_eq!(code(arrived("a b", "1")), "bad_key");
    }
}
