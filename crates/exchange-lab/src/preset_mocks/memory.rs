//! What a mock remembers: its bids by their handles, its purchases by person, and by key.
//!
//! It is bounded: when a million things are remembered, all is forgotten, as at a restart.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use rust_decimal::Decimal;

use buyer_connectors::Example;

/// Most bids, people or answers kept.
const KEPT_MAX: usize = 1_000_000;

/// What became of one bid or one direct post.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Deal {
    /// What it costs, the counter-offer once one was made.
    pub(crate) price: Decimal,
    pub(crate) state: State,
    /// The other handle of this deal, as the mock said it.
    pub(crate) reference: Option<String>,
}

/// How far a deal is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum State {
    /// A bid that nobody has posted on.
    Bid,
    /// A lower price was offered; the next post is accepted.
    Countered,
    /// To be asked for so many more times.
    Pending(u32),
    /// Bought.
    Accepted,
    /// Not bought.
    Rejected,
    /// Bought, and cancelled.
    Voided,
}

/// Everything a mock remembers.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    deals: HashMap<String, Deal>,
    /// Handles that stand for the deal of another: the buyer's id of a lead.
    other_names: HashMap<String, String>,
    people: HashSet<u64>,
    answers: HashMap<u64, Arc<Answered>>,
    /// The deal made last: what an unnamed post is about.
    last: Option<String>,
}

/// An answer that may be given again.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) example: Example,
    pub(crate) price: Option<String>,
}

impl Memory {
    /// Remembers a deal under its handle.
    pub(crate) fn open(&mut self, handle: &str, deal: Deal) {
        if self.deals.len() >= KEPT_MAX {
            *self = Self::default();
        }
        if let Some(reference) = &deal.reference {
            self.other_names.insert(reference.clone(), handle.to_owned());
        }
        self.last = Some(handle.to_owned());
        self.deals.insert(handle.to_owned(), deal);
    }

    /// The deal that one of these handles names: the first that is known.
    pub(crate) fn find<'a>(
        &self,
        handles: impl Iterator<Item = &'a str>,
    ) -> Option<(String, Deal)> {
        let named = |handle: &str| {
            let name = self.other_names.get(handle).map_or(handle, String::as_str);
            self.deals.get(name).map(|deal| (name.to_owned(), deal.clone()))
        };
        handles.filter_map(named).next()
    }

    /// Lets another word stand for a deal: the key of its post.
    pub(crate) fn name(&mut self, word: String, handle: &str) {
        if self.other_names.len() < KEPT_MAX {
            self.other_names.insert(word, handle.to_owned());
        }
    }

    /// The deal made last.
    pub(crate) fn last(&self) -> Option<(String, Deal)> {
        let name = self.last.as_ref()?;
        self.deals.get(name).map(|deal| (name.clone(), deal.clone()))
    }

    /// Notes how far a deal is.
    pub(crate) fn set(&mut self, handle: &str, state: State) {
        if let Some(deal) = self.deals.get_mut(handle) {
            deal.state = state;
        }
    }

    /// Whether a lead of this person was bought before.
    pub(crate) fn knows(&self, person: u64) -> bool {
        self.people.contains(&person)
    }

    /// Remembers whose lead was bought.
    pub(crate) fn meet(&mut self, person: u64) {
        if self.people.len() < KEPT_MAX {
            self.people.insert(person);
        }
    }

    /// What was answered to the post with this key.
    pub(crate) fn answered(&self, key: u64) -> Option<Arc<Answered>> {
        self.answers.get(&key).map(Arc::clone)
    }

    /// Remembers what was answered.
    pub(crate) fn keep(&mut self, key: u64, answered: Answered) {
        if self.answers.len() < KEPT_MAX {
            self.answers.insert(key, Arc::new(answered));
        }
    }
}
