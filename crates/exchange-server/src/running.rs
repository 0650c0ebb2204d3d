//! Requests under way, by the name their sellers gave them.
//!
//! The first request with a name runs; equal ones join it and get the same bytes; one with another
//! body is refused. The map's guards stay in here: callers see values only. Whoever holds a
//! [`Claimed`] owns the answer; dropping it without one lets the next request run afresh.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use dashmap::DashMap;
use dashmap::mapref::entry::Entry as MapEntry;
use exchange_core::idempotency::{Seen, compare};
use exchange_model::SourceId;
use exchange_store::{IdempotencyKey, StoredReply};
use tokio::sync::watch;

use crate::seller_api::problem::Problem;

/// How a request ended, for everybody that waits for it.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// A business answer.
    Reply(StoredReply),
    /// A refusal.
    Problem(Problem),
    /// It ended without an answer: whoever still waits runs it again.
    Rerun,
}

/// Where an answer will appear.
pub type Waiting = watch::Receiver<Option<Arc<Outcome>>>;

type Name = (SourceId, IdempotencyKey);

#[derive(Debug)]
struct Entry {
    fingerprint: [u8; 32],
    answer: watch::Sender<Option<Arc<Outcome>>>,
    serial: u64,
}

/// All requests under way.
#[derive(Clone, Debug, Default)]
pub struct Running {
    entries: Arc<DashMap<Name, Entry>>,
    serial: Arc<AtomicU64>,
}

/// What a request finds at the door.
#[derive(Debug)]
pub enum Entered {
    /// Nobody runs it: run it.
    First(Claimed, Waiting),
    /// The same request runs: wait for its answer.
    Joined(Waiting),
    /// The name belongs to a request with another body.
    Reused,
}

impl Running {
    /// Nothing under way.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Claims the name of a request, or joins the one that has it.
    #[must_use]
    pub fn enter(&self, name: Option<Name>, fingerprint: [u8; 32]) -> Entered {
        let Some(name) = name else {
            let (answer, waiting) = watch::channel(None);
            return Entered::First(Claimed { answer, held: None }, waiting);
        };
        match self.entries.entry(name) {
            MapEntry::Occupied(there) => match compare(&there.get().fingerprint, &fingerprint) {
                Seen::Same => Entered::Joined(there.get().answer.subscribe()),
                Seen::Reused => Entered::Reused,
            },
            MapEntry::Vacant(free) => {
                let (answer, waiting) = watch::channel(None);
                let serial = self.serial.fetch_add(1, Ordering::Relaxed);
                let held = Held { running: self.clone(), name: free.key().clone(), serial };
                free.insert(Entry { fingerprint, answer: answer.clone(), serial });
                Entered::First(Claimed { answer, held: Some(held) }, waiting)
            }
        }
    }

    fn leave(&self, name: &Name, serial: u64) {
        self.entries.remove_if(name, |_, entry| entry.serial == serial);
    }
}

#[derive(Debug)]
struct Held {
    running: Running,
    name: Name,
    serial: u64,
}

/// The right and duty to answer one request.
#[derive(Debug)]
pub struct Claimed {
    answer: watch::Sender<Option<Arc<Outcome>>>,
    held: Option<Held>,
}

impl Claimed {
    /// Answers everybody that waits; only the first answer counts.
    pub fn answer(&self, outcome: Outcome) {
        if let Some(held) = &self.held {
            held.running.leave(&held.name, held.serial);
        }
        self.answer.send_if_modified(|slot| {
            let first = slot.is_none();
            if first {
                *slot = Some(Arc::new(outcome));
            }
            first
        });
    }

    /// Resolves when nobody waits for the answer any more.
    pub async fn everybody_left(&self) {
        self.answer.closed().await;
    }
}

impl Drop for Claimed {
    fn drop(&mut self) {
        self.answer(Outcome::Rerun);
    }
}

#[cfg(test)]
mod tests {
    use exchange_store::IntakeKind;

    use super::*;

    fn name() -> Option<Name> {
        Some(("kart/search".parse().unwrap(), IdempotencyKey::new(IntakeKind::Lead, "k").unwrap()))
    }

    fn reply(body: &str) -> Outcome {
        Outcome::Reply(StoredReply { http_status: 200, body: body.into() })
    }

    #[tokio::test]
    async fn equal_requests_join_and_others_are_refused() {
        let running = Running::new();
        let Entered::First(claimed, _waiting) = running.enter(name(), [1; 32]) else { panic!() };
        let Entered::Joined(mut joined) = running.enter(name(), [1; 32]) else { panic!() };
        assert!(matches!(running.enter(name(), [2; 32]), Entered::Reused));
        claimed.answer(reply("sold"));
        let seen = joined.wait_for(Option::is_some).await.unwrap().clone().unwrap();
        assert!(matches!(&*seen, Outcome::Reply(stored) if stored.body == b"sold"));
        assert!(matches!(running.enter(name(), [2; 32]), Entered::First(..)));
    }

    #[tokio::test]
    async fn a_claim_that_is_dropped_lets_the_next_request_run() {
        let running = Running::new();
        let Entered::First(claimed, _waiting) = running.enter(name(), [1; 32]) else { panic!() };
        let Entered::Joined(joined) = running.enter(name(), [1; 32]) else { panic!() };
        drop(claimed);
        assert!(matches!(joined.borrow().as_deref(), Some(Outcome::Rerun)));
        assert!(matches!(running.enter(name(), [1; 32]), Entered::First(..)));
    }

    #[tokio::test]
    async fn the_last_one_to_leave_is_noticed() {
        let running = Running::new();
        let Entered::First(claimed, first) = running.enter(name(), [1; 32]) else { panic!() };
        let Entered::Joined(second) = running.enter(name(), [1; 32]) else { panic!() };
        drop(first);
        let mut left = std::pin::pin!(claimed.everybody_left());
        assert!(
            std::future::poll_fn(|cx| std::task::Poll::Ready(left.as_mut().poll(cx).is_pending()))
                .await
        );
        drop(second);
        left.await;
    }
}
