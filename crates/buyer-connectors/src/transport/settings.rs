//! How buyers are called.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use super::watch::Watch;

/// How buyers are called. [`TransportSettings::default`] is right for production.
#[derive(Clone, Debug)]
pub struct TransportSettings {
    /// Host name -> address. Requests for these hosts go there over plain TCP whatever their
    /// scheme. Only the demo and tests fill it.
    pub hosts: HashMap<String, SocketAddr>,
    /// Whether private and loopback addresses may be called, and `http://` addresses at all.
    pub allow_private: bool,
    /// Ports that may be called beside 443 and 8443.
    pub ports: Vec<u16>,
    /// Most exchanges with one buyer at a time, drains included. Beyond it a ping is
    /// `saturated` and a post is not sent.
    pub in_flight_max: usize,
    /// Most exchanges of one buyer that may go on after their timeout. Beyond it an exchange is
    /// cut at its timeout.
    pub drains_max: usize,
    /// How long an idle connection may carry a ping.
    pub idle_max: Duration,
    /// How long an idle connection may carry a post: shorter, because a post that meets a closing
    /// connection is unknown.
    pub idle_max_for_posts: Duration,
    /// Name resolution, TCP and TLS together.
    pub connect_timeout: Duration,
    /// Further trusted roots, DER, beside the public ones.
    pub extra_roots: Vec<Vec<u8>>,
    /// Sees every call. Only tools have one.
    pub watch: Option<Watch>,
}

impl Default for TransportSettings {
    fn default() -> Self {
        Self {
            hosts: HashMap::new(),
            allow_private: false,
            ports: Vec::new(),
            in_flight_max: 512,
            drains_max: 256,
            idle_max: Duration::from_secs(4),
            idle_max_for_posts: Duration::from_secs(1),
            connect_timeout: Duration::from_secs(2),
            extra_roots: Vec::new(),
            watch: None,
        }
    }
}

/// Why a transport cannot be made.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TransportError {
    /// A further root certificate is none.
    #[error("a trusted root certificate cannot be read")]
    BadRoot,
    /// TLS or the client for tokens cannot be set up.
    #[error("tls cannot be set up")]
    Tls,
}

impl TransportError {
    /// The name that appears in logs; it never changes.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::BadRoot => "bad_root",
            Self::Tls => "tls_setup",
        }
    }
}
