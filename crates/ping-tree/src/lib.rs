//! What the operator wrote, compiled: who may be pinged for one lead, and why not.
//!
//! [`compile`] turns buyers, sellers, trees and lists into an immutable [`Routing`], reporting every
//! mistake at once. [`plan`] asks, for one lead and one moment, which campaigns may be pinged;
//! [`explain`](explain::explain) says the same in full, naming the line of config that decided.
//! [`test_file`] reads the operators' own tests; running them is the auction's business.
//!
//! Connectors are not read here: the `connector` and `map` tables of a buyer's file are left alone.
//! Nothing here does IO or reads a clock. The one rule:
//!
//! > What is known when config is loaded is worked out then. For a lead, only compare.

mod amount;
pub mod campaign;
mod caps;
mod eligibility;
pub mod explain;
pub mod filter;
mod list;
mod payout;
mod plan;
mod routing;
pub mod schedule;
mod shares;
mod source;
pub mod test_file;
mod tree;

pub use amount::Amount;
pub use campaign::{Adjust, Buyer, Campaign, PriceChange, PriceMode, Status, UnknownPolicy};
pub use caps::{Cap, CapAmount, CapLimit, Caps, Tally, Window};
pub use eligibility::{LeadRequest, Standing, eligibility};
pub use filter::Filter;
pub use payout::{Band, PayoutRule};
pub use plan::{Plan, PlannedTier, plan};
pub use routing::{
    CAMPAIGNS_MAX, CASCADE_MAX, DEADLINE_MAX, FindList, MEMBERS_MAX, Routing, Sources, TIERS_MAX,
    compile,
};
pub use schedule::Schedule;
pub use shares::{BUYERS_MAX, Shares};
pub use source::{DuplicateRule, Source};
pub use test_file::{TestCase, TestFile};
pub use tree::{LookBack, Method, Rank, SaleKind, Tie, Tier, TierMember, Tree};
