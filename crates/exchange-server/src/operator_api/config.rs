//! Reload, rollback, and the versions that were routed by.

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::routing::{get, post};
use exchange_store::operators::ConfigVersion;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

use super::{Desk, Done, Refusal, actor, bad, command, not_found, respond, store_refused, text};
use crate::cli::diagnostics::{JsonFinding, Look, shown};
use crate::reload::{Outcome, Report};

/// Most versions in one answer.
const VERSIONS_MAX: u32 = 1_000;

pub(super) fn routes() -> Router<Desk> {
    Router::new()
        .route("/-/reload", post(reload))
        .route("/-/rollback", post(rollback))
        .route("/api/versions", get(versions))
        .route("/api/versions/{number}", get(version))
}

/// Blocks until it is done.
async fn reload(State(desk): State<Desk>, request: Request) -> Response<Body> {
    match command(request).await {
        Ok(body) => answer(&desk.reloader.reload(&actor(&body)).await),
        Err(refusal) => respond(Err(refusal)),
    }
}

async fn rollback(State(desk): State<Desk>, request: Request) -> Response<Body> {
    let asked = async {
        let body = command(request).await?;
        let number = body.get("version").and_then(Value::as_u64);
        let number = number.ok_or_else(|| bad("`version` is the number of a version"))?;
        Ok::<_, Refusal>((number, actor(&body)))
    };
    match asked.await {
        Ok((number, actor)) => answer(&desk.reloader.rollback(number, &actor).await),
        Err(refusal) => respond(Err(refusal)),
    }
}

/// The report, with a status that scripts can tell: 200 only when it is routed by what was asked.
fn answer(report: &Report) -> Response<Body> {
    let status = match &report.outcome {
        Outcome::Applied(_) | Outcome::Unchanged => StatusCode::OK,
        Outcome::BadConfig | Outcome::TestsFailed(_) => StatusCode::UNPROCESSABLE_ENTITY,
        Outcome::NoSuchVersion(_) => StatusCode::NOT_FOUND,
        Outcome::StoreRefused(_) => StatusCode::SERVICE_UNAVAILABLE,
        Outcome::Broken => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let mut response = text(status, shown_report(report).to_string());
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

fn shown_report(report: &Report) -> Value {
    let findings: Vec<JsonFinding<'_>> =
        report.findings.sorted().into_iter().map(JsonFinding::from).collect();
    let (tests, detail) = match &report.outcome {
        Outcome::TestsFailed(tests) => (tests.clone(), "the tests of the config fail".to_owned()),
        Outcome::BadConfig => (Vec::new(), "the config has errors".to_owned()),
        Outcome::NoSuchVersion(number) => {
            (Vec::new(), format!("no files are kept of version {number}"))
        }
        Outcome::StoreRefused(error) => (Vec::new(), error.to_string()),
        Outcome::Broken => (Vec::new(), "a bug ended it; the log says more".to_owned()),
        Outcome::Applied(_) | Outcome::Unchanged => (Vec::new(), String::new()),
    };
    json!({
        "outcome": report.outcome.code(),
        "version": report.version,
        "changes": report.changes,
        "findings": findings,
        "shown": shown(&report.findings, Look::Full),
        "failed_tests": tests,
        "detail": detail,
        "millis": u64::try_from(report.took.as_millis()).unwrap_or(u64::MAX),
    })
}

async fn versions(State(desk): State<Desk>) -> Response<Body> {
    let found = desk.engine.store().versions(VERSIONS_MAX).await.map_err(store_refused);
    respond(found.map(|all| Value::Array(all.iter().map(version_json).collect())))
}

async fn version(State(desk): State<Desk>, Path(number): Path<u64>) -> Response<Body> {
    respond(one_version(&desk, number).await)
}

async fn one_version(desk: &Desk, number: u64) -> Done {
    let found = desk.engine.store().version(number).await.map_err(store_refused)?;
    let (version, files) = found.ok_or_else(|| not_found(format!("no version {number}")))?;
    let names: Vec<&String> = files.iter().map(|(name, _text)| name).collect();
    let mut shown = version_json(&version);
    if let Some(members) = shown.as_object_mut() {
        members.insert("files".to_owned(), json!(names));
    }
    Ok(shown)
}

/// A version for machines.
pub(crate) fn version_json(version: &ConfigVersion) -> Value {
    json!({
        "number": version.number,
        "version": version.label(),
        "hash": version.set_hash,
        "applied_at": version.applied_at.to_string(),
        "cause": version.cause.code(),
        "actor": version.actor,
        "again_of": version.again_of,
        "changes": version.changes,
        "kept": version.kept,
    })
}
