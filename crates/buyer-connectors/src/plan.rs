//! How the requests of one stage are put together: address, headers, body.
//!
//! What is the same for every lead is made at load; a request copies it and adds the rest.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Uri};

use crate::body::{Body, Form, multipart_type};
use crate::request::{EncodeError, REQUEST_MAX, Request};
use crate::template::{Escape, NoValues, See, Seen, Source, Template, Values};

/// Longest address, in bytes.
pub(crate) const URL_MAX: usize = 8 * 1024;

/// The request of a compiled stage, without its reply.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) method: Method,
    /// `https://host:port`, canonical.
    pub(crate) origin: Box<str>,
    /// Path and query as the address has them.
    pub(crate) path: Template,
    /// What is added to the query.
    pub(crate) query: Form,
    /// The whole address, when no lead changes it.
    pub(crate) fixed_uri: Option<Uri>,
    /// Appended to the query: a credential.
    pub(crate) auth_query: Option<Box<str>>,
    /// Headers that no lead changes, credentials included.
    pub(crate) headers: HeaderMap,
    /// Headers with values.
    pub(crate) header_templates: Vec<HeaderTemplate>,
    pub(crate) body: Body,
    /// Whether the body is the query.
    pub(crate) body_is_query: bool,
    pub(crate) timeout: Duration,
    /// How long the example's body is: room that most leads need.
    pub(crate) body_room: usize,
}

/// A header with values. It is left out when its only placeholder is absent.
#[derive(Debug)]
pub(crate) struct HeaderTemplate {
    pub(crate) name: HeaderName,
    pub(crate) text: Template,
    /// Whether it holds a credential and nothing of a lead: what a lead brings is looked at before
    /// it leaves, whatever stands beside it.
    pub(crate) secret: bool,
}

impl HeaderTemplate {
    /// A header that proves who we are.
    pub(crate) fn credential((name, text): (HeaderName, Template)) -> Self {
        let secret = !text.holds_lead();
        Self { name, text, secret }
    }
}

impl Plan {
    /// The request with these values.
    pub(crate) fn request(&self, values: &dyn Values) -> Result<Request, EncodeError> {
        let mut text = String::with_capacity(self.body_room);
        self.body.render(values, &mut text);
        if text.len() > REQUEST_MAX {
            return Err(EncodeError::TooLarge(REQUEST_MAX));
        }
        let headers = self.headers(values, &text)?;
        let (query, body) =
            if self.body_is_query { (text, Bytes::new()) } else { (String::new(), text.into()) };
        Ok(Request {
            method: self.method.clone(),
            uri: self.uri(values, &query)?,
            headers,
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
        let mut added = String::new();
        self.query.push(values, &mut added);
        for part in [&added, query, self.auth_query.as_deref().unwrap_or("")] {
            push_query(&mut text, part);
        }
        if text.len() > URL_MAX {
            return Err(EncodeError::BadUrl);
        }
        text.parse().map_err(|_invalid| EncodeError::BadUrl)
    }

    /// Whether the same post sent again can be recognised.
    pub(crate) fn mentions_idempotency_key(&self) -> bool {
        self.mentions(|source| matches!(source, Source::IdempotencyKey))
    }

    /// Whether the buyer is told where to call.
    pub(crate) fn mentions_callback_url(&self) -> bool {
        self.mentions(|source| matches!(source, Source::CallbackUrl))
    }

    fn mentions(&self, wanted: fn(&Source) -> bool) -> bool {
        let mut mentioned = false;
        self.visit(&mut |seen| mentioned |= matches!(seen, Seen::Source(source) if wanted(source)));
        mentioned
    }

    /// What every request says, whoever the lead is.
    pub(crate) fn fixed_words(&self) -> Box<[Box<[u8]>]> {
        let mut words: Vec<Box<[u8]>> = vec![self.origin.as_bytes().into()];
        words.extend(self.headers.keys().map(|name| name.as_str().as_bytes().into()));
        words.extend(self.headers.values().map(|value| value.as_bytes().into()));
        self.visit(&mut |seen| {
            if let Seen::Text(text) = seen {
                words.push(text.as_bytes().into());
            }
        });
        words.into()
    }

    /// Shows the pieces of the request, its fixed headers aside.
    pub(crate) fn visit(&self, see: See<'_>) {
        self.path.visit(see);
        self.query.visit(see);
        for header in &self.header_templates {
            see(Seen::Text(header.name.as_str()));
            header.text.visit(see);
        }
        self.body.visit(see);
    }

    /// Prepares the address once, when nothing changes it.
    pub(crate) fn fix_uri(&mut self) {
        let mut fixed = !self.body_is_query && self.path.literal().is_some();
        self.query.visit(&mut |seen| {
            fixed &= !matches!(seen, Seen::Source(source) if !source.is_fixed());
        });
        if fixed {
            self.fixed_uri = self.uri(&NoValues, "").ok();
        }
    }

    fn headers(&self, values: &dyn Values, body: &str) -> Result<HeaderMap, EncodeError> {
        let mut headers = self.headers.clone();
        let refused = |name: &HeaderName| EncodeError::BadHeader(name.to_string());
        for header in &self.header_templates {
            let mut text = String::new();
            if !header.text.push(values, Escape::None, &mut text) {
                continue;
            }
            let mut value =
                HeaderValue::from_str(&text).map_err(|_invalid| refused(&header.name))?;
            value.set_sensitive(header.secret);
            headers.insert(header.name.clone(), value);
        }
        if self.body_is_query || matches!(self.body, Body::Empty) {
            headers.remove(CONTENT_TYPE);
        }
        if let Body::Multipart(_) = self.body {
            let value = HeaderValue::from_str(&multipart_type(body))
                .map_err(|_invalid| refused(&CONTENT_TYPE))?;
            headers.insert(CONTENT_TYPE, value);
        }
        Ok(headers)
    }
}

fn push_query(url: &mut String, part: &str) {
    if part.is_empty() {
        return;
    }
    if !url.ends_with(['?', '&']) {
        url.push(if url.contains('?') { '&' } else { '?' });
    }
    url.push_str(part);
}
