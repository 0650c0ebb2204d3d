//! Auctions as scripts.
