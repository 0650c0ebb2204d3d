//! What a restart makes of a lead whose auction did not end: pure decisions.
//!
//! | on disk | means |
//! |---|---|
//! | intake only | nothing left the house: abandoned, a retry runs fresh |
//! | an attempt without outcome | the buyer may have the lead: unknown, the lead is pending |
//! | a sale without an answer | sold; the answer is made from the record |
//! | refusals only | nobody has bought it: unsold, with the reason `crash` |

/// The state of a stored attempt.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AttemptState {
    /// Commit A is durable, no outcome is.
    Prepared,
    /// The buyer provably does not have the lead.
    NotSent,
    /// The buyer refused.
    Rejected,
    /// The buyer bought.
    Accepted,
    /// The buyer may have the lead.
    Unknown,
    /// The buyer accepted a lead that another one had bought meanwhile: not charged.
    LateAcceptConflict,
}

impl AttemptState {
    const ALL: [Self; 6] = [
        Self::Prepared,
        Self::NotSent,
        Self::Rejected,
        Self::Accepted,
        Self::Unknown,
        Self::LateAcceptConflict,
    ];

    /// The name that stores use; it never changes.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Prepared => "prepared",
            Self::NotSent => "not_sent",
            Self::Rejected => "rejected",
            Self::Accepted => "accepted",
            Self::Unknown => "unknown",
            Self::LateAcceptConflict => "late_accept_conflict",
        }
    }

    /// The state of this code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// Whether its outcome is still to come: money is held, caps are reserved.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Prepared | Self::Unknown)
    }
}

/// What becomes of a lead whose auction a crash cut off.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fate {
    /// Nothing left the house.
    Abandoned,
    /// A buyer may have it.
    Pending,
    /// A buyer has bought it.
    Sold,
    /// Every buyer that was posted to refused it.
    Unsold,
}

/// Decides from all attempts of the lead.
#[must_use]
pub fn fate(attempts: &[AttemptState]) -> Fate {
    if attempts.contains(&AttemptState::Accepted) {
        Fate::Sold
    } else if attempts.iter().any(|state| state.is_open()) {
        Fate::Pending
    } else if attempts.is_empty() {
        Fate::Abandoned
    } else {
        Fate::Unsold
    }
}

/// What opening the store found and settled.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Recovered {
    /// Requests of which nothing had left the house.
    pub abandoned: u64,
    /// Attempts that were out when the exchange stopped and are unknown now.
    pub unknown: u64,
    /// Leads whose outcome was durable but not yet their answer.
    pub answered: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lead_that_left_the_house_is_never_abandoned() {
        use AttemptState::{Accepted, LateAcceptConflict, NotSent, Prepared, Rejected, Unknown};
        let cases: [(&[AttemptState], Fate); 7] = [
            (&[], Fate::Abandoned),
            (&[Prepared], Fate::Pending),
            (&[Rejected, Unknown], Fate::Pending),
            (&[Rejected, NotSent], Fate::Unsold),
            (&[Unknown, Accepted], Fate::Sold),
            (&[Accepted, LateAcceptConflict], Fate::Sold),
            (&[Rejected, Prepared], Fate::Pending),
        ];
        for (attempts, expected) in cases {
            assert_eq!(fate(attempts), expected, "{attempts:?}");
        }
    }

    #[test]
    fn states_read_back() {
        for state in AttemptState::ALL {
            assert_eq!(AttemptState::from_code(state.code()), Some(state));
        }
    }
}
