//! What goes wrong at a buyer, by script.
//!
//! A [`FaultPlan`] says which [`Fault`] meets the n-th ping or post: by seeded rates, or by a
//! function of a test's own. Whether a faulty buyer had already *booked* the lead when it failed
//! is part of the fault ([`Fault::books`]): that difference is what an exchange cannot see.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::mock_buyers::RequestKind;
use crate::random::{Random, hash};

/// One way to misbehave.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Fault {
    /// Answers as it should.
    None,
    /// Decides at once (and books), then waits before it answers.
    Delay(Duration),
    /// Reads the request and never answers.
    Hang,
    /// Decides and books, then sends the answer's body a few bytes at a time.
    Drip {
        /// Bytes of each piece, at least 1.
        bytes: usize,
        /// The pause before each piece.
        every: Duration,
    },
    /// Resets the connection once the request's head is read; the body is not.
    Reset,
    /// Resets the connection once the whole request is read, without booking.
    ResetAfterRead,
    /// Decides and books, then closes in the middle of the answer's body.
    Truncate,
    /// Answers 200 with bytes that are no document of any kind.
    Garbage,
    /// Answers 200 with a body of [`HUGE_BODY_BYTES`].
    HugeBody,
    /// Answers 200 with a chunked body that does not end.
    EndlessChunks,
    /// Answers 200 with a small gzip body that unpacks to
    /// [`GZIP_BOMB_BYTES`](crate::mock_buyers::GZIP_BOMB_BYTES).
    GzipBomb,
    /// Answers with this status and a short text.
    Status(u16),
    /// Answers 307 to this URL.
    Redirect(String),
    /// Books the lead, then resets the connection: the ambiguous post. On a ping: resets.
    AcceptThenDrop,
    /// Puts this text, unescaped, where the price of the answer stands.
    BadPrice(String),
    /// Answers in EUR where it should say USD. Dialects that name no currency are unchanged.
    WrongCurrency,
    /// Answers 200 with an HTML error page.
    HtmlPage,
    /// Answers 200 with nothing.
    EmptyBody,
}

/// The body of [`Fault::HugeBody`], in bytes.
pub const HUGE_BODY_BYTES: usize = 10 << 20;

impl Fault {
    /// Whether a buyer with this fault still decides as usual and books what it accepts.
    #[must_use]
    pub const fn books(&self) -> bool {
        match self {
            Self::None
            | Self::Delay(_)
            | Self::Drip { .. }
            | Self::Truncate
            | Self::AcceptThenDrop
            | Self::BadPrice(_)
            | Self::WrongCurrency => true,
            Self::Hang
            | Self::Reset
            | Self::ResetAfterRead
            | Self::Garbage
            | Self::HugeBody
            | Self::EndlessChunks
            | Self::GzipBomb
            | Self::Status(_)
            | Self::Redirect(_)
            | Self::HtmlPage
            | Self::EmptyBody => false,
        }
    }
}

/// How often a fault occurs, in a thousand requests.
pub type Rates = Vec<(Fault, u32)>;

/// Which fault meets which request.
#[derive(Clone)]
pub struct FaultPlan(Plan);

#[derive(Clone)]
enum Plan {
    Healthy,
    Rates { seed: u64, pings: Rates, posts: Rates },
    Script(Arc<Script>),
}

type Script = dyn Fn(RequestKind, u64) -> Fault + Send + Sync;

impl FaultPlan {
    /// No fault at all.
    #[must_use]
    pub const fn healthy() -> Self {
        Self(Plan::Healthy)
    }

    /// Seeded rates for pings and posts. Rates beyond a thousand in total leave the last ones out.
    #[must_use]
    pub const fn rates(seed: u64, pings: Rates, posts: Rates) -> Self {
        Self(Plan::Rates { seed, pings, posts })
    }

    /// A function of the kind and its number: the first ping is ping 0, the first post is post 0.
    pub fn script(script: impl Fn(RequestKind, u64) -> Fault + Send + Sync + 'static) -> Self {
        Self(Plan::Script(Arc::new(script)))
    }

    /// This fault on every ping; posts are healthy.
    #[must_use]
    pub fn every_ping(fault: Fault) -> Self {
        Self::script(move |kind, _| match kind {
            RequestKind::Ping => fault.clone(),
            RequestKind::Post | RequestKind::Token => Fault::None,
        })
    }

    /// This fault on every post; pings are healthy.
    #[must_use]
    pub fn every_post(fault: Fault) -> Self {
        Self::script(move |kind, _| match kind {
            RequestKind::Post => fault.clone(),
            RequestKind::Ping | RequestKind::Token => Fault::None,
        })
    }

    /// The fault of the `nth` request of this kind, counted from 0.
    #[must_use]
    pub fn fault(&self, kind: RequestKind, nth: u64) -> Fault {
        match (&self.0, kind) {
            (Plan::Script(script), _) => script(kind, nth),
            (Plan::Rates { seed, pings, .. }, RequestKind::Ping) => draw(*seed, nth, pings),
            (Plan::Rates { seed, posts, .. }, RequestKind::Post) => draw(!*seed, nth, posts),
            (Plan::Rates { .. }, RequestKind::Token) | (Plan::Healthy, _) => Fault::None,
        }
    }
}

impl Default for FaultPlan {
    fn default() -> Self {
        Self::healthy()
    }
}

impl fmt::Debug for FaultPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Plan::Healthy => "FaultPlan(healthy)",
            Plan::Rates { .. } => "FaultPlan(rates)",
            Plan::Script(_) => "FaultPlan(script)",
        })
    }
}

fn draw(seed: u64, nth: u64, rates: &Rates) -> Fault {
    let mut left = Random::new(hash(seed, &nth.to_le_bytes())).below(1000);
    for (fault, per_mille) in rates {
        let rate = u64::from(*per_mille);
        if left < rate {
            return fault.clone();
        }
        left -= rate;
    }
    Fault::None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_repeat_with_their_seed_and_are_about_as_frequent_as_asked() {
        let plan = |seed| FaultPlan::rates(seed, vec![(Fault::Hang, 100)], vec![]);
        let hangs = |seed| -> Vec<u64> {
            (0..10_000)
                .filter(|nth| plan(seed).fault(RequestKind::Ping, *nth) == Fault::Hang)
                .collect()
        };
        assert_eq!(hangs(1), hangs(1));
        assert_ne!(hangs(1), hangs(2));
        assert!((800..1200).contains(&hangs(1).len()), "{}", hangs(1).len());
        assert_eq!(plan(1).fault(RequestKind::Post, 3), Fault::None);
    }

    #[test]
    fn a_script_sees_kind_and_number() {
        let plan = FaultPlan::script(|kind, nth| match (kind, nth) {
            (RequestKind::Post, 1) => Fault::AcceptThenDrop,
            _ => Fault::None,
        });
        assert_eq!(plan.fault(RequestKind::Post, 0), Fault::None);
        assert_eq!(plan.fault(RequestKind::Post, 1), Fault::AcceptThenDrop);
        assert_eq!(plan.fault(RequestKind::Ping, 1), Fault::None);
    }
}
