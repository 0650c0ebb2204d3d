//! Why a buyer refuses: its own words, and what they mean.

use exchange_model::reason::{RejectClass, Rejection};

use super::locator::{Locator, Scope, Take};
use super::text;

/// Between the reasons of one reply.
const JOINT: &str = "; ";
/// Most reasons of one reply that are kept.
const REASONS_MAX: usize = 64;

/// Where the buyer's reasons stand, and what its words mean.
#[derive(Debug)]
pub(crate) struct ReasonRule {
    pub(super) at: Locator,
    /// Whole texts.
    pub(super) words: Vec<(String, RejectClass)>,
    /// Keywords, in lower case.
    pub(super) keywords: Vec<(String, RejectClass)>,
}

impl ReasonRule {
    /// The refusal; nothing when the reply gives no reason.
    pub(super) fn read(&self, scope: &Scope<'_>) -> Option<Rejection> {
        let texts = self.texts(scope);
        if texts.is_empty() {
            return None;
        }
        let class = self.class(&texts).unwrap_or(RejectClass::Other);
        Some(Rejection::new(class, text::words(&texts.join(JOINT))))
    }

    fn texts(&self, scope: &Scope<'_>) -> Vec<String> {
        let found = match self.at.pick {
            None => self.at.all(scope),
            Some(_) => self.at.one(scope).into_iter().collect(),
        };
        let flat = found.into_iter().flat_map(|found| match self.at.take {
            Take::Values => found.flattened(),
            Take::Keys | Take::Pairs => vec![found],
        });
        flat.filter_map(|found| found.text()).take(REASONS_MAX).collect()
    }

    fn class(&self, texts: &[String]) -> Option<RejectClass> {
        let whole = texts.iter().find_map(|said| {
            self.words.iter().find(|(word, _)| word == said).map(|(_, class)| *class)
        });
        let by_keyword = || {
            let lower = texts.join(JOINT).to_lowercase();
            self.keywords.iter().find(|(word, _)| lower.contains(word)).map(|(_, class)| *class)
        };
        whole.or_else(by_keyword)
    }
}
