//! Reading and writing columns: the few shapes that every table uses.

use std::str::FromStr;

use exchange_model::{BillingTerms, Currency, LeadId, Money, Timestamp};
use rusqlite::{Connection, Params, Row};
use rust_decimal::Decimal;

use crate::error::StoreError;

/// The first row, if there is one.
pub(super) fn one<T>(
    conn: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    rows.next()?.map(read).transpose()
}

/// Every row.
pub(super) fn all<T>(
    conn: &Connection,
    sql: &str,
    params: impl Params,
    mut read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut found = Vec::new();
    each(conn, sql, params, |row| {
        found.push(read(row)?);
        Ok(())
    })?;
    Ok(found)
}

/// Every row, without keeping them.
pub(super) fn each(
    conn: &Connection,
    sql: &str,
    params: impl Params,
    mut read: impl FnMut(&Row<'_>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    while let Some(row) = rows.next()? {
        read(row)?;
    }
    Ok(())
}

/// Runs a statement that returns no rows; says how many it changed.
pub(super) fn run(conn: &Connection, sql: &str, params: impl Params) -> Result<usize, StoreError> {
    Ok(conn.prepare_cached(sql)?.execute(params)?)
}

/// A text column as what it is the text of.
pub(super) fn parsed<T: FromStr>(row: &Row<'_>, column: &'static str) -> Result<T, StoreError> {
    let value = row.get_ref(column)?;
    let text = value.as_str().map_err(|_other_type| StoreError::Unreadable(column))?;
    text.parse().map_err(|_malformed| StoreError::Unreadable(column))
}

/// A code column as the word it stands for.
pub(super) fn coded<T>(
    row: &Row<'_>,
    column: &'static str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<T, StoreError> {
    let value = row.get_ref(column)?;
    let text = value.as_str().map_err(|_other_type| StoreError::Unreadable(column))?;
    read(text).ok_or(StoreError::Unreadable(column))
}

/// A lead's id, or a ping's bits.
pub(super) fn lead_id(row: &Row<'_>, column: &'static str) -> Result<LeadId, StoreError> {
    Ok(LeadId::from_bytes(row.get::<_, [u8; 16]>(column)?))
}

/// A moment.
pub(super) fn time(row: &Row<'_>, column: &'static str) -> Result<Timestamp, StoreError> {
    Ok(Timestamp::from_unix_micros(row.get(column)?))
}

/// A moment that may not have come.
pub(super) fn time_if(
    row: &Row<'_>,
    column: &'static str,
) -> Result<Option<Timestamp>, StoreError> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp::from_unix_micros))
}

/// A three-letter currency.
pub(super) fn currency(row: &Row<'_>, column: &'static str) -> Result<Currency, StoreError> {
    coded(row, column, |code| Currency::new(code).ok())
}

/// An amount beside its currency.
pub(super) fn money(
    row: &Row<'_>,
    amount: &'static str,
    of: &'static str,
) -> Result<Money, StoreError> {
    let text = row.get_ref(amount)?;
    let text = text.as_str().map_err(|_other_type| StoreError::Unreadable(amount))?;
    Ok(Money::new(decimal(text).ok_or(StoreError::Unreadable(amount))?, currency(row, of)?))
}

/// An amount that may be absent.
pub(super) fn money_if(
    row: &Row<'_>,
    amount: &'static str,
    of: &'static str,
) -> Result<Option<Money>, StoreError> {
    match row.get::<_, Option<String>>(amount)? {
        Some(_) => money(row, amount, of).map(Some),
        None => Ok(None),
    }
}

/// A list of texts, or of pairs of texts, as JSON.
pub(super) fn json<T: serde::de::DeserializeOwned>(
    row: &Row<'_>,
    column: &'static str,
) -> Result<T, StoreError> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|_malformed| StoreError::Unreadable(column))
}

/// The JSON of something that always has one.
pub(super) fn to_json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("texts and lists of texts always serialise")
}

/// The digits of an amount, as [`money`] reads them.
pub(super) fn digits(money: Money) -> String {
    money.amount().to_string()
}

pub(super) fn decimal(text: &str) -> Option<Decimal> {
    Decimal::from_str_exact(text).ok()
}

/// `prepaid 0.00 USD`, `net 30 5000 USD`.
pub(super) fn terms_text(terms: &BillingTerms) -> String {
    match terms {
        BillingTerms::Prepaid { credit_line } => {
            format!("prepaid {} {}", digits(*credit_line), credit_line.currency())
        }
        BillingTerms::Net { days, credit_limit } => {
            format!("net {days} {} {}", digits(*credit_limit), credit_limit.currency())
        }
    }
}

/// What [`terms_text`] wrote.
pub(super) fn read_terms(text: &str) -> Option<BillingTerms> {
    let money =
        |amount: &str, code: &str| Some(Money::new(decimal(amount)?, Currency::new(code).ok()?));
    let words: Vec<&str> = text.split(' ').collect();
    match words.as_slice() {
        ["prepaid", amount, code] => {
            Some(BillingTerms::Prepaid { credit_line: money(amount, code)? })
        }
        ["net", days, amount, code] => {
            Some(BillingTerms::Net { days: days.parse().ok()?, credit_limit: money(amount, code)? })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn billing_terms_read_back() {
        let usd = |text| Money::parse(text, Currency::USD).unwrap();
        for terms in [
            BillingTerms::Prepaid { credit_line: usd("0") },
            BillingTerms::Net { days: 30, credit_limit: usd("5000.50") },
        ] {
            assert_eq!(read_terms(&terms_text(&terms)), Some(terms));
        }
        assert_eq!(read_terms("net thirty 1 USD"), None);
    }
}
