//! Drives the real binary as its operators, sellers and buyers do: by files, HTTP and signals.
//!
//! A [`World`] is one test's own: a folder with a config written for the test, its mock buyers, and
//! a `rialto serve` process. Nothing is shared between tests, so they run side by side.
//!
//! > Waiting is polling with a deadline. Nobody sleeps and hopes.

pub(crate) mod binary;
pub(crate) mod buyer;
pub(crate) mod cli;
pub(crate) mod contract;
pub(crate) mod digests;
pub(crate) mod leads;
pub(crate) mod process;
pub(crate) mod raw_buyer;
pub(crate) mod search;
pub(crate) mod seller;
pub(crate) mod site;
pub(crate) mod tls;
pub(crate) mod waiting;
pub(crate) mod wire;
pub(crate) mod world;

pub(crate) use buyer::TestBuyer;
pub(crate) use leads::{lead, ping_of, with, without};
pub(crate) use seller::{Answer, Seller};
pub(crate) use waiting::{eventually, within};
pub(crate) use world::World;
