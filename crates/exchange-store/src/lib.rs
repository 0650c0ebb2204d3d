//! Everything durable: SQLite behind one semantic trait, with group commit.
