//! The store as a whole, through its trait.
