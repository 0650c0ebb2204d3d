//! The world outside the exchange, for tests, benches and `rialto demo`.
//!
//! [`mock_buyers`] are real HTTP servers on loopback that speak the dialects of the sample
//! configuration and misbehave on request ([`faults`]); [`leads`] makes realistic leads; [`load`]
//! sends them at a steady rate and measures the answers. Nothing here knows how the exchange works
//! inside: it is met over HTTP, as its sellers and buyers meet it.
//!
//! > The same seed makes the same leads, the same bids and the same faults.

pub mod faults;
pub mod leads;
pub mod load;
pub mod mock_buyers;
pub mod preset_mocks;
pub mod random;

pub use faults::{Fault, FaultPlan};
pub use leads::{Lead, LeadPlan, Leads};
pub use load::{LoadPlan, LoadReport};
pub use mock_buyers::{BuyerSpec, MockBuyer, MockBuyers, RequestKind};
pub use preset_mocks::{Part, PresetMock};
