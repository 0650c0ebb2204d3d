//! The words of the exchange, shared by every other crate.
//!
//! Ids, money and time; leads with their open attributes and their sealed contact data; verticals
//! (the dictionary a lead is checked against); the closed list of reasons; the span-keeping config
//! document and the [`Finding`] it produces. Nothing here does IO, reads a clock
//! or draws a random number.

pub mod billing;
pub mod brand;
pub mod document;
pub mod finding;
pub mod id;
pub mod lead;
pub mod money;
pub mod outcome;
pub mod pii;
pub mod ping_value;
pub mod poll;
pub mod rate_limit;
pub mod reason;
pub mod strict_json;
pub mod timestamp;
pub mod value;
pub mod vertical;

pub use billing::BillingTerms;
pub use brand::{Brand, BrandList};
pub use document::{Document, SourceFile, SourceMap, TableReader};
pub use finding::{Finding, Findings, Place, Severity};
pub use id::{
    AttemptId, BuyerId, CampaignId, LeadId, PingId, SellerId, SourceId, TreeId, VerticalId,
};
pub use lead::{Attributes, Contact, Lead, Leak, LeakGuard};
pub use money::{Currency, MinorUnits, Money, MoneyError, Rate};
pub use pii::{Pii, PostPermit};
pub use ping_value::{Anonymiser, PingValue, PingView};
pub use poll::{PollSchedule, PollStep};
pub use rate_limit::{Bucket, RateLimit};
pub use timestamp::{Date, Timestamp};
pub use value::Value;
pub use vertical::{Field, FieldClass, FieldIdx, FieldType, Need, Stage, Vertical};
