//! Opening a connection: address, TCP, TLS, HTTP/1.1.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use exchange_model::reason::NotSent;
use http::Uri;
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::TlsConnector;

use super::address;
use super::settings::{TransportError, TransportSettings};

/// A connection that takes one request at a time.
pub(super) type Sender = http1::SendRequest<Full<Bytes>>;

/// Most addresses of one name that are tried.
const ADDRESSES_MAX: usize = 4;
/// Most headers of a reply.
const HEADERS_MAX: usize = 64;
/// Most bytes of a reply's head, and of a connection's read buffer.
const HEAD_MAX: usize = 32 * 1024;

/// Makes connections.
pub(super) struct Dialler {
    settings: Arc<TransportSettings>,
    tls: TlsConnector,
}

impl Dialler {
    pub(super) fn new(settings: Arc<TransportSettings>, tls: Arc<rustls::ClientConfig>) -> Self {
        Self { settings, tls: TlsConnector::from(tls) }
    }

    /// Opens a connection to the origin of `uri`, within the connect timeout.
    pub(super) async fn connect(&self, uri: &Uri) -> Result<Sender, NotSent> {
        let limit = self.settings.connect_timeout;
        let opened = tokio::time::timeout(limit, self.open(uri)).await;
        opened.unwrap_or(Err(NotSent::Connect))
    }

    async fn open(&self, uri: &Uri) -> Result<Sender, NotSent> {
        let host = uri.host().ok_or(NotSent::Forbidden)?;
        if let Some(address) = self.settings.hosts.get(host) {
            return http(tcp(&[*address]).await?).await;
        }
        let secure = uri.scheme_str() == Some("https");
        if !secure && !self.settings.allow_private {
            return Err(NotSent::Forbidden);
        }
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let addresses = resolve(host, port, self.settings.allow_private).await?;
        let stream = tcp(&addresses).await?;
        if !secure {
            return http(stream).await;
        }
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(bare.to_owned()).map_err(|_no_name| NotSent::Tls)?;
        let stream = self.tls.connect(name, stream).await.map_err(|_refused| NotSent::Tls)?;
        http(stream).await
    }
}

/// The addresses of a host that may be called. What is checked here is what is connected to: the
/// name is not asked for again.
pub(super) async fn resolve(
    host: &str,
    port: u16,
    allow_private: bool,
) -> Result<Vec<SocketAddr>, NotSent> {
    let all: Vec<SocketAddr> = match address::literal(host) {
        Some(address) => vec![SocketAddr::new(address, port)],
        None => lookup_host((host, port)).await.map_err(|_unknown| NotSent::Dns)?.collect(),
    };
    if all.is_empty() {
        return Err(NotSent::Dns);
    }
    let may_call = |found: &SocketAddr| allow_private || address::is_public(found.ip());
    let allowed: Vec<SocketAddr> = all.into_iter().filter(may_call).take(ADDRESSES_MAX).collect();
    if allowed.is_empty() { Err(NotSent::Forbidden) } else { Ok(allowed) }
}

async fn tcp(addresses: &[SocketAddr]) -> Result<TcpStream, NotSent> {
    let stream = TcpStream::connect(addresses).await.map_err(|_refused| NotSent::Connect)?;
    stream.set_nodelay(true).map_err(|_closed| NotSent::Connect)?;
    Ok(stream)
}

/// Speaks HTTP/1.1 on a stream. The connection lives in its own task and ends when its sender is
/// dropped or the buyer closes it.
async fn http(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
) -> Result<Sender, NotSent> {
    let (sender, connection) = http1::Builder::new()
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEAD_MAX)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|_broken| NotSent::Connect)?;
    tokio::spawn(async move {
        // What broke it is told to whoever waits for a reply on it.
        if let Err(error) = connection.await {
            tracing::trace!(%error, "connection to a buyer ended");
        }
    });
    Ok(sender)
}

/// One TLS configuration for every buyer, so that sessions are resumed.
pub(super) fn tls_config(
    extra_roots: &[Vec<u8>],
) -> Result<Arc<rustls::ClientConfig>, TransportError> {
    let mut roots = rustls::RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    for root in extra_roots {
        roots
            .add(CertificateDer::from(root.clone()))
            .map_err(|_unreadable| TransportError::BadRoot)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_unsupported| TransportError::Tls)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
