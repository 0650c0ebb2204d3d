//! An amount as operators write it: money, or a share of something.

use std::fmt;

use exchange_model::{Money, Rate};
use rust_decimal::Decimal;

/// `"1.50"`, or `"10%"` of what it is applied to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Amount {
    /// This much.
    Money(Money),
    /// This share.
    Share(Rate),
}

impl Amount {
    /// The amount of `whole`, exact; nothing in another currency, or when it cannot be counted.
    #[must_use]
    pub fn of(&self, whole: Money) -> Option<Money> {
        match self {
            Self::Money(money) => (money.currency() == whole.currency()).then_some(*money),
            Self::Share(share) => whole.checked_share(*share).ok(),
        }
    }
}

/// `1.50`, `10%`.
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Money(money) => f.write_str(&money.amount_text()),
            Self::Share(share) => {
                let percent = share.as_decimal().saturating_mul(Decimal::ONE_HUNDRED);
                write!(f, "{}%", percent.normalize())
            }
        }
    }
}
