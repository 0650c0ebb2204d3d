//! The door: whose request it is, whether there is room, and its body within limits.
//!
//! Everything cheap comes first. A request without a key costs one hash; a request too many is
//! refused before its body is read.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use axum::extract::Request;
use bytes::Bytes;
use exchange_model::Timestamp;
use exchange_model::reason::Invalid;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use ping_tree::{Source, Status, Tree};

use super::SellerApi;
use super::answer::Replied;
use super::body::{self, Fields};
use super::problem::Problem;
use super::too_much;
use crate::auth::{KeyMode, Principal};
use crate::exchange::{Admitted, Engine};
use crate::metrics;
use crate::snapshot::Snapshot;

/// When the first byte of a request arrived, as its connection saw it.
#[derive(Clone, Debug, Default)]
pub struct FirstByte(Arc<AtomicI64>);

impl FirstByte {
    /// A byte is here; only the first one since the last request counts.
    pub fn seen(&self, now: impl FnOnce() -> Timestamp) {
        if self.0.load(Ordering::Relaxed) == 0 {
            self.0.store(now().unix_micros(), Ordering::Relaxed);
        }
    }

    /// The request is read; the next byte belongs to another one.
    pub fn reset(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    fn at(&self) -> Option<Timestamp> {
        let micros = self.0.load(Ordering::Relaxed);
        (micros != 0).then(|| Timestamp::from_unix_micros(micros))
    }
}

/// A request that came in.
#[derive(Debug)]
pub struct Call {
    /// Whose.
    pub principal: Principal,
    /// The config that the request is handled by, whatever is loaded meanwhile.
    pub config: Arc<Snapshot>,
    /// The source in the config.
    pub source: Arc<Source>,
    /// The source's tree.
    pub tree: Arc<Tree>,
    /// When its first byte arrived.
    pub received_at: Timestamp,
    /// Its headers.
    pub headers: HeaderMap,
    /// Method, path and body under one keyed hash.
    pub fingerprint: [u8; 32],
    /// Its fields.
    pub fields: Fields,
    /// Its place, until its auction has answered.
    pub admitted: Admitted,
}

impl Call {
    /// Whether it was made with a test key.
    #[must_use]
    pub fn is_test(&self) -> bool {
        self.principal.mode == KeyMode::Test
    }
}

/// Lets a request with a body in.
///
/// # Errors
/// Why it is refused.
pub async fn enter(api: &SellerApi, request: Request) -> Result<Call, Problem> {
    let engine = &api.engine;
    let (parts, body) = request.into_parts();
    let first_byte = parts.extensions.get::<FirstByte>().cloned().unwrap_or_default();
    let received_at = first_byte.at().unwrap_or_else(|| engine.now());
    let principal = authenticate(engine, &parts.headers)?;
    let config = engine.config();
    let (source, tree) = stream(&config, &principal)?;
    not_stopped(engine, &principal, received_at)?;
    engine.rates().come_in(&source, engine.now()).map_err(|wait| too_fast(&source, wait))?;
    let admitted = engine.admit().map_err(|shed| {
        metrics::shed(shed.code());
        Problem::overloaded("no new leads are taken at the moment", engine.retry_after())
    })?;
    let media = body::media(&parts.headers)?;
    let read = body::read(&parts.headers, body).await?;
    first_byte.reset();
    let fields = body::fields(media, &read)?;
    let fingerprint = fingerprint(engine, parts.uri.path(), &read);
    Ok(Call {
        principal,
        config,
        source,
        tree,
        received_at,
        headers: parts.headers,
        fingerprint,
        fields,
        admitted,
    })
}

/// A source without a rate is never too fast.
fn too_fast(source: &Source, wait: Duration) -> Problem {
    match source.rate_limit {
        Some(rate) => too_much::rate_limited(rate, wait),
        None => Problem::new(Invalid::RateLimited, "this source sends too fast"),
    }
}

fn fingerprint(engine: &Engine, path: &str, body: &Bytes) -> [u8; 32] {
    let mut whole = Vec::with_capacity(path.len().saturating_add(body.len()).saturating_add(6));
    whole.extend_from_slice(b"POST ");
    whole.extend_from_slice(path.as_bytes());
    whole.push(b'\n');
    whole.extend_from_slice(body);
    engine.keys().body_fingerprint(&whole)
}

/// Whose request it is, by `Authorization: Bearer` or `X-Api-Key`.
///
/// # Errors
/// `unauthorised`, always the same.
pub fn authenticate(engine: &Engine, headers: &HeaderMap) -> Result<Principal, Problem> {
    let bearer =
        headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|text| {
            let (scheme, key) = text.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
        });
    let header = || headers.get("x-api-key").and_then(|value| value.to_str().ok()).map(str::trim);
    let text = bearer.or_else(header).unwrap_or("");
    let detail = "send your API key as `Authorization: Bearer rialto_...`";
    engine.authenticate(text).ok_or_else(|| Problem::new(Invalid::Unauthorised, detail))
}

/// The source of a key and its tree; of a source that splits its traffic the first one, for the
/// vertical that they share.
///
/// # Errors
/// `source_disabled`.
pub fn stream(
    config: &Snapshot,
    principal: &Principal,
) -> Result<(Arc<Source>, Arc<Tree>), Problem> {
    let disabled = || Problem::new(Invalid::SourceDisabled, "this source takes no leads");
    let routing = &config.routing;
    let source = routing.source(&principal.source).ok_or_else(disabled)?;
    if source.status == Status::Paused {
        return Err(disabled());
    }
    let tree = routing.tree(source.first_tree()).ok_or_else(disabled)?;
    Ok((Arc::clone(source), Arc::clone(tree)))
}

/// Whether an operator has stopped the source, or everything. Why is the operator's business.
fn not_stopped(engine: &Engine, principal: &Principal, at: Timestamp) -> Result<(), Problem> {
    if principal.mode == KeyMode::Test {
        return Ok(());
    }
    match engine.store().stops().of_source(&principal.source, at) {
        Some(stop) => {
            let detail = format!("this source is paused by an operator {}", stop.until_text());
            Err(Problem::new(Invalid::SourceDisabled, &detail))
        }
        None => Ok(()),
    }
}

/// Something that does not exist for anybody: refused like something that is somebody else's.
///
/// # Errors
/// Always: `unauthorised` or `not_found`.
pub fn unknown(api: &SellerApi, headers: &HeaderMap) -> Result<Replied, Problem> {
    authenticate(&api.engine, headers)?;
    Err(not_found())
}

/// The answer for what is not there and for what is somebody else's.
#[must_use]
pub fn not_found() -> Problem {
    Problem::new(Invalid::NotFound, "nothing by that name belongs to this key")
}
