//! Ordered rules: the first that holds says what a reply means.

use exchange_model::Place;
use exchange_model::reason::RejectClass;

use super::condition::Condition;
use super::locator::Scope;

/// What a reply means.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Outcome {
    /// `bid`, `accepted`.
    Success,
    /// `no_bid`, `rejected`.
    Refusal,
    /// The buyer finds fault with our request.
    Error,
    /// The buyer failed itself.
    Failed,
    /// The buyer will decide later.
    Pending,
    /// The buyer has forgotten the post.
    Voided,
}

/// One rule.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(super) when: Condition,
    pub(super) then: Outcome,
    pub(super) class: Option<RejectClass>,
    pub(super) place: Place,
}

/// The rules of one reply.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(super) rules: Vec<Rule>,
    /// As declared.
    pub(super) otherwise: Option<Outcome>,
}

/// What the rules say.
#[derive(Clone, Copy, Debug)]
pub(super) enum Decision<'r> {
    /// This rule holds.
    Rule(&'r Rule),
    /// None does, and this is declared for it.
    Otherwise(Outcome),
    /// None does.
    Unknown,
}

impl Decision<'_> {
    /// The outcome, if one is known.
    pub(super) fn outcome(&self) -> Option<Outcome> {
        match self {
            Self::Rule(rule) => Some(rule.then),
            Self::Otherwise(outcome) => Some(*outcome),
            Self::Unknown => None,
        }
    }

    /// The class that the rule names.
    pub(super) fn class(&self) -> Option<RejectClass> {
        match self {
            Self::Rule(rule) if rule.then == Outcome::Error => Some(RejectClass::Invalid),
            Self::Rule(rule) => rule.class,
            Self::Otherwise(Outcome::Error) => Some(RejectClass::Invalid),
            Self::Otherwise(_) | Self::Unknown => None,
        }
    }
}

/// Whether a status says that the buyer failed.
pub(super) fn is_server_error(status: u16) -> bool {
    (500..600).contains(&status)
}

/// What is declared for all the rest never speaks for a buyer that failed; a rule does.
pub(super) fn speaks(decision: &Decision<'_>, status: u16) -> bool {
    !is_server_error(status) || matches!(decision, Decision::Rule(_))
}

impl Rules {
    pub(super) fn decide(&self, scope: &Scope<'_>) -> Decision<'_> {
        match self.rules.iter().find(|rule| rule.when.holds(scope)) {
            Some(rule) => Decision::Rule(rule),
            None => self.otherwise.map_or(Decision::Unknown, Decision::Otherwise),
        }
    }

    /// Whether the reply says something, whatever it is, where a rule looks.
    pub(super) fn are_answered(&self, scope: &Scope<'_>) -> bool {
        let places = self.rules.iter().flat_map(|rule| rule.when.places());
        places.filter(|at| at.is_place()).any(|at| !at.present(scope).is_empty())
    }
}

impl Outcome {
    /// Its word in the config, where `words` are those for success and refusal.
    pub(super) fn word(self, words: [&str; 2]) -> &str {
        match self {
            Self::Success => words[0],
            Self::Refusal => words[1],
            Self::Error => "error",
            Self::Failed => "failed",
            Self::Pending => "pending",
            Self::Voided => "voided",
        }
    }
}
