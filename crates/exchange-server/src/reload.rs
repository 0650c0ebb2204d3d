//! From the files of an operator to the config that is routed by, while leads are being sold.
//!
//! A reload reads the files and the secrets, checks them, runs the operators' own tests, keeps the
//! set in the store under a number and only then exchanges the snapshot. Whatever fails, the last
//! good set goes on. Everything slow is done on threads that may block.
//!
//! > What is routed by is in the store: the number exists before the first lead carries it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use buyer_connectors::Secrets;
use exchange_core::operator_test::{self, CaseResult};
use exchange_model::{Findings, Timestamp};
use exchange_store::StoreError;
use exchange_store::operators::{Action, Cause, Change, ConfigVersion, NewVersion};

use crate::clock::Clock;
use crate::exchange::{Engine, delivery_of};
use crate::load::{Exchange, FileSet, compile};
use crate::metrics;
use crate::settings::Settings;
use crate::snapshot::Snapshot;

mod basis;
mod signal;
mod start;
mod watch;

pub use basis::Basis;
pub use signal::on_hangup;
pub use start::{First, Loaded, first, read};
pub use watch::{SETTLE, watch};

/// Most failing tests that are named.
const TESTS_NAMED_MAX: usize = 100;

/// What came of a reload or rollback.
#[derive(Debug)]
pub enum Outcome {
    /// It is routed by now.
    Applied(ConfigVersion),
    /// Files and secrets are what is routed by already.
    Unchanged,
    /// The files have errors; the findings say which.
    BadConfig,
    /// The operators' own tests fail: one line for each.
    TestsFailed(Vec<String>),
    /// There is no such version, or its files are not kept any more.
    NoSuchVersion(u64),
    /// It cannot be kept, so it is not applied.
    StoreRefused(StoreError),
    /// A bug ended it.
    Broken,
}

impl Outcome {
    /// The name that metrics and answers use; it never changes.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Applied(_) => "applied",
            Self::Unchanged => "unchanged",
            Self::BadConfig => "bad_config",
            Self::TestsFailed(_) => "tests_failed",
            Self::NoSuchVersion(_) => "no_such_version",
            Self::StoreRefused(_) => "store_refused",
            Self::Broken => "broken",
        }
    }

    /// Whether everything is as the operator wanted it.
    #[must_use]
    pub const fn is_good(&self) -> bool {
        matches!(self, Self::Applied(_) | Self::Unchanged)
    }

    /// One line for the log and the record.
    fn line(&self, findings: &Findings) -> String {
        match self {
            Self::Applied(version) => format!("version {}", version.number),
            Self::Unchanged => "nothing has changed".to_owned(),
            Self::BadConfig => {
                let first = findings.sorted().first().map(|finding| finding.message.clone());
                format!("refused, the last good set goes on: {}", first.unwrap_or_default())
            }
            Self::TestsFailed(tests) => {
                format!("refused, the last good set goes on: {} tests fail", tests.len())
            }
            Self::NoSuchVersion(number) => format!("no files are kept of version {number}"),
            Self::StoreRefused(error) => format!("refused, it cannot be kept: {error}"),
            Self::Broken => "refused, a bug ended it".to_owned(),
        }
    }
}

/// What came of it, for whoever asked.
#[derive(Debug)]
pub struct Report {
    /// What.
    pub outcome: Outcome,
    /// What is routed by from here on, like `v41-1c83e49ab2f0`.
    pub version: String,
    /// Errors and warnings of the files, as `check` finds them.
    pub findings: Findings,
    /// How the files differ from what was routed by before.
    pub changes: Vec<Change>,
    /// How long it took.
    pub took: Duration,
}

/// Exchanges the config of a running exchange; one reload at a time.
#[derive(Debug)]
pub struct Reloader {
    engine: Arc<Engine>,
    settings: Settings,
    /// Secrets in place of the directory's.
    given: Option<Secrets>,
    live: tokio::sync::Mutex<Applied>,
    basis: Mutex<Basis>,
}

/// What is routed by, to compare with.
#[derive(Debug)]
struct Applied {
    set: String,
    secrets: Secrets,
}

/// A set that was read and checked, on a thread that may block.
enum Checked {
    Unchanged,
    Refused(Outcome),
    Good(Box<Candidate>),
}

struct Candidate {
    exchange: Exchange,
    files: FileSet,
    secrets: Secrets,
}

impl Reloader {
    /// For an exchange that begins with `first`.
    #[must_use]
    pub fn new(
        engine: Arc<Engine>,
        settings: Settings,
        given: Option<Secrets>,
        first: &First,
    ) -> Arc<Self> {
        let live = Applied { set: first.set_hash.clone(), secrets: first.secrets.clone() };
        metrics::config_applied(first.version.number, engine.now());
        Arc::new(Self {
            engine,
            settings,
            given,
            live: tokio::sync::Mutex::new(live),
            basis: Mutex::new(first.basis.clone()),
        })
    }

    /// Where what is routed by comes from.
    #[must_use]
    pub fn basis(&self) -> Basis {
        self.basis.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The folder that is read.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.settings.routing_dir
    }

    /// Where secrets are read from; nothing when they were given.
    #[must_use]
    pub fn secrets_dir(&self) -> Option<&Path> {
        self.given.is_none().then_some(&*self.settings.secrets.dir)
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        self.engine.clock()
    }

    /// Reads the folder again and, if all is well, routes by it.
    pub async fn reload(self: &Arc<Self>, actor: &str) -> Report {
        self.finish(Cause::Reload, actor, None).await
    }

    /// Routes by the files of an earlier version again. The operator's files stay as they are.
    pub async fn rollback(self: &Arc<Self>, number: u64, actor: &str) -> Report {
        self.finish(Cause::Rollback, actor, Some(number)).await
    }

    /// Whoever asked may go away: a version that is in the store is routed by all the same.
    async fn finish(self: &Arc<Self>, cause: Cause, actor: &str, again_of: Option<u64>) -> Report {
        let (reloader, actor) = (Arc::clone(self), actor.to_owned());
        let began = self.engine.now();
        let changing = async move { reloader.change(cause, &actor, again_of).await };
        tokio::spawn(changing).await.unwrap_or_else(|stopped| {
            tracing::error!(panic = stopped.is_panic(), "a reload ended by a bug");
            Report {
                outcome: Outcome::Broken,
                version: self.engine.config().label(),
                findings: Findings::new(),
                changes: Vec::new(),
                took: self.engine.now().since(began),
            }
        })
    }

    async fn change(&self, cause: Cause, actor: &str, again_of: Option<u64>) -> Report {
        let began = self.engine.now();
        let mut live = self.live.lock().await;
        let (checked, findings) = match again_of {
            None => self.check_folder(&live).await,
            Some(number) => self.check_kept(number).await,
        };
        let (outcome, changes) = match checked {
            Checked::Unchanged => (Outcome::Unchanged, Vec::new()),
            Checked::Refused(why) => (why, Vec::new()),
            Checked::Good(candidate) => {
                match self.apply(&mut live, *candidate, (cause, actor, again_of)).await {
                    Ok(version) => {
                        let changes = version.changes.clone();
                        (Outcome::Applied(version), changes)
                    }
                    Err(error) => (Outcome::StoreRefused(error), Vec::new()),
                }
            }
        };
        if outcome.is_good() {
            let basis = again_of.map_or(Basis::Folder, |of| Basis::RolledBack { of });
            *self.basis.lock().unwrap_or_else(PoisonError::into_inner) = basis;
        }
        drop(live);
        self.tell((cause, actor), (&outcome, &findings), began).await;
        let (version, took) = (self.engine.config().label(), self.engine.now().since(began));
        Report { outcome, version, findings, changes, took }
    }

    async fn check_folder(&self, live: &Applied) -> (Checked, Findings) {
        let settings = self.settings.clone();
        let (given, set) = (self.given.clone(), live.set.clone());
        let known = live.secrets.clone();
        blocking(move || {
            let mut findings = Findings::new();
            let secrets = secrets(&settings, given, &mut findings);
            let files = FileSet::read(&settings.routing_dir, &mut findings);
            if !findings.has_errors() && files.hash() == set && secrets == known {
                return (Checked::Unchanged, findings);
            }
            let checked = check(files, &settings, secrets, &mut findings);
            (checked, findings)
        })
        .await
    }

    async fn check_kept(&self, number: u64) -> (Checked, Findings) {
        let kept = match self.engine.store().version(number).await {
            Ok(kept) => kept.filter(|(_, files)| !files.is_empty()),
            Err(error) => {
                return (Checked::Refused(Outcome::StoreRefused(error)), Findings::new());
            }
        };
        let Some((_version, files)) = kept else {
            return (Checked::Refused(Outcome::NoSuchVersion(number)), Findings::new());
        };
        let (settings, given) = (self.settings.clone(), self.given.clone());
        blocking(move || {
            let mut findings = Findings::new();
            let secrets = secrets(&settings, given, &mut findings);
            let files = FileSet::of(&root_of(&settings, number), files);
            let checked = check(files, &settings, secrets, &mut findings);
            (checked, findings)
        })
        .await
    }

    async fn apply(
        &self,
        live: &mut Applied,
        candidate: Candidate,
        (cause, actor, again_of): (Cause, &str, Option<u64>),
    ) -> Result<ConfigVersion, StoreError> {
        let Candidate { exchange, files, secrets } = candidate;
        let set = files.hash().to_owned();
        let new = new_version(&files, self.engine.now(), cause, actor, again_of);
        let version = self.engine.store().apply_version(new).await?;
        let snapshot = Arc::new(Snapshot::new(exchange, version.number));
        let before = self.engine.route_by(snapshot);
        *live = Applied { set, secrets };
        metrics::config_applied(version.number, self.engine.now());
        // A config of thousands of files is not taken apart where auctions run.
        drop(tokio::task::spawn_blocking(move || drop(before)));
        Ok(version)
    }

    /// Log, metric and record.
    async fn tell(
        &self,
        (cause, actor): (Cause, &str),
        (outcome, findings): (&Outcome, &Findings),
        began: Timestamp,
    ) {
        let now = self.engine.now();
        let ms = u64::try_from(now.since(began).as_millis()).unwrap_or(u64::MAX);
        let (code, line) = (outcome.code(), outcome.line(findings));
        metrics::config_reloaded(code);
        if outcome.is_good() {
            tracing::info!(cause = cause.code(), actor, outcome = code, ms, "config: {line}");
        } else {
            tracing::error!(cause = cause.code(), actor, outcome = code, ms, "config: {line}");
        }
        if matches!(outcome, Outcome::Applied(_)) || actor == watch::ACTOR && outcome.is_good() {
            // The first is in the record with its version; the other is nobody's deed.
            return;
        }
        let action = Action {
            at: now,
            actor: actor.to_owned(),
            action: cause.code().to_owned(),
            subject: String::new(),
            detail: line,
        };
        if let Err(error) = self.engine.store().audit(action).await {
            tracing::warn!(code = error.code(), "a reload cannot be written into the record");
        }
    }
}

/// Where the files of a version that is not on disk seem to lie.
fn root_of(settings: &Settings, number: u64) -> PathBuf {
    settings.routing_dir.join(format!("(version {number})"))
}

fn secrets(settings: &Settings, given: Option<Secrets>, findings: &mut Findings) -> Secrets {
    given.unwrap_or_else(|| Secrets::load(&settings.secrets.dir, findings))
}

fn new_version(
    files: &FileSet,
    at: Timestamp,
    cause: Cause,
    actor: &str,
    again_of: Option<u64>,
) -> NewVersion {
    let texts = files.iter().map(|(name, text)| (name.to_owned(), text.to_owned()));
    NewVersion {
        set_hash: files.hash().to_owned(),
        files: texts.collect(),
        at,
        cause,
        actor: actor.to_owned(),
        again_of,
    }
}

/// Compiles a set and runs its tests.
fn check(
    files: FileSet,
    settings: &Settings,
    secrets: Secrets,
    findings: &mut Findings,
) -> Checked {
    let Some(exchange) = compile(&files, settings, &secrets, findings) else {
        return Checked::Refused(Outcome::BadConfig);
    };
    // What could not be read counts, even where the rest compiles.
    if findings.has_errors() {
        return Checked::Refused(Outcome::BadConfig);
    }
    let failing = failing_tests(&exchange);
    if failing.is_empty() {
        Checked::Good(Box::new(Candidate { exchange, files, secrets }))
    } else {
        Checked::Refused(Outcome::TestsFailed(failing))
    }
}

/// Name and place of each operators' test that fails, with what was found instead.
fn failing_tests(exchange: &Exchange) -> Vec<String> {
    let failing = failing(exchange).map(|result| {
        let place = result.place.file_line();
        format!("{place}: {}: {}", result.name, found_instead(&result))
    });
    failing.take(TESTS_NAMED_MAX).collect()
}

/// The operators' tests that fail.
fn failing(exchange: &Exchange) -> impl Iterator<Item = CaseResult> {
    let cases = exchange.tests.iter().flat_map(|(_, file)| &file.cases);
    let results = cases.map(|case| {
        operator_test::run(case, |campaign| delivery_of(&exchange.connectors, campaign))
    });
    results.filter(|result| !result.passed())
}

fn found_instead(result: &CaseResult) -> String {
    result.mismatches.first().map(|mismatch| mismatch.message.clone()).unwrap_or_default()
}

async fn blocking(
    work: impl FnOnce() -> (Checked, Findings) + Send + 'static,
) -> (Checked, Findings) {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(stopped) => {
            tracing::error!(panic = stopped.is_panic(), "a reload ended by a bug");
            (Checked::Refused(Outcome::Broken), Findings::new())
        }
    }
}
