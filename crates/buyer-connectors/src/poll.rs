//! How often a buyer is asked what became of a post: a word that the core uses too.

pub use exchange_model::{PollSchedule, PollStep};
