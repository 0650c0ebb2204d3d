//! Pings whose parts together say who somebody is.
//!
//! Each is open by itself; a zip, an exact age, a gender and an exact income together leave few
//! people, often one. What counts is what the ping carries, in whatever part of it.

use std::collections::BTreeSet;

use exchange_model::vertical::Derivation;
use exchange_model::{Anonymiser, Field, FieldType, Findings, TableReader, Vertical};

use super::privacy::{Carried, carried};
use crate::plan::Plan;

/// So many of them together single a person out.
const TOGETHER: usize = 3;

/// What narrows down who somebody is, in the order in which it is told.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Trait {
    Zip,
    Age,
    Gender,
    Income,
}

impl Trait {
    fn of(carried: &Carried, vertical: &Vertical) -> Option<Self> {
        let field = vertical.field(vertical.index(&carried.field)?);
        let named = |words: &[&str]| words.iter().any(|word| field.name.contains(word));
        match carried.how {
            Some(Anonymiser::Age) => Some(Self::Age),
            Some(_) => None,
            None if field.kind == FieldType::UsZip => Some(Self::Zip),
            None if is_age(field) || field.kind == FieldType::Date && named(&["birth", "dob"]) => {
                Some(Self::Age)
            }
            None if named(&["gender"]) || field.name == "sex" => Some(Self::Gender),
            None if is_number(field) && named(&["income", "salary"]) => Some(Self::Income),
            None => None,
        }
    }
}

fn is_age(field: &Field) -> bool {
    matches!(field.derived, Some(Derivation::YearsSince(_)))
        || field.name == "age" && is_number(field)
}

fn is_number(field: &Field) -> bool {
    matches!(field.kind, FieldType::Integer { .. } | FieldType::Decimal)
}

/// Warns when a ping carries too many of them, unless `allow_combined` says why it may.
pub(super) fn check(
    table: &mut TableReader<'_>,
    plan: Option<&Plan>,
    vertical: &Vertical,
    findings: &mut Findings,
) {
    let why = table.string("allow_combined", "\"why, and who agreed\"", findings);
    if let Some(why) = &why
        && why.value.trim().is_empty()
    {
        let message = "`allow_combined` needs a written reason".to_owned();
        let help = "write `allow_combined = \"why, and who agreed\"`".to_owned();
        findings.error("no_reason", why.place.clone(), message, help);
    }
    let carried = plan.map(|plan| carried(plan, vertical)).unwrap_or_default();
    let telling =
        carried.iter().filter_map(|carried| Some((Trait::of(carried, vertical)?, carried)));
    let traits: BTreeSet<Trait> = telling.clone().map(|(kind, _)| kind).collect();
    if traits.len() >= TOGETHER && why.is_none() {
        let names: Vec<String> = telling.map(|(_, carried)| format!("`{carried}`")).collect();
        let message = format!("{} together single a person out", names.join(", "));
        let help = "send bands instead, like zip3 or a range of incomes, or say \
                    `allow_combined = \"why, and who agreed\"` in the ping"
            .to_owned();
        findings.warning("singles_out", table.own_place(), message, help);
    }
}
