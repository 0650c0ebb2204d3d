//! A buyer's call to our callback address, as it came.

use std::fmt;

use http::HeaderMap;

use crate::connector::Connector;
use crate::plan::Plan;

/// A call to `{{ callback_url }}`. Its signature has been checked by whoever received it.
#[derive(Clone, Copy)]
pub struct CallbackCall<'a> {
    /// The query, undecoded; empty when there is none.
    pub query: &'a str,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The body, whole; empty for a GET.
    pub body: &'a [u8],
}

/// Sizes only: the call may repeat the lead.
impl fmt::Debug for CallbackCall<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallbackCall")
            .field("query_bytes", &self.query.len())
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl Connector {
    /// Whether calls to the callback address are read at all.
    #[must_use]
    pub fn hears(&self) -> bool {
        self.stages.callback.is_some()
    }

    /// Whether its buyer is told where to call.
    #[must_use]
    pub fn tells_callback_url(&self) -> bool {
        let stages = &self.stages;
        let told = |plan: &Plan| plan.mentions_callback_url();
        told(&stages.post.plan)
            || stages.ping.as_ref().is_some_and(|stage| told(&stage.plan))
            || stages.pre_ping.as_ref().is_some_and(|stage| told(&stage.plan))
            || stages.pre_post.as_ref().is_some_and(|stage| told(&stage.plan))
    }
}
