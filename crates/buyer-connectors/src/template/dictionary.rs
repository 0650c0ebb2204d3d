//! The operator's words for a buyer's codes.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

/// `[map.<name>]`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Words {
    pub(crate) known: BTreeMap<Box<str>, Box<str>>,
    /// What stands for all others.
    pub(crate) others: Option<Box<str>>,
}

impl Words {
    /// The buyer's word for ours.
    pub(crate) fn word(&self, ours: &str) -> Option<&str> {
        self.known.get(ours).or(self.others.as_ref()).map(|word| &**word)
    }
}

/// `[range.<name>]`: bounds and the text of each, lowest first.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Ranges {
    pub(crate) bounds: Vec<(Decimal, Box<str>)>,
    /// What stands for all above.
    pub(crate) others: Option<Box<str>>,
}

impl Ranges {
    /// The text of the first bound that is not below the number.
    pub(crate) fn text(&self, number: Decimal) -> Option<&str> {
        let within = self.bounds.iter().find(|(bound, _)| number <= *bound);
        within.map(|(_, text)| text).or(self.others.as_ref()).map(|text| &**text)
    }
}
