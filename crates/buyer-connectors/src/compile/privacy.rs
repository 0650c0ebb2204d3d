//! How a finding about contact data looks, and what a stage carries.

use std::collections::BTreeSet;
use std::fmt;

use exchange_model::finding::{Finding, Severity};
use exchange_model::{Anonymiser, Field, Findings, Place, Vertical};

use crate::call::Call;
use crate::plan::Plan;
use crate::template::{Seen, Source};

/// A field that a request carries, and in which form: what a privacy check of a ping shows.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Carried {
    /// The field's name.
    pub field: String,
    /// The one-way step it goes through; nothing when it goes as it is.
    pub how: Option<Anonymiser>,
}

/// `zip`, or `birth_date (year)`.
impl fmt::Display for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.how {
            None => f.write_str(&self.field),
            Some(how) => write!(f, "{} ({})", self.field, how.filter()),
        }
    }
}

/// What a request carries of the lead, in the order of the vertical. Fields that only decide
/// whether a part is written count as carried: their answer leaves.
pub(crate) fn carried(plan: &Plan, vertical: &Vertical) -> Vec<Carried> {
    let mut found = BTreeSet::new();
    plan.visit(&mut |seen| {
        found.extend(match seen {
            Seen::Source(Source::Field(at)) => {
                Some((at.as_usize(), None, vertical.field(*at).name.clone()))
            }
            Seen::Source(Source::Anonymised(at, how)) => {
                Some((at.as_usize(), Some(*how), vertical.field(*at).name.clone()))
            }
            _ => None,
        });
    });
    found.into_iter().map(|(_, how, field)| Carried { field, how }).collect()
}

pub(super) fn anonymise_help(field: &Field, call: Call) -> String {
    match Anonymiser::suggestions(&field.kind).next().filter(|_| call.has_lead()) {
        Some(how) => format!(
            "send an anonymised form, for example \"{{{{ {} | {} }}}}\", or move it to the post body",
            field.name,
            how.filter()
        ),
        None => "leave it out, or move it to the post body".to_owned(),
    }
}

pub(super) fn contact_in_ping(
    message: String,
    help: String,
    place: &Place,
    findings: &mut Findings,
) {
    findings.push(Finding {
        severity: Severity::Error,
        code: "contact_in_ping",
        message,
        place: Some(place.clone()),
        label: "sent to a buyer that has not bought the lead".to_owned(),
        help,
    });
}
