//! Buyers are believed only with a certificate that a trusted root has signed for their name.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use buyer_connectors::{Connector, Connectors, Secrets, Transport, TransportSettings, compile};
use exchange_model::outcome::PostAnswer;
use exchange_model::reason::NotSent;
use exchange_model::{Findings, SourceFile};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

use crate::world::{campaigns, connector, document, listed, post_job, vertical};

const SOLD: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n{\"ok\":true}";

/// The buyer's side of TLS, with a certificate of its own making for `name`.
fn acceptor(name: &str) -> (TlsAcceptor, Vec<u8>) {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).expect("a certificate");
    let der = made.cert.der().to_vec();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("a key that fits");
    (TlsAcceptor::from(Arc::new(config)), der)
}

/// A TLS buyer that sells everything.
async fn buyer(name: &str) -> (SocketAddr, Vec<u8>) {
    let (acceptor, der) = acceptor(name);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            if let Ok(mut stream) = acceptor.accept(stream).await {
                let mut request = [0; 8192];
                if stream.read(&mut request).await.is_ok() {
                    stream.write_all(SOLD).await.expect("writable");
                }
            }
        }
    });
    (address, der)
}

fn at(host: &str, port: u16) -> Arc<Connector> {
    connector(&text_of(host, port))
}

fn text_of(host: &str, port: u16) -> String {
    format!(
        r#"
id = "acme"
[[campaign]]
id = "auto"
connector = "main"
price = {{ mode = "fixed" }}
[connector.main.post]
url = "https://{host}:{port}/post"
timeout = "5s"
body = {{ lead = "{{{{ lead }}}}" }}
reply = {{ rules = [{{ when = {{ at = "$.ok", is = [false] }}, then = "rejected" }}, {{ when = {{ at = "$.ok", is = [true] }}, then = "accepted" }}] }}
"#
    )
}

fn trusting(extra_roots: Vec<Vec<u8>>) -> Transport {
    let settings =
        TransportSettings { allow_private: true, extra_roots, ..TransportSettings::default() };
    Transport::new(settings).expect("a transport")
}

async fn posted(host: &str, port: u16, extra_roots: Vec<Vec<u8>>) -> PostAnswer {
    let (connector, transport) = (at(host, port), trusting(extra_roots));
    let (job, permit) = post_job(&connector);
    transport.post(&connector, job, permit, Duration::from_secs(10)).await.answer
}

#[tokio::test]
async fn a_certificate_that_nobody_trusts_is_not_sent_a_lead() {
    let (address, certificate) = buyer("localhost").await;
    let (port, refused) = (address.port(), PostAnswer::NotSent(NotSent::Tls));
    assert_eq!(posted("localhost", port, Vec::new()).await, refused);
    assert!(matches!(
        posted("localhost", port, vec![certificate.clone()]).await,
        PostAnswer::Accepted(_)
    ));
    assert_eq!(posted("127.0.0.1", port, vec![certificate]).await, refused);
}

#[tokio::test]
async fn a_certificate_for_another_name_is_not_sent_a_lead() {
    let (address, certificate) = buyer("other.example").await;
    let answer = posted("localhost", address.port(), vec![certificate]).await;
    assert_eq!(answer, PostAnswer::NotSent(NotSent::Tls));
}

#[tokio::test]
async fn a_peer_that_speaks_no_tls_is_not_sent_a_lead() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        stream.write_all(b"HTTP/1.1 400 Bad\r\n\r\n").await.expect("writable");
    });
    let answer = posted("localhost", port, Vec::new()).await;
    assert_eq!(answer, PostAnswer::NotSent(NotSent::Tls));
}

#[tokio::test]
async fn a_handshake_that_outlives_its_post_serves_the_next_one() {
    let (acceptor, certificate) = acceptor("localhost");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let (connector, transport) = (at("localhost", port), trusting(vec![certificate]));
    let (job, permit) = post_job(&connector);
    let post = transport.post(&connector, job, permit, Duration::from_millis(50));
    let (stream, _) = listener.accept().await.expect("a connection");
    // The buyer has not said a word of TLS: nothing has left, and the post's time is up.
    assert_eq!(post.await.answer, PostAnswer::NotSent(NotSent::NoTimeLeft));
    let mut stream = acceptor.accept(stream).await.expect("a handshake");
    while transport.load(connector.buyer()).idle == 0 {
        tokio::task::yield_now().await;
    }
    let (job, permit) = post_job(&connector);
    let post = transport.post(&connector, job, permit, Duration::from_secs(10));
    let mut request = [0; 8192];
    assert_ne!(stream.read(&mut request).await.expect("readable"), 0);
    stream.write_all(SOLD).await.expect("writable");
    let answered = post.await;
    assert!(matches!(answered.answer, PostAnswer::Accepted(_)));
    assert!(answered.timings.reused);
}

/// A buyer that lets in whoever shows this certificate, and says which it was shown.
async fn demanding(ours: &[&rcgen::Certificate]) -> (SocketAddr, Vec<u8>, mpsc::Receiver<Vec<u8>>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let mut roots = rustls::RootCertStore::empty();
    for one in ours {
        roots.add(one.der().clone()).expect("a root");
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(
        Arc::new(roots),
        Arc::clone(&provider),
    );
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_client_cert_verifier(verifier.build().expect("a verifier"))
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("a key that fits");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let (told, shown) = mpsc::channel(16);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let peer = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
            told.send(peer.expect("one is shown").to_vec()).await.expect("the test listens");
            tokio::spawn(async move {
                let mut request = [0; 8192];
                while stream.read(&mut request).await.is_ok_and(|read| read > 0) {
                    stream.write_all(SOLD).await.expect("writable");
                }
            });
        }
    });
    (address, made.cert.der().to_vec(), shown)
}

/// The connector of a buyer that wants a certificate, with the one of this name.
fn showing(
    port: u16,
    name: &str,
    all: &[(&str, &rcgen::CertifiedKey<rcgen::KeyPair>)],
) -> Arc<Connector> {
    let (connectors, findings) = with_certificates(port, name, name, all);
    assert!(!findings.has_errors(), "{}", listed(&findings));
    Arc::clone(connectors.iter().next().expect("one campaign").1)
}

fn pem(label: &str, der: &[u8]) -> String {
    use base64::Engine as _;
    let coded = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{coded}\n-----END {label}-----\n")
}

fn with_certificates(
    port: u16,
    name: &str,
    key: &str,
    all: &[(&str, &rcgen::CertifiedKey<rcgen::KeyPair>)],
) -> (Connectors, Findings) {
    let text = text_of("localhost", port).replace(
        "[connector.main.post]",
        &format!(
            "[connector.main]\nauth = {{ scheme = \"client_certificate\", certificate = \"{name}.pem\", secret = \"{key}\" }}\n[connector.main.post]"
        ),
    );
    let secrets = Secrets::from_pairs(
        all.iter().map(|(n, made)| (*n, pem("PRIVATE KEY", &made.signing_key.serialize_der()))),
    );
    let files = |wanted: &str| {
        let (_, made) = all.iter().find(|(n, _)| format!("{n}.pem") == wanted)?;
        Some(Arc::new(SourceFile {
            path: wanted.to_owned(),
            text: pem("CERTIFICATE", made.cert.der()),
        }))
    };
    let document = document("buyer.toml", &text);
    let mut findings = Findings::new();
    let uses = campaigns(&document, &vertical());
    let made = compile(&document, &uses, &files, &secrets, &mut findings);
    (made, findings)
}

#[tokio::test]
async fn our_certificate_is_shown_and_its_connection_is_shared_with_no_other() {
    let made = |name: &str| rcgen::generate_simple_self_signed([name.to_owned()]).expect("made");
    let (one, two) = (made("one.example"), made("two.example"));
    let all = [("one", &one), ("two", &two)];
    let (address, root, mut shown) = demanding(&[&one.cert, &two.cert]).await;
    let transport = trusting(vec![root]);
    let post = async |connector: &Arc<Connector>| {
        let (job, permit) = post_job(connector);
        let post = transport.post(connector, job, permit, Duration::from_secs(10)).await;
        assert!(matches!(post.answer, PostAnswer::Accepted(_)), "{:?}", post.answer);
        while transport.load(connector.buyer()).in_flight > 0 {
            tokio::task::yield_now().await;
        }
        post.timings.reused
    };
    let first = showing(address.port(), "one", &all);
    assert!(!post(&first).await);
    assert_eq!(shown.recv().await.as_deref(), Some(one.cert.der().as_ref()));
    while transport.load(first.buyer()).idle == 0 {
        tokio::task::yield_now().await;
    }
    // Another certificate, the same host and buyer: a connection of its own.
    assert!(!post(&showing(address.port(), "two", &all)).await);
    assert_eq!(shown.recv().await.as_deref(), Some(two.cert.der().as_ref()));
    // The first one's again, by another load of the same file: its own connection.
    assert!(post(&showing(address.port(), "one", &all)).await);
    // And nobody without a certificate is let in, nor on theirs.
    let (job, permit) = post_job(&first);
    let plain = at("localhost", address.port());
    let answer = transport.post(&plain, job, permit, Duration::from_secs(10)).await.answer;
    assert!(!matches!(answer, PostAnswer::Accepted(_)), "{answer:?}");
}

#[test]
fn a_certificate_that_cannot_be_used_is_a_finding() {
    let made = |name: &str| rcgen::generate_simple_self_signed([name.to_owned()]).expect("made");
    let (one, two) = (made("one.example"), made("two.example"));
    let all = [("one", &one), ("two", &two)];
    let (connectors, findings) = with_certificates(443, "one", "two", &all);
    assert!(connectors.is_empty());
    assert!(listed(&findings).contains("do not belong together"), "{}", listed(&findings));
    let (_, findings) = with_certificates(443, "three", "one", &all);
    assert!(listed(&findings).contains("no_certificate"), "{}", listed(&findings));
}
