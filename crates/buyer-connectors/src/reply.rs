//! Reading replies: a buyer's bytes become one of the answers of `exchange_model::outcome`.
//!
//! Bytes are decoded to a document, ordered rules say what it means, locators find the rest. Total:
//! any bytes give an answer. The HTTP status decides nothing by itself, with three exceptions: a
//! redirect of a post is a rejection, a 5xx that no rule recognises is unknown as such, and a ping
//! that no rule recognises is named after its status. Nothing is coerced: a price is digits with
//! the decoration that is declared, or it is no price.

use std::fmt;

use http::HeaderMap;

mod basics;
mod bids;
mod compile;
mod condition;
mod decode;
mod document;
mod entities;
mod explain;
mod found;
mod html;
mod json;
mod lines;
mod locator;
mod ping;
mod post;
mod price;
mod reason;
mod redirect;
mod rules;
#[cfg(test)]
mod tests;
mod text;
mod tree;
mod values;
mod xml;
mod xpath;

pub(crate) use compile::{Around, compile_ping, compile_post, compile_values};
pub use explain::{Explained, ExplainedPlace, ExplainedRule, ExplainedValue};
pub(crate) use ping::PingReply;
pub(crate) use post::{PostReply, Speaker};
pub(crate) use values::{Fetched, ValuesReply};

/// A buyer's reply as it came: what every reader reads.
#[derive(Clone, Copy)]
pub struct RawReply<'a> {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The body, whole.
    pub body: &'a [u8],
}

/// Status and length; a body may repeat the lead.
impl fmt::Debug for RawReply<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawReply")
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}
