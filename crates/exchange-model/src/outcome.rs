//! What a buyer answered, after the connector has read it.
//!
//! Connectors make these, the auction consumes them: neither knows the other.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::money::{Currency, Money};
use crate::reason::{NoBid, NotSent, Rejection, Unknown};

/// Values that a buyer gave us to name something by: tokens, queue ids, its own id of the lead.
///
/// Names come from the connector, values from the buyer; the connector that reads them has bounded
/// both. They go back to the same buyer and to nobody else.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Handles(pub BTreeMap<String, String>);

impl Handles {
    /// None at all, where a context asks for some.
    #[must_use]
    pub fn none() -> &'static Self {
        static NONE: Handles = Handles(BTreeMap::new());
        &NONE
    }

    /// The value under a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Whether the buyer gave none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// One of several bids in a buyer's answer: a company behind the buyer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Brand {
    /// The buyer's id of this bid.
    pub id: Option<String>,
    /// The company, as the consumer may be shown it.
    pub name: Option<String>,
    /// What it would pay.
    pub price: Option<Money>,
    /// Its own token.
    pub token: Option<String>,
}

/// A buyer's handle for its bid, carried from the ping's reply into the post.
///
/// Only connectors look inside; everybody else keeps it and hands it back.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct BidToken {
    /// The tokens by name; `token` is the one that needs no name.
    pub tokens: Handles,
    /// The bids that the post will name, best first.
    pub brands: Vec<Brand>,
    /// How long the bid stands from the moment of the answer; nothing when the buyer sets no end.
    pub lifetime: Option<Duration>,
}

impl BidToken {
    /// The name of the token that needs none.
    pub const TOKEN: &'static str = "token";

    /// One token and nothing else.
    #[must_use]
    pub fn single(token: impl Into<String>) -> Self {
        let tokens = Handles(BTreeMap::from([(Self::TOKEN.to_owned(), token.into())]));
        Self { tokens, ..Self::default() }
    }

    /// The form in which it is stored: JSON, compact.
    #[must_use]
    pub fn to_text(&self) -> String {
        serde_json::to_string(&StoredToken::of(self)).expect("texts and numbers are JSON")
    }

    /// What was stored; nothing when the text is no such form.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        serde_json::from_str::<StoredToken>(text).ok()?.restore()
    }
}

/// [`BidToken`] as it is stored.
#[derive(Deserialize, Serialize)]
struct StoredToken {
    #[serde(rename = "t", default, skip_serializing_if = "Handles::is_empty")]
    tokens: Handles,
    #[serde(rename = "b", default, skip_serializing_if = "Vec::is_empty")]
    brands: Vec<StoredBrand>,
    #[serde(rename = "ms", default, skip_serializing_if = "Option::is_none")]
    lifetime_ms: Option<u64>,
}

#[derive(Deserialize, Serialize)]
struct StoredBrand {
    #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Amount and currency.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    price: Option<(String, String)>,
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

impl StoredToken {
    fn of(token: &BidToken) -> Self {
        Self {
            tokens: token.tokens.clone(),
            brands: token.brands.iter().map(StoredBrand::of).collect(),
            lifetime_ms: token
                .lifetime
                .map(|life| u64::try_from(life.as_millis()).unwrap_or(u64::MAX)),
        }
    }

    fn restore(self) -> Option<BidToken> {
        let brands: Option<Vec<Brand>> =
            self.brands.into_iter().map(StoredBrand::restore).collect();
        Some(BidToken {
            tokens: self.tokens,
            brands: brands?,
            lifetime: self.lifetime_ms.map(Duration::from_millis),
        })
    }
}

impl StoredBrand {
    fn of(brand: &Brand) -> Self {
        let price = |price: Money| (price.amount_text(), price.currency().as_str().to_owned());
        Self {
            id: brand.id.clone(),
            name: brand.name.clone(),
            price: brand.price.map(price),
            token: brand.token.clone(),
        }
    }

    fn restore(self) -> Option<Brand> {
        let price = match self.price {
            None => None,
            Some((amount, currency)) => {
                Some(Money::parse(&amount, Currency::new(&currency).ok()?).ok()?)
            }
        };
        Some(Brand { id: self.id, name: self.name, price, token: self.token })
    }
}

/// How the outcome of a post whose answer was lost is found out.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Resolver {
    /// The same post again under the same key.
    Repost,
    /// The buyer is asked what became of it.
    Status,
    /// The buyer calls us.
    Callback,
    /// The buyer is told to forget the post.
    Void,
}

impl Resolver {
    /// Every resolver.
    pub const ALL: &'static [Self] = &[Self::Repost, Self::Status, Self::Callback, Self::Void];

    /// Its word in a buyer's file.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Repost => "repost",
            Self::Status => "status",
            Self::Callback => "callback",
            Self::Void => "void",
        }
    }
}

/// The answer to a ping.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PingAnswer {
    /// The buyer offers this price.
    Bid {
        /// What the buyer would pay. The connector has checked form and currency, not the limits
        /// of the campaign.
        price: Money,
        /// To be sent along with the post.
        token: Option<BidToken>,
    },
    /// A fixed-price buyer would take the lead.
    Available {
        /// To be sent along with the post.
        token: Option<BidToken>,
    },
    /// No usable bid.
    NoBid(NoBid),
}

/// What a buyer said when it accepted a post.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Acceptance {
    /// The price in the reply, where it named one. The bid is booked; a difference is flagged.
    pub price: Option<Money>,
    /// Why what stands in the price's place is none. The bid is booked, and this is flagged.
    pub no_price: Option<NoPrice>,
    /// The buyer's own id of the lead, cut at 256 bytes.
    pub buyer_ref: Option<String>,
    /// Where the consumer may be sent: never followed by us.
    pub redirect_url: Option<String>,
    /// Named values of the reply, for later calls to the same buyer.
    pub handles: Handles,
    /// What each company of a sale to several said.
    pub legs: Vec<Leg>,
}

/// What stands in the place of a price and cannot be one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NoPrice {
    /// Zero or less.
    NotPositive,
    /// No digits that the connector declares.
    Unreadable,
    /// Another currency than the campaign's, or none where one must be named.
    WrongCurrency,
}

impl NoPrice {
    /// The word in records; it never changes.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotPositive => "not_positive",
            Self::Unreadable => "unreadable",
            Self::WrongCurrency => "wrong_currency",
        }
    }
}

/// One company's word on a post that was offered to several.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Leg {
    /// Which.
    pub brand: Brand,
    /// Whether it took the lead.
    pub accepted: bool,
}

/// The answer to a post: one of exactly four outcomes, where pending is a kind of unknown.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PostAnswer {
    /// The buyer provably does not have the lead.
    NotSent(NotSent),
    /// The buyer refused the lead.
    Rejected(Rejection),
    /// The buyer has the lead and owes its price.
    Accepted(Acceptance),
    /// The buyer may have the lead. It is held until this is resolved.
    Unknown(Unknown),
    /// The buyer has the lead and will decide later: unknown until it says more. The handles are
    /// what it is asked again with.
    Pending(Handles),
}

impl PostAnswer {
    /// The outcome's name in records and metrics.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotSent(_) => "not_sent",
            Self::Rejected(_) => "rejected",
            Self::Accepted(_) => "accepted",
            Self::Unknown(_) | Self::Pending(_) => "unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_stored_and_read_back_whole() {
        let usd = Currency::USD;
        let brand = Brand {
            id: Some("41".to_owned()),
            name: Some("Roof \"Co\"".to_owned()),
            price: Some(Money::parse("19.50", usd).unwrap()),
            token: None,
        };
        let mut token = BidToken::single("t|1");
        token.brands.push(brand);
        token.lifetime = Some(Duration::from_secs(60));
        assert_eq!(BidToken::from_text(&token.to_text()), Some(token));
        let plain = BidToken::single("x");
        assert_eq!(plain.to_text(), r#"{"t":{"token":"x"}}"#);
        assert_eq!(BidToken::from_text("x"), None);
    }
}
