//! Somebody who sees every request and its reply: for tools that show both to an operator.
//!
//! > Production has none: what is seen here holds secrets and contact data.

use std::fmt;
use std::sync::Arc;

use super::errand::{Received, SendFailed, received};
use super::exchange::Ending;
use crate::request::Request;

/// Sees the calls of a transport.
#[derive(Clone)]
pub struct Watch(Arc<dyn Fn(Watched) + Send + Sync>);

/// A moment of one call.
#[derive(Clone, Debug)]
pub enum Watched {
    /// The request is about to leave.
    Sending {
        /// All of it.
        request: Request,
        /// Whether it only fetches a token.
        for_token: bool,
    },
    /// How it ended. A call that is cut at its deadline has no such moment.
    Ended(Result<Received, SendFailed>),
}

impl Watch {
    /// Tells `seen` of every call. It is called in the task that sends and must not block.
    pub fn new(seen: impl Fn(Watched) + Send + Sync + 'static) -> Self {
        Self(Arc::new(seen))
    }

    pub(super) fn sending(&self, request: &Request, for_token: bool) {
        (self.0)(Watched::Sending { request: request.clone(), for_token });
    }

    pub(super) fn ended(&self, ending: &Ending) {
        (self.0)(Watched::Ended(received(ending.clone())));
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watch")
    }
}
