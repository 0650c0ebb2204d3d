//! Checks beyond the form of a value: whether what a lead says can be true together.
//!
//! A check that fails refuses the lead or only marks it, as the vertical says. A check whose fields
//! are absent says nothing. Each marking check is a derived open field, `quality_` and its name:
//! true, false, or absent.

use crate::document::{NodeKind, Spanned, TableReader};
use crate::finding::{Findings, nearest};
use crate::timestamp::Date;
use crate::value::Value;
use crate::vertical::{
    AreaCode, Derivation, Field, FieldClass, FieldIdx, FieldType, Need, Vertical, area_code, us,
};

/// Oldest that anybody is by the calendar.
const AGE_MAX: i64 = 150;

/// What becomes of a lead for which a check does not hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Failed {
    /// The request is refused: `bad_value`.
    Refuse,
    /// A derived field says so.
    Mark,
}

/// What is looked at.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum CheckKind {
    /// The zip lies in the state, by its first three digits.
    StateMatchesZip {
        /// The state.
        state: FieldIdx,
        /// The zip.
        zip: FieldIdx,
    },
    /// The area code of the phone is in use for people.
    AreaCodeAssigned {
        /// The phone.
        phone: FieldIdx,
    },
    /// The area code of the phone belongs to the state. People keep their number when they move.
    AreaCodeMatchesState {
        /// The phone.
        phone: FieldIdx,
        /// The state.
        state: FieldIdx,
    },
    /// Whole years from a date to the day of intake lie within bounds.
    Age {
        /// The date.
        of: FieldIdx,
        /// The least.
        min: i64,
        /// The most.
        max: i64,
    },
}

/// One check.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Check {
    /// What is looked at.
    pub kind: CheckKind,
    /// What a failure means.
    pub failed: Failed,
}

impl Check {
    /// Its key in the vertical.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self.kind {
            CheckKind::StateMatchesZip { .. } => STATE_ZIP,
            CheckKind::AreaCodeAssigned { .. } => ASSIGNED,
            CheckKind::AreaCodeMatchesState { .. } => AREA_STATE,
            CheckKind::Age { .. } => AGE,
        }
    }

    /// Whether it holds; nothing when a field it looks at is absent.
    #[must_use]
    pub fn holds(&self, value: impl Fn(FieldIdx) -> Option<Value>, today: Date) -> Option<bool> {
        let text = |at: FieldIdx| value(at)?.as_text().map(str::to_owned);
        match self.kind {
            CheckKind::StateMatchesZip { state, zip } => {
                Some(us::zip_may_lie_in(&text(zip)?, &text(state)?))
            }
            CheckKind::AreaCodeAssigned { phone } => Some(area_code(&text(phone)?).is_some()),
            CheckKind::AreaCodeMatchesState { phone, state } => {
                let (phone, state) = (text(phone)?, text(state)?);
                Some(area_code(&phone) == AreaCode::of_state(&state))
            }
            CheckKind::Age { of, min, max } => match value(of)? {
                Value::Date(date) => Some((min..=max).contains(&super::years_between(date, today))),
                _ => None,
            },
        }
    }

    /// The field that a refusal names.
    #[must_use]
    pub fn blamed(&self) -> FieldIdx {
        match self.kind {
            CheckKind::StateMatchesZip { zip, .. } => zip,
            CheckKind::AreaCodeAssigned { phone }
            | CheckKind::AreaCodeMatchesState { phone, .. } => phone,
            CheckKind::Age { of, .. } => of,
        }
    }

    /// Why a lead is refused; never what it said.
    #[must_use]
    pub fn why(&self, vertical: &Vertical) -> String {
        let name = |at: FieldIdx| &vertical.field(at).name;
        match self.kind {
            CheckKind::StateMatchesZip { state, .. } => {
                format!("expected a zip that lies in `{}`", name(state))
            }
            CheckKind::AreaCodeAssigned { .. } => {
                "expected a phone number whose area code is in use".to_owned()
            }
            CheckKind::AreaCodeMatchesState { state, .. } => {
                format!("expected a phone number whose area code belongs to `{}`", name(state))
            }
            CheckKind::Age { min, max, .. } => {
                format!("expected somebody from {min} to {max} years old")
            }
        }
    }
}

const STATE_ZIP: &str = "state_matches_zip";
const ASSIGNED: &str = "area_code_assigned";
const AREA_STATE: &str = "area_code_matches_state";
const AGE: &str = "age";

/// Reads `[quality]` and adds the mark of each check that marks.
pub(super) fn read(
    reader: &mut TableReader<'_>,
    fields: &mut Vec<Field>,
    findings: &mut Findings,
) -> Vec<Check> {
    if reader.node("quality").is_none() {
        return Vec::new();
    }
    let Some(mut table) = reader.table("quality", findings) else { return Vec::new() };
    let mut checks = Vec::new();
    let mut quality = Quality { fields, findings };
    for key in [STATE_ZIP, ASSIGNED, AREA_STATE, AGE] {
        checks.extend(quality.check(key, &mut table));
    }
    table.finish(findings);
    for (check, at) in checks.iter().zip(0_u8..) {
        if check.failed == Failed::Mark {
            add_mark(check, at, fields);
        }
    }
    checks
}

fn add_mark(check: &Check, at: u8, fields: &mut Vec<Field>) {
    let name = format!("quality_{}", check.name());
    if fields.iter().any(|field| field.name == name) {
        return;
    }
    fields.push(Field {
        name,
        kind: FieldType::Boolean,
        class: FieldClass::Open,
        ping: Need::No,
        post: Need::No,
        example: Some(Value::Boolean(true)),
        derived: Some(Derivation::Check(at)),
    });
}

struct Quality<'a> {
    fields: &'a [Field],
    findings: &'a mut Findings,
}

impl Quality<'_> {
    /// `[...]` of names marks; a table may say more.
    fn check(&mut self, key: &'static str, table: &mut TableReader<'_>) -> Option<Check> {
        let node = table.node(key)?;
        if !matches!(node.kind, NodeKind::Table(_)) {
            let names = self.names(key, table)?;
            return Some(Check { kind: self.kind(key, &names, (0, 0))?, failed: Failed::Mark });
        }
        let mut inner = table.table(key, self.findings)?;
        const WORDS: &[(&str, Failed)] = &[("refuse", Failed::Refuse), ("mark", Failed::Mark)];
        let failed = inner.one_of("failed", WORDS, self.findings);
        if inner.node("of").is_none() {
            inner.missing("of", example(key).0, self.findings);
        }
        let names = self.names("of", &mut inner);
        let bounds = if key == AGE { self.bounds(&mut inner) } else { Some((0, 0)) };
        inner.finish(self.findings);
        let kind = self.kind(key, &names?, bounds?)?;
        Some(Check { kind, failed: failed.map_or(Failed::Mark, |failed| failed.value) })
    }

    /// One name, or a list of them.
    fn names<'t>(
        &mut self,
        key: &'static str,
        table: &mut TableReader<'t>,
    ) -> Option<Vec<Spanned<&'t str>>> {
        if matches!(table.node(key)?.kind, NodeKind::String(_)) {
            return table.string(key, "\"phone\"", self.findings).map(|name| vec![name]);
        }
        table.strings(key, self.findings)
    }

    fn bounds(&mut self, table: &mut TableReader<'_>) -> Option<(i64, i64)> {
        for (key, example) in [("min", "18"), ("max", "110")] {
            if table.node(key).is_none() {
                table.missing(key, example, self.findings);
            }
        }
        let min = table.integer("min", 0..=AGE_MAX, self.findings)?;
        let max = table.integer("max", 0..=AGE_MAX, self.findings)?;
        if min.value > max.value {
            let message = "nobody is that old and that young".to_owned();
            let help = "write min below max".to_owned();
            self.findings.error("never_matches", max.place, message, help);
            return None;
        }
        Some((min.value, max.value))
    }

    fn kind(
        &mut self,
        key: &'static str,
        names: &[Spanned<&str>],
        (min, max): (i64, i64),
    ) -> Option<CheckKind> {
        let wanted: &[FieldType] = match key {
            STATE_ZIP => &[FieldType::UsState, FieldType::UsZip],
            ASSIGNED => &[FieldType::UsPhone],
            AREA_STATE => &[FieldType::UsPhone, FieldType::UsState],
            _ => &[FieldType::Date],
        };
        if names.len() != wanted.len() {
            let place = names.first()?.place.clone();
            let message = format!("`{key}` looks at {} fields, not {}", wanted.len(), names.len());
            self.findings.error("bad_quality", place, message, help(key));
            return None;
        }
        let found: Vec<Option<FieldIdx>> =
            names.iter().zip(wanted).map(|(name, kind)| self.field(key, name, kind)).collect();
        let at = |n: usize| found.get(n).copied().flatten();
        Some(match key {
            STATE_ZIP => CheckKind::StateMatchesZip { state: at(0)?, zip: at(1)? },
            ASSIGNED => CheckKind::AreaCodeAssigned { phone: at(0)? },
            AREA_STATE => CheckKind::AreaCodeMatchesState { phone: at(0)?, state: at(1)? },
            _ => CheckKind::Age { of: at(0)?, min, max },
        })
    }

    fn field(
        &mut self,
        key: &'static str,
        name: &Spanned<&str>,
        kind: &FieldType,
    ) -> Option<FieldIdx> {
        let at = self.fields.iter().position(|field| field.name == name.value);
        let is = |at: &usize| self.fields.get(*at).is_some_and(|field| field.kind == *kind);
        if let Some(found) = at.filter(is) {
            return u16::try_from(found).ok().map(FieldIdx);
        }
        let (code, message) = match at {
            Some(_) => ("bad_quality", format!("`{key}` cannot look at `{}`", name.value)),
            None => ("unknown_field", format!("there is no field called `{}`", name.value)),
        };
        let help = match nearest(name.value, self.fields.iter().map(|f| f.name.as_str())) {
            Some(near) if at.is_none() => format!("did you mean `{near}`?"),
            _ => help(key),
        };
        self.findings.error(code, name.place.clone(), message, help);
        None
    }
}

fn help(key: &str) -> String {
    let (example, what) = example(key);
    format!("write {example}: {what}")
}

/// What to write, and what it names.
fn example(key: &str) -> (&'static str, &'static str) {
    match key {
        STATE_ZIP => ("[\"state\", \"zip\"]", "a us_state and a us_zip"),
        ASSIGNED => ("[\"phone\"]", "a us_phone"),
        AREA_STATE => ("[\"phone\", \"state\"]", "a us_phone and a us_state"),
        _ => ("\"birth_date\"", "a date"),
    }
}
