//! How a buyer knows us: `auth`, one scheme or several at once.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use exchange_model::document::NodeKind;
use exchange_model::{Findings, Place, TableReader};
use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};

use super::scope::Scope;
use super::shared::Shared;
use crate::call::Call;
use crate::grant::Grant;
use crate::identity::Identity;
use crate::secrets::SecretText;
use crate::sign::Signer;
use crate::template::{Escape, Placeholder, Segment, Source, Template};

mod oauth2;
mod signature;

/// A compiled `auth`.
#[derive(Debug, Default)]
pub(super) struct Auth {
    /// Marked sensitive.
    headers: Vec<(HeaderName, HeaderValue)>,
    /// Texts of the file, compiled for each stage.
    texts: Vec<HeaderText>,
    /// `name=secret`, encoded.
    queries: Vec<SecretText>,
    /// What a token is sent in.
    token: Option<TokenHeader>,
    /// Tokens of RFC 6749.
    pub(super) grant: Option<Arc<Grant>>,
    pub(super) signers: Vec<Signer>,
    pub(super) identity: Option<Arc<Identity>>,
}

/// A header whose value the file writes as a template.
#[derive(Debug)]
struct HeaderText {
    name: HeaderName,
    text: String,
    place: Place,
}

/// What carries a token.
#[derive(Debug)]
enum TokenHeader {
    /// `Authorization: Bearer <token>`.
    Bearer,
    /// As the file says.
    Text(HeaderText),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Scheme {
    Header,
    Query,
    Basic,
    Bearer,
    OAuth2,
    Token,
    StandardWebhooks,
    Hmac,
    Digest,
    ClientCertificate,
}

const SCHEMES: &[(&str, Scheme)] = &[
    ("header", Scheme::Header),
    ("query", Scheme::Query),
    ("basic", Scheme::Basic),
    ("bearer", Scheme::Bearer),
    ("oauth2", Scheme::OAuth2),
    ("token", Scheme::Token),
    ("standard_webhooks", Scheme::StandardWebhooks),
    ("hmac", Scheme::Hmac),
    ("digest", Scheme::Digest),
    ("client_certificate", Scheme::ClientCertificate),
];

/// Reads `auth = { scheme = "...", ... }`, or a list of such. Nothing when any of it is broken.
pub(super) fn read(
    connector: &mut TableReader<'_>,
    shared: &Shared<'_>,
    has_token_stage: bool,
    findings: &mut Findings,
) -> Option<Auth> {
    let mut auth = Auth::default();
    let (tables, count) = match connector.node("auth").map(|node| &node.kind) {
        None => return Some(auth),
        Some(NodeKind::Array(items)) => (connector.tables("auth", findings), items.len()),
        Some(_) => (connector.table("auth", findings).into_iter().collect(), 1),
    };
    // What is no table is reported; an empty list takes a base's credentials away.
    let mut complete = tables.len() == count;
    for table in tables {
        let place = table.own_place();
        complete &= Reader { table, shared, findings }.scheme(&mut auth, has_token_stage).is_some();
        if auth.grant.is_some() && matches!(auth.token, Some(TokenHeader::Text(_))) {
            let message = "`oauth2` and `token` are two tokens for one connector".to_owned();
            findings.error("auth_twice", place, message, "keep one of them".to_owned());
            return None;
        }
    }
    complete.then_some(auth)
}

/// One scheme while it is read.
struct Reader<'a, 't> {
    table: TableReader<'t>,
    shared: &'a Shared<'a>,
    findings: &'a mut Findings,
}

impl Reader<'_, '_> {
    fn scheme(mut self, auth: &mut Auth, has_token_stage: bool) -> Option<()> {
        if self.table.node("scheme").is_none() {
            self.table.missing("scheme", "\"bearer\"", self.findings);
            return None;
        }
        let scheme = self.table.one_of("scheme", SCHEMES, self.findings)?.value;
        let read = match scheme {
            Scheme::Header => self.header(auth),
            Scheme::Query => self.query(auth),
            Scheme::Basic => self.basic(auth),
            Scheme::Bearer => self.bearer(auth),
            Scheme::OAuth2 => self.oauth2(auth),
            Scheme::Token => self.token(auth, has_token_stage),
            Scheme::StandardWebhooks => self.standard_webhooks(auth),
            Scheme::Hmac => self.hmac(auth),
            Scheme::Digest => self.digest(auth),
            Scheme::ClientCertificate => self.client_certificate(auth),
        };
        self.table.finish(self.findings);
        read
    }

    fn secret(&mut self) -> Option<Arc<SecretText>> {
        let named = self.table.required_string("secret", "\"acme_api_key\"", self.findings)?;
        self.shared.secrets.required(named.value, &named.place, self.findings)
    }

    fn header_name(&mut self, key: &'static str) -> Option<HeaderName> {
        let named = self.table.required_string(key, "\"X-Api-Key\"", self.findings)?;
        super::stage::header_name(named.value, named.place, self.findings)
    }

    fn header(&mut self, auth: &mut Auth) -> Option<()> {
        let name = self.header_name("name");
        if self.table.node("value").is_none() {
            let secret = self.secret();
            let value = self.sensitive(secret?.reveal())?;
            auth.headers.push((name?, value));
            return Some(());
        }
        let text = self.table.string("value", "\"Token {{ secret.key }}\"", self.findings);
        if self.table.node("secret").is_some() {
            let message = "`value` and `secret` exclude each other".to_owned();
            let help = "write the secret into the value: \"{{ secret.name }}\"".to_owned();
            self.findings.error("bad_value", self.table.own_place(), message, help);
            return None;
        }
        let text = text?;
        auth.texts.push(HeaderText { name: name?, text: text.value.to_owned(), place: text.place });
        Some(())
    }

    fn query(&mut self, auth: &mut Auth) -> Option<()> {
        let name = self.table.required_string("name", "\"api_key\"", self.findings);
        let secret = self.secret();
        let mut text = String::new();
        Escape::Form.push(name?.value, &mut text);
        text.push('=');
        Escape::Form.push(secret?.reveal(), &mut text);
        auth.queries.push(SecretText::new(text));
        Some(())
    }

    fn basic(&mut self, auth: &mut Auth) -> Option<()> {
        let user = self.table.required_string("user", "\"rialto\"", self.findings);
        let secret = self.secret();
        let pair = format!("{}:{}", user?.value, secret?.reveal());
        let value = self.sensitive(&format!("Basic {}", STANDARD.encode(pair)))?;
        auth.headers.push((AUTHORIZATION, value));
        Some(())
    }

    fn bearer(&mut self, auth: &mut Auth) -> Option<()> {
        let secret = self.secret()?;
        let value = self.sensitive(&format!("Bearer {}", secret.reveal()))?;
        auth.headers.push((AUTHORIZATION, value));
        Some(())
    }

    fn token(&mut self, auth: &mut Auth, has_token_stage: bool) -> Option<()> {
        let name = match self.table.node("header") {
            None => AUTHORIZATION,
            Some(_) => self.header_name("header")?,
        };
        let own = self.table.own_place();
        let example = "\"Bearer {{ token.token }}\"";
        let (text, place) = match self.table.string("value", example, self.findings) {
            Some(text) => (text.value.to_owned(), text.place),
            None => ("Bearer {{ token.token }}".to_owned(), own.clone()),
        };
        if !has_token_stage {
            let message = "`scheme = \"token\"` needs a `token` stage".to_owned();
            let help = "add a table `token` to this connector, with `url` and `reply`".to_owned();
            self.findings.error("no_stage", own, message, help);
            return None;
        }
        auth.token = Some(TokenHeader::Text(HeaderText { name, text, place }));
        Some(())
    }

    fn client_certificate(&mut self, auth: &mut Auth) -> Option<()> {
        let named = self.table.required_string("certificate", "\"acme.pem\"", self.findings);
        let secret = self.secret();
        let named = named?;
        let Some(file) = (self.shared.files)(named.value) else {
            let message = format!("there is no file `{}` beside this one", named.value);
            let help = "a certificate stands in the same folder as its buyer's file".to_owned();
            self.findings.error("no_certificate", named.place, message, help);
            return None;
        };
        match Identity::from_pem(&file.text, &*secret?) {
            Ok(identity) => auth.identity = Some(Arc::new(identity)),
            Err(why) => {
                let message = format!("`{}` cannot be used: {why}", named.value);
                let help = "the file holds the certificate chain in PEM, ours first; the secret holds its key".to_owned();
                self.findings.error("bad_certificate", named.place, message, help);
                return None;
            }
        }
        Some(())
    }

    fn sensitive(&mut self, text: &str) -> Option<HeaderValue> {
        let Ok(mut value) = HeaderValue::from_str(text) else {
            let message = "this secret holds characters that no header may".to_owned();
            let help = "a secret for a header is one line of printable ASCII".to_owned();
            self.findings.error("bad_value", self.table.own_place(), message, help);
            return None;
        };
        value.set_sensitive(true);
        Some(value)
    }
}

impl Auth {
    /// Puts the credentials where they belong in one stage: headers into `headers` and
    /// `templates`; what goes into the query is returned. Nothing when a text is broken.
    pub(super) fn apply(
        &self,
        scope: &Scope<'_>,
        headers: &mut HeaderMap,
        templates: &mut Vec<(HeaderName, Template)>,
        findings: &mut Findings,
    ) -> Option<Option<Box<str>>> {
        for (name, value) in &self.headers {
            headers.insert(name.clone(), value.clone());
        }
        for text in &self.texts {
            templates.push((text.name.clone(), scope.text(&text.text, &text.place, findings)?));
        }
        if scope.call != Call::Token {
            match &self.token {
                Some(TokenHeader::Bearer) => templates.push((AUTHORIZATION, bearer_template())),
                Some(TokenHeader::Text(text)) => {
                    let template = scope.text(&text.text, &text.place, findings)?;
                    templates.push((text.name.clone(), template));
                }
                None => {}
            }
        }
        let queries: Vec<&str> = self.queries.iter().map(SecretText::reveal).collect();
        Some((!queries.is_empty()).then(|| queries.join("&").into()))
    }
}

/// `Bearer {{ token.token }}`, of a token that no stage names.
fn bearer_template() -> Template {
    let source = Source::Token(exchange_model::outcome::BidToken::TOKEN.into());
    let value = Segment::Value(Placeholder { source, filters: Vec::new() });
    Template { segments: vec![Segment::Literal("Bearer ".into()), value] }
}
