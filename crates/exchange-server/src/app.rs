//! Wiring: settings in, a running exchange out.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use buyer_connectors::Secrets;
use exchange_model::{Findings, SourceId};
use exchange_store::vault::{RootKey, RootKeyError};
use zeroize::Zeroizing;

use crate::auth::KeyMode;
use crate::clock::Clock;
use crate::settings::Settings;

/// What only the demo and tests set.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Host name -> loopback address of a mock buyer.
    pub hosts: BTreeMap<String, SocketAddr>,
    /// Secrets of buyers instead of the directory's.
    pub secrets: Option<Secrets>,
    /// The exchange's root key instead of the file's.
    pub root_key: Option<RootKey>,
    /// Another clock than the machine's.
    pub clock: Option<Clock>,
}

/// Why the exchange does not run.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The config has errors; the findings say which. Exit code 78.
    #[error("the configuration has errors")]
    Config(Findings),
    /// There is no root key.
    #[error(transparent)]
    Key(#[from] RootKeyError),
    /// The buyers' side cannot be set up.
    #[error("the transport cannot be set up")]
    Transport(#[from] buyer_connectors::TransportError),
    /// A listener cannot be opened.
    #[error("cannot listen on `{0}`")]
    Listen(SocketAddr, #[source] std::io::Error),
    /// The database cannot be opened, or failed while running. Nothing was acknowledged since.
    #[error("the store failed: {0}")]
    Store(String),
    /// No source of the config has this name.
    #[error("no source is called `{0}`")]
    UnknownSource(SourceId),
}

/// An exchange that runs.
#[derive(Debug)]
pub struct RunningApp {
    seller_addr: SocketAddr,
    operator_addr: SocketAddr,
}

/// Starts exchanges.
#[derive(Clone, Copy, Debug)]
pub struct App;

impl App {
    /// Reads the config, opens the store, recovers what a crash left, and listens.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn start(settings: Settings, options: Options) -> Result<RunningApp, AppError> {
        let _being_wired = (settings, options);
        Err(AppError::Store("not wired yet".to_owned()))
    }
}

impl RunningApp {
    /// Where sellers post.
    #[must_use]
    pub fn seller_addr(&self) -> SocketAddr {
        self.seller_addr
    }

    /// Where metrics, health and the operator's API are.
    #[must_use]
    pub fn operator_addr(&self) -> SocketAddr {
        self.operator_addr
    }

    /// Makes and stores a key for a source; the text is shown once.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn issue_key(
        &self,
        source: &SourceId,
        mode: KeyMode,
    ) -> Result<Zeroizing<String>, AppError> {
        let _being_wired = (source, mode);
        Err(AppError::Store("not wired yet".to_owned()))
    }

    /// Begins a graceful stop: not ready, no new leads, auctions finish, the store is flushed.
    /// Called again, it stops at once.
    pub fn shutdown(&self) {}

    /// Waits until the exchange has stopped.
    ///
    /// # Errors
    /// [`AppError::Store`] when it stopped because the store failed.
    pub async fn wait(self) -> Result<(), AppError> {
        Ok(())
    }
}
