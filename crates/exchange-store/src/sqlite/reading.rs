//! A store that another process may have open, for reading alone.
//!
//! It takes no lock, changes nothing and recovers nothing. What it tells of usage and credit is as
//! of the moment it was opened.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use exchange_core::record::{CapLimit, Tally};
use exchange_model::{BillingTerms, BuyerId, CampaignId, Currency, LeadId, MinorUnits, Timestamp};
use rusqlite::Connection;
use settlement_ledger::hold::Hold;
use settlement_ledger::verify::VerifyReport;

use super::columns::one;
use super::readers::Readers;
use super::recover::fill;
use super::shared::Shared;
use super::{
    books, keys, late, migrations, operators, readers, scores, sound, suppress, versions, views,
};
use crate::api_key::ApiKey;
use crate::error::StoreError;
use crate::operators::{AuditEntry, ConfigFiles, ConfigVersion, Stops};
use crate::suppression::SuppressionList;
use crate::ticket::Ticket;
use crate::track_record::{Chance, PingCount, PostTally};
use crate::vault::RootKey;
use crate::view::{Balance, ExceptionView, LateLead, LeadView, StoredTransaction, TransactionPage};

/// Transactions read at a time.
const PAGE: u32 = 1_000;

/// A store that another process may have open, for reading alone.
pub struct StoreReader {
    readers: Readers,
    shared: Arc<Shared>,
    root: Arc<RootKey>,
    path: PathBuf,
}

impl fmt::Debug for StoreReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreReader").field("path", &self.path).finish_non_exhaustive()
    }
}

impl StoreReader {
    /// Opens an existing database. `now` is the moment that usage is counted for.
    ///
    /// # Errors
    /// [`StoreError::Open`], [`StoreError::Foreign`], [`StoreError::FutureSchema`],
    /// [`StoreError::WrongRootKey`].
    pub fn open(path: &Path, root: RootKey, now: Timestamp) -> Result<Self, StoreError> {
        if !path.is_file() {
            return Err(StoreError::Open(format!("there is no database `{}`", path.display())));
        }
        let conn = readers::open(path)?;
        migrations::check(&conn)?;
        let sql = "SELECT value FROM meta WHERE name = 'root_check'";
        let kept = one(&conn, sql, [], |row| Ok(row.get::<_, [u8; 32]>(0)?))?;
        if kept.is_some_and(|kept| kept != *root.derived().root_check()) {
            return Err(StoreError::WrongRootKey);
        }
        let shared = Arc::new(Shared::default());
        fill(&conn, &shared, now)?;
        scores::fill(&conn, &shared, now)?;
        let readers = Readers::start(path, 1, &shared)?;
        Ok(Self { readers, shared, root: Arc::new(root), path: path.to_owned() })
    }

    /// Asks one question.
    pub(super) fn ask<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Ticket<T> {
        self.readers.ask(read)
    }

    /// As [`crate::ExchangeStore::lead_view`].
    pub fn lead_view(&self, lead: LeadId) -> Ticket<Option<LeadView>> {
        let root = Arc::clone(&self.root);
        self.readers.ask(move |conn| views::lead_view(conn, &root, lead))
    }

    /// As [`crate::ExchangeStore::keys`].
    pub fn keys(&self) -> Ticket<Vec<ApiKey>> {
        self.readers.ask(keys::keys)
    }

    /// As [`crate::ExchangeStore::transactions`]; a full page says that there may be more.
    pub fn transactions(&self, after: u64, limit: u32) -> Ticket<TransactionPage> {
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        self.readers.ask(move |conn| {
            let transactions = books::after(conn, after, limit)?;
            let full = u32::try_from(transactions.len()).is_ok_and(|count| count >= limit);
            Ok(TransactionPage { transactions, more: full })
        })
    }

    /// Every transaction in the order of the chain, read page by page; blocks this thread.
    ///
    /// # Errors
    /// Each item may be the error that ended the reading.
    pub fn all_transactions(
        &self,
    ) -> impl Iterator<Item = Result<StoredTransaction, StoreError>> + '_ {
        let mut after = Some(0);
        let mut page = Vec::new().into_iter();
        std::iter::from_fn(move || {
            loop {
                if let Some(next) = page.next() {
                    return Some(Ok(next));
                }
                match self.transactions(after.take()?, PAGE).blocking_wait() {
                    Ok(TransactionPage { transactions, more }) => {
                        let last = transactions.last().map(|last| last.sequence);
                        after = last.filter(|_| more);
                        page = transactions.into_iter();
                        last?;
                    }
                    Err(error) => return Some(Err(error)),
                }
            }
        })
    }

    /// As [`crate::ExchangeStore::balances`].
    pub fn balances(&self) -> Ticket<Vec<Balance>> {
        self.readers.ask(books::balances)
    }

    /// As [`crate::ExchangeStore::open_holds`].
    pub fn open_holds(&self) -> Ticket<Vec<Hold>> {
        self.readers.ask(|conn| books::holds(conn, true))
    }

    /// As [`crate::ExchangeStore::exceptions`].
    pub fn exceptions(&self, limit: u32) -> Ticket<Vec<ExceptionView>> {
        self.readers.ask(move |conn| views::exceptions(conn, limit))
    }

    /// As [`crate::ExchangeStore::versions`].
    pub fn versions(&self, limit: u32) -> Ticket<Vec<ConfigVersion>> {
        self.readers.ask(move |conn| versions::versions(conn, limit))
    }

    /// As [`crate::ExchangeStore::version`].
    pub fn version(&self, number: u64) -> Ticket<Option<(ConfigVersion, ConfigFiles)>> {
        self.readers.ask(move |conn| versions::with_files(conn, number))
    }

    /// As [`crate::ExchangeStore::audit_log`].
    pub fn audit_log(&self, limit: u32) -> Ticket<Vec<AuditEntry>> {
        self.readers.ask(move |conn| operators::audit_log(conn, limit))
    }

    /// Every stop that was not resumed when the store was opened.
    #[must_use]
    pub fn stops(&self) -> Arc<Stops> {
        self.shared.stops.now()
    }

    /// As [`crate::ExchangeStore::verify`], on a thread that answers nothing else meanwhile.
    pub fn verify(&self) -> Ticket<VerifyReport> {
        self.readers.ask(sound::verify)
    }

    /// What was used of a cap when the store was opened.
    #[must_use]
    pub fn used(&self, cap: &CapLimit) -> Tally {
        self.shared.usage.used(cap)
    }

    /// As [`crate::ExchangeStore::accepted_share`], when the store was opened.
    #[must_use]
    pub fn accepted_share(&self, campaign: &CampaignId, now: Timestamp) -> Chance {
        self.shared.record.chance(campaign, now)
    }

    /// As [`crate::ExchangeStore::posts`], when the store was opened.
    #[must_use]
    pub fn posts(&self, buyer: &BuyerId, since: Timestamp) -> PostTally {
        self.shared.record.posts(buyer, since)
    }

    /// As [`crate::ExchangeStore::suppression_lists`].
    pub fn suppression_lists(&self) -> Ticket<Vec<SuppressionList>> {
        self.readers.ask(suppress::lists)
    }

    /// As [`crate::ExchangeStore::ping_counts`].
    pub fn ping_counts(&self, since: Timestamp) -> Ticket<Vec<PingCount>> {
        self.readers.ask(move |conn| scores::ping_counts(conn, since))
    }

    /// As [`crate::ExchangeStore::late_leads`].
    pub fn late_leads(
        &self,
        since: Timestamp,
        after: Option<LeadId>,
        limit: u32,
    ) -> Ticket<Vec<LateLead>> {
        self.readers.ask(move |conn| late::late_leads(conn, since, after, limit))
    }

    /// What a buyer's terms allowed when the store was opened.
    #[must_use]
    pub fn available(
        &self,
        buyer: &BuyerId,
        terms: &BillingTerms,
        currency: Currency,
    ) -> Option<MinorUnits> {
        self.shared.funds.available(buyer, terms, currency)
    }
}
