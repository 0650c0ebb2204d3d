//! Pause, kill and resume; and the record of what operators did.

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::routing::get;
use exchange_model::Timestamp;
use exchange_store::operators::{AuditEntry, Force, Stop, Subject};
use http::Response;
use serde_json::{Value, json};

use super::{Desk, Done, Refusal, actor, bad, command, not_found, respond, store_refused};
use crate::exchange::Engine;
use crate::load::Exchange;

/// Most entries of the record in one answer.
const ENTRIES_MAX: u32 = 1_000;

pub(super) fn routes() -> Router<Desk> {
    Router::new().route("/api/stops", get(list).post(change)).route("/api/audit", get(audit))
}

/// Stops that are in force.
async fn list(State(desk): State<Desk>) -> Response<Body> {
    let (stops, now) = (desk.engine.store().stops(), desk.engine.now());
    respond(Ok(Value::Array(stops.at(now).map(stop_json).collect())))
}

async fn change(State(desk): State<Desk>, request: Request) -> Response<Body> {
    let changing = async { carry_out(&desk.engine, &command(request).await?).await };
    respond(changing.await)
}

/// `action` is `pause`, `kill` or `resume`.
async fn carry_out(engine: &Engine, body: &Value) -> Done {
    let word = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or("");
    let subject = Subject::parse(word("kind"), word("name"));
    let subject = subject.ok_or_else(|| {
        bad("`kind` is `all`, `source`, `buyer` or `campaign`, and `name` says which")
    })?;
    if word("action") == "resume" {
        let resumed = engine.store().resume(subject.clone(), engine.now(), actor(body)).await;
        let resumed = resumed.map_err(store_refused)?;
        tracing::info!(%subject, resumed, "resumed");
        return Ok(json!({ "resumed": resumed }));
    }
    let force = Force::from_code(word("action"));
    let force = force.ok_or_else(|| bad("`action` is `pause`, `kill` or `resume`"))?;
    known(&subject, &engine.config())?;
    let until = moment(body, engine.now())?;
    let (since, why) = (engine.now(), word("why").to_owned());
    let stop = Stop { subject, force, since, until, why, actor: actor(body) };
    engine.store().stop(stop.clone()).await.map_err(store_refused)?;
    tracing::warn!(subject = %stop.subject, force = force.code(), "stopped {}", stop.until_text());
    Ok(stop_json(&stop))
}

/// A slip of the pen stops nobody.
fn known(subject: &Subject, config: &Exchange) -> Result<(), Refusal> {
    if is_known(subject, config) {
        return Ok(());
    }
    Err(not_found(format!("the config has no {subject}")))
}

/// Whether the config has the subject.
pub(crate) fn is_known(subject: &Subject, config: &Exchange) -> bool {
    match subject {
        Subject::All => true,
        Subject::Source(id) => config.routing.source(id).is_some(),
        Subject::Buyer(id) => config.routing.buyer(id).is_some(),
        Subject::Campaign(id) => config.routing.campaigns().any(|campaign| campaign.id == *id),
    }
}

fn moment(body: &Value, now: Timestamp) -> Result<Option<Timestamp>, Refusal> {
    let until = match body.get("until") {
        None | Some(Value::Null) => return Ok(None),
        Some(until) => until.as_str().and_then(|text| text.parse::<Timestamp>().ok()),
    };
    let until = until.ok_or_else(|| bad("`until` is a time like 2026-11-23T17:00:00Z"))?;
    if until <= now {
        return Err(bad("`until` has passed"));
    }
    Ok(Some(until))
}

/// A stop for machines.
pub(crate) fn stop_json(stop: &Stop) -> Value {
    json!({
        "kind": stop.subject.kind(),
        "name": stop.subject.name(),
        "action": stop.force.code(),
        "since": stop.since.to_string(),
        "until": stop.until.map(|until| until.to_string()),
        "why": stop.why,
        "actor": stop.actor,
    })
}

async fn audit(State(desk): State<Desk>) -> Response<Body> {
    let found = desk.engine.store().audit_log(ENTRIES_MAX).await.map_err(store_refused);
    respond(found.map(|all| Value::Array(all.iter().map(entry_json).collect())))
}

/// An entry of the record for machines.
pub(crate) fn entry_json(entry: &AuditEntry) -> Value {
    let action = &entry.action;
    json!({
        "number": entry.number,
        "at": action.at.to_string(),
        "actor": action.actor,
        "action": action.action,
        "subject": action.subject,
        "detail": action.detail,
    })
}
