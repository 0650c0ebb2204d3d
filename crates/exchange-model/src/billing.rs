//! How a buyer pays.

use crate::money::Money;

/// A buyer's terms, read from its file and enforced where money moves: inside the store's write.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BillingTerms {
    /// The buyer pays first; what it has, less what is held, never falls below minus this line.
    Prepaid {
        /// How far below zero the balance may go; usually nothing.
        credit_line: Money,
    },
    /// The buyer pays later; delivered, invoiced and held together never exceed the limit.
    Net {
        /// Days from invoice to payment.
        days: u16,
        /// The most that may be unpaid or held.
        credit_limit: Money,
    },
}
