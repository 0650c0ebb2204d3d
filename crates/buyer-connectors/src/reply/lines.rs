//! Replies of several lines, as the JSON list that they are: JSON in each line, or a table under a
//! line of names.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::json;
use super::tree::ELEMENTS_MAX;

/// One JSON document in each line that is not empty; nothing when one of them is none,
/// or there are too many.
pub(super) fn json(text: &str) -> Option<Value> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let read = lines.take(ELEMENTS_MAX.saturating_add(1)).map(json::parse);
    let read = read.collect::<Option<Vec<_>>>()?;
    (read.len() <= ELEMENTS_MAX).then_some(Value::Array(read))
}

/// Rows as objects of texts, under the names of the first row (RFC 4180). A cell without a name is
/// left out; nothing when two columns have one name, because either could be meant.
pub(super) fn csv(text: &str, separator: char) -> Option<Value> {
    let mut rows = rows(text, separator)?.into_iter();
    let names = rows.next()?;
    let mut known = BTreeSet::new();
    if !names.iter().filter(|name| !name.is_empty()).all(|name| known.insert(name.as_str())) {
        return None;
    }
    let object = |row: Vec<String>| {
        let cells = names.iter().cloned().zip(row.into_iter().map(Value::String));
        let named = cells.filter(|(name, _)| !name.is_empty());
        Value::Object(named.collect::<Map<String, Value>>())
    };
    Some(Value::Array(rows.map(object).collect()))
}

/// Cells of rows, without the blanks around what is not quoted; nothing when a quote
/// stays open or closes too early.
fn rows(text: &str, separator: char) -> Option<Vec<Vec<String>>> {
    let mut rows = Vec::new();
    let mut row = Vec::new();
    let mut cell = String::new();
    let (mut quoted, mut was_quoted) = (false, false);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                cell.push('"');
            }
            '"' if quoted => quoted = false,
            other if quoted => cell.push(other),
            '"' if cell.trim().is_empty() => {
                cell.clear();
                (quoted, was_quoted) = (true, true);
            }
            other if other == separator || other == '\n' => {
                row.push(finished(&mut cell, &mut was_quoted));
                if other == '\n' {
                    rows.push(std::mem::take(&mut row));
                }
            }
            // Behind a quoted text only blanks may stand.
            other if was_quoted && !other.is_whitespace() => return None,
            other => cell.push(other),
        }
    }
    row.push(finished(&mut cell, &mut was_quoted));
    rows.push(row);
    rows.retain(|row| row.iter().any(|cell| !cell.is_empty()));
    (!quoted && rows.len() <= ELEMENTS_MAX).then_some(rows)
}

fn finished(cell: &mut String, was_quoted: &mut bool) -> String {
    let text = std::mem::take(cell);
    if std::mem::take(was_quoted) {
        return text.trim_end_matches(['\r', ' ']).to_owned();
    }
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_table_is_a_list_of_objects() {
        let table = "Status;Note\r\nok ; \"a \"\"b\"\"; c\"\r\n\r\nno;\"two\nlines\"\r\n";
        assert_eq!(
            csv(table, ';'),
            Some(json!([
                {"Status": "ok", "Note": "a \"b\"; c"},
                {"Status": "no", "Note": "two\nlines"},
            ]))
        );
        assert_eq!(csv("a,b\n\"open,1", ','), None);
        assert_eq!(csv("a,b", ','), Some(json!([])));
        assert_eq!(csv("a\n1,2", ','), Some(json!([{"a": "1"}])));
        assert_eq!(csv("", ','), None);
    }

    #[test]
    fn lines_of_json_are_a_list() {
        assert_eq!(json("{\"a\":1}\r\n\n{\"a\":2}\n"), Some(json!([{"a": 1}, {"a": 2}])));
        assert_eq!(json("{\"a\":1}\n{"), None);
    }
}
