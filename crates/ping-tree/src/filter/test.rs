//! What one value must be.

use std::sync::Arc;

use exchange_model::Value;

use crate::filter::{Range, Set};

/// What a value must be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Test {
    /// One of these.
    In(Arc<Set>),
    /// None of these. An absent value is not accepted either.
    NotIn(Arc<Set>),
    /// Within these bounds.
    Within(Range),
    /// There at all, or (`false`) absent.
    Present(bool),
}

impl Test {
    /// Whether a value, or its absence, passes.
    #[must_use]
    pub fn accepts(&self, value: Option<&Value>) -> bool {
        match self {
            Self::In(set) => value.is_some_and(|value| set.contains(value)),
            Self::NotIn(set) => value.is_some_and(|value| !set.contains(value)),
            Self::Within(range) => value.is_some_and(|value| range.contains(value)),
            Self::Present(wanted) => value.is_some() == *wanted,
        }
    }
}
