//! How a reply was read: for people who write connectors.
//!
//! Texts of buyers are masked here like reasons are, because a reply may repeat the lead.

use exchange_model::outcome::{Acceptance, BidToken, Handles, PingAnswer, PostAnswer};
use exchange_model::reason::Rejection;

use super::RawReply;
use super::found::Found;
use super::locator::{Locator, Scope};
use super::ping::PingReply;
use super::post::PostReply;
use super::rules::{Rule, Rules};
use super::text;

/// Most values shown of one place.
const SHOWN_MAX: usize = 5;

/// How one reply was read.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Explained {
    /// `json`, `xml`, `html`, `form`, `delimited`, `text`, or `nothing` when no rule read it.
    pub read_as: String,
    /// The rules in order, each as if it had been asked.
    pub rules: Vec<ExplainedRule>,
    /// Which of them decided; nothing when none holds.
    pub decided_by: Option<usize>,
    /// What was read beside the outcome: name and value.
    pub values: Vec<ExplainedValue>,
    /// The answer, like `bid 18.50 USD` or `rejected(duplicate)`.
    pub answer: String,
}

/// One rule.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ExplainedRule {
    /// Where it stands, like `buyers/acme.toml:52`.
    pub place: String,
    /// Its line.
    pub line: usize,
    /// Its condition in words.
    pub when: String,
    /// Its outcome, in the config's word.
    pub then: String,
    /// Whether the condition is true.
    pub held: bool,
    /// What each place that it looks at holds.
    pub found: Vec<ExplainedPlace>,
}

/// One place.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ExplainedPlace {
    /// As the config names it.
    pub at: String,
    /// The values, masked; empty when nothing stands there.
    pub values: Vec<String>,
}

/// One value of the answer.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ExplainedValue {
    /// Its name in the config, like `price` or `tokens.bid_id`.
    pub name: String,
    /// The value, masked.
    pub value: String,
}

impl PingReply {
    /// How a reply to this ping is read.
    pub(crate) fn explain(&self, reply: &RawReply<'_>, ping_id: Option<&str>) -> Explained {
        let Ok(document) = self.basics.decoding.read(reply) else {
            return unread(said_ping(&self.read(reply, ping_id)));
        };
        let scope = Scope::whole(reply, &document);
        let answer = self.answer(&scope, ping_id);
        Explained {
            read_as: document.kind().to_owned(),
            values: ping_values(&answer),
            answer: said_ping(&answer),
            ..rules(&self.basics.rules, &scope, ["bid", "no_bid"])
        }
    }
}

impl PostReply {
    /// How a reply to this post is read.
    pub(crate) fn explain(&self, reply: &RawReply<'_>) -> Explained {
        let read = self.basics.decoding.read(reply);
        let (None, Ok(document)) = (self.redirected(reply.status), read) else {
            return unread(said_post(&self.read(reply)));
        };
        let scope = Scope::whole(reply, &document);
        let answer = self.answer(&scope);
        Explained {
            read_as: document.kind().to_owned(),
            values: post_values(&answer),
            answer: said_post(&answer),
            ..rules(&self.basics.rules, &scope, ["accepted", "rejected"])
        }
    }
}

fn unread(answer: String) -> Explained {
    Explained { read_as: "nothing".to_owned(), answer, ..Explained::default() }
}

fn rules(rules: &Rules, scope: &Scope<'_>, words: [&str; 2]) -> Explained {
    let explained: Vec<_> =
        rules.rules.iter().map(|rule| explained_rule(rule, scope, words)).collect();
    let decided_by = explained.iter().position(|rule| rule.held);
    Explained { rules: explained, decided_by, ..Explained::default() }
}

fn explained_rule(rule: &Rule, scope: &Scope<'_>, words: [&str; 2]) -> ExplainedRule {
    let places = rule.when.places();
    ExplainedRule {
        place: rule.place.file_line(),
        line: rule.place.line_column().0,
        when: rule.when.said(),
        then: rule.then.word(words).to_owned(),
        held: rule.when.holds(scope),
        found: places.into_iter().map(|at| explained_place(at, scope)).collect(),
    }
}

fn explained_place(at: &Locator, scope: &Scope<'_>) -> ExplainedPlace {
    let found = at.looked_at(scope);
    let values = found.iter().take(SHOWN_MAX).map(shown).collect();
    ExplainedPlace { at: at.said.clone(), values }
}

fn shown(found: &Found<'_>) -> String {
    match found.text() {
        Some(said) => masked(&said),
        None if found.exists() => "(an object or a list)".to_owned(),
        None => "(empty)".to_owned(),
    }
}

fn masked(said: &str) -> String {
    text::words(said).unwrap_or_default()
}

/// Values in the order in which they are shown.
#[derive(Default)]
struct Values(Vec<ExplainedValue>);

impl Values {
    fn add(&mut self, name: impl Into<String>, value: Option<String>) {
        if let Some(value) = value {
            self.0.push(ExplainedValue { name: name.into(), value });
        }
    }

    fn add_handles(&mut self, under: &str, handles: &Handles) {
        for (name, value) in &handles.0 {
            self.add(format!("{under}.{name}"), Some(masked(value)));
        }
    }

    fn add_token(&mut self, token: &BidToken) {
        self.add_handles("tokens", &token.tokens);
        for brand in &token.brands {
            let parts = [brand.id.as_deref(), brand.name.as_deref()];
            let said: Vec<String> = parts.into_iter().flatten().map(masked).collect();
            let price = brand.price.map(|price| price.to_string());
            let said = said.into_iter().chain(price).collect::<Vec<_>>().join(", ");
            self.add("bids", Some(said));
        }
        self.add("lifetime", token.lifetime.map(|life| format!("{} s", life.as_secs())));
    }

    fn add_rejection(&mut self, rejection: &Rejection) {
        self.add("reason", rejection.text.clone());
        self.add("counter", rejection.counter.map(|price| price.to_string()));
    }

    fn add_acceptance(&mut self, acceptance: &Acceptance) {
        self.add("price", acceptance.price.map(|price| price.to_string()));
        self.add("ref", acceptance.buyer_ref.as_deref().map(masked));
        self.add("redirect", acceptance.redirect_url.as_deref().map(masked));
        self.add_handles("values", &acceptance.handles);
        for leg in &acceptance.legs {
            let said = if leg.accepted { "accepted" } else { "not accepted" };
            let id = leg.brand.id.as_deref().map(masked).unwrap_or_default();
            self.add("legs", Some(format!("{id} {said}").trim().to_owned()));
        }
    }
}

fn ping_values(answer: &PingAnswer) -> Vec<ExplainedValue> {
    let mut values = Values::default();
    match answer {
        PingAnswer::Bid { price, token } => {
            values.add("price", Some(price.to_string()));
            token.iter().for_each(|token| values.add_token(token));
        }
        PingAnswer::Available { token } => {
            token.iter().for_each(|token| values.add_token(token));
        }
        PingAnswer::NoBid(exchange_model::reason::NoBid::Declined(rejection)) => {
            values.add_rejection(rejection);
        }
        PingAnswer::NoBid(_) => {}
    }
    values.0
}

fn post_values(answer: &PostAnswer) -> Vec<ExplainedValue> {
    let mut values = Values::default();
    match answer {
        PostAnswer::Accepted(acceptance) => values.add_acceptance(acceptance),
        PostAnswer::Rejected(rejection) => values.add_rejection(rejection),
        PostAnswer::Pending(handles) => values.add_handles("values", handles),
        PostAnswer::NotSent(_) | PostAnswer::Unknown(_) => {}
    }
    values.0
}

fn said_ping(answer: &PingAnswer) -> String {
    match answer {
        PingAnswer::Bid { price, .. } => format!("bid {price}"),
        PingAnswer::Available { .. } => "bid at the campaign's own price".to_owned(),
        PingAnswer::NoBid(why) => format!("no bid: {why}"),
    }
}

fn said_post(answer: &PostAnswer) -> String {
    match answer {
        PostAnswer::Accepted(_) => "accepted".to_owned(),
        PostAnswer::Rejected(rejection) => format!("rejected({})", rejection.class),
        PostAnswer::Pending(_) => "unknown(pending)".to_owned(),
        PostAnswer::Unknown(why) => format!("unknown({why})"),
        PostAnswer::NotSent(why) => format!("not sent({why})"),
    }
}
