//! The reply to a post, and to every later question about it.

use exchange_model::outcome::{Acceptance, Handles, PostAnswer};
use exchange_model::reason::{RejectClass, Rejection, Unknown};

use super::RawReply;
use super::basics::{Basics, Named, handles};
use super::bids::Legs;
use super::locator::{Locator, Scope};
use super::price::Counter;
use super::redirect::RedirectRule;
use super::rules::{Outcome, is_server_error, speaks};
use super::text;
use crate::callback::CallbackCall;

/// The name of the buyer's own id of a lead among the values of its reply.
pub(super) const REF: &str = "ref";

/// Whose word it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Speaker {
    /// The reply to the post itself.
    Post,
    /// The call after an accepted post, which adds to it.
    Confirm,
    /// The same, when it decides.
    DecidingConfirm,
    /// The answer to the question what became of a post.
    Status,
    /// The answer to the wish that a post be forgotten.
    Void,
    /// The buyer's own call.
    Callback,
}

/// How such a reply is read.
#[derive(Debug)]
pub(crate) struct PostReply {
    pub(super) speaker: Speaker,
    pub(super) basics: Basics,
    /// Whether the rules read a redirect.
    pub(super) reads_redirects: bool,
    pub(super) buyer_ref: Option<Locator>,
    pub(super) redirect: Option<RedirectRule>,
    pub(super) values: Named,
    pub(super) legs: Option<Legs>,
    pub(super) counter: Option<Counter>,
}

impl PostReply {
    /// The answer.
    pub(crate) fn read(&self, reply: &RawReply<'_>) -> PostAnswer {
        if let Some(redirected) = self.redirected(reply.status) {
            return redirected;
        }
        match self.basics.decoding.read(reply) {
            Ok(document) => self.answer(&Scope::whole(reply, &document)),
            Err(_too_long) => PostAnswer::Unknown(Unknown::Truncated),
        }
    }

    /// The answer in a buyer's own call: names are looked up in its query and in a form body.
    pub(crate) fn read_callback(&self, call: &CallbackCall<'_>) -> PostAnswer {
        let (body, query) = if call.body.is_empty() {
            (call.query.as_bytes(), "")
        } else {
            (call.body, call.query)
        };
        let reply = RawReply { status: 200, headers: call.headers, body };
        match self.basics.decoding.read(&reply) {
            Ok(document) => {
                let document = document.with_query(query);
                self.answer(&Scope::whole(&reply, &document))
            }
            Err(_too_long) => PostAnswer::Unknown(Unknown::Truncated),
        }
    }

    /// What an accepted post's reply adds, whatever its rules say.
    pub(crate) fn details(&self, reply: &RawReply<'_>) -> Acceptance {
        match self.basics.decoding.read(reply) {
            Ok(document) => self.acceptance(&Scope::whole(reply, &document)),
            Err(_too_long) => Acceptance::default(),
        }
    }

    /// Whether a redirect is read by the rules like any other reply.
    pub(crate) fn reads_redirects(&self) -> bool {
        self.reads_redirects
    }

    /// Whether a counter-offer is posted under the key of the refused post.
    pub(crate) fn counter_key_same(&self) -> bool {
        self.counter.as_ref().is_some_and(|counter| counter.same_key)
    }

    /// A redirect is never followed: it would carry the lead to a host nobody has named. A post
    /// that meets one is refused; a question that meets one is not answered.
    pub(super) fn redirected(&self, status: u16) -> Option<PostAnswer> {
        if self.reads_redirects || !(300..400).contains(&status) {
            return None;
        }
        Some(match self.speaker {
            Speaker::Post => {
                let text = Some("redirect".to_owned());
                PostAnswer::Rejected(Rejection::new(RejectClass::Other, text))
            }
            _ => PostAnswer::Unknown(Unknown::Unreadable),
        })
    }

    pub(super) fn answer(&self, scope: &Scope<'_>) -> PostAnswer {
        let decision = self.basics.rules.decide(scope);
        let known = decision.outcome().filter(|_| speaks(&decision, scope.reply.status));
        match known {
            Some(Outcome::Success) => PostAnswer::Accepted(self.acceptance(scope)),
            Some(Outcome::Refusal | Outcome::Error) => {
                let mut rejection = self.basics.refusal(&decision, scope);
                rejection.counter = self
                    .counter
                    .as_ref()
                    .and_then(|counter| counter.price.read(scope, self.basics.currency).amount());
                PostAnswer::Rejected(rejection)
            }
            Some(Outcome::Voided) => PostAnswer::Rejected(Rejection {
                class: RejectClass::Voided,
                ..self.basics.refusal(&decision, scope)
            }),
            Some(Outcome::Pending) => PostAnswer::Pending(self.handles(scope)),
            Some(Outcome::Failed) => PostAnswer::Unknown(Unknown::Http5xx),
            None if is_server_error(scope.reply.status) => PostAnswer::Unknown(Unknown::Http5xx),
            None => PostAnswer::Unknown(Unknown::Unreadable),
        }
    }

    /// A price that cannot be read does not undo the acceptance: the bid is what is booked.
    fn acceptance(&self, scope: &Scope<'_>) -> Acceptance {
        let named = self.basics.named_price(scope);
        let handles = self.handles(scope);
        let value = |name: &str| handles.get(name).map(str::to_owned);
        let redirect_url = self.redirect.as_ref().and_then(|rule| rule.read(scope, value));
        let legs = self.legs.as_ref();
        Acceptance {
            price: named.ok().flatten(),
            no_price: named.err(),
            buyer_ref: self.reference(scope).and_then(|text| text::cut(&text)),
            redirect_url,
            legs: legs.map(|legs| legs.read(scope, self.basics.currency)).unwrap_or_default(),
            handles,
        }
    }

    fn reference(&self, scope: &Scope<'_>) -> Option<String> {
        self.buyer_ref.as_ref().and_then(|at| at.one_text(scope))
    }

    /// The values for later calls, the buyer's id of the lead among them.
    fn handles(&self, scope: &Scope<'_>) -> Handles {
        let mut handles = handles(&self.values, scope).unwrap_or_default();
        if let Some(reference) = self.reference(scope).and_then(text::token) {
            handles.0.insert(REF.to_owned(), reference);
        }
        handles
    }
}
