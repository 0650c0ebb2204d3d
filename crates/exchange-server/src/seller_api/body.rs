//! A request's body: read within its limits, then read as flat fields.
//!
//! JSON or a form, one object, no nesting. Numbers and booleans become their own text, null means
//! absent. What is unreadable is refused as a whole, what is readable but wrong field by field.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use exchange_model::lead::FieldError;
use exchange_model::reason::Invalid;
use exchange_model::strict_json::{self, JsonError};
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use http_body_util::BodyExt as _;
use serde_json::Value;

use super::problem::Problem;

/// Largest body, in bytes.
pub const BODY_MAX: usize = 256 * 1024;
/// Longest a body may take to arrive.
pub const BODY_TIME_MAX: Duration = Duration::from_secs(10);
/// Most fields of a body.
pub const FIELDS_MAX: usize = 1_000;

/// Reserved fields that hold several values: a list of texts in JSON, the same key several times
/// in a form, or one text with commas.
const LISTS: [&str; 2] = ["consented_to", "exclude"];

/// What a body is written in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Media {
    /// `application/json`.
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
}

/// A body as names and texts.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Fields {
    /// In the order they came.
    pub pairs: Vec<(String, String)>,
    /// The values of fields that hold several.
    pub lists: Vec<(String, Vec<String>)>,
    /// Fields whose values are no texts, numbers or booleans.
    pub errors: Vec<FieldError>,
}

impl Fields {
    /// Takes a field out.
    pub fn take(&mut self, name: &str) -> Option<String> {
        let at = self.pairs.iter().position(|(known, _)| known == name)?;
        Some(self.pairs.remove(at).1).filter(|text| !text.trim().is_empty())
    }

    /// Takes a field out that holds several values; nothing when it is not there.
    pub fn take_list(&mut self, name: &str) -> Option<Vec<String>> {
        if let Some(at) = self.lists.iter().position(|(known, _)| known == name) {
            return Some(self.lists.remove(at).1);
        }
        let at = self.pairs.iter().position(|(known, _)| known == name)?;
        let text = self.pairs.remove(at).1;
        Some(text.split(',').map(str::to_owned).collect())
    }
}

impl Fields {
    fn add_list(&mut self, name: String, items: Vec<Value>) {
        let texts = items.iter().map(|item| item.as_str().map(str::to_owned));
        match texts.collect::<Option<Vec<String>>>() {
            Some(texts) => self.lists.push((name, texts)),
            None => self.errors.push(FieldError {
                field: name,
                code: Invalid::BadType,
                detail: "expected a list of texts".to_owned(),
            }),
        }
    }

    fn add_to_list(&mut self, name: &str, text: &str) {
        let values = text.split(',').map(str::to_owned);
        match self.lists.iter_mut().find(|(known, _)| known == name) {
            Some((_, list)) => list.extend(values),
            None => self.lists.push((name.to_owned(), values.collect())),
        }
    }
}

/// The media type of a request that has a body.
///
/// # Errors
/// `unsupported_media`, `malformed`.
pub fn media(headers: &HeaderMap) -> Result<Media, Problem> {
    let encoding = headers.get(CONTENT_ENCODING).map(|value| value.as_bytes());
    if !matches!(encoding, None | Some(b"identity")) {
        return Err(unsupported("a body must not be compressed"));
    }
    if headers.contains_key(TRANSFER_ENCODING) && headers.contains_key(CONTENT_LENGTH) {
        let detail = "a body has a length or is chunked, not both";
        return Err(Problem::new(Invalid::Malformed, detail).closing());
    }
    let wanted = "send application/json or application/x-www-form-urlencoded";
    let given = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let Some(given) = given else { return Err(unsupported(wanted)) };
    let (essence, parameters) = given.split_once(';').unwrap_or((given, ""));
    let parameters = parameters.to_ascii_lowercase();
    if parameters.contains("charset") && !parameters.contains("utf-8") {
        return Err(unsupported("send UTF-8"));
    }
    match essence.trim().to_ascii_lowercase().as_str() {
        "application/json" => Ok(Media::Json),
        "application/x-www-form-urlencoded" => Ok(Media::Form),
        _ => Err(unsupported(wanted)),
    }
}

fn unsupported(detail: &str) -> Problem {
    Problem::new(Invalid::UnsupportedMedia, detail).closing()
}

/// Reads a body within [`BODY_MAX`] and [`BODY_TIME_MAX`]. What is over the limit is not drained.
///
/// # Errors
/// `too_large`, `too_slow`, `malformed`.
pub async fn read(headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if announced.and_then(|digits| digits.parse::<usize>().ok()).is_some_and(|n| n > BODY_MAX) {
        return Err(too_large());
    }
    match tokio::time::timeout(BODY_TIME_MAX, collect(body)).await {
        Ok(read) => read,
        Err(_elapsed) => {
            let detail = "the body did not arrive within 10 seconds";
            Err(Problem::new(Invalid::TooSlow, detail).closing())
        }
    }
}

async fn collect(mut body: Body) -> Result<Bytes, Problem> {
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            let detail = "the body ended early or is not framed as announced";
            return Err(Problem::new(Invalid::Malformed, detail).closing());
        };
        let Ok(data) = frame.into_data() else { continue };
        if read.len().saturating_add(data.len()) > BODY_MAX {
            return Err(too_large());
        }
        read.extend_from_slice(&data);
    }
    Ok(read.freeze())
}

fn too_large() -> Problem {
    Problem::new(Invalid::TooLarge, "a body has at most 256 KiB").closing()
}

/// Reads the fields of a body.
///
/// # Errors
/// `malformed`, `too_large`.
pub fn fields(media: Media, body: &[u8]) -> Result<Fields, Problem> {
    let fields = match media {
        Media::Json => json_fields(body)?,
        Media::Form => form_fields(body)?,
    };
    if fields.pairs.len().saturating_add(fields.errors.len()) > FIELDS_MAX {
        return Err(Problem::new(Invalid::TooLarge, "a body has at most 1000 fields"));
    }
    Ok(fields)
}

fn malformed(detail: &str) -> Problem {
    Problem::new(Invalid::Malformed, detail)
}

fn json_fields(body: &[u8]) -> Result<Fields, Problem> {
    let document = strict_json::parse(body).map_err(|error| match error {
        JsonError::TooManyValues => Problem::new(Invalid::TooLarge, &error.to_string()),
        JsonError::Malformed { .. } | JsonError::DuplicateKey { .. } => {
            malformed(&error.to_string())
        }
    })?;
    let Value::Object(object) = document else {
        return Err(malformed("the body must be one JSON object"));
    };
    let mut fields = Fields::default();
    for (name, value) in object {
        match value {
            Value::Null => {}
            Value::String(text) => fields.pairs.push((name, text)),
            Value::Number(number) => fields.pairs.push((name, number.to_string())),
            Value::Bool(yes) => fields.pairs.push((name, yes.to_string())),
            Value::Array(items) if LISTS.contains(&name.as_str()) => {
                fields.add_list(name, items);
            }
            Value::Array(_) | Value::Object(_) => fields.errors.push(FieldError {
                field: name,
                code: Invalid::BadType,
                detail: "expected text, a number or true or false, nothing nested".to_owned(),
            }),
        }
    }
    Ok(fields)
}

fn form_fields(body: &[u8]) -> Result<Fields, Problem> {
    let mut seen = BTreeSet::new();
    let mut fields = Fields::default();
    for (name, text) in form_urlencoded::parse(body).take(FIELDS_MAX.saturating_add(1)) {
        // Bytes that are no UTF-8 were replaced by this character.
        if name.contains('\u{fffd}') || text.contains('\u{fffd}') {
            return Err(malformed("the form is not valid UTF-8"));
        }
        if LISTS.contains(&&*name) {
            fields.add_to_list(&name, &text);
            continue;
        }
        if !seen.insert(name.to_string()) {
            return Err(malformed("a key stands twice in the form"));
        }
        fields.pairs.push((name.into_owned(), text.into_owned()));
    }
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(media: Media, body: &str) -> Vec<(String, String)> {
        fields(media, body.as_bytes()).unwrap().pairs
    }

    #[test]
    fn json_and_form_give_the_same_fields() {
        let expected: Vec<(String, String)> =
            [("zip", "78701"), ("n", "33.10"), ("ok", "true"), ("name", "A B")]
                .map(|(name, text)| (name.to_owned(), text.to_owned()))
                .into();
        let json = r#"{"zip":"78701","n":33.10,"ok":true,"gone":null,"name":"A B"}"#;
        assert_eq!(pairs(Media::Json, json), expected);
        assert_eq!(pairs(Media::Form, "zip=78701&n=33.10&ok=true&name=A+B"), expected);
    }

    #[test]
    fn a_field_that_holds_several_values_is_read_in_every_form() {
        for (media, body) in [
            (Media::Json, r#"{"consented_to":["Acme Mutual","Bolt"]}"#),
            (Media::Json, r#"{"consented_to":"Acme Mutual,Bolt"}"#),
            (Media::Form, "consented_to=Acme+Mutual&consented_to=Bolt"),
            (Media::Form, "consented_to=Acme+Mutual%2CBolt"),
        ] {
            let mut read = fields(media, body.as_bytes()).unwrap();
            let names = ["Acme Mutual".to_owned(), "Bolt".to_owned()];
            assert_eq!(read.take_list("consented_to"), Some(names.to_vec()), "{body}");
            assert_eq!(read.take_list("consented_to"), None);
        }
        let wrong = fields(Media::Json, br#"{"consented_to":[7]}"#).unwrap();
        assert_eq!(wrong.errors[0].code, Invalid::BadType);
    }

    #[test]
    fn nested_values_are_faults_of_their_field() {
        let read = fields(Media::Json, br#"{"zip":["78701"],"state":"TX"}"#).unwrap();
        assert_eq!(read.errors.len(), 1);
        assert_eq!((read.errors[0].field.as_str(), read.errors[0].code), ("zip", Invalid::BadType));
    }

    #[test]
    fn what_cannot_be_read_is_refused_as_a_whole() {
        for (media, body) in [
            (Media::Json, "[]"),
            (Media::Json, "{\"a\":1,\"a\":2}"),
            (Media::Json, "{\"a\":\"\\ud800\"}"),
            (Media::Form, "a=1&a=2"),
            (Media::Form, "a=%ff"),
        ] {
            let problem = fields(media, body.as_bytes()).unwrap_err();
            assert_eq!(problem.code(), Invalid::Malformed, "{body}");
        }
    }

    #[test]
    fn only_plain_json_and_forms_are_read() {
        let headers = |pairs: &[(http::HeaderName, &str)]| {
            let pairs = pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap()));
            pairs.collect::<HeaderMap>()
        };
        let json = (CONTENT_TYPE, "Application/JSON; charset=UTF-8");
        assert_eq!(media(&headers(std::slice::from_ref(&json))), Ok(Media::Json));
        let refused = [
            headers(&[]),
            headers(&[(CONTENT_TYPE, "text/plain")]),
            headers(&[(CONTENT_TYPE, "application/json; charset=latin1")]),
            headers(&[json, (CONTENT_ENCODING, "gzip")]),
        ];
        for headers in refused {
            assert_eq!(media(&headers).unwrap_err().code(), Invalid::UnsupportedMedia);
        }
    }
}
