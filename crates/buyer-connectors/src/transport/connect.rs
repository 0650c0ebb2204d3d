//! Opening a connection: address, TCP, TLS, HTTP/1.1.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

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

use super::address::{self, Policy, Target};
use super::metered::{Allowance, Metered};
use super::settings::{TransportError, TransportSettings};
use super::watch::Watch;
use crate::identity::Identity;

/// A connection that takes one request at a time.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) sender: http1::SendRequest<Full<Bytes>>,
    pub(super) allowance: Allowance,
}

impl Connection {
    pub(super) fn is_ready(&self) -> bool {
        self.sender.is_ready()
    }
}

/// Most addresses of one name that are tried.
const ADDRESSES_MAX: usize = 4;
/// Most headers of a reply.
const HEADERS_MAX: usize = 64;
/// Most bytes of a reply's head, and of a connection's read buffer.
const HEAD_MAX: usize = 32 * 1024;
/// Most TLS configurations with a certificate of ours; beyond it the oldest is made again.
const IDENTITIES_MAX: usize = 1_000;

/// Who turns names into addresses.
pub(super) enum Names {
    /// The operating system.
    System,
    /// A test: answers in order.
    #[cfg(test)]
    Scripted(Mutex<std::collections::VecDeque<Vec<std::net::IpAddr>>>),
}

impl Names {
    async fn lookup(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, NotSent> {
        match self {
            Self::System => {
                let found = lookup_host((host, port)).await.map_err(|_unknown| NotSent::Dns)?;
                Ok(found.collect())
            }
            #[cfg(test)]
            Self::Scripted(answers) => {
                let next = answers.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                let found = next.ok_or(NotSent::Dns)?;
                Ok(found.into_iter().map(|ip| SocketAddr::new(ip, port)).collect())
            }
        }
    }
}

/// Makes connections.
pub(super) struct Dialler {
    settings: Arc<TransportSettings>,
    names: Names,
    tls: TlsConnector,
    /// One configuration per certificate of ours, so that sessions are never shared either.
    with_identity: Mutex<Vec<(Arc<Identity>, TlsConnector)>>,
}

impl Dialler {
    pub(super) fn new(
        settings: Arc<TransportSettings>,
        names: Names,
    ) -> Result<Self, TransportError> {
        let tls = TlsConnector::from(tls_config(&settings.extra_roots, None)?);
        Ok(Self { settings, names, tls, with_identity: Mutex::new(Vec::new()) })
    }

    /// Who sees the calls.
    pub(super) fn watch(&self) -> Option<&Watch> {
        self.settings.watch.as_ref()
    }

    /// Opens a connection to the origin of `uri`, within the connect timeout.
    pub(super) async fn connect(
        &self,
        uri: &Uri,
        identity: Option<&Arc<Identity>>,
    ) -> Result<Connection, NotSent> {
        let limit = self.settings.connect_timeout;
        let opened = tokio::time::timeout(limit, self.open(uri, identity)).await;
        opened.unwrap_or(Err(NotSent::Connect))
    }

    async fn open(
        &self,
        uri: &Uri,
        identity: Option<&Arc<Identity>>,
    ) -> Result<Connection, NotSent> {
        let host = uri.host().ok_or(NotSent::Forbidden)?;
        if let Some(address) = self.settings.hosts.get(host) {
            return http(tcp(&[*address]).await?).await;
        }
        let target = Policy::of(&self.settings).target(uri)?;
        let addresses = self.resolve(&target).await?;
        let stream = tcp(&addresses).await?;
        if !target.secure {
            return http(stream).await;
        }
        let bare = target.host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(bare.to_owned()).map_err(|_no_name| NotSent::Tls)?;
        let tls = self.tls(identity)?;
        let stream = tls.connect(name, stream).await.map_err(|_refused| NotSent::Tls)?;
        http(stream).await
    }

    /// The addresses of a host that may be called. What is checked here is what is connected to:
    /// the name is not asked for again.
    pub(super) async fn resolve(&self, target: &Target<'_>) -> Result<Vec<SocketAddr>, NotSent> {
        let answers = match address::literal(target.host) {
            Some(address) => vec![SocketAddr::new(address, target.port)],
            None => self.names.lookup(target.host, target.port).await?,
        };
        let mut allowed = Policy::of(&self.settings).judge(answers)?;
        allowed.truncate(ADDRESSES_MAX);
        Ok(allowed)
    }

    fn tls(&self, identity: Option<&Arc<Identity>>) -> Result<TlsConnector, NotSent> {
        let Some(identity) = identity else { return Ok(self.tls.clone()) };
        let mut known = self.with_identity.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, tls)) = known.iter().find(|(other, _)| other == identity) {
            return Ok(tls.clone());
        }
        let config = tls_config(&self.settings.extra_roots, Some(identity))
            .map_err(|_unusable| NotSent::Tls)?;
        let tls = TlsConnector::from(config);
        if known.len() >= IDENTITIES_MAX {
            known.remove(0);
        }
        known.push((Arc::clone(identity), tls.clone()));
        Ok(tls)
    }
}

async fn tcp(addresses: &[SocketAddr]) -> Result<TcpStream, NotSent> {
    let stream = TcpStream::connect(addresses).await.map_err(|_refused| NotSent::Connect)?;
    stream.set_nodelay(true).map_err(|_closed| NotSent::Connect)?;
    Ok(stream)
}

/// Speaks HTTP/1.1 on a stream. The connection lives in its own task and ends when its sender is
/// dropped or the buyer closes it.
pub(super) async fn http(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
) -> Result<Connection, NotSent> {
    let allowance = Allowance::new();
    let metered = Metered::new(stream, allowance.clone());
    let (sender, connection) = http1::Builder::new()
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEAD_MAX)
        .handshake(TokioIo::new(metered))
        .await
        .map_err(|_broken| NotSent::Connect)?;
    tokio::spawn(async move {
        // What broke it is told to whoever waits for a reply on it.
        if let Err(error) = connection.await {
            tracing::trace!(%error, "connection to a buyer ended");
        }
    });
    Ok(Connection { sender, allowance })
}

/// One TLS configuration for every buyer that needs no certificate of ours, so that sessions are
/// resumed; one for each certificate otherwise.
fn tls_config(
    extra_roots: &[Vec<u8>],
    identity: Option<&Arc<Identity>>,
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
        .with_root_certificates(roots);
    let config = match identity {
        None => config.with_no_client_auth(),
        Some(identity) => {
            let (chain, key) = identity.parts();
            config.with_client_auth_cert(chain, key).map_err(|_unusable| TransportError::Tls)?
        }
    };
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests;
