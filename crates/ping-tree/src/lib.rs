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
mod harvest;
pub mod index;
mod list;
mod payout;
pub mod person;
mod plan;
mod routing;
pub mod schedule;
mod score;
mod shares;
mod source;
mod split;
mod spots;
pub mod test_file;
mod tree;

pub use amount::Amount;
pub use campaign::{
    Adjust, Buyer, Campaign, FromSources, PriceChange, PriceMode, Status, UnknownPolicy,
};
pub use caps::{
    BEGINNING, CampaignCaps, Cap, CapAmount, CapGroup, CapLimit, CapScope, Caps, END, Group, Tally,
    Window, date_start, pace,
};
pub use eligibility::{LeadRequest, Spot, Standing, Wishes, eligibility, eligibility_at};
pub use filter::Filter;
pub use harvest::{Harvest, HarvestSign, Scorecard};
pub use payout::{Band, PayoutRule, PayoutWritten};
pub use person::{Consent, DuplicateRule, DuplicateScope, PersonRules};
pub use plan::{Plan, PlannedTier, REASONS_MAX, plan, sift};
pub use routing::{
    CAMPAIGNS_MAX, CASCADE_MAX, DEADLINE_MAX, FindList, MEMBERS_MAX, Routing, Sources, TIERS_MAX,
    compile,
};
pub use schedule::Schedule;
pub use score::{SCORE_RULES_MAX, with_score};
pub use shares::{BUYERS_MAX, Shares};
pub use source::{OnMismatch, Source};
pub use split::{ARMS_MAX, Arm, Split};
pub use test_file::{TestCase, TestFile};
pub use tree::{LookBack, Method, Rank, SaleKind, Tie, Tier, TierMember, Tree};
