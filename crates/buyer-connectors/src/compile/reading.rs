//! Filters of values that a reply holds.
//!
//! They are those of templates. No lead is at hand where a reply is read: their arguments are
//! texts, numbers and vars.

use exchange_model::{Findings, Place};

use super::shared::Shared;
use crate::call::Call;
use crate::template::{Argument, Filter, FilterCall, filter_calls};

/// What compiles the `filter` of a locator.
pub(super) fn filters(
    shared: &Shared<'_>,
) -> impl Fn(&str, &Place, &mut Findings) -> Option<Vec<Filter>> {
    move |text, place, findings| {
        let calls = match filter_calls(text) {
            Ok(calls) => calls,
            Err(why) => {
                let help = "write `filter = \"div(100) | round(2)\"`".to_owned();
                findings.error("bad_template", place.clone(), why.to_owned(), help);
                return None;
            }
        };
        compiled(shared, &calls, place, findings)
    }
}

/// Compiles filters whose arguments are fixed.
pub(super) fn compiled(
    shared: &Shared<'_>,
    calls: &[FilterCall<'_>],
    place: &Place,
    findings: &mut Findings,
) -> Option<Vec<Filter>> {
    let scope = shared.scope(Call::Token);
    let read: Vec<Option<Filter>> = calls
        .iter()
        .map(|call| {
            all_fixed(call, place, findings)?;
            scope.filter(call, place, findings)
        })
        .collect();
    read.into_iter().collect()
}

fn all_fixed(call: &FilterCall<'_>, place: &Place, findings: &mut Findings) -> Option<()> {
    let other = call.arguments.iter().find_map(|argument| match argument {
        Argument::Name(name) if !name.starts_with("var.") => Some(*name),
        Argument::Name(_) | Argument::Text(_) | Argument::Number(_) => None,
    });
    let Some(name) = other else { return Some(()) };
    let message = format!("`{name}` is not known here");
    let help = "take a text, a number or `var.name`".to_owned();
    findings.error("not_known_here", place.clone(), message, help);
    None
}
