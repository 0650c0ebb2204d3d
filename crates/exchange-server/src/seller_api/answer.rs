//! Same request, same answer: run it, join it, or replay what is stored.

use std::sync::Arc;

use exchange_model::SourceId;
use exchange_model::reason::LeadStatus;
use exchange_store::{IdempotencyKey, Replay, StoredReply};

use super::ask::{Ask, Kind};
use super::problem::Problem;
use super::{reply, too_much};
use crate::exchange::{Admitted, Engine};
use crate::intake;
use crate::running::{Claimed, Entered, Outcome, Waiting};

/// How often a request is run again because the one it had joined ended without an answer.
const RERUNS_MAX: usize = 8;

/// An answer, and whether it is an earlier one.
#[derive(Clone, Debug)]
pub struct Replied {
    /// What the seller gets.
    pub reply: StoredReply,
    /// Whether it was given before.
    pub replayed: bool,
}

impl Replied {
    /// A new answer.
    #[must_use]
    pub fn fresh(reply: StoredReply) -> Self {
        Self { reply, replayed: false }
    }
}

/// Answers a request that passed the door.
///
/// # Errors
/// Why it is refused.
pub async fn to(engine: &Arc<Engine>, ask: &Ask, admitted: Admitted) -> Result<Replied, Problem> {
    let mut admitted = Some(admitted);
    for _ in 0..RERUNS_MAX {
        let name = ask.key.clone().map(|key| (ask.source.id.clone(), key));
        match engine.running().enter(name, ask.fingerprint) {
            Entered::Reused => return Err(ask.reused()),
            Entered::Joined(waiting) => {
                // A joined request runs no auction of its own.
                drop(admitted.take());
                if let Some(replied) = wait(waiting).await? {
                    return Ok(replied);
                }
            }
            Entered::First(claimed, waiting) => {
                if let Some(replied) = run(engine, ask, admitted.take(), claimed, waiting).await? {
                    return Ok(replied);
                }
            }
        }
    }
    Err(busy(engine))
}

/// The answer, or nothing when the request is to be run again.
async fn wait(mut waiting: Waiting) -> Result<Option<Replied>, Problem> {
    let outcome = match waiting.wait_for(Option::is_some).await {
        Ok(outcome) => outcome.clone(),
        Err(_dropped) => None,
    };
    match outcome.as_deref() {
        Some(Outcome::Reply(reply)) => Ok(Some(Replied::fresh(reply.clone()))),
        Some(Outcome::Problem(problem)) => Err(problem.clone()),
        Some(Outcome::Rerun) | None => Ok(None),
    }
}

async fn run(
    engine: &Arc<Engine>,
    ask: &Ask,
    admitted: Option<Admitted>,
    claimed: Claimed,
    waiting: Waiting,
) -> Result<Option<Replied>, Problem> {
    if let Some(key) = &ask.key
        && let Some(reply) = earlier(engine, ask, &ask.source.id, key).await?
    {
        claimed.answer(Outcome::Reply(reply.clone()));
        return Ok(Some(Replied { reply, replayed: true }));
    }
    if ask.kind != Kind::Ping
        && let Some(full) =
            too_much::full_cap(&**engine.store(), &ask.source, &ask.tree, ask.received_at)
    {
        let problem = too_much::source_cap(full, engine.now());
        claimed.answer(Outcome::Problem(problem.clone()));
        return Err(problem);
    }
    let admitted = match admitted {
        Some(admitted) => admitted,
        None => engine.admit().map_err(|_shed| busy(engine))?,
    };
    match ask.request(engine).await {
        Ok(request) => {
            if let Some(reply) = promised(engine, ask, &request).await {
                claimed.answer(Outcome::Reply(reply.clone()));
                return Ok(Some(Replied::fresh(reply)));
            }
            match intake::prepare(engine, request).await {
                Ok(job) => engine.begin(job, claimed, admitted),
                Err(_store_error) => return refuse(&claimed, busy(engine)),
            }
        }
        Err(problem) => return refuse(&claimed, problem),
    }
    wait(waiting).await
}

/// What the same ping was promised, while that may still be posted on.
async fn promised(engine: &Engine, ask: &Ask, request: &intake::Request) -> Option<StoredReply> {
    let (ping, reply) = engine.repeats().find(request.repeat.as_ref()?, request.received_at)?;
    let record = engine.store().ping(&ask.source.id, ping).await.ok()??;
    let is_erased = record.parts.sealed.is_none();
    (!record.used && !is_erased).then_some(reply)
}

/// Refuses whoever waits for this request.
fn refuse(claimed: &Claimed, problem: Problem) -> Result<Option<Replied>, Problem> {
    claimed.answer(Outcome::Problem(problem.clone()));
    Err(problem)
}

/// The stored answer of an earlier request with this key; nothing when it must run.
async fn earlier(
    engine: &Engine,
    ask: &Ask,
    source: &SourceId,
    key: &IdempotencyKey,
) -> Result<Option<StoredReply>, Problem> {
    let found = engine.store().replay(source, key).await.map_err(|_store_error| busy(engine))?;
    let Some(earlier) = found else { return Ok(None) };
    if earlier.fingerprint != ask.fingerprint {
        return Err(ask.reused());
    }
    stored_answer(engine, ask, earlier)
}

fn stored_answer(
    engine: &Engine,
    ask: &Ask,
    earlier: Replay,
) -> Result<Option<StoredReply>, Problem> {
    let status = earlier.standing.as_ref().map(|standing| standing.status);
    match (earlier.reply, status) {
        (_, Some(Some(LeadStatus::Abandoned))) => Ok(None),
        (Some(reply), _) => Ok(Some(reply)),
        (None, Some(Some(_known))) => {
            let standing = earlier.standing.ok_or_else(|| busy(engine))?;
            Ok(Some(reply::standing(&standing, ask.tree.vertical.currency())))
        }
        // Its auction has told its seller that the disk is too slow and still waits for it.
        (None, Some(None) | None) => Err(busy(engine)),
    }
}

fn busy(engine: &Engine) -> Problem {
    let detail = "this request cannot be answered at the moment; send it again with the same key";
    Problem::overloaded(detail, engine.retry_after())
}
