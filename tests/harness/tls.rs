//! A TLS server that nobody has reason to trust: its certificate is signed by itself.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// A throw-away certificate for `localhost` and 127.0.0.1, and its key; they protect nothing.
const CERTIFICATE: &[u8] = include_bytes!("../fixtures/self_signed.crt.der");
const KEY: &[u8] = include_bytes!("../fixtures/self_signed.key.der");

/// A running server. Dropping it stops it.
pub(crate) struct SelfSigned {
    pub(crate) addr: SocketAddr,
    connections: Arc<AtomicU64>,
    heard: Arc<AtomicU64>,
    accepting: JoinHandle<()>,
}

impl SelfSigned {
    pub(crate) async fn start() -> Self {
        let acceptor = TlsAcceptor::from(Arc::new(config()));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (connections, heard) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let (count, bytes) = (Arc::clone(&connections), Arc::clone(&heard));
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::Relaxed);
                let (acceptor, bytes) = (acceptor.clone(), Arc::clone(&bytes));
                tokio::spawn(async move {
                    let Ok(mut session) = acceptor.accept(stream).await else { return };
                    let mut piece = [0; 1024];
                    while let Ok(read @ 1..) = session.read(&mut piece).await {
                        bytes.fetch_add(u64::try_from(read).unwrap(), Ordering::Relaxed);
                    }
                });
            }
        });
        Self { addr, connections, heard, accepting }
    }

    /// Connections that were tried.
    pub(crate) fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    /// Bytes of requests that somebody trusted this server with.
    pub(crate) fn heard(&self) -> u64 {
        self.heard.load(Ordering::Relaxed)
    }
}

impl Drop for SelfSigned {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

fn config() -> ServerConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(KEY));
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(CERTIFICATE)], key)
        .unwrap()
}
