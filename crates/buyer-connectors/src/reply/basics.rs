//! What the replies to pings and to posts have in common.

use std::collections::BTreeMap;
use std::time::Duration;

use exchange_model::outcome::{Handles, NoPrice};
use exchange_model::reason::{RejectClass, Rejection};
use exchange_model::{Currency, Money};
use rust_decimal::Decimal;

use super::decode::Decoding;
use super::locator::{Locator, Scope};
use super::price::{PriceRead, PriceRule};
use super::reason::ReasonRule;
use super::rules::{Decision, Rules};
use super::text;

/// Longest time that a bid or a token of a buyer stands.
const LIFETIME_MAX: Duration = Duration::from_secs(30 * 24 * 3600);

/// What every reply has that decides an outcome.
#[derive(Debug)]
pub(crate) struct Basics {
    pub(super) currency: Currency,
    pub(super) decoding: Decoding,
    pub(super) rules: Rules,
    pub(super) price: Option<PriceRule>,
    pub(super) currency_at: Option<Locator>,
    pub(super) reason: Option<ReasonRule>,
}

/// What the reply says about the price.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Priced {
    Amount(Money),
    /// Zero or less.
    Nothing,
    /// None: the campaign's own price is meant.
    Contract,
    WrongCurrency,
    Unreadable,
}

impl Basics {
    /// Whether a price can be read from the reply.
    pub(super) fn names_price(&self) -> bool {
        self.price.is_some()
    }

    /// The price of the whole reply.
    pub(super) fn priced(&self, scope: &Scope<'_>) -> Priced {
        let Some(rule) = &self.price else { return Priced::Contract };
        let read = rule.read(scope, self.currency);
        match read {
            PriceRead::Absent if rule.contract => Priced::Contract,
            _ if !self.is_own_currency(scope) => Priced::WrongCurrency,
            PriceRead::Amount(amount) => Priced::Amount(amount),
            PriceRead::Nothing => Priced::Nothing,
            PriceRead::Absent | PriceRead::Unreadable => Priced::Unreadable,
        }
    }

    /// What an acceptance says of its price: an amount, none, or something that is no price.
    pub(super) fn named_price(&self, scope: &Scope<'_>) -> Result<Option<Money>, NoPrice> {
        let Some(rule) = &self.price else { return Ok(None) };
        match rule.read(scope, self.currency) {
            PriceRead::Absent => Ok(None),
            _ if !self.is_own_currency(scope) => Err(NoPrice::WrongCurrency),
            PriceRead::Amount(amount) => Ok(Some(amount)),
            PriceRead::Nothing => Err(NoPrice::NotPositive),
            PriceRead::Unreadable => Err(NoPrice::Unreadable),
        }
    }

    /// Whether the reply speaks of the campaign's currency, where it must say so.
    pub(super) fn is_own_currency(&self, scope: &Scope<'_>) -> bool {
        let own = self.currency.as_str();
        self.currency_at.as_ref().is_none_or(|at| at.one_text(scope).as_deref() == Some(own))
    }

    /// The buyer's reason, in the class that the rule names or the reason's own.
    pub(super) fn refusal(&self, decision: &Decision<'_>, scope: &Scope<'_>) -> Rejection {
        let read = self.reason(scope);
        let refusal = read.unwrap_or(Rejection::new(RejectClass::Other, None));
        match decision.class() {
            Some(class) => Rejection { class, ..refusal },
            None => refusal,
        }
    }

    /// The buyer's reason, if it gives one.
    pub(super) fn reason(&self, scope: &Scope<'_>) -> Option<Rejection> {
        self.reason.as_ref().and_then(|rule| rule.read(scope))
    }
}

/// Named places.
pub(super) type Named = Vec<(String, Locator)>;

/// The values at named places. One that is not there is left out; one that cannot be kept whole
/// is named as the error.
pub(super) fn handles(named: &Named, scope: &Scope<'_>) -> Result<Handles, String> {
    let mut read = BTreeMap::new();
    for (name, at) in named {
        if let Some(value) = at.one_text(scope) {
            read.insert(name.clone(), text::token(value).ok_or_else(|| name.clone())?);
        }
    }
    Ok(Handles(read))
}

/// How long something of the buyer's stands.
#[derive(Debug)]
pub(crate) enum Lifetime {
    Fixed(Duration),
    /// Seconds.
    At(Box<Locator>),
}

/// What should be a number of seconds is none.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct NoSeconds;

impl Lifetime {
    /// How long; nothing when the reply does not say.
    pub(super) fn read(&self, scope: &Scope<'_>) -> Result<Option<Duration>, NoSeconds> {
        let at = match self {
            Self::Fixed(life) => return Ok(Some(*life)),
            Self::At(at) => at,
        };
        let present = at.present(scope);
        if present.is_empty() {
            return Ok(None);
        }
        let seconds = at.one(scope).and_then(|found| found.number()).ok_or(NoSeconds)?;
        let millis = seconds.checked_mul(Decimal::ONE_THOUSAND).ok_or(NoSeconds)?;
        let millis = u64::try_from(millis.max(Decimal::ZERO).trunc()).unwrap_or(u64::MAX);
        Ok(Some(Duration::from_millis(millis).min(LIFETIME_MAX)))
    }
}
