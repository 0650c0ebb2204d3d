//! One call of a buyer: whose it is, what it says, and the answer it gets.
//!
//! Who does not have a signed address gets a 404 and costs one hash. Signed calls are few: their
//! bodies are read, the store may be asked.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::routing::any;
use buyer_connectors::{CallbackCall, Connector};
use bytes::Bytes;
use exchange_model::outcome::PostAnswer;
use exchange_model::reason::Unknown;
use exchange_model::{AttemptId, CampaignId, LeadId};
use exchange_store::{AttemptState, StoreError};
use http::header::{ALLOW, CONNECTION, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use tokio::sync::oneshot;

use super::address::{About, Signed};
use super::listeners::Called;
use crate::calls::count_refusal;
use crate::exchange::Engine;
use crate::metrics::{self, CampaignMeters};
use crate::resolver;

/// Largest body of a call, in bytes.
const BODY_MAX: usize = 64 * 1024;
/// Longest that a body may take to arrive.
const BODY_TIME_MAX: Duration = Duration::from_secs(5);
/// Longest that a buyer waits until its answer is durable; then it is told to come again.
const SETTLING_MAX: Duration = Duration::from_secs(10);

/// How often whoever works on the post is told: an auction may hand it over meanwhile.
const TELLINGS: usize = 2;

/// The route.
pub fn router(engine: Arc<Engine>) -> Router {
    Router::new()
        .route("/v1/callbacks/{buyer}/{campaign}/{about}/{signature}", any(called))
        .with_state(engine)
}

type Address = (String, String, String, String);

async fn called(
    State(engine): State<Arc<Engine>>,
    Path(address): Path<Address>,
    request: Request,
) -> Response<Body> {
    match answer(&engine, &address, request).await {
        Ok(response) => response,
        Err(refused) => refused.response(),
    }
}

/// Why a call is not taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Refused {
    /// No such address; the word is for metrics only.
    Unknown(&'static str),
    /// Not a method that buyers call with.
    Method,
    /// The body is over the limit.
    TooLarge,
    /// The body did not arrive in time, or broke off.
    TooSlow,
    /// It cannot be made durable now.
    Unavailable,
}

impl Refused {
    const fn code(self) -> &'static str {
        match self {
            Self::Unknown(code) => code,
            Self::Method => "method",
            Self::TooLarge => "too_large",
            Self::TooSlow => "too_slow",
            Self::Unavailable => "unavailable",
        }
    }

    const fn status(self) -> StatusCode {
        match self {
            Self::Unknown(_) => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Without a word: whoever may call knows why.
    fn response(self) -> Response<Body> {
        metrics::callback_refused(self.code());
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        match self {
            Self::Method => {
                headers.insert(ALLOW, HeaderValue::from_static("GET, POST, PUT"));
            }
            Self::Unknown(_) | Self::TooLarge | Self::TooSlow => {
                headers.insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Self::Unavailable => {}
        }
        response
    }
}

async fn answer(
    engine: &Arc<Engine>,
    address: &Address,
    request: Request,
) -> Result<Response<Body>, Refused> {
    let (campaign, about) = whose(engine, address)?;
    let known = engine.hearing(&campaign).filter(|(connector, _)| connector.hears());
    let (connector, meters) = known.ok_or(Refused::Unknown("unknown"))?;
    if ![Method::GET, Method::POST, Method::PUT].contains(request.method()) {
        return Err(Refused::Method);
    }
    let call =
        Call { engine: Arc::clone(engine), meters, connector: Arc::clone(&connector), about };
    let (done, heard) = oneshot::channel();
    engine.spawn_background(async move {
        // Nobody waits for it when the buyer has gone.
        let _told_or_gone = done.send(call.hear(request).await);
    });
    heard.await.unwrap_or(Err(Refused::Unavailable))?;
    Ok(thanks(&connector))
}

/// A call by a signed address. It is heard in a task of its own: a buyer that does not wait for our
/// thanks has said it all the same.
struct Call {
    engine: Arc<Engine>,
    meters: Option<CampaignMeters>,
    connector: Arc<Connector>,
    about: About,
}

impl Call {
    async fn hear(self, request: Request) -> Result<(), Refused> {
        let (engine, campaign) = (&self.engine, self.connector.campaign());
        let (parts, body) = request.into_parts();
        let body = read(body).await?;
        let said = understand(&self.connector, &parts, &body);
        let meant = which(engine, campaign, self.about).await?;
        let attempt = meant.attempt;
        let said = match said {
            PostAnswer::Rejected(_) if meant.after_refusal => {
                PostAnswer::Unknown(Unknown::Unreadable)
            }
            said => said,
        };
        let outcome = name_of(&said);
        if let Some(meters) = &self.meters {
            meters.called_back(outcome);
            count_refusal(meters, "callback", &said);
        }
        settled(engine, attempt, said).await?;
        tracing::info!(%attempt, %campaign, outcome, "a buyer called back");
        Ok(())
    }
}

fn whose(engine: &Engine, address: &Address) -> Result<(CampaignId, About), Refused> {
    let (buyer, campaign, about, signature) = address;
    let signed = Signed { buyer, campaign, about, signature };
    signed.check(engine.keys(), engine.now()).map_err(|bad| Refused::Unknown(bad.code()))
}

async fn read(body: Body) -> Result<Bytes, Refused> {
    let read = Limited::new(body, BODY_MAX).collect();
    match tokio::time::timeout(BODY_TIME_MAX, read).await {
        Ok(Ok(read)) => Ok(read.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => Err(Refused::TooLarge),
        Ok(Err(_broken_off)) => Err(Refused::TooSlow),
        Err(_elapsed) => Err(Refused::TooSlow),
    }
}

fn understand(connector: &Connector, parts: &Parts, body: &Bytes) -> PostAnswer {
    let query = parts.uri.query().unwrap_or("");
    connector.read_callback(&CallbackCall { query, headers: &parts.headers, body })
}

/// The post that a call is about.
#[derive(Clone, Copy, Debug)]
struct Meant {
    attempt: AttemptId,
    /// By the address of a ping that an earlier, refused post was made on as well: another refusal
    /// may be that one once more, and leaves this post as it is.
    after_refusal: bool,
}

async fn which(engine: &Engine, campaign: &CampaignId, about: About) -> Result<Meant, Refused> {
    match about {
        About::Post(attempt) => Ok(Meant { attempt, after_refusal: false }),
        About::Ping(_) => match posted(engine, campaign, about.lead()).await {
            Ok(found) => found.ok_or(Refused::Unknown("unknown")),
            Err(error) => Err(refused_by_store(&error)),
        },
    }
}

/// The post of this lead to the campaign: the one whose outcome is open, otherwise the last.
async fn posted(
    engine: &Engine,
    campaign: &CampaignId,
    lead: LeadId,
) -> Result<Option<Meant>, StoreError> {
    let Some(view) = engine.store().lead_view(lead).await? else { return Ok(None) };
    let posts = view.attempts.iter().rev().filter(|post| post.campaign == *campaign);
    let posts = posts.map(|post| (post.attempt, AttemptState::from_code(&post.state)));
    let open = posts.clone().find(|(_, state)| state.is_some_and(AttemptState::is_open));
    let refused = |(_, state)| state == Some(AttemptState::Rejected);
    let after_refusal = open.is_some() && posts.clone().any(refused);
    let meant = open.or_else(|| posts.clone().next());
    Ok(meant.map(|(attempt, _)| Meant { attempt, after_refusal }))
}

/// The word for metrics and the log.
fn name_of(said: &PostAnswer) -> &'static str {
    match said {
        PostAnswer::Accepted(_) => "accepted",
        PostAnswer::Rejected(_) => "rejected",
        PostAnswer::Pending(_) => "pending",
        PostAnswer::Unknown(_) | PostAnswer::NotSent(_) => "nothing",
    }
}

/// Makes a definite answer durable.
async fn settled(engine: &Engine, attempt: AttemptId, said: PostAnswer) -> Result<(), Refused> {
    if !matches!(said, PostAnswer::Accepted(_) | PostAnswer::Rejected(_)) {
        return Ok(());
    }
    let settling = settle(engine, attempt, said);
    tokio::time::timeout(SETTLING_MAX, settling).await.unwrap_or(Err(Refused::Unavailable))
}

/// Hands the answer to whoever works on the post. Nobody, or nobody that it helps: then the store
/// compares it with what was decided. What is not decided on disk and has its auction is left to
/// that auction: two must not decide one post.
async fn settle(engine: &Engine, attempt: AttemptId, said: PostAnswer) -> Result<(), Refused> {
    for _ in 0..TELLINGS {
        let (durable, heard) = oneshot::channel();
        let called = Called { attempt, answer: said.clone(), durable };
        if !engine.listeners().tell(called).await {
            break;
        }
        if heard.await.is_ok() {
            return Ok(());
        }
    }
    let record = engine.store().attempt(attempt).await.map_err(|error| refused_by_store(&error))?;
    match record {
        None => Err(Refused::Unknown("unknown")),
        Some(record) if record.state == AttemptState::Prepared => Err(Refused::Unavailable),
        Some(record) => resolver::judge(engine, record, None, said)
            .await
            .map_err(|error| refused_by_store(&error)),
    }
}

fn refused_by_store(error: &StoreError) -> Refused {
    match error {
        StoreError::NoLead(_) | StoreError::NoAttempt(_) => Refused::Unknown("unknown"),
        other => {
            tracing::error!(code = other.code(), "a buyer's call cannot be made durable");
            Refused::Unavailable
        }
    }
}

/// The answer that the connector gives every call it reads.
fn thanks(connector: &Connector) -> Response<Body> {
    let (status, body) = connector.callback_answer();
    let kind = match body.trim_start().as_bytes().first() {
        Some(b'{' | b'[') => "application/json",
        Some(b'<') => "text/xml; charset=utf-8",
        Some(_) | None => "text/plain; charset=utf-8",
    };
    let mut response = Response::new(Body::from(body.to_owned()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
