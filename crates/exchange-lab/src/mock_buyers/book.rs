//! A buyer's book: what it bought.
//!
//! With a path the book is a file of JSON lines, each synced before the buyer answers. A line cut
//! short by a crash was never answered, so it is dropped when the book is opened again.

use std::collections::HashMap;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// One accepted post.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
pub struct Purchase {
    /// The idempotency key it came with.
    pub idempotency_key: Option<String>,
    /// The token of the ping it answers, or the buyer's own number where there was no ping.
    pub lead_ref: String,
    /// The digits of the phone number, without the country code.
    pub phone: String,
    /// What the buyer owes.
    pub price: Decimal,
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
    /// Whether this repeats the idempotency key of an earlier line: asked again, not bought again.
    pub repeat: bool,
}

impl fmt::Debug for Purchase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Purchase")
            .field("idempotency_key", &self.idempotency_key)
            .field("lead_ref", &self.lead_ref)
            .field("price", &self.price)
            .field("repeat", &self.repeat)
            .finish_non_exhaustive()
    }
}

/// What the book says to an offered lead.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Entered {
    /// Written down.
    Bought(Purchase),
    /// The same key was bought before, and that purchase stands.
    Repeat(Purchase),
    /// The same phone was bought before under another key.
    Duplicate,
}

/// What a buyer bought, in order.
#[derive(Debug)]
pub struct Book {
    pages: Mutex<Pages>,
}

#[derive(Debug, Default)]
struct Pages {
    file: Option<File>,
    lines: Vec<Purchase>,
    by_key: HashMap<String, usize>,
    by_phone: HashMap<String, usize>,
}

impl Book {
    /// An empty book that is gone with the process.
    #[must_use]
    pub fn in_memory() -> Self {
        Self { pages: Mutex::default() }
    }

    /// The book in this file, created where it does not exist.
    ///
    /// # Errors
    /// The file cannot be read or written, or a line before the last is damaged.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        let mut text = Vec::new();
        file.seek(SeekFrom::Start(0))?;
        file.read_to_end(&mut text)?;
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        file.set_len(u64::try_from(whole).map_err(io::Error::other)?)?;
        let mut pages = Pages { file: Some(file), ..Pages::default() };
        for line in text.get(..whole).unwrap_or_default().split(|byte| *byte == b'\n') {
            if !line.is_empty() {
                pages.note(serde_json::from_slice(line)?);
            }
        }
        Ok(Self { pages: Mutex::new(pages) })
    }

    /// Reads the purchases in this file without opening it for writing; a cut last line is left out.
    ///
    /// # Errors
    /// As [`Book::open`].
    pub fn read(path: &Path) -> io::Result<Vec<Purchase>> {
        let text = std::fs::read(path)?;
        let whole = text.iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
        let lines = text.get(..whole).unwrap_or_default().split(|byte| *byte == b'\n');
        let lines = lines.filter(|line| !line.is_empty());
        lines.map(|line| serde_json::from_slice(line).map_err(io::Error::from)).collect()
    }

    /// Every line, repeats included.
    #[must_use]
    pub fn lines(&self) -> Vec<Purchase> {
        self.pages().lines.clone()
    }

    /// The leads bought, without repeats.
    #[must_use]
    pub fn purchases(&self) -> Vec<Purchase> {
        self.pages().lines.iter().filter(|line| !line.repeat).cloned().collect()
    }

    /// The purchase under this idempotency key.
    #[must_use]
    pub fn by_key(&self, key: &str) -> Option<Purchase> {
        self.pages().known(Some(key)).cloned()
    }

    /// What the buyer owes for everything in the book.
    #[must_use]
    pub fn total(&self) -> Decimal {
        self.pages().lines.iter().filter(|line| !line.repeat).map(|line| line.price).sum()
    }

    /// Enters an offered lead, synced to disk where there is a file. This blocks.
    pub(crate) fn enter(&self, offered: Purchase) -> io::Result<Entered> {
        let mut pages = self.pages();
        if let Some(first) = pages.known(offered.idempotency_key.as_deref()).cloned() {
            pages.write(Purchase { repeat: true, at_ms: now_ms(), ..first.clone() })?;
            return Ok(Entered::Repeat(first));
        }
        if pages.by_phone.contains_key(&offered.phone) {
            return Ok(Entered::Duplicate);
        }
        let bought = Purchase { at_ms: now_ms(), repeat: false, ..offered };
        pages.write(bought.clone())?;
        Ok(Entered::Bought(bought))
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pages {
    fn known(&self, key: Option<&str>) -> Option<&Purchase> {
        self.by_key.get(key?).and_then(|line| self.lines.get(*line))
    }

    fn write(&mut self, line: Purchase) -> io::Result<()> {
        if let Some(file) = &mut self.file {
            let mut text = serde_json::to_vec(&line)?;
            text.push(b'\n');
            file.write_all(&text)?;
            file.sync_data()?;
        }
        self.note(line);
        Ok(())
    }

    fn note(&mut self, line: Purchase) {
        let number = self.lines.len();
        if !line.repeat {
            if let Some(key) = &line.idempotency_key {
                self.by_key.insert(key.clone(), number);
            }
            self.by_phone.insert(line.phone.clone(), number);
        }
        self.lines.push(line);
    }
}

#[expect(clippy::disallowed_methods, reason = "a buyer is another company, with its own clock")]
fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(key: Option<&str>, phone: &str) -> Purchase {
        Purchase {
            idempotency_key: key.map(str::to_owned),
            lead_ref: "ref-1".to_owned(),
            phone: phone.to_owned(),
            price: Decimal::new(3100, 2),
            at_ms: 0,
            repeat: false,
        }
    }

    #[test]
    fn the_same_key_again_is_the_same_purchase() {
        let book = Book::in_memory();
        let Ok(Entered::Bought(first)) = book.enter(offered(Some("k1"), "5125550134")) else {
            panic!("not bought");
        };
        assert_eq!(
            book.enter(offered(Some("k1"), "5125550134")).unwrap(),
            Entered::Repeat(first.clone())
        );
        assert_eq!(book.purchases(), vec![first]);
        assert_eq!(book.lines().len(), 2);
        assert_eq!(book.total(), Decimal::new(3100, 2));
    }

    #[test]
    fn the_same_phone_under_another_key_is_a_duplicate() {
        let book = Book::in_memory();
        book.enter(offered(Some("k1"), "5125550134")).unwrap();
        let again = book.enter(offered(Some("k2"), "5125550134")).unwrap();
        assert_eq!(again, Entered::Duplicate);
        assert_eq!(book.enter(offered(None, "5125550134")).unwrap(), Entered::Duplicate);
    }

    #[test]
    fn a_book_survives_its_process_and_drops_a_torn_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("acme.jsonl");
        Book::open(&path).unwrap().enter(offered(Some("k1"), "5125550134")).unwrap();
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"idem").unwrap();
        let book = Book::open(&path).unwrap();
        assert_eq!(book.purchases().len(), 1);
        assert!(matches!(
            book.enter(offered(Some("k1"), "5125550134")).unwrap(),
            Entered::Repeat(_)
        ));
        assert_eq!(Book::read(&path).unwrap(), book.lines());
        assert_eq!(Book::read(&path).unwrap().len(), 2);
    }

    #[test]
    fn a_phone_number_is_not_in_the_debug_text() {
        let text = format!("{:?}", offered(Some("k1"), "5125550134"));
        assert!(!text.contains("0134"), "{text}");
    }
}
