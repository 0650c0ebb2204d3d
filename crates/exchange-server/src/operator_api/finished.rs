//! `POST /api/campaigns/{buyer}/{campaign}/finished`: the buyer is done with a lead.

use axum::body::Body;
use axum::extract::{Path, Request, State};
use exchange_model::{BuyerId, CampaignId};
use exchange_store::Finished;
use http::Response;
use serde_json::json;

use super::{Desk, Done, command, member, not_found, respond, store_refused};
use crate::exchange::Engine;

pub(super) async fn say(
    State(desk): State<Desk>,
    Path((buyer, campaign)): Path<(String, String)>,
    request: Request,
) -> Response<Body> {
    respond(finished(&desk.engine, &buyer, &campaign, request).await)
}

/// A campaign that is in no file any more may still say so: the lead is what counts.
async fn finished(engine: &Engine, buyer: &str, campaign: &str, request: Request) -> Done {
    let body = command(request).await?;
    let unknown = |_no_name| not_found("no campaign has this name".to_owned());
    let buyer: BuyerId = buyer.parse().map_err(unknown)?;
    let campaign = CampaignId::new(&buyer, campaign).map_err(unknown)?;
    let lead = member(&body, "lead")?;
    let said = engine.store().finished(&campaign, lead, engine.now()).await;
    let said = said.map_err(store_refused)?;
    tracing::info!(%campaign, lead_id = %lead, said = said.code(), "lead finished");
    match said {
        Finished::NoPost => Err(not_found(format!("`{campaign}` does not have this lead"))),
        Finished::Done | Finished::Before => Ok(json!({ "finished": said == Finished::Done })),
    }
}
