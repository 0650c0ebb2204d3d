//! Everything durable: SQLite behind one semantic trait, with group commit.
//!
//! [`ExchangeStore`] speaks of leads, attempts, promises and money, never of rows, so that another
//! database can stand behind it. [`SqliteStore`] is the one that comes with the exchange: one
//! writer thread that shares each disk sync among everything that waits for it, and readers that
//! never block the writer. Contact data is kept apart from all else, sealed under a key of each
//! lead's own: see [`vault`].
//!
//! > What a [`Ticket`] has answered is on disk. What it has not answered may or may not be.
//!
//! Nothing here decides about an auction or about money: the auction asks, the ledger's rules say
//! which entries that makes, and the store writes them inside the same transaction in which it
//! read the balance, the caps and the duplicates.

mod api_key;
mod error;
mod funds;
mod intake;
pub mod operators;
pub mod recovery;
mod rehearsal;
mod repost;
mod served;
mod sqlite;
mod store;
mod suppression;
mod ticket;
mod track_record;
mod usage;
pub mod vault;
mod view;

pub use api_key::{ApiKey, KeyMode};
pub use error::StoreError;
pub use intake::{
    BadIdempotencyKey, BuyerLimits, Claim, Dealing, FullCap, IDEMPOTENCY_KEY_MAX, IdempotencyKey,
    Intake, IntakeKind, IntakeReply, Print, Renderer, StoredReply,
};
pub use recovery::{AttemptState, Recovered};
pub use rehearsal::rehearsal_permit;
pub use repost::{EarlierPost, EarlierPosts, NotRepostable, REPOST_WITHIN, REPOSTS_MAX};
pub use served::{ServedPost, TierCount, TierMembership, TierRecord};
pub use sqlite::{
    Bought, CommitObserver, SqliteStore, StoreOptions, StoreReader, StoreStats, Synchronous,
    free_space, read_note,
};
pub use store::{Answered, Booked, Committed, ExchangeStore, Failure, all_transactions};
pub use suppression::{
    SUPPRESSION_CHUNK_MAX, SuppressionAdded, SuppressionList, SuppressionTarget, SuppressionUpload,
};
pub use ticket::Ticket;
pub use track_record::{Chance, PingCount, PostTally};
pub use view::{
    AttemptRecord, AttemptView, Balance, Erasure, ExceptionView, Finished, LateLead, LeadParts,
    LeadStanding, LeadView, PingRecord, Replay, StoredTransaction, TransactionPage,
};
