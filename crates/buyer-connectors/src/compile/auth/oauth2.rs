//! `scheme = "oauth2"`: client credentials of RFC 6749.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HeaderValue, USER_AGENT};
use http::{HeaderMap, Method};

use super::super::url::checked_url;
use super::{Auth, Reader, TokenHeader};
use crate::grant::Grant;
use crate::request::Request;

/// How the client shows its secret.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum ClientAuth {
    Basic,
    Body,
}

impl Reader<'_, '_> {
    pub(super) fn oauth2(&mut self, auth: &mut Auth) -> Option<()> {
        let example = "\"https://id.buyer.example/token\"";
        let url = self.table.required_string("token_url", example, self.findings);
        let client = self.table.required_string("client_id", "\"rialto\"", self.findings);
        let scope = self.table.string("scope", "\"leads\"", self.findings);
        let words = [("basic", ClientAuth::Basic), ("body", ClientAuth::Body)];
        let client_auth = match self.table.node("client_auth") {
            None => ClientAuth::Basic,
            Some(_) => self.table.one_of("client_auth", &words, self.findings)?.value,
        };
        let secret = self.secret();
        let url = url.and_then(|url| checked_url(url.value, &url.place, self.findings));
        let (url, client, secret) = (url?, client?.value, secret?);
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials");
        if let Some(scope) = scope {
            form.append_pair("scope", scope.value);
        }
        let mut headers = headers();
        match client_auth {
            ClientAuth::Basic => {
                let pair = format!("{}:{}", encoded(client), encoded(secret.reveal()));
                let value = self.sensitive(&format!("Basic {}", STANDARD.encode(pair)))?;
                headers.insert(AUTHORIZATION, value);
            }
            ClientAuth::Body => {
                form.append_pair("client_id", client);
                form.append_pair("client_secret", secret.reveal());
            }
        }
        let uri = url.as_str().parse().ok()?;
        let body = Bytes::from(form.finish());
        let request = Request { method: Method::POST, uri, headers, body, echo: None };
        auth.grant = Some(Arc::new(Grant::oauth2(request)));
        if auth.token.is_none() {
            auth.token = Some(TokenHeader::Bearer);
        }
        Some(())
    }
}

fn headers() -> HeaderMap {
    let form = "application/x-www-form-urlencoded";
    HeaderMap::from_iter([
        (ACCEPT, HeaderValue::from_static("application/json")),
        (ACCEPT_ENCODING, HeaderValue::from_static("identity")),
        (USER_AGENT, HeaderValue::from_static("rialto")),
        (CONTENT_TYPE, HeaderValue::from_static(form)),
    ])
}

/// RFC 6749 section 2.3.1: id and secret are form-encoded before basic authentication.
fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
