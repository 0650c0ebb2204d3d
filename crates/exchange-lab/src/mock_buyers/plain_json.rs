//! Small flat JSON, with the three ways in that a bearer or a password gives; the sample's Metro
//! Direct (OAuth2 client credentials), Granite Network (fixed bearer) and Coastal Call (Basic).

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::{Method, StatusCode};
use tokio::time::Instant;

use super::RequestKind;
use super::answer::{Asked, Bid, Decision, Dialect, Offered, Refusal, Reply, Request};
use super::wire::{Fields, form, json, json_text, phone_digits};
use crate::random::hash;

/// How a [`PlainJson`](super::Family::PlainJson) buyer recognises us.
#[derive(Clone)]
pub enum Access {
    /// `Authorization: Bearer`, with a token that never changes.
    Bearer(
        /// The token.
        String,
    ),
    /// `Authorization: Basic`.
    Basic {
        /// The user's name.
        user: String,
        /// The password.
        password: String,
    },
    /// `Authorization: Bearer`, with a token from `/token` that expires.
    OAuth {
        /// The client's id.
        client_id: String,
        /// The client's secret.
        client_secret: String,
        /// How long a token is good for; announced in whole seconds.
        lifetime: Duration,
    },
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bearer(_) => "Bearer",
            Self::Basic { .. } => "Basic",
            Self::OAuth { .. } => "OAuth",
        })
    }
}

/// Tokens remembered at once; one more and all are forgotten, so that their owners ask again.
const TOKENS_MAX: usize = 10_000;

pub(crate) struct PlainJson {
    access: Access,
    priced: bool,
    seed: u64,
    issued: Mutex<Issued>,
}

#[derive(Default)]
struct Issued {
    count: u64,
    good_until: HashMap<String, Instant>,
}

impl PlainJson {
    pub(crate) fn new(access: Access, priced: bool, seed: u64) -> Self {
        Self { access, priced, seed, issued: Mutex::default() }
    }

    fn read(&self, request: &Request) -> Result<Fields, Reply> {
        if !self.admits(request.header("authorization")) {
            return Err(error(StatusCode::UNAUTHORIZED, "invalid_token"));
        }
        json(&request.body).ok_or_else(|| error(StatusCode::BAD_REQUEST, "not a JSON object"))
    }

    fn admits(&self, authorization: &str) -> bool {
        let bearer = authorization.strip_prefix("Bearer ");
        match &self.access {
            Access::Bearer(token) => bearer == Some(token),
            Access::Basic { user, password } => {
                authorization.strip_prefix("Basic ") == Some(&base64(&format!("{user}:{password}")))
            }
            Access::OAuth { .. } => bearer.is_some_and(|token| self.is_good(token)),
        }
    }

    fn is_good(&self, token: &str) -> bool {
        let issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        issued.good_until.get(token).is_some_and(|until| now() < *until)
    }

    fn issue(&self, lifetime: Duration) -> String {
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        issued.count += 1;
        let token = format!("mt_{:016x}", hash(self.seed, &issued.count.to_le_bytes()));
        if issued.good_until.len() >= TOKENS_MAX {
            issued.good_until.clear();
        }
        issued.good_until.insert(token.clone(), now() + lifetime);
        token
    }
}

impl Dialect for PlainJson {
    fn kind(&self, method: &Method, path: &str, _query: &str) -> Option<RequestKind> {
        match (method, path) {
            (&Method::POST, "/ping") => Some(RequestKind::Ping),
            (&Method::POST, "/post") => Some(RequestKind::Post),
            (&Method::POST, "/token") => Some(RequestKind::Token),
            _ => None,
        }
    }

    fn read_ping(&self, request: &Request) -> Result<Asked, Reply> {
        let fields = self.read(request)?;
        if fields.text("zip").is_empty() {
            return Err(error(StatusCode::OK, "zip"));
        }
        Ok(Asked { content: fields.line(&["zip", "st", "age"]) })
    }

    fn write_bid(&self, _request: &Request, bid: &Bid<'_>) -> Reply {
        Reply::json(match bid {
            Bid::Offer { price, currency, token } if self.priced => format!(
                r#"{{"ok":true,"id":{},"price":"{price}","currency":{}}}"#,
                json_text(token),
                json_text(currency)
            ),
            Bid::Offer { token, .. } => format!(r#"{{"ok":true,"id":{}}}"#, json_text(token)),
            Bid::Pass { .. } => r#"{"ok":false,"why":"filter"}"#.to_owned(),
        })
    }

    fn read_post(&self, request: &Request) -> Result<Offered, Reply> {
        let fields = self.read(request)?;
        if fields.text("lead.phone").is_empty() {
            return Err(error(StatusCode::OK, "phone"));
        }
        let in_body = Some(fields.text("key").to_owned()).filter(|key| !key.is_empty());
        Ok(Offered {
            token: Some(fields.text("id").to_owned()),
            told: fields.told("price"),
            idempotency_key: request.idempotency_key().or(in_body),
            phone: phone_digits(fields.text("lead.phone")),
        })
    }

    fn write_decision(&self, _request: &Request, decision: &Decision<'_>) -> Reply {
        Reply::json(match decision {
            Decision::Bought { price, currency, reference } if self.priced => format!(
                r#"{{"ok":true,"ref":{},"price":"{price}","currency":{}}}"#,
                json_text(reference),
                json_text(currency)
            ),
            Decision::Bought { reference, .. } => {
                format!(r#"{{"ok":true,"ref":{}}}"#, json_text(reference))
            }
            Decision::Refused(refusal) => {
                format!(r#"{{"ok":false,"why":"{}"}}"#, words(*refusal))
            }
        })
    }

    fn token(&self, request: &Request) -> Reply {
        let Access::OAuth { client_id, client_secret, lifetime } = &self.access else {
            return Reply::not_found();
        };
        let fields = form(&request.body);
        if fields.text("grant_type") != "client_credentials" {
            return oauth_error(StatusCode::BAD_REQUEST, "unsupported_grant_type");
        }
        let basic = format!("Basic {}", base64(&format!("{client_id}:{client_secret}")));
        let in_form =
            fields.text("client_id") == client_id && fields.text("client_secret") == client_secret;
        if !in_form && request.header("authorization") != basic {
            return oauth_error(StatusCode::UNAUTHORIZED, "invalid_client");
        }
        Reply::json(format!(
            r#"{{"access_token":"{}","token_type":"Bearer","expires_in":{}}}"#,
            self.issue(*lifetime),
            lifetime.as_secs()
        ))
    }
}

const fn words(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Duplicate => "duplicate",
        Refusal::UnknownToken => "id",
        Refusal::Filter => "filter",
        Refusal::Price => "price",
    }
}

fn error(status: StatusCode, what: &str) -> Reply {
    Reply::json(format!(r#"{{"ok":false,"error":{}}}"#, json_text(what))).with_status(status)
}

fn oauth_error(status: StatusCode, code: &str) -> Reply {
    Reply::json(format!(r#"{{"error":"{code}"}}"#)).with_status(status)
}

#[expect(clippy::disallowed_methods, reason = "a buyer is another company, with its own clock")]
fn now() -> Instant {
    Instant::now()
}

/// Standard base64 with padding, for the `Basic` scheme.
fn base64(text: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::new();
    for chunk in text.as_bytes().chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = (byte(0) << 16) | (byte(1) << 8) | byte(2);
        for place in 0..4usize {
            let sextet = usize::try_from((bits >> (18 - 6 * place)) & 63).unwrap_or(0);
            let letter = ALPHABET.get(sextet).copied().map_or('=', char::from);
            encoded.push(if place <= chunk.len() { letter } else { '=' });
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_rfc_4648() {
        for (plain, encoded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("Aladdin:open sesame", "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        ] {
            assert_eq!(base64(plain), encoded);
        }
    }
}
