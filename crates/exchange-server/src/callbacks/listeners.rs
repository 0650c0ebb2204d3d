//! Who works on which post at the moment, and wants to hear of a buyer's call about it.
//!
//! The map's guards stay in here. The latest to listen is told; whoever listened before has handed
//! the post over.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use dashmap::DashMap;
use exchange_model::AttemptId;
use exchange_model::outcome::PostAnswer;
use tokio::sync::{mpsc, oneshot};

/// What a buyer said by calling us.
#[derive(Debug)]
pub struct Called {
    /// About which post.
    pub attempt: AttemptId,
    /// What.
    pub answer: PostAnswer,
    /// To be used once the answer, or one before it, is on disk. Dropped: it was of no use.
    pub durable: oneshot::Sender<()>,
}

#[derive(Debug)]
struct Listener {
    calls: mpsc::Sender<Called>,
    serial: u64,
}

/// Everybody who listens. Clones are one.
#[derive(Clone, Debug, Default)]
pub struct Listeners {
    by_attempt: Arc<DashMap<AttemptId, Listener>>,
    serial: Arc<AtomicU64>,
}

impl Listeners {
    /// From now on calls about this post go to `calls`, until what is returned is dropped.
    #[must_use]
    pub fn listen(&self, attempt: AttemptId, calls: mpsc::Sender<Called>) -> Listening {
        let serial = self.serial.fetch_add(1, Ordering::Relaxed);
        self.by_attempt.insert(attempt, Listener { calls, serial });
        Listening { listeners: self.clone(), attempt, serial }
    }

    /// Tells whoever works on the post, as soon as it has time to listen; `false` when nobody does.
    pub async fn tell(&self, called: Called) -> bool {
        let listener = self.by_attempt.get(&called.attempt).map(|there| there.calls.clone());
        match listener {
            Some(calls) => calls.send(called).await.is_ok(),
            None => false,
        }
    }

    fn leave(&self, attempt: AttemptId, serial: u64) {
        self.by_attempt.remove_if(&attempt, |_, listener| listener.serial == serial);
    }
}

/// Listens while it lives.
#[derive(Debug)]
pub struct Listening {
    listeners: Listeners,
    attempt: AttemptId,
    serial: u64,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.listeners.leave(self.attempt, self.serial);
    }
}

#[cfg(test)]
mod tests {
    use exchange_model::LeadId;
    use exchange_model::reason::Unknown;

    use super::*;

    fn called(attempt: AttemptId) -> Called {
        let answer = PostAnswer::Unknown(Unknown::Pending);
        Called { attempt, answer, durable: oneshot::channel().0 }
    }

    #[tokio::test]
    async fn the_latest_listener_is_told_and_an_earlier_one_that_leaves_takes_nothing_away() {
        let listeners = Listeners::default();
        let attempt = AttemptId::new(LeadId::from_bytes([1; 16]), 1);
        assert!(!listeners.tell(called(attempt)).await, "nobody listens");
        let (auction, mut at_auction) = mpsc::channel(1);
        let (resolver, mut at_resolver) = mpsc::channel(1);
        let first = listeners.listen(attempt, auction);
        let second = listeners.listen(attempt, resolver);
        drop(first);
        assert!(listeners.tell(called(attempt)).await);
        assert!(at_resolver.try_recv().is_ok() && at_auction.try_recv().is_err());
        drop(second);
        assert!(!listeners.tell(called(attempt)).await);
        assert!(listeners.by_attempt.is_empty());
    }
}
