//! OAuth2 client-credentials tokens: one request at a time per client, kept until shortly before
//! they expire.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::header::{ACCEPT, HOST, HeaderValue};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::time::Instant;

use super::address;
use super::connect::resolve;
use super::settings::{TransportError, TransportSettings};
use super::timings::now;
use crate::compile::OAuth2;

/// Whole time of a token request.
const TOKEN_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest reply of a token service, in bytes.
const TOKEN_REPLY_MAX: usize = 64 * 1024;
/// How long a token lives when its service does not say.
const LIFETIME_DEFAULT: Duration = Duration::from_secs(300);
/// Longest a token is kept, whatever its service says.
const LIFETIME_MAX: Duration = Duration::from_secs(24 * 3600);
/// How long before its end a token is no longer used; a tenth of its life if that is less.
const MARGIN_MAX: Duration = Duration::from_secs(30);
/// After a failure the service is left alone for this long.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);

/// The client of all token services.
#[derive(Clone)]
pub(super) struct TokenClient {
    http: reqwest::Client,
    settings: Arc<TransportSettings>,
}

impl TokenClient {
    pub(super) fn new(
        settings: Arc<TransportSettings>,
        tls: &rustls::ClientConfig,
    ) -> Result<Self, TransportError> {
        let plain_allowed = settings.allow_private || !settings.hosts.is_empty();
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls.clone())
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .https_only(!plain_allowed)
            .timeout(TOKEN_TIMEOUT)
            .connect_timeout(settings.connect_timeout)
            .pool_idle_timeout(settings.idle_max)
            .dns_resolver(Arc::new(CheckedNames { allow_private: settings.allow_private }))
            .build()
            .map_err(|_unusable| TransportError::Tls)?;
        Ok(Self { http, settings })
    }

    /// Asks for a token. Nothing on any failure; the reason is logged without the reply.
    async fn fetch(&self, oauth2: &OAuth2) -> Option<Token> {
        let asked = now();
        let mut form = vec![("grant_type", "client_credentials")];
        form.extend(oauth2.scope.as_deref().map(|scope| ("scope", scope)));
        let request = self
            .to(&oauth2.token_url)?
            .header(ACCEPT, "application/json")
            .basic_auth(encoded(&oauth2.client_id), Some(encoded(oauth2.secret.reveal())))
            .form(&form);
        let response = request.send().await.ok()?;
        if response.status() != http::StatusCode::OK {
            tracing::warn!(status = response.status().as_u16(), "token service refused");
            return None;
        }
        Token::read(&short_body(response).await?, asked)
    }

    /// A request to the token service, through the table of hosts.
    fn to(&self, url: &url::Url) -> Option<reqwest::RequestBuilder> {
        let host = url.host_str()?;
        if let Some(at) = self.settings.hosts.get(host) {
            let named = match url.port() {
                Some(port) => format!("{host}:{port}"),
                None => host.to_owned(),
            };
            return Some(self.http.post(rewritten(url, *at)?).header(HOST, named));
        }
        let private = address::literal(host).is_some_and(|found| !address::is_public(found));
        let plain = url.scheme() != "https";
        if (private || plain) && !self.settings.allow_private {
            return None;
        }
        Some(self.http.post(url.clone()))
    }
}

fn rewritten(url: &url::Url, at: SocketAddr) -> Option<url::Url> {
    let mut rewritten = url.clone();
    rewritten.set_scheme("http").ok()?;
    rewritten.set_ip_host(at.ip()).ok()?;
    rewritten.set_port(Some(at.port())).ok()?;
    Some(rewritten)
}

/// RFC 6749 section 2.3.1: id and secret are form-encoded before basic authentication.
fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

async fn short_body(mut response: reqwest::Response) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.ok()? {
        if body.len().saturating_add(chunk.len()) > TOKEN_REPLY_MAX {
            return None;
        }
        body.extend_from_slice(&chunk);
    }
    Some(body)
}

/// Names are resolved through the same check as those of buyers.
struct CheckedNames {
    allow_private: bool,
}

impl Resolve for CheckedNames {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_private = self.allow_private;
        Box::pin(async move {
            let found = resolve(name.as_str(), 0, allow_private).await;
            let addresses = found.map_err(|why| format!("not called: {why}"))?;
            let addresses: Addrs = Box::new(addresses.into_iter());
            Ok(addresses)
        })
    }
}

#[derive(Clone)]
struct Token {
    authorization: HeaderValue,
    /// From here on a new one is fetched while this one is still used.
    renew_at: Instant,
    ends_at: Instant,
}

impl Token {
    fn read(body: &[u8], asked: Instant) -> Option<Self> {
        let reply = exchange_model::strict_json::parse(body).ok()?;
        let text = reply.get("access_token")?.as_str().filter(|text| !text.is_empty())?;
        let mut authorization = HeaderValue::from_str(&format!("Bearer {text}")).ok()?;
        authorization.set_sensitive(true);
        let said = reply.get("expires_in").and_then(|seconds| match seconds {
            serde_json::Value::Number(number) => number.as_u64(),
            serde_json::Value::String(text) => text.parse().ok(),
            _ => None,
        });
        let lifetime = said.map_or(LIFETIME_DEFAULT, Duration::from_secs).min(LIFETIME_MAX);
        let margin = MARGIN_MAX.min(lifetime.checked_div(10).unwrap_or_default());
        let ends_at = asked.checked_add(lifetime.saturating_sub(margin))?;
        let renew_at = ends_at.checked_sub(margin).unwrap_or(asked);
        Some(Self { authorization, renew_at, ends_at })
    }
}

#[derive(Default)]
struct Kept {
    token: Option<Token>,
    paused_until: Option<Instant>,
}

/// The tokens of one client at one service.
pub(super) struct TokenSource {
    client: TokenClient,
    oauth2: Arc<OAuth2>,
    kept: Mutex<Kept>,
    /// Held while a token is fetched: the others wait for the same one.
    turn: tokio::sync::Mutex<()>,
}

impl TokenSource {
    pub(super) fn new(client: TokenClient, oauth2: Arc<OAuth2>) -> Self {
        let turn = tokio::sync::Mutex::new(());
        Self { client, oauth2, kept: Mutex::new(Kept::default()), turn }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn current(&self) -> Option<Token> {
        self.kept().token.clone().filter(|token| now() < token.ends_at)
    }

    /// The value of the authorization header; nothing when no token can be had. Fetching goes on
    /// when the caller leaves.
    pub(super) async fn authorization(self: &Arc<Self>) -> Option<HeaderValue> {
        if let Some(token) = self.current() {
            if now() >= token.renew_at && self.turn.try_lock().is_ok() {
                tokio::spawn(Arc::clone(self).fetched(token.renew_at));
            }
            return Some(token.authorization);
        }
        tokio::spawn(Arc::clone(self).fetched(now())).await.ok().flatten()
    }

    /// A token that need not be renewed at `by`, fetched by whoever comes first.
    async fn fetched(self: Arc<Self>, by: Instant) -> Option<HeaderValue> {
        let _turn = self.turn.lock().await;
        if let Some(token) = self.current().filter(|token| token.renew_at > by) {
            return Some(token.authorization);
        }
        if self.kept().paused_until.is_some_and(|until| now() < until) {
            return self.current().map(|token| token.authorization);
        }
        let fetched = self.client.fetch(&self.oauth2).await;
        let mut kept = self.kept();
        match fetched {
            Some(token) => {
                kept.paused_until = None;
                kept.token = Some(token.clone());
                Some(token.authorization)
            }
            None => {
                kept.paused_until = now().checked_add(PAUSE_AFTER_FAILURE);
                drop(kept);
                self.current().map(|token| token.authorization)
            }
        }
    }

    /// Drops a token that a buyer refused, unless a newer one is there already.
    pub(super) fn forget(&self, refused: &HeaderValue) {
        let mut kept = self.kept();
        if kept.token.as_ref().is_some_and(|token| token.authorization == *refused) {
            kept.token = None;
        }
    }

    /// Whether it serves these credentials.
    pub(super) fn serves(&self, oauth2: &OAuth2) -> bool {
        *self.oauth2 == *oauth2
    }
}
