//! `GET /api/reports/late?more=50ms&since=24h`.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use exchange_model::document::parse_duration;
use http::Response;
use serde_json::json;

use super::{Desk, Done, Refusal, bad, respond, store_refused};
use crate::exchange::Engine;
use crate::late::{Gathering, PAGE, SINCE};

pub(super) async fn show(State(desk): State<Desk>, request: Request) -> Response<Body> {
    let query = request.uri().query().unwrap_or("").to_owned();
    respond(report(&desk.engine, &query).await)
}

async fn report(engine: &Engine, query: &str) -> Done {
    let more = span(query, "more")?.ok_or_else(|| bad("`more` is missing, as `?more=50ms`"))?;
    let since = engine.now().before(span(query, "since")?.unwrap_or(SINCE));
    let mut gathering = Gathering::new(more, since);
    loop {
        let page = engine.store().late_leads(since, gathering.after(), PAGE).await;
        if !gathering.take_in(&page.map_err(store_refused)?) {
            return Ok(json!(gathering.shown()));
        }
    }
}

/// A time of the query: digits and a unit, which need no decoding.
fn span(query: &str, name: &str) -> Result<Option<Duration>, Refusal> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let found = pairs.find(|(key, _)| *key == name);
    found.map(|(_, text)| parse_duration(text).map_err(|why| bad(&why))).transpose()
}
