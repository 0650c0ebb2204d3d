//! A seller: HTTP requests with a key.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;

/// Longest a seller of the tests waits: far beyond every deadline of the tests' trees.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A seller with one key.
#[derive(Clone, Debug)]
pub(crate) struct Seller {
    pub(crate) addr: SocketAddr,
    pub(crate) key: Arc<str>,
    client: Client,
}

/// What the exchange answered.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error} in {}: {}", self.status, self.text()))
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A text of the body; empty where it is absent.
    #[track_caller]
    pub(crate) fn at(&self, name: &str) -> String {
        self.json()[name].as_str().unwrap_or_default().to_owned()
    }

    /// A header's text; empty where it is absent.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The business outcome, checked to be a 200.
    #[track_caller]
    pub(crate) fn outcome(&self) -> String {
        assert_eq!(self.status, 200, "{}", self.text());
        self.at("status")
    }

    /// The code of a refusal, checked to be a problem document with this status.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.header("content-type"), "application/problem+json");
        let body = self.json();
        assert_eq!(body["status"], status);
        for member in ["type", "title", "detail", "code"] {
            assert!(body[member].is_string(), "no `{member}` in {body}");
        }
        self.at("code")
    }

    /// The names of the fields that a refusal finds wrong, sorted.
    #[track_caller]
    pub(crate) fn wrong_fields(&self) -> Vec<String> {
        let body = self.json();
        let errors = body["errors"].as_array().unwrap_or_else(|| panic!("no errors in {body}"));
        let mut names: Vec<String> =
            errors.iter().map(|error| error["field"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    }
}

impl Seller {
    pub(crate) fn new(addr: SocketAddr, key: &str) -> Self {
        Self { addr, key: key.into(), client: client() }
    }

    /// The same seller with another key.
    pub(crate) fn with_key(&self, key: &str) -> Self {
        Self { key: key.into(), ..self.clone() }
    }

    /// The same seller at another address.
    pub(crate) fn at(&self, addr: SocketAddr) -> Self {
        Self { addr, ..self.clone() }
    }

    /// A direct post.
    pub(crate) async fn post(&self, lead: &Value) -> Answer {
        self.send_json("/v1/leads", lead, &[]).await
    }

    /// A direct post with an idempotency key.
    pub(crate) async fn post_keyed(&self, lead: &Value, key: &str) -> Answer {
        self.send_json("/v1/leads", lead, &[("idempotency-key", key)]).await
    }

    /// A ping.
    pub(crate) async fn ping(&self, attributes: &Value) -> Answer {
        self.send_json("/v1/pings", attributes, &[]).await
    }

    /// A post on a ping.
    pub(crate) async fn post_on(&self, ping: &str, lead: &Value) -> Answer {
        self.send_json(&format!("/v1/pings/{ping}/post"), lead, &[]).await
    }

    /// How a lead stands.
    pub(crate) async fn lead(&self, id: &str) -> Answer {
        self.answer(self.request(Method::GET, &format!("/v1/leads/{id}"))).await
    }

    /// JSON to a path, with further headers.
    pub(crate) async fn send_json(
        &self,
        path: &str,
        body: &Value,
        headers: &[(&str, &str)],
    ) -> Answer {
        self.send(path, "application/json", body.to_string(), headers).await
    }

    /// Any body to a path.
    pub(crate) async fn send(
        &self,
        path: &str,
        content_type: &str,
        body: impl Into<Vec<u8>>,
        headers: &[(&str, &str)],
    ) -> Answer {
        self.answer(self.prepared(path, content_type, body.into(), headers)).await
    }

    /// The same, where the exchange may be gone.
    pub(crate) async fn try_post(&self, lead: &Value, key: &str) -> reqwest::Result<Answer> {
        let headers = [("idempotency-key", key)];
        let body = lead.to_string().into_bytes();
        read(self.prepared("/v1/leads", "application/json", body, &headers)).await
    }

    /// A request with the key.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.bare(method, path).header(AUTHORIZATION, format!("Bearer {}", self.key))
    }

    /// A request without a key.
    pub(crate) fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("http://{}{path}", self.addr))
    }

    /// Sends and reads.
    pub(crate) async fn answer(&self, request: RequestBuilder) -> Answer {
        read(request).await.unwrap_or_else(|error| panic!("no answer: {error:?}"))
    }

    fn prepared(
        &self,
        path: &str,
        content_type: &str,
        body: Vec<u8>,
        headers: &[(&str, &str)],
    ) -> RequestBuilder {
        let request =
            self.request(Method::POST, path).header(CONTENT_TYPE, content_type).body(body);
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
    }
}

async fn read(request: RequestBuilder) -> reqwest::Result<Answer> {
    let response = request.send().await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Ok(Answer { status, headers, body: response.bytes().await?.to_vec() })
}

/// A client that asks nobody else on its way.
pub(crate) fn client() -> Client {
    install_cryptography();
    Client::builder().timeout(TIMEOUT).no_proxy().build().unwrap()
}

/// The HTTP client insists on a provider of cryptography even for plain HTTP.
fn install_cryptography() {
    // Whoever came second finds it installed.
    drop(rustls::crypto::ring::default_provider().install_default());
}
