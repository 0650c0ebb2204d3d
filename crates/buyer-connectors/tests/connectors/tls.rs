//! Buyers are believed only with a certificate that a trusted root has signed for their name.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use buyer_connectors::{Connector, Transport, TransportSettings};
use exchange_model::outcome::PostAnswer;
use exchange_model::reason::NotSent;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::world::{connector, post_job};

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
    connector(&format!(
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
reply = {{ rejected_when = {{ at = "$.ok", is = [false] }}, accepted_when = {{ at = "$.ok", is = [true] }} }}
"#
    ))
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
