//! Black-box tests over real HTTP, and tests of the repository itself.
//!
//! One binary, one module per topic. Every topic but `tidy` drives the real `rialto`, built once,
//! through the [`harness`]: each test has its own folder, ports, buyers and process.
#![cfg(test)]

mod harness;

mod buyer_answers;
mod callbacks;
mod caps;
mod cascade;
mod cli;
mod connector_tools;
mod crash;
mod deadline;
mod diff;
mod hostile_buyers;
mod hostile_sellers;
mod people;
mod privacy;
mod reload;
mod rotation;
mod scorecards;
mod seller_api;
mod seller_requests;
mod settlement;
mod stops;
mod tidy;
mod timing;
