//! The books inside the write: balances that are read are the balances that are changed.

use exchange_model::{AttemptId, Currency, MinorUnits, Timestamp};
use rusqlite::{Connection, Row};
use settlement_ledger::balance::{self, BalanceKey};
use settlement_ledger::chain::{self, GENESIS, RecordHash};
use settlement_ledger::hold::Funds;
use settlement_ledger::{
    Account, Entry, EventKind, Header, Hold, HoldState, Layer, Side, Stamp, Transaction,
};

use super::columns::{all, coded, currency, lead_id, one, parsed, run, time};
use super::txn::{Head, Txn};
use crate::error::StoreError;
use crate::view::{Balance, StoredTransaction};

const TRANSACTION: &str = "SELECT sequence, key, kind, currency, effective_at, recorded_at, lead, step, actor, memo, hash FROM ledger_transaction";

impl Txn<'_> {
    /// A stamp that follows every earlier one, even when the clock does not.
    pub(super) fn stamp(&self, effective_at: Timestamp, now: Timestamp, actor: &str) -> Stamp {
        let last = self.head.recorded_at.unix_micros();
        let next = Timestamp::from_unix_micros(last.saturating_add(1));
        Stamp { effective_at, recorded_at: now.max(next), actor: actor.to_owned() }
    }

    /// What the buyer has or owes.
    pub(super) fn funds(&self, account: &Account, of: Currency) -> Result<Funds, StoreError> {
        let read = |layer| balance_of(self.conn, &account.to_string(), of, layer);
        let (settled, pending) = (read(Layer::Settled)?, read(Layer::Pending)?);
        Ok(Funds::from_balances(account, settled, pending)?)
    }

    /// Books a transaction: entries, balances, chain. `false` when the same event was booked
    /// before; another event under the same key is a conflict.
    pub(super) fn book(&mut self, transaction: &Transaction) -> Result<bool, StoreError> {
        if let Some(booked) = booked(self.conn, transaction.key())? {
            let same = booked.transaction.same_event(transaction);
            let conflict = || StoreError::Conflict(format!("`{}` is booked", transaction.key()));
            return if same { Ok(false) } else { Err(conflict()) };
        }
        self.append(transaction)?;
        for delta in transaction.deltas() {
            let key = delta.key();
            let account = key.account.to_string();
            let before = balance_of(self.conn, &account, key.currency, key.layer)?;
            let after = balance::apply(before, delta.change)?;
            run(
                self.conn,
                "INSERT INTO balance (account, currency, layer, minor) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET minor = excluded.minor",
                (account, key.currency.as_str(), key.layer.code(), after.get()),
            )?;
            self.touched.insert(key);
        }
        Ok(true)
    }

    fn append(&mut self, transaction: &Transaction) -> Result<(), StoreError> {
        let header = transaction.header();
        let sequence = self.head.sequence.saturating_add(1);
        let hash = chain::link(&self.head.hash, transaction);
        let attempt = header.attempt;
        run(
            self.conn,
            "INSERT INTO ledger_transaction (sequence, key, kind, currency, effective_at, recorded_at,
               lead, step, actor, memo, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            (
                sequence,
                &header.key,
                header.kind.code(),
                header.currency.as_str(),
                header.stamp.effective_at.unix_micros(),
                header.stamp.recorded_at.unix_micros(),
                header.lead.map(|lead| lead.to_bytes()),
                attempt.map(AttemptId::step),
                &header.stamp.actor,
                &header.memo,
                hash.to_bytes(),
            ),
        )?;
        for (line, entry) in (0_u32..).zip(transaction.entries()) {
            run(
                self.conn,
                "INSERT INTO ledger_entry (sequence, line, account, layer, side, minor)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                (
                    sequence,
                    line,
                    entry.account.to_string(),
                    entry.layer.code(),
                    entry.side.code(),
                    entry.minor.get(),
                ),
            )?;
        }
        *self.head = Head { sequence, hash, recorded_at: header.stamp.recorded_at };
        Ok(())
    }

    /// Writes a hold, new or resolved.
    pub(super) fn keep_hold(&self, hold: &Hold) -> Result<(), StoreError> {
        let captured = match hold.state {
            HoldState::Captured { captured } => Some(captured.get()),
            HoldState::Open | HoldState::Released => None,
        };
        run(
            self.conn,
            "INSERT INTO hold (lead, step, account, currency, minor, state, captured)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT DO UPDATE SET state = excluded.state, captured = excluded.captured",
            (
                hold.attempt.lead().to_bytes(),
                hold.attempt.step(),
                hold.account.to_string(),
                hold.currency.as_str(),
                hold.amount.get(),
                hold.state.code(),
                captured,
            ),
        )?;
        Ok(())
    }
}

/// Writes the end of the chain; once per batch.
pub(super) fn write_head(conn: &Connection, head: &Head) -> Result<(), StoreError> {
    run(
        conn,
        "INSERT INTO ledger_head (one, sequence, hash, recorded_at) VALUES (1, ?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET sequence = excluded.sequence, hash = excluded.hash,
           recorded_at = excluded.recorded_at",
        (head.sequence, head.hash.to_bytes(), head.recorded_at.unix_micros()),
    )?;
    Ok(())
}

/// The end of the chain as stored.
pub(super) fn read_head(conn: &Connection) -> Result<Head, StoreError> {
    let head = one(conn, "SELECT sequence, hash, recorded_at FROM ledger_head", [], |row| {
        let hash = RecordHash::from_bytes(row.get("hash")?);
        let recorded_at = time(row, "recorded_at")?;
        Ok(Head { sequence: row.get("sequence")?, hash, recorded_at })
    })?;
    let recorded_at = Timestamp::default();
    Ok(head.unwrap_or(Head { sequence: 0, hash: GENESIS, recorded_at }))
}

fn balance_of(
    conn: &Connection,
    account: &str,
    of: Currency,
    layer: Layer,
) -> Result<MinorUnits, StoreError> {
    let sql = "SELECT minor FROM balance WHERE account = ?1 AND currency = ?2 AND layer = ?3";
    let minor = one(conn, sql, (account, of.as_str(), layer.code()), |row| Ok(row.get(0)?))?;
    Ok(minor.map_or(MinorUnits::ZERO, MinorUnits::new))
}

/// One balance as stored.
pub(super) fn balance_at(conn: &Connection, key: &BalanceKey) -> Result<MinorUnits, StoreError> {
    balance_of(conn, &key.account.to_string(), key.currency, key.layer)
}

/// Every balance as stored.
pub(super) fn balances(conn: &Connection) -> Result<Vec<Balance>, StoreError> {
    let sql =
        "SELECT account, currency, layer, minor FROM balance ORDER BY account, currency, layer";
    all(conn, sql, [], |row| {
        let key = BalanceKey {
            account: parsed(row, "account")?,
            currency: currency(row, "currency")?,
            layer: coded(row, "layer", Layer::from_code)?,
        };
        Ok(Balance { key, minor: MinorUnits::new(row.get("minor")?) })
    })
}

/// The hold of an attempt, if it needed one.
pub(super) fn hold_of(conn: &Connection, attempt: AttemptId) -> Result<Option<Hold>, StoreError> {
    let sql = "SELECT lead, step, account, currency, minor, state, captured FROM hold
               WHERE lead = ?1 AND step = ?2";
    one(conn, sql, (attempt.lead().to_bytes(), attempt.step()), read_hold)
}

/// Every open hold, or every hold.
pub(super) fn holds(conn: &Connection, open_only: bool) -> Result<Vec<Hold>, StoreError> {
    let sql = if open_only {
        "SELECT lead, step, account, currency, minor, state, captured FROM hold WHERE state = 'open'"
    } else {
        "SELECT lead, step, account, currency, minor, state, captured FROM hold"
    };
    all(conn, sql, [], read_hold)
}

fn read_hold(row: &Row<'_>) -> Result<Hold, StoreError> {
    let captured = row.get::<_, Option<i64>>("captured")?.map(MinorUnits::new);
    Ok(Hold {
        attempt: AttemptId::new(lead_id(row, "lead")?, row.get("step")?),
        account: parsed(row, "account")?,
        currency: currency(row, "currency")?,
        amount: MinorUnits::new(row.get("minor")?),
        state: coded(row, "state", |code| HoldState::from_code(code, captured))?,
    })
}

fn booked(conn: &Connection, key: &str) -> Result<Option<StoredTransaction>, StoreError> {
    one(conn, &format!("{TRANSACTION} WHERE key = ?1"), [key], |row| read(conn, row))
}

/// Transactions after a sequence number, in order.
pub(super) fn after(
    conn: &Connection,
    sequence: i64,
    limit: u32,
) -> Result<Vec<StoredTransaction>, StoreError> {
    let sql = format!("{TRANSACTION} WHERE sequence > ?1 ORDER BY sequence LIMIT ?2");
    all(conn, &sql, (sequence, limit), |row| read(conn, row))
}

/// What was booked for one lead.
pub(super) fn of_lead(
    conn: &Connection,
    lead: [u8; 16],
) -> Result<Vec<StoredTransaction>, StoreError> {
    let sql = format!("{TRANSACTION} WHERE lead = ?1 ORDER BY sequence");
    all(conn, &sql, [lead], |row| read(conn, row))
}

/// An unreadable transaction is named, for it is a fault of the file and not of the question.
fn read(conn: &Connection, row: &Row<'_>) -> Result<StoredTransaction, StoreError> {
    let sequence: i64 = row.get("sequence")?;
    read_parts(conn, row, sequence).map_err(|error| match error {
        StoreError::Failed(_) => error,
        _ => StoreError::Unsound(format!("transaction {sequence}: {error}")),
    })
}

fn read_parts(
    conn: &Connection,
    row: &Row<'_>,
    sequence: i64,
) -> Result<StoredTransaction, StoreError> {
    let lead = row.get::<_, Option<[u8; 16]>>("lead")?.map(exchange_model::LeadId::from_bytes);
    let step: Option<u8> = row.get("step")?;
    let header = Header {
        key: row.get("key")?,
        kind: coded(row, "kind", EventKind::from_code)?,
        currency: currency(row, "currency")?,
        stamp: Stamp {
            effective_at: time(row, "effective_at")?,
            recorded_at: time(row, "recorded_at")?,
            actor: row.get("actor")?,
        },
        lead,
        attempt: lead.zip(step).map(|(lead, step)| AttemptId::new(lead, step)),
        memo: row.get("memo")?,
    };
    Ok(StoredTransaction {
        sequence: u64::try_from(sequence)
            .map_err(|_negative| StoreError::Unreadable("sequence"))?,
        transaction: Transaction::stored(header, entries(conn, sequence)?),
        hash: RecordHash::from_bytes(row.get("hash")?),
    })
}

fn entries(conn: &Connection, sequence: i64) -> Result<Vec<Entry>, StoreError> {
    let sql =
        "SELECT account, layer, side, minor FROM ledger_entry WHERE sequence = ?1 ORDER BY line";
    all(conn, sql, [sequence], |row| {
        Ok(Entry {
            account: parsed(row, "account")?,
            layer: coded(row, "layer", Layer::from_code)?,
            side: coded(row, "side", Side::from_code)?,
            minor: MinorUnits::new(row.get("minor")?),
        })
    })
}
