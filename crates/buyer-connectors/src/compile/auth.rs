//! How a buyer knows us.

use std::sync::Arc;

use exchange_model::{Findings, TableReader};
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};

use super::url::checked_url;
use crate::secrets::{SecretText, Secrets};
use crate::template::Escape;

/// A compiled `auth` table.
#[derive(Clone, Debug, Default)]
pub(super) enum Auth {
    /// None, or in the templates.
    #[default]
    None,
    /// A header, marked sensitive.
    Header(HeaderName, HeaderValue),
    /// `name=secret`, encoded.
    Query(Arc<SecretText>),
    /// A token from the buyer's token service.
    OAuth2(Arc<OAuth2>),
}

/// What a token is asked for with (RFC 6749, client credentials).
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct OAuth2 {
    /// The token service.
    pub(crate) token_url: url::Url,
    pub(crate) client_id: String,
    pub(crate) secret: Arc<SecretText>,
    pub(crate) scope: Option<String>,
}

#[derive(Clone, Copy)]
enum Scheme {
    Header,
    Query,
    Basic,
    Bearer,
    OAuth2,
}

/// Reads `auth = { scheme = "...", ... }`.
pub(super) fn read(
    mut table: TableReader<'_>,
    secrets: &Secrets,
    findings: &mut Findings,
) -> Option<Auth> {
    let words = [
        ("header", Scheme::Header),
        ("query", Scheme::Query),
        ("basic", Scheme::Basic),
        ("bearer", Scheme::Bearer),
        ("oauth2", Scheme::OAuth2),
    ];
    if table.node("scheme").is_none() {
        table.missing("scheme", "\"bearer\"", findings);
    }
    let scheme = table.one_of("scheme", &words, findings);
    let named = table.required_string("secret", "\"acme_api_key\"", findings);
    let secret = named.and_then(|name| secrets.required(name.value, &name.place, findings));
    let known = scheme.is_some();
    let auth = match scheme.map(|scheme| scheme.value) {
        Some(Scheme::Header) => header(&mut table, secret, findings),
        Some(Scheme::Query) => query(&mut table, secret, findings),
        Some(Scheme::Basic) => basic(&mut table, secret, findings),
        Some(Scheme::Bearer) => {
            let text = |secret: Arc<SecretText>| format!("Bearer {}", secret.reveal());
            sensitive(&table, AUTHORIZATION, secret.map(text), findings)
        }
        Some(Scheme::OAuth2) => oauth2(&mut table, secret, findings),
        None => None,
    };
    if known {
        table.finish(findings);
    }
    auth
}

fn header(
    table: &mut TableReader<'_>,
    secret: Option<Arc<SecretText>>,
    findings: &mut Findings,
) -> Option<Auth> {
    let parse = |text: &str| HeaderName::try_from(text).map_err(|_no| "this is no header's name");
    if table.node("name").is_none() {
        table.missing("name", "\"X-Api-Key\"", findings);
    }
    let name = table.parsed("name", "\"X-Api-Key\"", parse, findings)?;
    let text = secret.map(|secret| secret.reveal().to_owned());
    sensitive(table, name.value, text, findings)
}

fn query(
    table: &mut TableReader<'_>,
    secret: Option<Arc<SecretText>>,
    findings: &mut Findings,
) -> Option<Auth> {
    let name = table.required_string("name", "\"api_key\"", findings)?;
    let secret = secret?;
    let mut text = String::new();
    Escape::Form.push(name.value, &mut text);
    text.push('=');
    Escape::Form.push(secret.reveal(), &mut text);
    Some(Auth::Query(Arc::new(SecretText::new(text))))
}

fn basic(
    table: &mut TableReader<'_>,
    secret: Option<Arc<SecretText>>,
    findings: &mut Findings,
) -> Option<Auth> {
    let user = table.required_string("user", "\"rialto\"", findings)?;
    let text = secret.map(|secret| {
        let pair = format!("{}:{}", user.value, secret.reveal());
        format!("Basic {}", base64(pair.as_bytes()))
    });
    sensitive(table, AUTHORIZATION, text, findings)
}

fn oauth2(
    table: &mut TableReader<'_>,
    secret: Option<Arc<SecretText>>,
    findings: &mut Findings,
) -> Option<Auth> {
    let example = "\"https://id.buyer.example/token\"";
    let url = table.required_string("token_url", example, findings);
    let client = table.required_string("client_id", "\"rialto\"", findings);
    let scope = table.string("scope", "\"leads\"", findings);
    let url = url.and_then(|url| checked_url(url.value, &url.place, findings));
    Some(Auth::OAuth2(Arc::new(OAuth2 {
        token_url: url?,
        client_id: client?.value.to_owned(),
        secret: secret?,
        scope: scope.map(|scope| scope.value.to_owned()),
    })))
}

fn sensitive(
    table: &TableReader<'_>,
    name: HeaderName,
    text: Option<String>,
    findings: &mut Findings,
) -> Option<Auth> {
    let Ok(mut value) = HeaderValue::from_str(&text?) else {
        let message = "this secret holds characters that no header may".to_owned();
        let help = "a secret for a header is one line of printable ASCII".to_owned();
        findings.error("bad_value", table.own_place(), message, help);
        return None;
    };
    value.set_sensitive(true);
    Some(Auth::Header(name, value))
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// RFC 4648 base64 with padding; basic authentication is its only use here.
fn base64(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3).saturating_mul(4));
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = (byte(0) << 16) | (byte(1) << 8) | byte(2);
        for place in 0..4_usize {
            let sextet = usize::try_from((bits >> (18 - place * 6)) & 63).unwrap_or(0);
            let letter = BASE64.get(sextet).copied().unwrap_or(b'=');
            out.push(if place > chunk.len() { '=' } else { char::from(letter) });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_rfc_4648() {
        for (plain, coded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }
}
