//! `GET /v1/leads/{lead_id}`: how a lead of this key's source stands.

use exchange_model::LeadId;
use http::HeaderMap;

use super::SellerApi;
use super::answer::Replied;
use super::door;
use super::problem::Problem;
use super::reply;
use crate::auth::KeyMode;

/// How a lead stands. Somebody else's is not found.
///
/// # Errors
/// `unauthorised`, `source_disabled`, `not_found`, `overloaded`.
pub async fn lead(api: &SellerApi, lead: LeadId, headers: &HeaderMap) -> Result<Replied, Problem> {
    let engine = &api.engine;
    let principal = door::authenticate(engine, headers)?;
    if principal.mode == KeyMode::Test {
        let known = api.test_leads.find(&principal.source, lead);
        return known.map(Replied::fresh).ok_or_else(door::not_found);
    }
    let standing =
        engine.store().status(&principal.source, lead).await.map_err(|_store_error| {
            Problem::overloaded("the lead cannot be read at the moment", engine.retry_after())
        })?;
    let standing = standing.ok_or_else(door::not_found)?;
    // A paused source may still ask about its leads.
    let currency = door::stream(&engine.config(), &principal)
        .map_or(exchange_model::Currency::USD, |(_, tree)| tree.vertical.currency());
    Ok(Replied::fresh(reply::standing(&standing, currency)))
}
