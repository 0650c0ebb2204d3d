//! Signatures of requests: what proves to a buyer that its secret was there.
//!
//! A request is signed when it is complete. What is signed is what is sent, byte by byte.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use exchange_model::Timestamp;
use http::HeaderName;
use http::header::HeaderValue;
use ring::hmac;

use crate::request::{EncodeError, Request};
use crate::template::{Coding, Digest, Filter, NoValues, Scalar};

/// What the request is, to its receiver: the ping's or the attempt's handle, and the time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signed<'a> {
    /// The idempotency key; of a ping, its id.
    pub(crate) id: &'a str,
    /// When it is sent.
    pub(crate) now: Timestamp,
}

/// How requests are signed.
pub(crate) enum Signer {
    /// The Standard Webhooks specification, symmetric.
    StandardWebhooks(hmac::Key),
    /// An HMAC in a header.
    Hmac(HmacSigner),
}

/// An HMAC or a hash over a text of the buyer's choosing.
pub(crate) struct HmacSigner {
    pub(crate) how: Sealing,
    pub(crate) header: HeaderName,
    pub(crate) of: Box<[Part]>,
    pub(crate) coding: Coding,
    pub(crate) prefix: Box<str>,
}

/// What is made of the text that is signed.
pub(crate) enum Sealing {
    /// An HMAC.
    Keyed(hmac::Key),
    /// A hash; a secret may stand in the text.
    Plain(Digest),
}

/// A piece of what is signed. A literal may be a secret.
#[derive(Clone)]
pub(crate) enum Part {
    /// Fixed text.
    Literal(Box<str>),
    /// The body as it is sent.
    Body,
    /// Unix seconds.
    Timestamp,
    /// The idempotency key; of a ping, its id.
    Id,
    /// `POST`.
    Method,
    /// Path and query.
    Path,
    /// A header as it is sent; empty when there is none.
    Header(HeaderName),
    /// One of these after filters.
    Filtered(Box<Self>, Vec<Filter>),
}

impl Part {
    /// The part that a template's word names.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        match word {
            "body" => Some(Self::Body),
            "timestamp" => Some(Self::Timestamp),
            "id" => Some(Self::Id),
            "method" => Some(Self::Method),
            "path" => Some(Self::Path),
            other => {
                let name = other.strip_prefix("header.")?;
                HeaderName::try_from(name).ok().map(Self::Header)
            }
        }
    }

    /// The text that it is in one request; nothing for what a filter leaves out.
    fn text<'r>(&'r self, request: &'r Request, signed: Signed<'r>) -> Option<Cow<'r, str>> {
        Some(match self {
            Self::Literal(text) => Cow::Borrowed(&**text),
            Self::Body => String::from_utf8_lossy(&request.body),
            Self::Timestamp => Cow::Owned(signed.now.unix_seconds().to_string()),
            Self::Id => Cow::Borrowed(signed.id),
            Self::Method => Cow::Borrowed(request.method.as_str()),
            Self::Path => {
                Cow::Borrowed(request.uri.path_and_query().map_or("/", |path| path.as_str()))
            }
            Self::Header(name) => Cow::Borrowed(request.headers.get(name)?.to_str().ok()?),
            Self::Filtered(part, filters) => {
                let first = match &**part {
                    Self::Timestamp => Scalar::Moment(signed.now),
                    other => Scalar::Text(other.text(request, signed)?),
                };
                let mut value = Some(first);
                for filter in filters {
                    value = filter.apply(value, &NoValues);
                }
                value?.into_text()
            }
        })
    }

    /// Appends it, byte by byte.
    fn push(&self, request: &Request, signed: Signed<'_>, out: &mut Vec<u8>) {
        match self {
            Self::Body => out.extend_from_slice(&request.body),
            other => {
                out.extend(other.text(request, signed).unwrap_or_default().bytes());
            }
        }
    }
}

/// Never the key.
impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::StandardWebhooks(_) => "StandardWebhooks",
            Self::Hmac(_) => "Hmac",
        })
    }
}

impl Signer {
    /// The key of Standard Webhooks: base64 after `whsec_`, or the text itself.
    pub(crate) fn standard_webhooks(secret: &str) -> Option<Self> {
        let bytes = match secret.strip_prefix("whsec_") {
            Some(coded) => STANDARD.decode(coded).ok()?,
            None => secret.as_bytes().to_vec(),
        };
        Some(Self::StandardWebhooks(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }

    /// Adds the headers that sign the request.
    pub(crate) fn sign(
        &self,
        request: &mut Request,
        signed: Signed<'_>,
    ) -> Result<(), EncodeError> {
        match self {
            Self::StandardWebhooks(key) => standard_webhooks(key, request, signed),
            Self::Hmac(signer) => signer.sign(request, signed),
        }
    }
}

const WEBHOOK_ID: HeaderName = HeaderName::from_static("webhook-id");
const WEBHOOK_TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const WEBHOOK_SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

fn standard_webhooks(
    key: &hmac::Key,
    request: &mut Request,
    signed: Signed<'_>,
) -> Result<(), EncodeError> {
    let seconds = signed.now.unix_seconds().to_string();
    let mut mac = hmac::Context::with_key(key);
    for piece in [signed.id, ".", &seconds, "."] {
        mac.update(piece.as_bytes());
    }
    mac.update(&request.body);
    let signature = format!("v1,{}", STANDARD.encode(mac.sign().as_ref()));
    put(request, &WEBHOOK_ID, signed.id)?;
    put(request, &WEBHOOK_TIMESTAMP, &seconds)?;
    put(request, &WEBHOOK_SIGNATURE, &signature)
}

impl HmacSigner {
    fn sign(&self, request: &mut Request, signed: Signed<'_>) -> Result<(), EncodeError> {
        let mut text = Vec::with_capacity(request.body.len());
        for part in &self.of {
            part.push(request, signed, &mut text);
        }
        let coded = match &self.how {
            Sealing::Keyed(key) => self.coding.write(hmac::sign(key, &text).as_ref()),
            Sealing::Plain(hash) => self.coding.write(&hash.of(&text)),
        };
        put(request, &self.header, &format!("{}{coded}", self.prefix))
    }
}

fn put(request: &mut Request, name: &HeaderName, text: &str) -> Result<(), EncodeError> {
    let mut value =
        HeaderValue::from_str(text).map_err(|_invalid| EncodeError::BadHeader(name.to_string()))?;
    value.set_sensitive(true);
    request.headers.insert(name.clone(), value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, Method, Uri};

    use super::*;

    fn request(body: &'static [u8]) -> Request {
        Request {
            method: Method::POST,
            uri: Uri::from_static("https://bids.example/v1/post?x=1"),
            headers: HeaderMap::new(),
            body: Bytes::from_static(body),
            echo: None,
        }
    }

    fn header<'r>(request: &'r Request, name: &str) -> &'r str {
        request.headers.get(name).unwrap().to_str().unwrap()
    }

    /// The example of the Standard Webhooks specification's own libraries.
    #[test]
    fn standard_webhooks_signs_as_its_specification_does() {
        let signer = Signer::standard_webhooks("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let mut request = request(br#"{"test": 2432232314}"#);
        let now = Timestamp::from_unix_millis(1_614_265_330_000);
        let signed = Signed { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", now };
        signer.sign(&mut request, signed).unwrap();
        assert_eq!(header(&request, "webhook-id"), "msg_p5jXN8AQM9LWM0D4loKWxJek");
        assert_eq!(header(&request, "webhook-timestamp"), "1614265330");
        assert_eq!(
            header(&request, "webhook-signature"),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
        assert!(Signer::standard_webhooks("whsec_!").is_none());
    }

    fn hmac_of(
        algorithm: hmac::Algorithm,
        key: &[u8],
        of: &[Part],
        body: &'static [u8],
        hex: bool,
    ) -> String {
        let signer = Signer::Hmac(HmacSigner {
            how: Sealing::Keyed(hmac::Key::new(algorithm, key)),
            header: HeaderName::from_static("x-signature"),
            of: of.into(),
            coding: if hex { Coding::Hex } else { Coding::Base64 },
            prefix: "t=".into(),
        });
        let mut request = request(body);
        let now = Timestamp::from_unix_millis(1_614_265_330_000);
        signer.sign(&mut request, Signed { id: "att_1", now }).unwrap();
        header(&request, "x-signature").strip_prefix("t=").unwrap().to_owned()
    }

    /// RFC 4231 test case 2, RFC 2202 test case 2.
    #[test]
    fn the_hashes_are_those_of_the_rfcs() {
        let body = b"what do ya want for nothing?";
        let of = |algorithm| hmac_of(algorithm, b"Jefe", &[Part::Body], body, true);
        assert_eq!(
            of(hmac::HMAC_SHA256),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(
            of(hmac::HMAC_SHA512),
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554\
             9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"
        );
        let sha1 = of(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY);
        assert_eq!(sha1, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
        let coded = hmac_of(hmac::HMAC_SHA256, b"Jefe", &[Part::Body], body, false);
        assert_eq!(coded, "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=");
    }

    #[test]
    fn a_template_is_signed_piece_by_piece() {
        let words = ["method", "path", "timestamp", "id", "body"];
        let dot = || Part::Literal(".".into());
        let parts: Vec<Part> =
            words.iter().flat_map(|word| [Part::from_word(word).unwrap(), dot()]).collect();
        let templated = hmac_of(hmac::HMAC_SHA256, b"k", &parts, b"{}", true);
        let plain = "POST./v1/post?x=1.1614265330.att_1.{}.";
        let whole = [Part::Literal(plain.into())];
        assert_eq!(templated, hmac_of(hmac::HMAC_SHA256, b"k", &whole, b"", true));
    }

    fn sealed(how: Sealing, of: Vec<Part>) -> String {
        let signer = Signer::Hmac(HmacSigner {
            how,
            header: HeaderName::from_static("x-signature"),
            of: of.into(),
            coding: Coding::Hex,
            prefix: "".into(),
        });
        let mut request = request(b"{}");
        request.headers.insert("x-nonce", HeaderValue::from_static("n1"));
        let now = Timestamp::from_unix_millis(1_614_265_330_250);
        signer.sign(&mut request, Signed { id: "att_1", now }).unwrap();
        header(&request, "x-signature").to_owned()
    }

    #[test]
    fn what_is_signed_may_be_a_header_or_go_through_filters() {
        let body_hash = Filter::Digest(Digest::Sha256, Coding::Hex);
        let nonce = Part::from_word("header.x-nonce").unwrap();
        let parts = vec![
            nonce,
            Part::Filtered(Box::new(Part::Timestamp), vec![Filter::EpochMillis]),
            Part::Filtered(Box::new(Part::Body), vec![body_hash]),
            Part::from_word("header.x-absent").unwrap(),
        ];
        let hash = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        let plain = vec![Part::Literal(format!("n11614265330250{hash}").into())];
        let md5 = |of| sealed(Sealing::Plain(Digest::Md5), of);
        assert_eq!(md5(parts), md5(plain));
        assert!(Part::from_word("header.a b").is_none());
        assert_eq!(md5(vec![Part::Body, Part::Literal("abc".into())]).len(), 32);
    }

    #[test]
    fn a_signer_does_not_show_its_key() {
        let signer = Signer::standard_webhooks("hush").unwrap();
        assert_eq!(format!("{signer:?}"), "StandardWebhooks");
    }
}
