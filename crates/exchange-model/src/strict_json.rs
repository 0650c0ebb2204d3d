//! JSON from outside, read without guessing.
//!
//! `serde_json::Value` keeps the last of two equal keys silently, which lets one hostile document
//! mean different things to different readers. This reader refuses duplicate keys, keeps numbers
//! as their own digits, and bounds the number of values. (`serde_json` itself bounds nesting.)

use std::cell::Cell;
use std::fmt;
use std::str::FromStr as _;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Most values (scalars, lists and objects together) in one document.
pub const VALUES_MAX: usize = 10_000;

/// How `serde_json` hands a number to a visitor when digits are kept.
const NUMBER_TOKEN: &str = "$serde_json::private::Number";

/// Why a text is no acceptable JSON. It never quotes the document, which may hold contact data.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum JsonError {
    /// Not JSON, nested too deeply, or followed by something else.
    #[error("not valid JSON at line {line}, column {column}")]
    Malformed {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// An object names a key twice.
    #[error("a key stands twice in one object at line {line}, column {column}")]
    DuplicateKey {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// More than [`VALUES_MAX`] values.
    #[error("more than {VALUES_MAX} values")]
    TooManyValues,
}

/// Reads one JSON document and nothing after it.
///
/// # Errors
/// [`JsonError`].
pub fn parse(bytes: &[u8]) -> Result<Value, JsonError> {
    let state = State { values: Cell::new(0), duplicate: Cell::new(false) };
    let mut source = serde_json::Deserializer::from_slice(bytes);
    let read = Strict(&state).deserialize(&mut source).and_then(|value| {
        source.end()?;
        Ok(value)
    });
    read.map_err(|error| {
        let (line, column) = (error.line(), error.column());
        if state.duplicate.get() {
            JsonError::DuplicateKey { line, column }
        } else if state.values.get() > VALUES_MAX {
            JsonError::TooManyValues
        } else {
            JsonError::Malformed { line, column }
        }
    })
}

struct State {
    values: Cell<usize>,
    duplicate: Cell<bool>,
}

#[derive(Clone, Copy)]
struct Strict<'s>(&'s State);

impl Strict<'_> {
    fn count<E: serde::de::Error>(self) -> Result<(), E> {
        let values = self.0.values.get().saturating_add(1);
        self.0.values.set(values);
        if values > VALUES_MAX { Err(E::custom("too many values")) } else { Ok(()) }
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.count()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut read = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            read.push(item);
        }
        Ok(Value::Array(read))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut read = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            // An object that spells this token itself is read as the number it holds, or refused.
            if key == NUMBER_TOKEN && read.is_empty() {
                let digits: String = entries.next_value()?;
                return Number::from_str(&digits).map(Value::Number).map_err(A::Error::custom);
            }
            if read.contains_key(&key) {
                self.0.duplicate.set(true);
                return Err(A::Error::custom("duplicate key"));
            }
            let value = entries.next_value_seed(self)?;
            read.insert(key, value);
        }
        Ok(Value::Object(read))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_digits() {
        let read = parse(br#"{"price":33.333333333333333333,"n":[1e+400,-0]}"#).unwrap();
        assert_eq!(read.to_string(), r#"{"price":33.333333333333333333,"n":[1e+400,-0]}"#);
    }

    #[test]
    fn hostile_documents_are_refused_without_being_quoted() {
        assert_eq!(
            parse(br#"{"a":1,"a":2}"#),
            Err(JsonError::DuplicateKey { line: 1, column: 10 })
        );
        assert!(matches!(parse(b"{} x"), Err(JsonError::Malformed { .. })));
        assert!(matches!(parse(&[b'['; 100_000]), Err(JsonError::Malformed { .. })));
        assert!(matches!(parse(b"{\"a\":\"\xff\"}"), Err(JsonError::Malformed { .. })));
        let long = format!("[{}1]", "1,".repeat(VALUES_MAX));
        assert_eq!(parse(long.as_bytes()), Err(JsonError::TooManyValues));
    }
}
