//! Wiring: settings in, a running exchange out.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use buyer_connectors::{Secrets, Transport, TransportSettings};
use exchange_model::{Findings, SourceId};
use exchange_store::vault::{RootKey, RootKeyError};
use exchange_store::{ExchangeStore, SqliteStore, StoreError, StoreOptions};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use zeroize::Zeroizing;

use crate::auth::KeyMode;
use crate::clock::Clock;
use crate::exchange::{Engine, Parts};
use crate::health::{Progress, SqliteHealth};
use crate::listen::{self, Door};
use crate::reload::{self, Basis, First, Loaded, Reloader};
use crate::settings::Settings;
use crate::{metrics, operator_api, resolver, scores, seller_api, shutdown, telemetry};

/// Most connections of operators and scrapers at a time.
const OPERATORS_MAX: usize = 256;
/// How long answers that are ready may take to leave once everything else has ended.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// What only the demo and tests set.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Host name -> loopback address of a mock buyer.
    pub hosts: BTreeMap<String, SocketAddr>,
    /// Secrets of buyers instead of the directory's.
    pub secrets: Option<Secrets>,
    /// The exchange's root key instead of the file's.
    pub root_key: Option<RootKey>,
    /// Start with nothing but the files on disk: not with the last good set of the store.
    pub strict: bool,
    /// Another clock than the machine's.
    pub clock: Option<Clock>,
}

/// Why the exchange does not run.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The config has errors; the findings say which. Exit code 78.
    #[error("the configuration has errors")]
    Config(Findings),
    /// A bug ended the reading of the config.
    #[error("reading the configuration ended by a bug")]
    Unread,
    /// There is no root key.
    #[error(transparent)]
    Key(#[from] RootKeyError),
    /// A directory for the database or the root key cannot be made.
    #[error("the directory of `{0}` cannot be made")]
    Directory(String, #[source] std::io::Error),
    /// The buyers' side cannot be set up.
    #[error("the transport cannot be set up")]
    Transport(#[from] buyer_connectors::TransportError),
    /// A listener cannot be opened.
    #[error("cannot listen on `{0}`")]
    Listen(SocketAddr, #[source] std::io::Error),
    /// The database cannot be opened, read or written.
    #[error("the store cannot be used")]
    Store(#[from] StoreError),
    /// The store failed while running. Nothing was acknowledged since.
    #[error("the store failed: {0}")]
    StoreFailed(String),
    /// No source of the config has this name.
    #[error("no source is called `{0}`")]
    UnknownSource(SourceId),
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
        let handle = metrics::install();
        let clock = options.clock.clone().unwrap_or_else(Clock::system);
        let loaded = read_config(&settings, options.secrets.clone()).await?;
        let without = options.strict || !settings.store.path.exists();
        if loaded.exchange.is_none() && without {
            return Err(AppError::Config(loaded.findings));
        }
        let opened = open_store(&settings, options.root_key, &clock).await?;
        let first = reload::first(loaded, &settings, &*opened.store, clock.now()).await?;
        let first = first.map_err(AppError::Config)?;
        say_where_from(&first);
        let (sellers, seller_addr) = bind(settings.server.seller_listen).await?;
        let (operators, operator_addr) = bind(settings.server.operator_listen).await?;
        opened.store.set_note(&operator_addr.to_string())?;
        let transport = Transport::new(TransportSettings {
            hosts: options.hosts.into_iter().collect(),
            allow_private: settings.allow_private_buyers,
            ..TransportSettings::default()
        })?;
        if settings.allow_private_buyers {
            tracing::warn!("buyers on private and loopback addresses are allowed");
        }
        let store: Arc<dyn ExchangeStore> = Arc::<SqliteStore>::clone(&opened.store);
        let engine = Engine::new(Parts {
            clock: clock.clone(),
            config: Arc::clone(&first.snapshot),
            api_keys: store.keys().await?,
            store,
            health: Arc::<SqliteHealth>::clone(&opened.health),
            transport,
            keys: opened.store.keys().clone(),
            public_url: settings.server.public_url.clone(),
            limits: settings.limits.clone(),
            min_free: settings.store.min_free,
        });
        let given = options.secrets;
        let reloader = Reloader::new(Arc::clone(&engine), settings.clone(), given, &first);
        scores::start(&engine).await?;
        let open = resolver::take_up(&engine).await?;
        tracing::info!(
            config = engine.config().label(), seller = %seller_addr, operator = %operator_addr,
            open_attempts = open, "exchange started"
        );
        let watch = opened.health.watch(opened.store, settings.store.path.clone());
        engine.spawn_background(watch);
        operator_api::suppressions::sweep(&engine);
        if settings.routing_watch {
            engine.spawn_background(reload::watch(Arc::clone(&reloader)));
        }
        let servers = Servers::default();
        servers.spawn(
            sellers,
            Door {
                routes: seller_api::router(Arc::clone(&engine)),
                clock: clock.clone(),
                connections_max: settings.limits.connections,
            },
        );
        servers.spawn_last(
            operators,
            Door {
                routes: operator_api::router(Arc::clone(&engine), Arc::clone(&reloader), handle),
                clock,
                connections_max: OPERATORS_MAX,
            },
        );
        let drain = settings.server.drain;
        let findings = first.findings;
        Ok(RunningApp { seller_addr, operator_addr, engine, reloader, findings, servers, drain })
    }
}

/// Reads the config on a thread that may block.
async fn read_config(settings: &Settings, given: Option<Secrets>) -> Result<Loaded, AppError> {
    let settings = settings.clone();
    let reading = tokio::task::spawn_blocking(move || reload::read(&settings, given));
    reading.await.map_err(|_stopped| AppError::Unread)
}

/// A config that is not what lies on disk is told at every start.
fn say_where_from(first: &First) {
    let version = &first.version;
    if first.basis.is_folder() {
        tracing::info!(config = version.label(), "the config folder is used");
    } else {
        let since = version.applied_at;
        tracing::error!(config = version.label(), %since, "the config folder cannot be used: {}", first.basis);
    }
}

async fn bind(addr: SocketAddr) -> Result<(TcpListener, SocketAddr), AppError> {
    let listen = |error| AppError::Listen(addr, error);
    let listener = TcpListener::bind(addr).await.map_err(listen)?;
    let bound = listener.local_addr().map_err(listen)?;
    Ok((listener, bound))
}

struct Opened {
    store: Arc<SqliteStore>,
    health: Arc<SqliteHealth>,
}

/// Opens the database on a thread that may block: recovery reads and checks.
async fn open_store(
    settings: &Settings,
    root_key: Option<RootKey>,
    clock: &Clock,
) -> Result<Opened, AppError> {
    let database = settings.store.path.clone();
    let root = match root_key {
        Some(root) => root,
        None => {
            let file = &settings.secrets.root_key;
            make_parent(file)?;
            RootKey::load_or_create(file, !database.exists())?
        }
    };
    make_parent(&database)?;
    let progress = Progress::default();
    let (observer, watched) = (progress.clone(), clock.clone());
    let options = StoreOptions {
        on_commit: Some(Arc::new(move |took, _operations| {
            metrics::committed("sync", took);
            observer.made(watched.now());
        })),
        ..StoreOptions::new(database)
    };
    let now = clock.now();
    let opening = tokio::task::spawn_blocking(move || SqliteStore::open(options, root, now));
    let (store, recovered) = opening.await.map_err(|stopped| {
        AppError::StoreFailed(format!("opening it ended by a bug: {stopped}"))
    })??;
    tracing::info!(
        abandoned = recovered.abandoned,
        unknown = recovered.unknown,
        answered = recovered.answered,
        "store opened"
    );
    let health = Arc::new(SqliteHealth::new(clock.clone(), progress));
    Ok(Opened { store: Arc::new(store), health })
}

fn make_parent(file: &Path) -> Result<(), AppError> {
    let Some(parent) = file.parent().filter(|parent| *parent != Path::new("")) else {
        return Ok(());
    };
    std::fs::create_dir_all(parent)
        .map_err(|error| AppError::Directory(file.display().to_string(), error))
}

/// The two listeners. Operators see the end of everything else.
#[derive(Debug, Default)]
struct Servers {
    tasks: TaskTracker,
    sellers: CancellationToken,
    operators: CancellationToken,
}

impl Servers {
    fn spawn(&self, listener: TcpListener, door: Door) {
        self.tasks.spawn(listen::serve(listener, door, self.sellers.clone()));
    }

    fn spawn_last(&self, listener: TcpListener, door: Door) {
        self.tasks.spawn(listen::serve(listener, door, self.operators.clone()));
    }
}

/// An exchange that runs.
#[derive(Debug)]
pub struct RunningApp {
    seller_addr: SocketAddr,
    operator_addr: SocketAddr,
    engine: Arc<Engine>,
    reloader: Arc<Reloader>,
    findings: Findings,
    servers: Servers,
    drain: Duration,
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

    /// Where the config comes from.
    #[must_use]
    pub fn basis(&self) -> Basis {
        self.reloader.basis()
    }

    /// What was wrong with the files on disk at the start.
    #[must_use]
    pub fn findings(&self) -> &Findings {
        &self.findings
    }

    /// From now on SIGHUP reads the config again.
    ///
    /// # Errors
    /// When the signal cannot be listened to.
    pub fn reload_on_hangup(&self) -> std::io::Result<()> {
        self.engine.spawn_background(reload::on_hangup(Arc::clone(&self.reloader))?);
        Ok(())
    }

    /// Makes and stores a key for a source; the text is shown once.
    ///
    /// # Errors
    /// [`AppError::UnknownSource`], [`AppError::Store`].
    pub async fn issue_key(
        &self,
        source: &SourceId,
        mode: KeyMode,
    ) -> Result<Zeroizing<String>, AppError> {
        if self.engine.config().routing.source(source).is_none() {
            return Err(AppError::UnknownSource(source.clone()));
        }
        Ok(self.engine.issue_key(source, mode).await?.1)
    }

    /// Begins a graceful stop: not ready, no new leads, auctions finish, the store is flushed.
    pub fn shutdown(&self) {
        if !self.engine.is_stopping() {
            tracing::info!(in_flight = self.engine.in_flight(), "stopping");
        }
        self.engine.stop();
        self.servers.sellers.cancel();
    }

    /// Resolves with the reason when the store fails; never otherwise. Then call
    /// [`RunningApp::wait`], which returns the error.
    pub async fn failed(&self) -> String {
        self.engine.store().failure().wait().await
    }

    /// Waits until the exchange has stopped: by [`RunningApp::shutdown`], or because the store
    /// failed. A signal while it drains ends it at once; what was acknowledged is on disk.
    ///
    /// # Errors
    /// [`AppError::StoreFailed`].
    pub async fn wait(self) -> Result<(), AppError> {
        let ended = tokio::select! {
            reason = self.failed() => Err(AppError::StoreFailed(reason)),
            done = self.drained() => done,
        };
        if let Err(error) = &ended {
            tracing::error!(%error, "the exchange ends: nothing more is acknowledged");
            self.shutdown();
        }
        self.close().await;
        telemetry::flush();
        ended
    }

    async fn drained(&self) -> Result<(), AppError> {
        self.engine.stopping().await;
        tokio::select! {
            () = self.engine.drained() => {}
            () = tokio::time::sleep(self.drain) => {
                tracing::warn!(in_flight = self.engine.in_flight(), "auctions did not end in time");
            }
            _signal = shutdown::asked() => {
                tracing::warn!(in_flight = self.engine.in_flight(), "told twice: stopping at once");
            }
        }
        let (store, now) = (self.engine.store(), self.engine.now());
        self.engine.scores().save(&**store, now).await?;
        Ok(store.flush().await?)
    }

    /// Lets the last answers leave and gives the database free.
    async fn close(self) {
        self.servers.tasks.close();
        self.servers.operators.cancel();
        if tokio::time::timeout(LAST_ANSWERS, self.servers.tasks.wait()).await.is_err() {
            tracing::debug!("connections were cut");
        }
        self.engine.cut_background().await;
        let engine = self.engine;
        // The last owner of the store waits for its threads.
        drop(tokio::task::spawn_blocking(move || drop(engine)).await);
    }
}
