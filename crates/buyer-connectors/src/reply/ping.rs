//! The reply to a ping: a bid, or why there is none.

use exchange_model::outcome::{BidToken, Brand, PingAnswer};
use exchange_model::reason::{NoBid, RejectClass, Rejection};

use super::RawReply;
use super::basics::{Basics, Lifetime, Named, Priced, handles};
use super::bids::Bids;
use super::locator::{Locator, Scope};
use super::rules::{Decision, Outcome, speaks};

/// How a ping's reply is read.
#[derive(Debug)]
pub(crate) struct PingReply {
    pub(super) basics: Basics,
    /// `token` must be there, the others may.
    pub(super) token: Option<Locator>,
    pub(super) tokens: Named,
    pub(super) lifetime: Option<Lifetime>,
    pub(super) bids: Option<Bids>,
    /// Must repeat our ping id.
    pub(super) ping_id: Option<Locator>,
}

fn bad(what: &str) -> NoBid {
    NoBid::BadReply(what.to_owned())
}

impl PingReply {
    /// Whether a bid's price is in the reply.
    pub(crate) fn names_price(&self) -> bool {
        let of_bids = |bids: &Bids| bids.brands.price.is_some();
        self.basics.names_price() || self.bids.as_ref().is_some_and(of_bids)
    }

    /// Whether our ping id must come back.
    pub(crate) fn echoes(&self) -> bool {
        self.ping_id.is_some()
    }

    /// The answer. `ping_id` is what was sent, where it is known.
    pub(crate) fn read(&self, reply: &RawReply<'_>, ping_id: Option<&str>) -> PingAnswer {
        let Ok(document) = self.basics.decoding.read(reply) else {
            return PingAnswer::NoBid(bad("length"));
        };
        self.answer(&Scope::whole(reply, &document), ping_id)
    }

    pub(super) fn answer(&self, scope: &Scope<'_>, ping_id: Option<&str>) -> PingAnswer {
        let decision = self.basics.rules.decide(scope);
        match decision.outcome().filter(|_| speaks(&decision, scope.reply.status)) {
            Some(Outcome::Success) => self.bid(scope, ping_id).unwrap_or_else(PingAnswer::NoBid),
            Some(Outcome::Failed) => PingAnswer::NoBid(NoBid::BuyerFailed),
            Some(_refused) => {
                PingAnswer::NoBid(NoBid::Declined(self.basics.refusal(&decision, scope)))
            }
            None => PingAnswer::NoBid(self.unrecognised(scope)),
        }
    }

    /// A refusal in the buyer's words, else the status, else what was looked for in vain.
    fn unrecognised(&self, scope: &Scope<'_>) -> NoBid {
        let status = scope.reply.status;
        let other = Rejection::new(RejectClass::Other, None);
        match self.basics.reason(scope) {
            Some(reason) => NoBid::Declined(reason),
            None if status == 204 => NoBid::Declined(other),
            None if !(200..300).contains(&status) => NoBid::HttpError(status),
            None if self.basics.rules.are_answered(scope) => NoBid::Declined(other),
            None => bad("rules"),
        }
    }

    fn bid(&self, scope: &Scope<'_>, ping_id: Option<&str>) -> Result<PingAnswer, NoBid> {
        if let (Some(at), Some(ours)) = (&self.ping_id, ping_id)
            && at.one_text(scope).as_deref() != Some(ours)
        {
            return Err(bad("ping_id"));
        }
        let brands = self.brands(scope)?;
        let token = self.token(scope, brands.clone().unwrap_or_default())?;
        match self.price(scope, brands.as_deref()) {
            Priced::Amount(price) => Ok(PingAnswer::Bid { price, token }),
            Priced::Contract => Ok(PingAnswer::Available { token }),
            Priced::Nothing => Err(NoBid::Declined(self.basics.refusal(&Decision::Unknown, scope))),
            Priced::WrongCurrency => Err(NoBid::WrongCurrency),
            Priced::Unreadable => Err(bad("price")),
        }
    }

    fn brands(&self, scope: &Scope<'_>) -> Result<Option<Vec<Brand>>, NoBid> {
        let Some(bids) = &self.bids else { return Ok(None) };
        bids.read(scope, self.basics.currency).map_err(|_too_many| bad("bids"))
    }

    /// Of the bids where the reply lists some, else of the whole reply.
    fn price(&self, scope: &Scope<'_>, brands: Option<&[Brand]>) -> Priced {
        let (Some(bids), Some(chosen)) = (&self.bids, brands) else {
            return self.basics.priced(scope);
        };
        if chosen.is_empty() {
            return Priced::Nothing;
        }
        match bids.price(chosen) {
            Some(_) if !self.basics.is_own_currency(scope) => Priced::WrongCurrency,
            Some(price) => Priced::Amount(price),
            None => self.basics.priced(scope),
        }
    }

    /// What goes back in the post; nothing when the buyer gave nothing.
    fn token(&self, scope: &Scope<'_>, brands: Vec<Brand>) -> Result<Option<BidToken>, NoBid> {
        let mut tokens = handles(&self.tokens, scope).map_err(|name| bad(&name))?;
        if let Some(at) = &self.token {
            let token = at.one_text(scope).and_then(super::text::token);
            let token = token.ok_or_else(|| bad("token"))?;
            tokens.0.insert(BidToken::TOKEN.to_owned(), token);
        }
        let lifetime = match &self.lifetime {
            None => None,
            Some(lifetime) => lifetime.read(scope).map_err(|_no_seconds| bad("lifetime"))?,
        };
        let token = BidToken { tokens, brands, lifetime };
        Ok(Some(token).filter(|token| *token != BidToken::default()))
    }
}
