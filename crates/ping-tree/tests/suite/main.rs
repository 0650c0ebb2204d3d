//! The operator's files in, routing, verdicts and findings out.
#![cfg(test)]

mod caps;
mod differential;
mod eligibility;
mod errors;
mod exchange;
mod explain;
mod filters;
mod hours;
mod limits;
mod nested;
mod pace;
mod people;
mod places;
mod reference;
mod test_files;
mod windows;
