//! The lead score: a base and rules, a whole number from 1 to 10.
//!
//! The rules are written in the language of filters, which is not known here: whoever compiles
//! filters hands them over as a [`Scoring`]. Until then a vertical scores by its base alone.

use std::fmt::Debug;
use std::ops::RangeInclusive;

use crate::document::TableReader;
use crate::finding::{Findings, Place};
use crate::lead::Attributes;
use crate::vertical::{Derivation, Field, FieldClass, FieldType, Need};

/// What a score may be.
pub const SCORE: RangeInclusive<i64> = 1..=10;
/// The name of the derived field.
pub const SCORE_FIELD: &str = "score";
/// The base where nothing is written.
const BASE: i64 = 5;

/// One rule that holds.
#[derive(Clone, Debug)]
pub struct ScorePart {
    /// What it adds; may be less than nothing.
    pub add: i64,
    /// Where it is written.
    pub place: Place,
}

/// The rules of a score, compiled.
pub trait Scoring: Debug + Send + Sync {
    /// Every rule that holds for these attributes, in the order written.
    fn parts(&self, open: &Attributes) -> Vec<ScorePart>;
}

/// Reads `[score]`, all but its rules, and adds the derived field.
pub(super) fn read(
    reader: &mut TableReader<'_>,
    fields: &mut Vec<Field>,
    findings: &mut Findings,
) -> Option<i64> {
    reader.node("score")?;
    let mut table = reader.table("score", findings)?;
    let base = table.integer("base", SCORE, findings).map_or(BASE, |base| base.value);
    let _read_by_who_compiles_filters = table.node("rule");
    let place = table.own_place();
    table.finish(findings);
    if fields.iter().any(|field| field.name == SCORE_FIELD) {
        let message = format!("the vertical has a field called `{SCORE_FIELD}` and a [score]");
        findings.error("duplicate_name", place, message, "rename the field".to_owned());
        return None;
    }
    fields.push(Field {
        name: SCORE_FIELD.to_owned(),
        kind: FieldType::Integer { min: *SCORE.start(), max: *SCORE.end() },
        class: FieldClass::Open,
        ping: Need::No,
        post: Need::No,
        example: None,
        derived: Some(Derivation::Score),
    });
    Some(base)
}
