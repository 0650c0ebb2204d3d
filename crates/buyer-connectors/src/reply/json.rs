//! JSON replies: strict, but for line ends and tabs inside of texts, which are common.

use exchange_model::strict_json;
use serde_json::Value;

use super::tree::DEPTH_MAX;

/// Reads a document; nothing when it is no JSON, names a key twice or is nested too deeply.
pub(super) fn parse(text: &str) -> Option<Value> {
    let value = strict_json::parse(text.as_bytes()).ok().or_else(|| {
        let repaired = without_breaks_in_texts(text)?;
        strict_json::parse(repaired.as_bytes()).ok()
    })?;
    fits(&value, DEPTH_MAX).then_some(value)
}

/// The text without line ends and tabs inside of its texts; nothing when there are none.
fn without_breaks_in_texts(text: &str) -> Option<String> {
    let mut repaired = String::with_capacity(text.len());
    let (mut quoted, mut escaped) = (false, false);
    for character in text.chars() {
        if quoted && matches!(character, '\r' | '\n' | '\t') {
            continue;
        }
        if character == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = quoted && character == '\\' && !escaped;
        repaired.push(character);
    }
    (repaired.len() < text.len()).then_some(repaired)
}

/// As deep as the parser went, which is bounded.
fn fits(value: &Value, depth: usize) -> bool {
    match value {
        Value::Array(items) => depth > 0 && items.iter().all(|item| fits(item, depth - 1)),
        Value::Object(entries) => depth > 0 && entries.values().all(|item| fits(item, depth - 1)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn breaks_inside_of_texts_are_left_out() {
        let read = parse("{\"a\":\"x\r\n\ty\\\"\n\",\n\t\"b\":1}").unwrap();
        assert_eq!(read.to_string(), r#"{"a":"xy\"","b":1}"#);
        assert_eq!(parse("{\"a\":1\n2}"), None);
        assert_eq!(parse(r#"{"a":1,"a":2}"#), None);
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(parse(&nested(32)).is_some());
        assert!(parse(&nested(33)).is_none());
        assert!(parse(&nested(30_000)).is_none());
    }
}
