//! The operators' side: metrics, health, and what a command asks of a running exchange.
//!
//! It listens on loopback unless configured otherwise and knows no keys. So that no web page in an
//! operator's browser can use it, changes must be JSON and addressed to an IP address or
//! `localhost`.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::routing::{get, post};
use exchange_model::{BuyerId, LeadId, Money, SourceId};
use exchange_store::operators::Action;
use exchange_store::{KeyMode, StoreError};
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::{Value, json};
use settlement_ledger::Stamp;
use settlement_ledger::account::BankName;
use settlement_ledger::top_up::WireTopUp;

use crate::exchange::Engine;
use crate::reload::Reloader;
use crate::scores;
use crate::standing::currency_of;

pub(crate) mod config;
mod finished;
mod late;
pub(crate) mod stops;
pub(crate) mod suppressions;

/// Largest body, in bytes.
const BODY_MAX: usize = 16 * 1024;
/// The bank account that transfers arrive at, in the books.
const BANK: &str = "main";
/// Longest reference of a transfer, in bytes.
const REFERENCE_MAX: usize = 128;

/// What the routes share.
#[derive(Clone)]
struct Desk {
    engine: Arc<Engine>,
    reloader: Arc<Reloader>,
    metrics: PrometheusHandle,
}

/// Why something is not done.
struct Refusal(StatusCode, String);

type Done = Result<Value, Refusal>;

/// The routes.
pub fn router(engine: Arc<Engine>, reloader: Arc<Reloader>, metrics: PrometheusHandle) -> Router {
    Router::new()
        .route("/metrics", get(show_metrics))
        .route("/livez", get(async || text(StatusCode::OK, "alive\n".to_owned())))
        .route("/readyz", get(ready))
        .route("/api/keys", post(new_key))
        .route("/api/keys/{id}/revoke", post(revoke_key))
        .route("/api/leads/{lead}/erase", post(erase))
        .route("/api/buyers/scores", get(show_scores))
        .route("/api/reports/late", get(late::show))
        .route("/api/campaigns/{buyer}/{campaign}/finished", post(finished::say))
        .route("/api/buyers/{buyer}/top-ups", post(top_up))
        .route("/api/buyers/{buyer}/suppressions/{list}/{what}", post(suppressions::change))
        .fallback(async || text(StatusCode::NOT_FOUND, "no such path\n".to_owned()))
        .merge(config::routes())
        .merge(stops::routes())
        .with_state(Desk { engine, reloader, metrics })
}

async fn show_metrics(State(desk): State<Desk>) -> Response<Body> {
    desk.engine.show_breakers();
    let mut response = text(StatusCode::OK, desk.metrics.render());
    let kind = HeaderValue::from_static("text/plain; version=0.0.4");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// Ready to take leads. `?verbose` lists the checks.
async fn ready(State(desk): State<Desk>, request: Request) -> Response<Body> {
    let checks = desk.engine.checks();
    let well = checks.iter().all(|(_, well)| *well);
    let status = if well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let mut body = String::new();
    if request.uri().query().is_some_and(|query| query.contains("verbose")) || !well {
        for (name, well) in checks {
            let result = if well { "ok" } else { "failed" };
            body.push_str(&format!("{name} {result}\n"));
        }
    }
    if !body.is_empty() {
        let (label, basis) = (desk.engine.config().label(), desk.reloader.basis());
        body.push_str(&format!("config {label} {basis}\n"));
    }
    body.push_str(if well { "ready\n" } else { "not ready\n" });
    text(status, body)
}

/// Every buyer's scorecard.
async fn show_scores(State(desk): State<Desk>) -> Response<Body> {
    respond(Ok(json!({ "window": "7d", "buyers": scores::shown(&desk.engine) })))
}

async fn new_key(State(desk): State<Desk>, request: Request) -> Response<Body> {
    respond(make_key(&desk.engine, request).await)
}

async fn make_key(engine: &Engine, request: Request) -> Done {
    let body = command(request).await?;
    let source: SourceId = member(&body, "source")?;
    if engine.config().routing.source(&source).is_none() {
        return Err(not_found(format!("no source is called `{source}`")));
    }
    let mode = body.get("mode").and_then(Value::as_str).and_then(KeyMode::from_code);
    let mode = mode.ok_or_else(|| bad("`mode` is `live` or `test`"))?;
    let (id, key) = engine.issue_key(&source, mode).await.map_err(store_refused)?;
    tracing::info!(key_id = id, %source, mode = mode.code(), "key made");
    let detail = format!("{} key {id}", mode.code());
    write_down(engine, &body, "key_new", format!("source {source}"), detail).await?;
    Ok(json!({ "id": id, "key": *key }))
}

async fn revoke_key(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    request: Request,
) -> Response<Body> {
    let revoke = async {
        let body = command(request).await?;
        let revoked = desk.engine.revoke_key(&id).await.map_err(store_refused)?;
        tracing::info!(revoked, "key revoked");
        if revoked {
            let subject = format!("key {id}");
            write_down(&desk.engine, &body, "key_revoke", subject, String::new()).await?;
        }
        Ok(json!({ "revoked": revoked }))
    };
    respond(revoke.await)
}

async fn erase(
    State(desk): State<Desk>,
    Path(lead): Path<String>,
    request: Request,
) -> Response<Body> {
    let erase = async {
        let body = command(request).await?;
        let lead: LeadId = lead.parse().map_err(|_no_id| bad("this is no lead id"))?;
        let erased = desk.engine.store().erase(lead, desk.engine.now()).await;
        let erased = erased.map_err(store_refused)?;
        tracing::info!(lead_id = %lead, known = erased.is_some(), "lead erased");
        if erased.is_some() {
            let subject = format!("lead {lead}");
            write_down(&desk.engine, &body, "erase", subject, String::new()).await?;
        }
        Ok(json!({ "erased_at": erased.map(|erasure| erasure.erased_at.to_string()) }))
    };
    respond(erase.await)
}

async fn top_up(
    State(desk): State<Desk>,
    Path(buyer): Path<String>,
    request: Request,
) -> Response<Body> {
    respond(book_top_up(&desk.engine, &buyer, request).await)
}

async fn book_top_up(engine: &Engine, buyer: &str, request: Request) -> Done {
    let body = command(request).await?;
    let unknown = || not_found("no buyer has this name".to_owned());
    let buyer: BuyerId = buyer.parse().map_err(|_no_name| unknown())?;
    let config = engine.config();
    let terms = config.routing.buyer(&buyer).ok_or_else(unknown)?.terms;
    let amount = body.get("amount").and_then(Value::as_str).unwrap_or("");
    let amount =
        Money::parse(amount, currency_of(&terms)).map_err(|error| bad(&error.to_string()))?;
    let reference = body.get("reference").and_then(Value::as_str).unwrap_or("");
    if reference.is_empty() || reference.len() > REFERENCE_MAX {
        return Err(bad("`reference` is the bank's own, 1 to 128 bytes"));
    }
    let now = engine.now();
    let booked = engine.store().top_up(WireTopUp {
        buyer: buyer.clone(),
        bank: BankName::new(BANK).expect("the name is made of letters"),
        bank_ref: reference.to_owned(),
        amount,
        stamp: Stamp { effective_at: now, recorded_at: now, actor: "operator-api".to_owned() },
        memo: String::new(),
    });
    let booked = booked.await.map_err(store_refused)?;
    tracing::info!(%buyer, %amount, booked, "top-up");
    if booked {
        let detail = format!("{amount} {reference}");
        write_down(engine, &body, "top_up", format!("buyer {buyer}"), detail).await?;
    }
    Ok(json!({ "booked": booked }))
}

/// Who asks for a change, as the body says. Whoever may reach this listener may do everything, so
/// the name is for the record, not a proof.
fn actor(body: &Value) -> String {
    let named = body.get("actor").and_then(Value::as_str).filter(|name| !name.is_empty());
    named.unwrap_or("operator-api").to_owned()
}

/// Writes a deed into the record of operators.
async fn write_down(
    engine: &Engine,
    body: &Value,
    action: &str,
    subject: String,
    detail: String,
) -> Result<(), Refusal> {
    let (at, action) = (engine.now(), action.to_owned());
    let action = Action { at, actor: actor(body), action, subject, detail };
    engine.store().audit(action).await.map_err(store_refused)
}

/// The body of a change, from something that is no web page.
async fn command(request: Request) -> Done {
    command_up_to(request, BODY_MAX).await
}

/// The same, of at most so many bytes.
async fn command_up_to(request: Request, most: usize) -> Done {
    let headers = request.headers();
    let json = headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes() == b"application/json");
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("");
    if !json || !is_address(host) {
        let detail = "send application/json to an IP address or localhost".to_owned();
        return Err(Refusal(StatusCode::FORBIDDEN, detail));
    }
    let body = Limited::new(request.into_body(), most).collect().await;
    let body = body.map_err(|_unreadable| bad("the body cannot be read"))?.to_bytes();
    exchange_model::strict_json::parse(&body).map_err(|error| bad(&error.to_string()))
}

fn is_address(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        Some(_) | None => host,
    };
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse::<IpAddr>().is_ok()
}

fn member<T: std::str::FromStr>(body: &Value, name: &str) -> Result<T, Refusal> {
    let text = body.get(name).and_then(Value::as_str).and_then(|text| text.parse().ok());
    text.ok_or_else(|| bad(&format!("`{name}` is missing or has no such form")))
}

fn bad(detail: &str) -> Refusal {
    Refusal(StatusCode::UNPROCESSABLE_ENTITY, detail.to_owned())
}

fn not_found(detail: String) -> Refusal {
    Refusal(StatusCode::NOT_FOUND, detail)
}

fn store_refused(error: StoreError) -> Refusal {
    Refusal(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
}

fn respond(done: Done) -> Response<Body> {
    let (status, kind, body) = match done {
        Ok(body) => (StatusCode::OK, "application/json", body),
        Err(Refusal(status, detail)) => {
            let body = json!({ "status": status.as_u16(), "detail": detail });
            (status, "application/problem+json", body)
        }
    };
    let mut response = text(status, body.to_string());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

fn text(status: StatusCode, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_web_page_with_a_name_of_its_own_is_no_operator() {
        assert!(
            is_address("127.0.0.1:9090") && is_address("[::1]:9090") && is_address("localhost")
        );
        assert!(!is_address("rebound.example:9090") && !is_address(""));
    }
}
