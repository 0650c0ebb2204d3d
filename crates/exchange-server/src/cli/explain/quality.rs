//! What a lead's own vertical says of it: its score with the rules that made it, and its marks.

use exchange_model::vertical::Derivation;
use exchange_model::{Field, Lead, Value};
use serde::Serialize;

/// The score and the marks of one lead.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Quality {
    /// From 1 to 10; nothing where the vertical does not score.
    score: Option<i64>,
    base: Option<i64>,
    /// The rules that hold, in the order written.
    rules: Vec<Rule>,
    marks: Vec<Mark>,
}

#[derive(Debug, Serialize)]
struct Rule {
    add: i64,
    place: String,
}

#[derive(Debug, Serialize)]
struct Mark {
    field: String,
    /// Nothing: a field it looks at is absent.
    holds: Option<bool>,
}

impl Quality {
    /// Of this lead.
    pub(crate) fn of(lead: &Lead) -> Self {
        let (vertical, open) = (lead.vertical(), lead.attributes());
        let rule = |part: exchange_model::vertical::ScorePart| Rule {
            add: part.add,
            place: part.place.file_line(),
        };
        let is_mark = |field: &Field| matches!(field.derived, Some(Derivation::Check(_)));
        let marks = vertical.fields().filter(|(_, field)| is_mark(field)).map(|(at, field)| Mark {
            field: field.name.clone(),
            holds: match open.get(at) {
                Some(Value::Boolean(holds)) => Some(*holds),
                _ => None,
            },
        });
        Self {
            score: vertical.score(open),
            base: vertical.base_score(),
            rules: vertical.score_parts(open).into_iter().map(rule).collect(),
            marks: marks.collect(),
        }
    }

    /// For people, one line for the score and one for each mark.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if let (Some(score), Some(base)) = (self.score, self.base) {
            lines.push(format!("score {score}   base {base}{}", self.sum()));
        }
        for mark in &self.marks {
            let word = match mark.holds {
                Some(true) => "true",
                Some(false) => "false",
                None => "absent",
            };
            lines.push(format!("{} {word}", mark.field));
        }
        lines
    }

    fn sum(&self) -> String {
        let part = |rule: &Rule| format!(", {:+} by {}", rule.add, rule.place);
        self.rules.iter().map(part).collect()
    }
}
