//! What is asked about the person behind a lead: seen before, suppressed, agreed to hear from us.
//!
//! These are rules only. Who a person is stays sealed: keyed hashes are compared where contact data
//! is kept, and consent is a list of names of buyers that the seller sends.

use std::time::Duration;

use exchange_model::{Brand, Lead, Place};

/// Most suppression lists of one campaign.
pub const LISTS_MAX: usize = 20;
/// Longest name of a suppression list, in bytes.
pub const LIST_NAME_MAX: usize = 64;
/// Most names that stand for one campaign in a list of consent.
pub const CONSENT_NAMES_MAX: usize = 100;

/// Whose earlier dealings with a person count.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DuplicateScope {
    /// Leads of the same source.
    Source,
    /// Leads of the same seller.
    Seller,
    /// Leads of the same vertical, whosever they were.
    Vertical,
    /// What this campaign bought.
    Campaign,
    /// What any campaign of the buyer bought.
    Buyer,
}

/// When a person counts as seen before.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DuplicateRule {
    /// How far back it looks.
    pub window: Duration,
    /// Contact fields; one equal value is enough.
    pub on: Vec<String>,
    /// Whose dealings count.
    pub scope: DuplicateScope,
}

/// Whether consent must name the buyer.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Consent {
    /// It is not asked for.
    #[default]
    Any,
    /// The seller's list must hold one of these names.
    Named(Vec<Brand>),
}

/// What a campaign asks about the person behind a lead.
#[derive(Clone, Debug, Default)]
pub struct PersonRules {
    /// When the campaign, or its buyer, has bought the person before.
    pub duplicates: Option<DuplicateRule>,
    /// Where that is written.
    pub duplicates_place: Option<Place>,
    /// Lists of the buyer; nobody on one of them is offered.
    pub suppress: Vec<String>,
    /// Where they are written.
    pub suppress_place: Option<Place>,
    /// Whether consent must name the buyer.
    pub consent: Consent,
    /// Where that is written.
    pub consent_place: Option<Place>,
}

impl PersonRules {
    /// Whether the consumer has agreed to hear from this buyer, as far as the campaign asks. A lead
    /// without a list has named nobody.
    #[must_use]
    pub fn has_consent(&self, lead: &Lead) -> bool {
        match (&self.consent, lead.consented_to()) {
            (Consent::Any, _) => true,
            (Consent::Named(_), None) => false,
            (Consent::Named(names), Some(list)) => names.iter().any(|name| list.names(name)),
        }
    }
}

/// Whether this may name a suppression list: a-z, 0-9, `_` and `-`.
#[must_use]
pub fn is_list_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
    (1..=LIST_NAME_MAX).contains(&name.len()) && name.bytes().all(plain)
}
