//! Auctions per second against the floors.

fn main() {}
