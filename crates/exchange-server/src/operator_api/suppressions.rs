//! Suppression lists, as `rialto suppress` asks for them.
//!
//! What comes in are digests of normalised values, never values; what is kept is a hash of each
//! under the exchange's own key. Nothing here names a person, in a log or an answer.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use exchange_model::BuyerId;
use exchange_model::lead::{HashForm, ListHash};
use exchange_store::{SUPPRESSION_CHUNK_MAX, SuppressionTarget, SuppressionUpload};
use http::Response;
use ping_tree::person::{LIST_NAME_MAX, is_list_name};
use serde_json::{Value, json};

use super::{Desk, Done, Refusal, bad, command, command_up_to, not_found, respond, store_refused};
use crate::exchange::Engine;

/// Largest body of one step, in bytes: each digest has at most 64 digits.
const STEP_MAX: usize = 256 * 1024;
/// Pause between two steps of deleting what is gone.
const SWEEP_PAUSE: Duration = Duration::from_millis(50);

/// A list of a buyer that the config knows.
struct Named {
    buyer: BuyerId,
    list: String,
}

impl Named {
    fn read(engine: &Engine, buyer: &str, list: String) -> Result<Self, Refusal> {
        let unknown = || not_found("no buyer has this name".to_owned());
        let buyer: BuyerId = buyer.parse().map_err(|_no_name| unknown())?;
        if engine.config().routing.buyer(&buyer).is_none() {
            return Err(unknown());
        }
        if !is_list_name(&list) {
            return Err(bad("a list's name is 1 to 64 of a-z, 0-9, `_` and `-`"));
        }
        Ok(Self { buyer, list })
    }
}

/// `POST .../{what}`: `begin`, `add`, `swap` or `remove`.
pub(super) async fn change(
    State(desk): State<Desk>,
    Path((buyer, list, what)): Path<(String, String, String)>,
    request: Request,
) -> Response<Body> {
    let engine = &desk.engine;
    let changed = async {
        let named = Named::read(engine, &buyer, list)?;
        match what.as_str() {
            "begin" => begin(engine, named, request).await,
            "add" => add(engine, named, request).await,
            "swap" => swap(engine, named, request).await,
            "remove" => remove(engine, named, request).await,
            _ => Err(not_found("no such path".to_owned())),
        }
    };
    respond(changed.await)
}

async fn begin(engine: &Engine, named: Named, request: Request) -> Done {
    command(request).await?;
    let Named { buyer, list } = named;
    let begun = engine.store().begin_suppression(&buyer, &list, engine.now()).await;
    let SuppressionUpload(upload) = begun.map_err(store_refused)?;
    Ok(json!({ "upload": upload }))
}

async fn add(engine: &Engine, named: Named, request: Request) -> Done {
    let body = command_up_to(request, STEP_MAX).await?;
    let Named { buyer, list } = named;
    let entries = entries(engine, &body)?;
    let target = match body.get("upload").filter(|upload| !upload.is_null()) {
        Some(upload) => SuppressionTarget::Upload(upload_of(upload)?),
        None => SuppressionTarget::List(buyer, list),
    };
    let added = engine.store().suppress(target, entries, engine.now()).await;
    let added = added.map_err(store_refused)?;
    Ok(json!({ "added": added.added, "known": added.known }))
}

fn entries(engine: &Engine, body: &Value) -> Result<Vec<ListHash>, Refusal> {
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let kind = text("kind").filter(|kind| (1..=LIST_NAME_MAX).contains(&kind.len()));
    let kind = kind.ok_or_else(|| bad("`kind` says what the values are"))?;
    let form = text("form").and_then(HashForm::from_code);
    let form = form.ok_or_else(|| bad("`form` is `md5`, `sha1` or `sha256`"))?;
    let digests = body.get("digests").and_then(Value::as_array);
    let digests = digests.filter(|digests| digests.len() <= SUPPRESSION_CHUNK_MAX);
    let digests = digests.ok_or_else(|| bad("`digests` is a list, and not too long"))?;
    let key = engine.keys().fingerprints();
    let entry = |digest: &Value| {
        let bytes = hex::decode(digest.as_str()?).ok()?;
        (bytes.len() == form.digest_len()).then(|| ListHash::new(key, kind, form, &bytes))
    };
    let entries: Option<Vec<ListHash>> = digests.iter().map(entry).collect();
    entries.ok_or_else(|| bad("a digest is of another length, or no hexadecimal digits"))
}

fn upload_of(value: &Value) -> Result<SuppressionUpload, Refusal> {
    value.as_i64().map(SuppressionUpload).ok_or_else(|| bad("`upload` is what `begin` answered"))
}

async fn swap(engine: &Arc<Engine>, named: Named, request: Request) -> Done {
    let body = command(request).await?;
    let upload = upload_of(body.get("upload").unwrap_or(&Value::Null))?;
    engine.store().swap_suppression(upload, engine.now()).await.map_err(store_refused)?;
    tracing::info!(buyer = %named.buyer, list = named.list, "suppression list replaced");
    sweep(engine);
    Ok(json!({ "replaced": true }))
}

async fn remove(engine: &Arc<Engine>, named: Named, request: Request) -> Done {
    command(request).await?;
    let removed = engine.store().remove_suppression(&named.buyer, &named.list).await;
    let removed = removed.map_err(store_refused)?;
    tracing::info!(buyer = %named.buyer, list = named.list, removed, "suppression list removed");
    sweep(engine);
    Ok(json!({ "removed": removed }))
}

/// Deletes what is left of lists that are gone, a little at a time. The next start goes on.
pub(crate) fn sweep(engine: &Arc<Engine>) {
    let sweeping = Arc::clone(engine);
    engine.spawn_background(async move {
        while let Ok(true) = sweeping.store().sweep_suppression().await {
            sweeping.clock().sleep_until(sweeping.now().after(SWEEP_PAUSE)).await;
        }
    });
}
