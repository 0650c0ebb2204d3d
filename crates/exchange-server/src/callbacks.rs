//! Buyers that call us: the signed addresses they are given, and what becomes of their calls.
//!
//! An address names one campaign and one post of one lead (in a ping, the lead only: there is no
//! post yet) and carries a keyed hash of both. Whoever does not have it is told nothing. The rule:
//!
//! > What a buyer says is durable before it hears that we understood.
//!
//! A definite answer goes to whoever works on the post: its auction, or its resolver. When nobody
//! does, the store compares it with what was decided.

mod address;
mod call;
mod listeners;

pub use address::{About, BadAddress, PublicUrl, Signed, URL_DAYS};
pub use call::router;
pub use listeners::{Called, Listeners, Listening};
