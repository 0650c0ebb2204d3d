//! Refusals as RFC 9457 problem details.
//!
//! Every fault of a request at once, each with its field and code, and never a value: a body may
//! hold contact data. Codes are those of [`exchange_model::reason::Invalid`].

use axum::body::Body;
use exchange_model::lead::FieldError;
use exchange_model::reason::Invalid;
use http::header::{ALLOW, CONNECTION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

use super::too_much::Quota;

/// Most field errors listed; a request with more is beyond reading anyway.
const ERRORS_MAX: usize = 100;
/// Longest field name repeated in an answer, in bytes.
const NAME_MAX: usize = 64;

/// Why a request is refused.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problem {
    status: StatusCode,
    code: Invalid,
    detail: String,
    errors: Vec<FieldError>,
    retry_after: Option<u32>,
    quota: Option<Quota>,
    allow: Option<&'static str>,
    close: bool,
}

impl Problem {
    /// A refusal with a sentence for people, which must not quote the request.
    #[must_use]
    pub fn new(code: Invalid, detail: &str) -> Self {
        Self {
            status: status_of(code),
            code,
            detail: detail.to_owned(),
            errors: Vec::new(),
            retry_after: None,
            quota: None,
            allow: None,
            close: false,
        }
    }

    /// Fields that are wrong. With exactly one kind of fault that has a code of its own (a post
    /// that differs from its ping), that is the code of the whole.
    #[must_use]
    pub fn fields(errors: Vec<FieldError>) -> Self {
        let code = errors.first().map_or(Invalid::BadValue, |first| first.code);
        let detail = match errors.len() {
            1 => "one field is wrong".to_owned(),
            n => format!("{n} fields are wrong"),
        };
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, errors, ..Self::new(code, &detail) }
    }

    /// One field that is wrong.
    #[must_use]
    pub fn field(name: &str, code: Invalid, detail: &str) -> Self {
        let error = FieldError { field: name.to_owned(), code, detail: detail.to_owned() };
        Self::fields(vec![error])
    }

    /// The same, and the connection ends: what is left of the body is not read.
    #[must_use]
    pub fn closing(self) -> Self {
        Self { close: true, ..self }
    }

    /// We take nothing now; come back in so many seconds.
    #[must_use]
    pub fn overloaded(detail: &str, retry_after: u32) -> Self {
        Self { retry_after: Some(retry_after), ..Self::new(Invalid::Overloaded, detail) }
    }

    /// The same, and the rule that was run into; come back in so many seconds.
    #[must_use]
    pub fn limited_by(self, quota: Quota, retry_after: u32) -> Self {
        Self { retry_after: Some(retry_after), quota: Some(quota), ..self }
    }

    /// The path is known, the method is not.
    #[must_use]
    pub fn method(allow: &'static str) -> Self {
        Self {
            status: StatusCode::METHOD_NOT_ALLOWED,
            allow: Some(allow),
            ..Self::new(Invalid::NotFound, "this path takes another method")
        }
    }

    /// The code of the refusal.
    #[must_use]
    pub fn code(&self) -> Invalid {
        self.code
    }

    /// As a response.
    #[must_use]
    pub fn response(&self) -> Response<Body> {
        let body = self.body().to_string();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(quota) = &self.quota {
            quota.write(headers);
        }
        if let Some(allow) = self.allow {
            headers.insert(ALLOW, HeaderValue::from_static(allow));
        }
        if self.code == Invalid::Unauthorised {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if self.close {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    fn body(&self) -> Value {
        let mut body = json!({
            "type": format!("urn:rialto:problem:{}", self.code),
            "title": title_of(self.code),
            "status": self.status.as_u16(),
            "detail": self.detail,
            "code": self.code.code(),
        });
        if !self.errors.is_empty() {
            let errors = self.errors.iter().take(ERRORS_MAX).map(error_json).collect();
            if let Some(object) = body.as_object_mut() {
                object.insert("errors".to_owned(), Value::Array(errors));
            }
        }
        body
    }
}

fn error_json(error: &FieldError) -> Value {
    let name = printable_name(&error.field);
    json!({
        "field": name,
        "code": error.code.code(),
        "detail": error.detail,
        "pointer": format!("/{}", name.replace('~', "~0").replace('/', "~1")),
    })
}

/// The name of a field as it may be repeated: a seller may have put a value where a name belongs.
#[must_use]
pub fn printable_name(name: &str) -> &str {
    let plain = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.len() <= NAME_MAX
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
        && name.bytes().filter(u8::is_ascii_digit).count() <= 4;
    if plain { name } else { "(not a field name)" }
}

fn status_of(code: Invalid) -> StatusCode {
    match code {
        Invalid::MissingField
        | Invalid::BadType
        | Invalid::BadValue
        | Invalid::PingMismatch
        | Invalid::KeyReused => StatusCode::UNPROCESSABLE_ENTITY,
        Invalid::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Invalid::Malformed => StatusCode::BAD_REQUEST,
        Invalid::UnsupportedMedia => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Invalid::Unauthorised => StatusCode::UNAUTHORIZED,
        Invalid::SourceDisabled => StatusCode::FORBIDDEN,
        Invalid::TooSlow => StatusCode::REQUEST_TIMEOUT,
        Invalid::NotFound => StatusCode::NOT_FOUND,
        Invalid::PingExpired => StatusCode::GONE,
        Invalid::PingUsed => StatusCode::CONFLICT,
        Invalid::RateLimited | Invalid::SourceCap => StatusCode::TOO_MANY_REQUESTS,
        Invalid::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn title_of(code: Invalid) -> &'static str {
    match code {
        Invalid::MissingField => "A required field is missing",
        Invalid::BadType => "A field has the wrong type",
        Invalid::BadValue => "A field has a value that is not allowed",
        Invalid::TooLarge => "The request is too large",
        Invalid::Malformed => "The request cannot be read",
        Invalid::UnsupportedMedia => "The media type is not supported",
        Invalid::Unauthorised => "No valid API key",
        Invalid::SourceDisabled => "The source is paused",
        Invalid::TooSlow => "The request arrived too slowly",
        Invalid::NotFound => "Not found",
        Invalid::PingExpired => "The ping's promise has expired",
        Invalid::PingUsed => "The ping was posted already",
        Invalid::PingMismatch => "The post differs from its ping",
        Invalid::KeyReused => "The idempotency key was used with another request",
        Invalid::RateLimited => "The source sends too fast",
        Invalid::SourceCap => "The source has sent as many leads as it may",
        Invalid::Overloaded => "No new leads are taken at the moment",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_lists_every_field_and_repeats_nothing_that_is_no_name() {
        let error = |field: &str| FieldError {
            field: field.to_owned(),
            code: Invalid::BadType,
            detail: "expected text".to_owned(),
        };
        let problem = Problem::fields(vec![error("zip"), error("5125550134"), error("a@b.c")]);
        let body = problem.body().to_string();
        assert!(body.contains(r#""pointer":"/zip""#), "{body}");
        assert!(!body.contains("5125550134") && !body.contains("a@b.c"), "{body}");
        assert_eq!(problem.response().status(), 422);
    }
}
