//! Black-box tests over real HTTP, and tests of the repository itself.
#![cfg(test)]
