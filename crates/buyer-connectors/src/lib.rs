//! Buyer dialects described in config, and the one transport that owns sockets to buyers.
//!
//! Two halves that meet in [`Request`] and in the answers of `exchange_model::outcome`:
//!
//! - dialects, pure: [`compile`] turns the `[connector.*]` tables of a buyer's file into one
//!   [`Connector`] per campaign, which encodes pings and posts and reads replies;
//! - [`Transport`], the only code that opens connections to buyers.
//!
//! Neither knows that prices are compared. The rule of the house: what a ping is built from cannot
//! hold contact data, and what a post is built from needs a
//! [`PostPermit`](exchange_model::PostPermit), which sending consumes.

mod after;
mod body;
mod call;
mod callback;
mod carries;
mod compile;
mod connector;
mod grant;
mod identity;
mod job;
mod ping;
mod plan;
mod post;
mod presets;
mod redact;
mod reply;
mod request;
mod secrets;
mod sign;
mod template;
mod transport;

pub use after::AfterContext;
pub use callback::CallbackCall;
pub use compile::{CampaignUse, Carried, compile, compile_for_test};
pub use connector::{Connector, Connectors};
pub use job::{AskJob, PingJob, PostJob};
pub use ping::PingContext;
pub use post::PostContext;
pub use presets::{Example, Need, Preset, presets};
pub use reply::{Explained, ExplainedPlace, ExplainedRule, ExplainedValue, RawReply};
pub use request::{EncodeError, Request};
pub use secrets::{SECRET_MAX, SecretText, Secrets};
pub use transport::{
    Answered, BreakerState, BuyerLoad, Exchange, REPLY_MAX, Received, SendFailed, Timings,
    Transport, TransportError, TransportSettings, Typical, Watch, Watched,
};
