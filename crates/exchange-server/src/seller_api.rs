//! The sellers' side: four routes, one door. Buyers' calls come in beside it.
//!
//! Business outcomes are 200 with a `status`; refusals are problem details. Nothing of a request's
//! body is ever repeated. Wire types live here; nothing below this module knows of HTTP.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::routing::{MethodRouter, get, post};
use exchange_model::reason::Invalid;
use exchange_model::{LeadId, PingId};
use exchange_store::StoredReply;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

use crate::exchange::Engine;
use crate::metrics;

pub mod answer;
pub mod ask;
pub mod body;
pub mod callback_url;
pub mod door;
pub mod problem;
pub mod reply;
pub mod reserved;
pub mod status;
pub mod test_mode;
pub mod too_much;

use answer::Replied;
use problem::Problem;
use test_mode::TestLeads;

/// What the routes share.
#[derive(Clone, Debug)]
pub struct SellerApi {
    /// The exchange.
    pub engine: Arc<Engine>,
    /// The latest leads of test keys.
    pub test_leads: Arc<TestLeads>,
}

/// The routes.
pub fn router(engine: Arc<Engine>) -> Router {
    let callbacks = crate::callbacks::router(Arc::clone(&engine));
    let api = SellerApi { engine, test_leads: Arc::new(TestLeads::default()) };
    Router::new()
        .route("/v1/leads", only(post(post_lead), "POST"))
        .route("/v1/leads/{lead_id}", only(get(lead_status), "GET"))
        .route("/v1/pings", only(post(post_ping), "POST"))
        .route("/v1/pings/{ping_id}/post", only(post(post_on_ping), "POST"))
        .fallback(async || refused(&Problem::new(Invalid::NotFound, "no such path")))
        .with_state(api)
        .merge(callbacks)
}

fn only(route: MethodRouter<SellerApi>, allow: &'static str) -> MethodRouter<SellerApi> {
    route.fallback(async move || refused(&Problem::method(allow)))
}

async fn post_lead(State(api): State<SellerApi>, request: Request) -> Response<Body> {
    respond(ask::post_lead(&api, request).await)
}

async fn post_ping(State(api): State<SellerApi>, request: Request) -> Response<Body> {
    respond(ask::post_ping(&api, request).await)
}

async fn post_on_ping(
    State(api): State<SellerApi>,
    Path(ping): Path<String>,
    request: Request,
) -> Response<Body> {
    match ping.parse::<PingId>() {
        Ok(ping) => respond(ask::post_on_ping(&api, ping, request).await),
        Err(_no_ping) => respond(door::unknown(&api, request.headers())),
    }
}

async fn lead_status(
    State(api): State<SellerApi>,
    Path(lead): Path<String>,
    headers: HeaderMap,
) -> Response<Body> {
    match lead.parse::<LeadId>() {
        Ok(lead) => respond(status::lead(&api, lead, &headers).await),
        Err(_no_lead) => respond(door::unknown(&api, &headers)),
    }
}

fn respond(result: Result<Replied, Problem>) -> Response<Body> {
    match result {
        Ok(Replied { reply, replayed }) => business(reply, replayed),
        Err(problem) => refused(&problem),
    }
}

fn business(reply: StoredReply, replayed: bool) -> Response<Body> {
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = StatusCode::from_u16(reply.http_status).unwrap_or_default();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if replayed {
        let name = HeaderName::from_static("idempotency-replayed");
        headers.insert(name, HeaderValue::from_static("true"));
    }
    response
}

fn refused(problem: &Problem) -> Response<Body> {
    metrics::invalid(problem.code().code());
    problem.response()
}
