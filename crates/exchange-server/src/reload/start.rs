//! The first config of a process: the folder's, or the last good one of the store.
//!
//! An exchange that cannot start because of one bad file sells nothing at all. What was routed by
//! before is known to be good, and whoever runs it is told at every look.

use std::sync::Arc;

use buyer_connectors::Secrets;
use exchange_model::{Findings, Timestamp};
use exchange_store::operators::{Cause, ConfigVersion};
use exchange_store::{ExchangeStore, StoreError};

use super::{Basis, TESTS_NAMED_MAX, failing, found_instead, new_version, root_of, secrets};
use crate::load::{Exchange, FileSet, compile};
use crate::settings::Settings;
use crate::snapshot::Snapshot;

/// Who applies a config when nobody does.
const ACTOR: &str = "start";
/// How many earlier versions are looked at for one that can still be used.
const LOOKED_AT: u32 = 20;

/// What was found on disk.
#[derive(Debug)]
pub struct Loaded {
    /// The files.
    pub files: FileSet,
    /// The secrets.
    pub secrets: Secrets,
    /// What they come to; nothing when they have errors.
    pub exchange: Option<Exchange>,
    /// What is wrong with them.
    pub findings: Findings,
}

/// What a process begins with.
#[derive(Debug)]
pub struct First {
    /// What is routed by.
    pub snapshot: Arc<Snapshot>,
    /// Its version.
    pub version: ConfigVersion,
    /// The SHA-256 of its files.
    pub set_hash: String,
    /// The secrets it was compiled with.
    pub secrets: Secrets,
    /// Where it comes from.
    pub basis: Basis,
    /// What is wrong with the files on disk.
    pub findings: Findings,
}

/// Reads and compiles the folder; blocks.
#[must_use]
pub fn read(settings: &Settings, given: Option<Secrets>) -> Loaded {
    let mut findings = Findings::new();
    let secrets = secrets(settings, given, &mut findings);
    let files = FileSet::read(&settings.routing_dir, &mut findings);
    let exchange = compile(&files, settings, &secrets, &mut findings);
    let exchange =
        exchange.filter(|exchange| !findings.has_errors() && passes(exchange, &mut findings));
    Loaded { files, secrets, exchange, findings }
}

/// Whether the operators' own tests pass: what a reload refuses does not come in by a restart.
fn passes(exchange: &Exchange, findings: &mut Findings) -> bool {
    for result in failing(exchange).take(TESTS_NAMED_MAX) {
        let message = format!("the test \"{}\" fails: {}", result.name, found_instead(&result));
        let help = "put the files or the test right: `rialto test` shows the whole journey";
        findings.error("test_failed", result.place, message, help.to_owned());
    }
    !findings.has_errors()
}

/// What to begin with, kept as a version; the findings when there is nothing.
///
/// # Errors
/// [`StoreError`].
pub async fn first(
    loaded: Loaded,
    settings: &Settings,
    store: &dyn ExchangeStore,
    now: Timestamp,
) -> Result<Result<First, Findings>, StoreError> {
    let Loaded { files, secrets, exchange, findings } = loaded;
    match exchange {
        Some(exchange) => {
            let parts = Parts { exchange, files, secrets, basis: Basis::Folder, again_of: None };
            parts.keep(store, now, findings).await.map(Ok)
        }
        None => match last_good(settings, store, &secrets, &findings).await? {
            Some(parts) => parts.keep(store, now, findings).await.map(Ok),
            None => Ok(Err(findings)),
        },
    }
}

struct Parts {
    exchange: Exchange,
    files: FileSet,
    secrets: Secrets,
    basis: Basis,
    again_of: Option<u64>,
}

impl Parts {
    async fn keep(
        self,
        store: &dyn ExchangeStore,
        now: Timestamp,
        findings: Findings,
    ) -> Result<First, StoreError> {
        let new = new_version(&self.files, now, Cause::Start, ACTOR, self.again_of);
        let set_hash = new.set_hash.clone();
        let version = store.apply_version(new).await?;
        let snapshot = Arc::new(Snapshot::new(self.exchange, version.number));
        let (secrets, basis) = (self.secrets, self.basis);
        Ok(First { snapshot, version, set_hash, secrets, basis, findings })
    }
}

/// The newest version of the store that still compiles with today's secrets and program.
async fn last_good(
    settings: &Settings,
    store: &dyn ExchangeStore,
    secrets: &Secrets,
    wrong: &Findings,
) -> Result<Option<Parts>, StoreError> {
    let errors = errors_in(wrong);
    let mut tried = Vec::new();
    for version in store.versions(LOOKED_AT).await? {
        if !version.kept || tried.contains(&version.set_hash) {
            continue;
        }
        let of = version.number;
        let kept = store.version(of).await?;
        let files = kept.map(|(_, files)| files).unwrap_or_default();
        let files = FileSet::of(&root_of(settings, of), files);
        if let Some(exchange) = compile(&files, settings, secrets, &mut Findings::new()) {
            let (secrets, basis) = (secrets.clone(), Basis::LastGood { of, errors });
            return Ok(Some(Parts { exchange, files, secrets, basis, again_of: Some(of) }));
        }
        tried.push(version.set_hash);
    }
    Ok(None)
}

fn errors_in(findings: &Findings) -> usize {
    let is_error =
        |finding: &&exchange_model::Finding| finding.severity == exchange_model::Severity::Error;
    findings.sorted().into_iter().filter(is_error).count()
}
