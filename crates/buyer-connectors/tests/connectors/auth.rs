//! How a buyer knows us: every scheme on the wire.

use std::fmt::Write as _;

use exchange_model::outcome::PostAnswer;

use crate::calls::ByRote;
use crate::world::{compile_file, connector, listed};

const PLAIN: &str = r#"
id = "acme"
[[campaign]]
id = "auto"
connector = "main"
price = { mode = "fixed" }
[connector.main]
AUTH
[connector.main.post]
url = "https://bids.acme.example/post"
timeout = "8s"
body = { zip = "{{ zip }}" }
idempotency_key = { header = "Idempotency-Key" }
reply = { rules = [{ when = { at = "$.ok", is = [false] }, then = "rejected" }, { when = { at = "$.ok", is = [true] }, then = "accepted" }] }
"#;

const SOLD: (&str, &str) = ("/post", r#"200 {"ok":true}"#);

fn with(auth: &str) -> String {
    PLAIN.replace("AUTH", auth)
}

/// The post as it was sent.
async fn sent(auth: &str) -> String {
    let buyer = ByRote::start(&with(auth), &[SOLD]).await;
    assert!(matches!(buyer.post().await, PostAnswer::Accepted(_)));
    buyer.asked_at("/post")
}

fn says(request: &str, line: &str) {
    assert!(request.lines().any(|said| said == line), "{line}\n{request}");
}

#[tokio::test]
async fn simple_schemes_stand_where_they_belong() {
    says(
        &sent("auth = { scheme = \"header\", name = \"X-Key\", secret = \"acme_api_key\" }").await,
        "x-key: S-acme_api_key",
    );
    says(
        &sent("auth = { scheme = \"bearer\", secret = \"acme_api_key\" }").await,
        "authorization: Bearer S-acme_api_key",
    );
    // `us:S-acme_api_key`
    says(
        &sent("auth = { scheme = \"basic\", user = \"us\", secret = \"acme_api_key\" }").await,
        "authorization: Basic dXM6Uy1hY21lX2FwaV9rZXk=",
    );
    says(
        &sent("auth = { scheme = \"query\", name = \"k y\", secret = \"acme_api_key\" }").await,
        "POST /post?k+y=S-acme_api_key HTTP/1.1",
    );
}

#[tokio::test]
async fn several_schemes_are_sent_at_once_and_a_value_may_hold_several_secrets() {
    let request = sent(
        r#"auth = [
  { scheme = "header", name = "X-Key", secret = "acme_api_key" },
  { scheme = "header", name = "Authorization", value = "Token {{ secret.granite_token }}, Key {{ secret.lonestar_key }}" },
  { scheme = "query", name = "a", secret = "prairie_key" },
  { scheme = "query", name = "b", secret = "bluebonnet_key" },
]"#,
    )
    .await;
    says(&request, "POST /post?a=S-prairie_key&b=S-bluebonnet_key HTTP/1.1");
    says(&request, "x-key: S-acme_api_key");
    says(&request, "authorization: Token S-granite_token, Key S-lonestar_key");
}

/// A header of a request.
fn header<'r>(request: &'r str, name: &str) -> &'r str {
    let prefix = format!("{name}: ");
    request
        .lines()
        .find_map(|line| line.strip_prefix(&prefix))
        .unwrap_or_else(|| panic!("{request}"))
}

fn hmac(algorithm: ring::hmac::Algorithm, of: &str) -> Vec<u8> {
    let key = ring::hmac::Key::new(algorithm, b"S-acme_api_key");
    ring::hmac::sign(&key, of.as_bytes()).as_ref().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string");
        text
    })
}

#[tokio::test]
async fn standard_webhooks_sign_the_id_the_time_and_the_body() {
    let request =
        sent("auth = { scheme = \"standard_webhooks\", secret = \"acme_api_key\" }").await;
    assert_eq!(header(&request, "webhook-id"), "att_1");
    let seconds = header(&request, "webhook-timestamp");
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"S-acme_api_key");
    let signed = format!("att_1.{seconds}.{{\"zip\":\"78701\"}}");
    let tag = ring::hmac::sign(&key, signed.as_bytes());
    let coded = base64(tag.as_ref());
    assert_eq!(header(&request, "webhook-signature"), format!("v1,{coded}"));
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[tokio::test]
async fn an_hmac_covers_what_the_connector_says() {
    let request = sent(
        r#"auth = { scheme = "hmac", secret = "acme_api_key", header = "X-Sign", prefix = "sha256=" }"#,
    )
    .await;
    let tag = hex(&hmac(ring::hmac::HMAC_SHA256, "{\"zip\":\"78701\"}"));
    assert_eq!(header(&request, "x-sign"), format!("sha256={tag}"));
    let request = sent(
        r#"auth = { scheme = "hmac", secret = "acme_api_key", header = "X-Sign", hash = "sha512", encoding = "base64", of = "{{ method }} {{ path }} {{ id }} {{ body }}" }"#,
    )
    .await;
    let of = "POST /post att_1 {\"zip\":\"78701\"}";
    assert_eq!(header(&request, "x-sign"), base64(&hmac(ring::hmac::HMAC_SHA512, of)));
}

#[tokio::test]
async fn an_oauth2_client_shows_its_secret_in_the_body_where_that_is_wanted() {
    let auth = r#"auth = { scheme = "oauth2", token_url = "https://id.acme.example/token", client_id = "me", secret = "acme_api_key", scope = "leads", client_auth = "body" }"#;
    let token = ("/token", r#"200 {"access_token":"T9","expires_in":"600"}"#);
    let buyer = ByRote::start(&with(auth), &[token, SOLD]).await;
    assert!(matches!(buyer.post().await, PostAnswer::Accepted(_)));
    let asked = buyer.asked_at("/token");
    assert!(!asked.contains("authorization"), "{asked}");
    let form =
        "grant_type=client_credentials&scope=leads&client_id=me&client_secret=S-acme_api_key";
    assert!(asked.ends_with(form), "{asked}");
    says(&buyer.asked_at("/post"), "authorization: Bearer T9");
}

#[tokio::test]
async fn campaigns_with_the_same_credentials_share_a_token_and_others_do_not() {
    let auth = |secret: &str| {
        with(&format!(
            r#"auth = {{ scheme = "oauth2", token_url = "https://id.acme.example/token", client_id = "me", secret = "{secret}" }}"#
        ))
    };
    let token = ("/token", r#"200 {"access_token":"T9"}"#);
    let mut buyer = ByRote::start(&auth("acme_api_key"), &[token, SOLD]).await;
    buyer.post().await;
    // The same file, loaded again.
    buyer.connector = connector(&auth("acme_api_key"));
    buyer.post().await;
    let tokens = |buyer: &ByRote| {
        buyer.asked().iter().filter(|text| text.starts_with("POST /token ")).count()
    };
    assert_eq!(tokens(&buyer), 1);
    buyer.connector = connector(&auth("granite_token"));
    buyer.post().await;
    assert_eq!(tokens(&buyer), 2);
}

#[test]
fn a_broken_credential_is_a_finding() {
    for (auth, code) in [
        ("auth = { scheme = \"headr\", secret = \"acme_api_key\" }", "unknown_word"),
        ("auth = { secret = \"acme_api_key\" }", "missing_key"),
        ("auth = { scheme = \"bearer\", secret = \"nobody\" }", "no_secret"),
        ("auth = { scheme = \"token\" }", "no_stage"),
        ("auth = { scheme = \"header\", secret = \"acme_api_key\" }", "missing_key"),
        (
            "auth = { scheme = \"header\", name = \"A\", value = \"x\", secret = \"acme_api_key\" }",
            "bad_value",
        ),
        (
            "auth = { scheme = \"header\", name = \"A\", value = \"{{ phone }}x{{ y }}\" }",
            "unknown",
        ),
        (
            "auth = { scheme = \"hmac\", header = \"A\", secret = \"acme_api_key\", of = \"{{ bodi }}\" }",
            "unknown_source",
        ),
        (
            "auth = { scheme = \"hmac\", header = \"A\", secret = \"acme_api_key\", hash = \"md5\" }",
            "bad_value",
        ),
        (
            "auth = { scheme = \"client_certificate\", certificate = \"no.pem\", secret = \"acme_api_key\" }",
            "no_certificate",
        ),
        (
            "auth = { scheme = \"header\", name = \"Transfer-Encoding\", secret = \"acme_api_key\" }",
            "header_not_allowed",
        ),
        ("auth = [\"bearer\"]", "wrong_type"),
        ("auth = \"bearer\"", "wrong_type"),
    ] {
        let (connectors, findings) = compile_file("buyer.toml", &with(auth));
        let said = listed(&findings);
        assert!(said.contains(code) && connectors.is_empty(), "{auth}: {said}");
        assert!(!said.contains("S-acme"), "{said}");
    }
}

#[tokio::test]
async fn an_empty_list_is_no_credential() {
    let request = sent("auth = []").await;
    assert!(!request.contains("authorization"), "{request}");
}

#[test]
fn no_credential_is_shown() {
    let auth = r#"auth = [
  { scheme = "header", name = "X-Key", secret = "acme_api_key" },
  { scheme = "hmac", secret = "acme_api_key", header = "X-Sign", of = "{{ secret.acme_api_key }}" },
  { scheme = "oauth2", token_url = "https://id.acme.example/token", client_id = "me", secret = "acme_api_key" },
]"#;
    let shown = format!("{:?}", connector(&with(auth)));
    assert!(!shown.contains("S-acme"), "{shown}");
}
