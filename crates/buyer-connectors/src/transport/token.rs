//! Tokens of buyers: one request at a time per credentials, kept until shortly before they expire.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use exchange_model::Timestamp;
use exchange_model::outcome::Handles;
use tokio::time::Instant;

use super::exchange::{Ending, Line};
use super::timings::now;
use crate::grant::Grant;
use crate::reply::{Fetched, RawReply};

/// How long a token lives when its service does not say.
const LIFETIME_DEFAULT: Duration = Duration::from_secs(300);
/// Longest a token is kept, whatever its service says.
const LIFETIME_MAX: Duration = Duration::from_secs(24 * 3600);
/// How long before its end a token is no longer used; a tenth of its life if that is less.
const MARGIN_MAX: Duration = Duration::from_secs(30);
/// After a failure the service is left alone for this long.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);
/// A buyer that refuses two tokens within this time refuses us: no token is asked for as long.
const PAUSE_AFTER_REFUSALS: Duration = Duration::from_secs(10);

#[derive(Clone)]
struct Token {
    handles: Arc<Handles>,
    /// From here on a new one is fetched while this one is still used.
    renew_at: Instant,
    ends_at: Instant,
}

impl Token {
    fn new(granted: Fetched, asked: Instant) -> Option<Self> {
        let lifetime = granted.expires_in.unwrap_or(LIFETIME_DEFAULT).min(LIFETIME_MAX);
        let margin = MARGIN_MAX.min(lifetime.checked_div(10).unwrap_or_default());
        let ends_at = asked.checked_add(lifetime.saturating_sub(margin))?;
        let renew_at = ends_at.checked_sub(margin).unwrap_or(asked);
        Some(Self { handles: Arc::new(granted.values), renew_at, ends_at })
    }
}

#[derive(Default)]
struct Kept {
    token: Option<Token>,
    paused_until: Option<Instant>,
    refused_at: Option<Instant>,
}

impl Kept {
    /// A buyer refused the token.
    fn refuse(&mut self, now: Instant) {
        self.token = None;
        let again = |last: Instant| now.saturating_duration_since(last) < PAUSE_AFTER_REFUSALS;
        if self.refused_at.is_some_and(again) {
            self.paused_until = now.checked_add(PAUSE_AFTER_REFUSALS);
        }
        self.refused_at = Some(now);
    }
}

/// The tokens of one set of credentials.
pub(super) struct TokenSource {
    line: Line,
    grant: Arc<Grant>,
    kept: Mutex<Kept>,
    /// Held while a token is fetched: the others wait for the same one.
    turn: tokio::sync::Mutex<()>,
}

impl TokenSource {
    pub(super) fn new(line: Line, grant: Arc<Grant>) -> Self {
        let turn = tokio::sync::Mutex::new(());
        let line = Line { for_tokens: true, ..line };
        Self { line, grant, kept: Mutex::new(Kept::default()), turn }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn current(&self) -> Option<Token> {
        self.kept().token.clone().filter(|token| now() < token.ends_at)
    }

    /// The token's values; nothing when none can be had. Fetching goes on when the caller leaves.
    /// `at` is the caller's time, for services that are told it.
    pub(super) async fn handles(self: &Arc<Self>, at: Timestamp) -> Option<Arc<Handles>> {
        if let Some(token) = self.current() {
            if now() >= token.renew_at && self.turn.try_lock().is_ok() {
                tokio::spawn(Arc::clone(self).fetched(token.renew_at, at));
            }
            return Some(token.handles);
        }
        tokio::spawn(Arc::clone(self).fetched(now(), at)).await.ok().flatten()
    }

    /// A token that need not be renewed at `by`, fetched by whoever comes first.
    async fn fetched(self: Arc<Self>, by: Instant, at: Timestamp) -> Option<Arc<Handles>> {
        let _turn = self.turn.lock().await;
        if let Some(token) = self.current().filter(|token| token.renew_at > by) {
            return Some(token.handles);
        }
        if self.kept().paused_until.is_some_and(|until| now() < until) {
            return self.current().map(|token| token.handles);
        }
        let fetched = self.fetch(at).await;
        let mut kept = self.kept();
        match fetched {
            Some(token) => {
                kept.paused_until = None;
                kept.token = Some(token.clone());
                Some(token.handles)
            }
            None => {
                kept.paused_until = now().checked_add(PAUSE_AFTER_FAILURE);
                drop(kept);
                self.current().map(|token| token.handles)
            }
        }
    }

    /// Asks for a token. Nothing on any failure; the reason is logged without the reply.
    async fn fetch(&self, at: Timestamp) -> Option<Token> {
        let asked = now();
        let request = self.grant.request(at).ok()?;
        let host = request.uri.host().unwrap_or_default().to_owned();
        let ending = self.line.aside(&request, false, self.grant.timeout()).await;
        let granted = match &ending {
            Ending::Reply { status, headers, body, encoded: false } => {
                let reply = RawReply { status: *status, headers, body };
                let granted = self.grant.read(&reply);
                if granted.is_none() {
                    tracing::warn!(%host, status, "the token service gave no token");
                }
                granted
            }
            _ => {
                tracing::warn!(%host, "the token service cannot be reached");
                None
            }
        };
        Token::new(granted?, asked)
    }

    /// Drops a token that a buyer refused, unless a newer one is there already. Of a buyer that
    /// goes on refusing no token is asked for a while.
    pub(super) fn forget(&self, refused: &Arc<Handles>) {
        let mut kept = self.kept();
        if kept.token.as_ref().is_some_and(|token| Arc::ptr_eq(&token.handles, refused)) {
            kept.refuse(now());
        }
    }

    /// Whether it serves these credentials, with this identity.
    pub(super) fn serves(&self, grant: &Grant, line: &Line) -> bool {
        *self.grant == *grant && self.line.is_same(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buyer_that_refuses_one_token_after_another_is_asked_for_no_more_for_a_while() {
        let (mut kept, start) = (Kept::default(), now());
        let after = |seconds| start.checked_add(Duration::from_secs(seconds)).unwrap();
        kept.refuse(start);
        assert_eq!(kept.paused_until, None, "a token may end early");
        kept.refuse(after(20));
        assert_eq!(kept.paused_until, None);
        kept.refuse(after(21));
        assert_eq!(kept.paused_until, Some(after(31)));
    }
}
