//! Reading replies: a buyer's bytes become one of the answers of `exchange_model::outcome`.
//!
//! Total: any bytes give an answer. The HTTP status decides nothing by itself, with three
//! exceptions: a redirect of a post is a rejection, a 5xx that no rule recognises is unknown as
//! such, and a ping that no rule recognises is named after its status. Refusals are tested before
//! acceptances, and nothing is coerced: a price is digits or it is no price.

use std::fmt;

use exchange_model::outcome::{Acceptance, BidToken, PingAnswer, PostAnswer};
use exchange_model::reason::{NoBid, RejectClass, Rejection, Unknown};
use exchange_model::{Currency, Money};
use http::HeaderMap;

use self::body::ReplyBody;
use self::rule::{Locator, ReasonRule, Rules};

mod body;
mod compile;
mod rule;
mod text;
mod xml;

pub(crate) use compile::{compile_ping, compile_post};
pub(crate) use xml::is_readable_xml;

/// Longest token of a buyer, in bytes. A longer one cannot be cut and spoils the bid.
const TOKEN_MAX: usize = 1024;
/// Longest redirect address, in bytes.
const REDIRECT_MAX: usize = 2048;

/// A buyer's reply as it came: what every reader reads.
#[derive(Clone, Copy)]
pub struct RawReply<'a> {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The body, whole.
    pub body: &'a [u8],
}

/// Status and length; a body may repeat the lead.
impl fmt::Debug for RawReply<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawReply")
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// How a ping's reply is read.
#[derive(Debug)]
pub(crate) struct PingReply {
    pub(crate) currency: Currency,
    /// All must hold; empty when a price alone is a bid.
    pub(crate) bid_when: Rules,
    /// Any of them refuses.
    pub(crate) no_bid_when: Rules,
    pub(crate) price: Option<Locator>,
    pub(crate) currency_at: Option<Locator>,
    pub(crate) token: Option<Locator>,
    /// Must repeat our ping id.
    pub(crate) ping_id: Option<Locator>,
    pub(crate) reason: Option<ReasonRule>,
}

/// How a post's reply is read.
#[derive(Debug)]
pub(crate) struct PostReply {
    pub(crate) currency: Currency,
    /// Any of them refuses.
    pub(crate) rejected_when: Rules,
    /// All must hold.
    pub(crate) accepted_when: Rules,
    pub(crate) price: Option<Locator>,
    pub(crate) currency_at: Option<Locator>,
    pub(crate) buyer_ref: Option<Locator>,
    pub(crate) redirect: Option<Locator>,
    pub(crate) reason: Option<ReasonRule>,
}

/// Why a price is none.
enum BadPrice {
    Unreadable,
    WrongCurrency,
}

impl PingReply {
    /// Whether a bid's price is in the reply.
    pub(crate) fn names_price(&self) -> bool {
        self.price.is_some()
    }

    /// Whether our ping id must come back.
    pub(crate) fn echoes(&self) -> bool {
        self.ping_id.is_some()
    }

    /// The answer. `ping_id` is what was sent, where it is known.
    pub(crate) fn read(&self, reply: &RawReply<'_>, ping_id: Option<&str>) -> PingAnswer {
        let (status, body) = (reply.status, ReplyBody::new(reply.body));
        let refused = self.no_bid_when.any(&body);
        if !refused && self.is_bid(&body) {
            return self.bid(&body, ping_id);
        }
        PingAnswer::NoBid(self.no_bid(status, refused, &body))
    }

    fn is_bid(&self, body: &ReplyBody<'_>) -> bool {
        if self.bid_when.is_empty() {
            return self.price.as_ref().is_some_and(|price| price.is_present(body));
        }
        self.bid_when.all(body)
    }

    fn bid(&self, body: &ReplyBody<'_>, ping_id: Option<&str>) -> PingAnswer {
        let bad = |what: &str| PingAnswer::NoBid(NoBid::BadReply(what.to_owned()));
        if let (Some(at), Some(ours)) = (&self.ping_id, ping_id)
            && at.one_text(body).as_deref() != Some(ours)
        {
            return bad("ping_id");
        }
        let token = match &self.token {
            None => None,
            Some(at) => match at.one_text(body).and_then(text::token) {
                Some(token) => Some(BidToken::single(token)),
                None => return bad("token"),
            },
        };
        let Some(price) = &self.price else { return PingAnswer::Available { token } };
        match read_price(price, self.currency_at.as_ref(), self.currency, body) {
            Ok(price) if price.is_positive() => PingAnswer::Bid { price, token },
            Ok(_zero) => PingAnswer::NoBid(NoBid::Declined(self.reason(body))),
            Err(BadPrice::WrongCurrency) => PingAnswer::NoBid(NoBid::WrongCurrency),
            Err(BadPrice::Unreadable) => bad("price"),
        }
    }

    /// A refusal in the buyer's words, else the status, else what was looked for in vain.
    fn no_bid(&self, status: u16, refused: bool, body: &ReplyBody<'_>) -> NoBid {
        let reason = self.reason.as_ref().and_then(|rule| rule.read(body));
        let success = (200..300).contains(&status);
        match reason {
            Some(reason) => NoBid::Declined(reason),
            None if refused || status == 204 => NoBid::Declined(other(None)),
            None if !success => NoBid::HttpError(status),
            None if self.bid_when.are_present(body) => NoBid::Declined(other(None)),
            None => {
                let what = if self.bid_when.is_empty() { "price" } else { "bid_when" };
                NoBid::BadReply(what.to_owned())
            }
        }
    }

    fn reason(&self, body: &ReplyBody<'_>) -> Rejection {
        let read = self.reason.as_ref().and_then(|rule| rule.read(body));
        read.unwrap_or_else(|| other(None))
    }
}

impl PostReply {
    /// The answer to a post.
    pub(crate) fn read(&self, reply: &RawReply<'_>) -> PostAnswer {
        let status = reply.status;
        if (300..400).contains(&status) {
            return PostAnswer::Rejected(other(Some("redirect")));
        }
        let body = ReplyBody::new(reply.body);
        if self.rejected_when.any(&body) {
            let reason = self.reason.as_ref().and_then(|rule| rule.read(&body));
            return PostAnswer::Rejected(reason.unwrap_or_else(|| other(None)));
        }
        if self.accepted_when.all(&body) {
            return PostAnswer::Accepted(self.acceptance(&body));
        }
        let server_error = (500..600).contains(&status);
        PostAnswer::Unknown(if server_error { Unknown::Http5xx } else { Unknown::Unreadable })
    }

    /// A price that cannot be read does not undo the acceptance: the bid is what is booked.
    fn acceptance(&self, body: &ReplyBody<'_>) -> Acceptance {
        let price = self
            .price
            .as_ref()
            .and_then(|at| read_price(at, self.currency_at.as_ref(), self.currency, body).ok());
        let one = |at: &Option<Locator>| at.as_ref().and_then(|at| at.one_text(body));
        Acceptance {
            price,
            buyer_ref: one(&self.buyer_ref).and_then(|text| text::cut(&text)),
            redirect_url: one(&self.redirect).and_then(text::redirect),
            ..Acceptance::default()
        }
    }
}

fn other(text: Option<&str>) -> Rejection {
    Rejection { class: RejectClass::Other, text: text.map(str::to_owned), counter: None }
}

fn read_price(
    at: &Locator,
    currency_at: Option<&Locator>,
    currency: Currency,
    body: &ReplyBody<'_>,
) -> Result<Money, BadPrice> {
    if let Some(at) = currency_at
        && at.one_text(body).as_deref() != Some(currency.as_str())
    {
        return Err(BadPrice::WrongCurrency);
    }
    let digits = at.one_amount(body).ok_or(BadPrice::Unreadable)?;
    Money::parse(&digits, currency).map_err(|_refused| BadPrice::Unreadable)
}
