//! Lists of anything but zips.

use std::collections::HashSet;
use std::sync::Arc;

use exchange_model::vertical::{STATES, normalise};
use exchange_model::{Field, FieldType, Findings, SourceFile, Value};

use crate::filter::{Set, Texts};
use crate::list::lines;
use crate::list::report::Report;

pub(super) fn read(file: &Arc<SourceFile>, field: &Field, findings: &mut Findings) -> Option<Set> {
    let mut report = Report::new(file, field, findings);
    let mut seen = HashSet::new();
    let (mut values, mut prefixes) = (Vec::new(), Vec::new());
    for (text, span) in lines::values(&file.text, &field.kind) {
        match line(&field.kind, text) {
            Ok(line) => {
                report.fill();
                if !seen.insert(line.shown()) {
                    report.twice(span, &line.shown());
                    continue;
                }
                match line {
                    Line::One(value) => values.push(value),
                    Line::Several(words) => values.extend(words.into_iter().map(Value::Text)),
                    Line::Prefix(prefix) => prefixes.push(prefix.into_boxed_str()),
                }
            }
            Err(wanted) => report.bad(span, &wanted),
        }
    }
    report.finish();
    match (Set::of(&field.kind, values)?, prefixes.is_empty()) {
        (Set::Texts(exact), false) => {
            Some(Set::Texts(Texts::new(exact.exact().to_vec(), prefixes)))
        }
        (set, _) => Some(set),
    }
}

/// What one line stands for.
enum Line {
    One(Value),
    /// All the words of the field that begin so.
    Several(Vec<String>),
    Prefix(String),
}

impl Line {
    fn shown(&self) -> String {
        match self {
            Self::One(value) => value.to_string(),
            Self::Several(words) => words.join(", "),
            Self::Prefix(prefix) => format!("{prefix}*"),
        }
    }
}

fn line(kind: &FieldType, text: &str) -> Result<Line, String> {
    match text.strip_suffix('*').filter(|_| is_text(kind)) {
        Some(prefix) => prefixed(kind, prefix.trim_end()),
        None => normalise(kind, text).map(Line::One).map_err(|refused| refused.wanted),
    }
}

fn is_text(kind: &FieldType) -> bool {
    let ordered = matches!(kind, FieldType::Integer { .. } | FieldType::Decimal | FieldType::Date);
    !ordered && !matches!(kind, FieldType::Boolean)
}

/// Where a field has a few words only, a prefix is those that begin so.
fn prefixed(kind: &FieldType, prefix: &str) -> Result<Line, String> {
    if prefix.is_empty() {
        return Err("at least one character before `*`".to_owned());
    }
    let begins = |word: &&str| {
        word.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    let words: Vec<String> = match kind {
        FieldType::Enum(words) => {
            words.iter().map(String::as_str).filter(begins).map(str::to_owned).collect()
        }
        FieldType::UsState => {
            STATES.iter().map(|(state, _)| *state).filter(begins).map(str::to_owned).collect()
        }
        FieldType::Email => return Ok(Line::Prefix(prefix.to_ascii_lowercase())),
        _ => return Ok(Line::Prefix(prefix.to_owned())),
    };
    if words.is_empty() {
        return Err("a prefix that a value of this field begins with".to_owned());
    }
    Ok(Line::Several(words))
}
