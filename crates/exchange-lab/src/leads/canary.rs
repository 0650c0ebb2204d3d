//! Values that occur nowhere else, to be searched for where they must not be.

use super::Lead;
use crate::random::{Random, hash};

/// The contact fields that carry a unique value. A birth date cannot be unique: there are more
/// people than days.
const FIELDS: [&str; 5] = ["first_name", "last_name", "phone", "email", "trustedform_url"];

/// One contact value of one lead.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Canary {
    /// The field it is in.
    pub field: &'static str,
    /// The value as the seller sends it.
    pub value: String,
}

pub(crate) fn of(lead: &Lead) -> Vec<Canary> {
    let present = FIELDS.iter().map(|field| Canary { field, value: lead.field(field) });
    present.filter(|canary| !canary.value.is_empty()).collect()
}

/// Twelve letters that look like a name and are drawn from 10^13 of their kind.
pub(crate) fn name(seed: u64, index: u64, which: &str) -> String {
    const CONSONANTS: &[char] =
        &['b', 'd', 'f', 'g', 'k', 'l', 'm', 'n', 'p', 'r', 's', 't', 'v', 'z'];
    const VOWELS: &[char] = &['a', 'e', 'i', 'o', 'u'];
    let mut random = Random::new(hash(seed ^ hash(0, which.as_bytes()), &index.to_le_bytes()));
    let mut name = String::from("Q");
    for _ in 0..6 {
        name.push(*random.pick(VOWELS));
        name.push(*random.pick(CONSONANTS));
    }
    name
}
