//! How the requests of one stage are put together: address, headers, body.
//!
//! What is the same for every lead is made at load; a request copies it and adds the rest.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Uri};

use crate::body::Body;
use crate::request::{EncodeError, REQUEST_MAX, Request};
use crate::template::{Escape, Source, Template, Values};

/// Longest address, in bytes.
pub(crate) const URL_MAX: usize = 8 * 1024;

/// A compiled `[connector.<name>.ping]` or `.post`, without its reply.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) method: Method,
    /// `https://host:port`, canonical.
    pub(crate) origin: Box<str>,
    /// Path and query.
    pub(crate) path: Template,
    /// The whole address, when no lead changes it.
    pub(crate) fixed_uri: Option<Uri>,
    /// Appended to the query: a credential.
    pub(crate) auth_query: Option<Box<str>>,
    /// Headers that no lead changes, credentials included.
    pub(crate) headers: HeaderMap,
    /// Headers with values.
    pub(crate) header_templates: Vec<(HeaderName, Template)>,
    pub(crate) body: Body,
    /// Whether the body is the query.
    pub(crate) body_is_query: bool,
    pub(crate) timeout: Duration,
}

impl Plan {
    /// The request with these values.
    pub(crate) fn request(&self, values: &dyn Values) -> Result<Request, EncodeError> {
        let text = self.body.render(values);
        if text.len() > REQUEST_MAX {
            return Err(EncodeError::TooLarge(REQUEST_MAX));
        }
        let (query, body) =
            if self.body_is_query { (text, Bytes::new()) } else { (String::new(), text.into()) };
        Ok(Request {
            method: self.method.clone(),
            uri: self.uri(values, &query)?,
            headers: self.headers(values)?,
            body,
            echo: None,
        })
    }

    fn uri(&self, values: &dyn Values, query: &str) -> Result<Uri, EncodeError> {
        if let Some(uri) = &self.fixed_uri {
            return Ok(uri.clone());
        }
        let mut text = self.origin.to_string();
        self.path.render(values, Escape::Url, &mut text);
        for part in [query, self.auth_query.as_deref().unwrap_or("")] {
            push_query(&mut text, part);
        }
        if text.len() > URL_MAX {
            return Err(EncodeError::BadUrl);
        }
        text.parse().map_err(|_invalid| EncodeError::BadUrl)
    }

    /// Whether the same post sent again can be recognised.
    pub(crate) fn mentions_idempotency_key(&self) -> bool {
        self.path.mentions_idempotency_key()
            || self.header_templates.iter().any(|(_, template)| template.mentions_idempotency_key())
            || self.body.any_placeholder(&|at| matches!(at.source, Source::IdempotencyKey))
    }

    /// Prepares the address once, when it has no placeholder.
    pub(crate) fn fix_uri(&mut self) {
        if !self.body_is_query && self.path.literal().is_some() {
            self.fixed_uri = self.uri(&NoValues, "").ok();
        }
    }

    fn headers(&self, values: &dyn Values) -> Result<HeaderMap, EncodeError> {
        let mut headers = self.headers.clone();
        for (name, template) in &self.header_templates {
            let text = template.plain(values);
            let value = HeaderValue::from_str(&text)
                .map_err(|_invalid| EncodeError::BadHeader(name.to_string()))?;
            headers.insert(name.clone(), value);
        }
        if self.body_is_query || matches!(self.body, Body::Empty) {
            headers.remove(CONTENT_TYPE);
        }
        Ok(headers)
    }
}

fn push_query(url: &mut String, part: &str) {
    if part.is_empty() {
        return;
    }
    url.push(if url.contains('?') { '&' } else { '?' });
    url.push_str(part);
}

/// For addresses without placeholders.
struct NoValues;

impl Values for NoValues {
    fn value(&self, _source: &Source) -> Option<crate::template::Scalar<'_>> {
        None
    }
}
