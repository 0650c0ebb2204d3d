//! A config file with the place of every key and value kept.
//!
//! The loader reads a file once into a [`Document`]; the crates that compile it walk its tables
//! through a [`TableReader`], which reports wrong types, missing keys and, when finished, unknown
//! keys with the nearest known one. A document can take in the tables of other files; every place
//! still names the right one. Nothing here knows what a key means.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use toml::de::{DeTable, DeValue};

use crate::finding::{Findings, Place, nearest};
use crate::money::{Currency, Money, MoneyError, Rate};

pub use source::{SourceFile, SourceMap};

mod source;

/// Largest config file, in bytes.
pub const FILE_MAX: usize = 1024 * 1024;

/// A value with its place.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it is.
    pub kind: NodeKind,
    /// Bytes of the document's files, see [`SourceMap`].
    pub span: Range<usize>,
}

/// What a value is. Numbers keep their digits: nothing passes through a float.
#[derive(Clone, Debug)]
pub enum NodeKind {
    /// A string.
    String(String),
    /// A whole number.
    Integer(i64),
    /// A number with a point, as written.
    Float(String),
    /// `true` or `false`.
    Boolean(bool),
    /// A date, time or date-time, as TOML prints it.
    Datetime(String),
    /// An array.
    Array(Vec<Node>),
    /// A table, inline or with a header.
    Table(Table),
}

impl NodeKind {
    fn name(&self) -> &'static str {
        match self {
            Self::String(_) => "a string",
            Self::Integer(_) => "a whole number",
            Self::Float(_) => "a number with a point",
            Self::Boolean(_) => "true or false",
            Self::Datetime(_) => "a date",
            Self::Array(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

/// Keys and values in the order of the file.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// The entries.
    pub entries: Vec<Entry>,
}

/// One key and its value.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key is.
    pub key_span: Range<usize>,
    /// The value.
    pub value: Node,
}

impl Table {
    /// The entry with this key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }
}

/// One parsed file, perhaps with tables of others.
#[derive(Clone, Debug)]
pub struct Document {
    /// The file it came from.
    pub file: Arc<SourceFile>,
    /// Its root table.
    pub root: Table,
    /// Every file that its tables came from.
    pub sources: SourceMap,
}

impl Document {
    /// Parses TOML. On a syntax error the finding is added and nothing is returned.
    #[must_use]
    pub fn parse(file: Arc<SourceFile>, findings: &mut Findings) -> Option<Self> {
        let root = parsed(&file, 0, findings)?;
        let sources = SourceMap::new(Arc::clone(&file));
        Some(Self { file, root, sources })
    }

    /// Parses another file, whose tables may then become part of this document: their spans say
    /// which file they are of.
    pub fn parse_further(
        &mut self,
        file: &Arc<SourceFile>,
        findings: &mut Findings,
    ) -> Option<Table> {
        let start = self.sources.add(Arc::clone(file));
        parsed(file, start, findings)
    }

    /// A reader of the root table.
    #[must_use]
    pub fn reader<'a>(&'a self) -> TableReader<'a> {
        let end = self.file.text.len().min(1);
        TableReader::new(&self.sources, &self.root, 0..end)
    }
}

/// The root table of a file whose spans start at `start`.
fn parsed(file: &Arc<SourceFile>, start: usize, findings: &mut Findings) -> Option<Table> {
    match DeTable::parse(&file.text) {
        Ok(root) => Some(table(root.into_inner(), start)),
        Err(error) => {
            let span = error.span().unwrap_or(0..0);
            let place = Place { file: Arc::clone(file), span };
            let help = syntax_help(error.message());
            findings.error("toml_syntax", place, error.message().to_lowercase(), help);
            None
        }
    }
}

fn moved(span: &Range<usize>, start: usize) -> Range<usize> {
    span.start.saturating_add(start)..span.end.saturating_add(start)
}

/// A hint that fits the kind of syntax error.
fn syntax_help(message: &str) -> String {
    if message.contains("inline") || message.contains("extend") {
        "an inline table cannot be extended later: write it as its own [table]".to_owned()
    } else if message.contains("leading zero") {
        "zips, phones and other codes are strings: put them in quotes".to_owned()
    } else if message.contains("duplicate key") {
        "each key may stand once: remove one of the two".to_owned()
    } else {
        "strings need quotes, lists need [ ], and every key stands on a line of its own".to_owned()
    }
}

fn table(from: DeTable<'_>, start: usize) -> Table {
    let mut entries: Vec<Entry> = from
        .into_iter()
        .map(|(key, value)| Entry {
            key_span: moved(&key.span(), start),
            key: key.into_inner().into_owned(),
            value: node(value, start),
        })
        .collect();
    entries.sort_by_key(|entry| entry.key_span.start);
    Table { entries }
}

fn node(value: toml::Spanned<DeValue<'_>>, start: usize) -> Node {
    Node { span: moved(&value.span(), start), kind: kind(value.into_inner(), start) }
}

fn kind(value: DeValue<'_>, start: usize) -> NodeKind {
    match value {
        DeValue::String(text) => NodeKind::String(text.into_owned()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(value) => NodeKind::Integer(value),
            Err(_too_large) => NodeKind::Float(number.as_str().to_owned()),
        },
        DeValue::Float(number) => NodeKind::Float(number.as_str().to_owned()),
        DeValue::Boolean(value) => NodeKind::Boolean(value),
        DeValue::Datetime(value) => NodeKind::Datetime(value.to_string()),
        DeValue::Array(items) => {
            NodeKind::Array(items.into_iter().map(|item| node(item, start)).collect())
        }
        DeValue::Table(inner) => NodeKind::Table(table(inner, start)),
    }
}

/// A value read from a document, with its place.
#[derive(Clone, Debug)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub place: Place,
}

/// Reads one table, remembers which keys were asked for, and reports the rest as unknown.
///
/// Every method that returns an `Option` has already added a finding when the key was there but
/// unusable, so that callers only decide what to do without it.
#[derive(Debug)]
pub struct TableReader<'a> {
    sources: &'a SourceMap,
    table: &'a Table,
    span: Range<usize>,
    known: BTreeSet<&'static str>,
}

impl<'a> TableReader<'a> {
    /// A reader of `table`; `span` is blamed when a required key is missing.
    #[must_use]
    pub fn new(sources: &'a SourceMap, table: &'a Table, span: Range<usize>) -> Self {
        Self { sources, table, span, known: BTreeSet::new() }
    }

    /// A reader of a table somewhere inside this one.
    #[must_use]
    pub fn inner(&self, table: &'a Table, span: Range<usize>) -> Self {
        Self::new(self.sources, table, span)
    }

    /// The place of a span of this document.
    #[must_use]
    pub fn place(&self, span: Range<usize>) -> Place {
        self.sources.place(span)
    }

    /// The place of this table.
    #[must_use]
    pub fn own_place(&self) -> Place {
        self.place(self.span.clone())
    }

    /// The raw table, for maps whose keys are the operator's own words.
    #[must_use]
    pub fn raw(&self) -> &'a Table {
        self.table
    }

    /// The raw value under `key`.
    pub fn node(&mut self, key: &'static str) -> Option<&'a Node> {
        self.known.insert(key);
        self.table.get(key).map(|entry| &entry.value)
    }

    /// Reports that `key` is required.
    pub fn missing(&self, key: &'static str, example: &str, findings: &mut Findings) {
        findings.error(
            "missing_key",
            self.own_place(),
            format!("`{key}` is missing"),
            format!("add `{key} = {example}`"),
        );
    }

    /// Reports that a value is of the wrong type.
    pub fn wrong_type(&self, node: &Node, key: &str, example: &str, findings: &mut Findings) {
        findings.error(
            "wrong_type",
            self.place(node.span.clone()),
            format!("`{key}` cannot be {}", node.kind.name()),
            format!("write `{key} = {example}`"),
        );
    }

    /// A string.
    pub fn string(
        &mut self,
        key: &'static str,
        example: &str,
        findings: &mut Findings,
    ) -> Option<Spanned<&'a str>> {
        let node = self.node(key)?;
        match &node.kind {
            NodeKind::String(text) => {
                Some(Spanned { value: text.as_str(), place: self.place(node.span.clone()) })
            }
            _ => {
                self.wrong_type(node, key, example, findings);
                None
            }
        }
    }

    /// A string that must be there.
    pub fn required_string(
        &mut self,
        key: &'static str,
        example: &str,
        findings: &mut Findings,
    ) -> Option<Spanned<&'a str>> {
        if self.node(key).is_none() {
            self.missing(key, example, findings);
        }
        self.string(key, example, findings)
    }

    /// A string read by `parse`; the error's text is shown with `example` as the remedy.
    pub fn parsed<T, E: std::fmt::Display>(
        &mut self,
        key: &'static str,
        example: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
        findings: &mut Findings,
    ) -> Option<Spanned<T>> {
        let text = self.string(key, example, findings)?;
        match parse(text.value) {
            Ok(value) => Some(Spanned { value, place: text.place }),
            Err(error) => {
                let message = format!("`{key}`: {error}");
                findings.error(
                    "bad_value",
                    text.place,
                    message,
                    format!("write `{key} = {example}`"),
                );
                None
            }
        }
    }

    /// A whole number within bounds.
    pub fn integer(
        &mut self,
        key: &'static str,
        allowed: std::ops::RangeInclusive<i64>,
        findings: &mut Findings,
    ) -> Option<Spanned<i64>> {
        let node = self.node(key)?;
        let place = self.place(node.span.clone());
        match node.kind {
            NodeKind::Integer(value) if allowed.contains(&value) => Some(Spanned { value, place }),
            NodeKind::Integer(value) => {
                let (low, high) = allowed.into_inner();
                findings.error(
                    "out_of_range",
                    place,
                    format!("`{key}` = {value} is outside {low} to {high}"),
                    format!("write a whole number from {low} to {high}"),
                );
                None
            }
            _ => {
                self.wrong_type(node, key, &allowed.start().to_string(), findings);
                None
            }
        }
    }

    /// `true` or `false`.
    pub fn boolean(&mut self, key: &'static str, findings: &mut Findings) -> Option<Spanned<bool>> {
        let node = self.node(key)?;
        match node.kind {
            NodeKind::Boolean(value) => {
                Some(Spanned { value, place: self.place(node.span.clone()) })
            }
            _ => {
                self.wrong_type(node, key, "true", findings);
                None
            }
        }
    }

    /// One of a few words.
    pub fn one_of<T: Copy>(
        &mut self,
        key: &'static str,
        words: &[(&'static str, T)],
        findings: &mut Findings,
    ) -> Option<Spanned<T>> {
        let example = format!("\"{}\"", words.first().map_or("", |(word, _)| *word));
        let text = self.string(key, &example, findings)?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text.value) {
            return Some(Spanned { value: *value, place: text.place });
        }
        let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let help = match nearest(text.value, all.iter().copied()) {
            Some(word) => format!("did you mean \"{word}\"? Allowed: {}", all.join(", ")),
            None => format!("allowed: {}", all.join(", ")),
        };
        let message = format!("`{key}` cannot be \"{}\"", text.value);
        findings.error("unknown_word", text.place, message, help);
        None
    }

    /// A duration such as `"900ms"`, `"3s"`, `"5m"`, `"72h"`, `"30d"`.
    pub fn duration(
        &mut self,
        key: &'static str,
        findings: &mut Findings,
    ) -> Option<Spanned<Duration>> {
        self.parsed(key, "\"900ms\"", parse_duration, findings)
    }

    /// A quoted amount; a bare number is refused with the quoted form as the remedy.
    pub fn money(
        &mut self,
        key: &'static str,
        currency: Currency,
        findings: &mut Findings,
    ) -> Option<Spanned<Money>> {
        let node = self.node(key)?;
        if let NodeKind::Integer(_) | NodeKind::Float(_) = &node.kind {
            let place = self.place(node.span.clone());
            let digits = place.file.text.get(place.span.clone()).unwrap_or("14.00");
            let help = format!("write `{key} = \"{digits}\"`");
            let message =
                format!("`{key}` is money and must be quoted: a bare number loses its digits");
            findings.error("bare_money", place, message, help);
            return None;
        }
        self.parsed(key, "\"14.00\"", |text| Money::parse(text, currency), findings)
    }

    /// A percentage such as `"80%"`.
    pub fn percent(&mut self, key: &'static str, findings: &mut Findings) -> Option<Spanned<Rate>> {
        let parse = |text: &str| {
            Rate::parse_percent(text)
                .map_err(|_same: MoneyError| "a share is a percentage up to 100%")
        };
        self.parsed(key, "\"80%\"", parse, findings)
    }

    /// A string or a list of strings.
    pub fn strings(
        &mut self,
        key: &'static str,
        findings: &mut Findings,
    ) -> Option<Vec<Spanned<&'a str>>> {
        let node = self.node(key)?;
        let items: &[Node] = match &node.kind {
            NodeKind::Array(items) => items,
            _ => std::slice::from_ref(node),
        };
        let mut read = Vec::with_capacity(items.len());
        for item in items {
            match &item.kind {
                NodeKind::String(text) => read
                    .push(Spanned { value: text.as_str(), place: self.place(item.span.clone()) }),
                _ => self.wrong_type(item, key, "[\"...\", \"...\"]", findings),
            }
        }
        Some(read)
    }

    /// A table.
    pub fn table(&mut self, key: &'static str, findings: &mut Findings) -> Option<Self> {
        let span = self.table.get(key).map(|entry| entry.key_span.clone());
        let node = self.node(key)?;
        match &node.kind {
            NodeKind::Table(table) => Some(TableReader::new(
                self.sources,
                table,
                span.unwrap_or_else(|| node.span.clone()),
            )),
            _ => {
                self.wrong_type(node, key, "{ ... }", findings);
                None
            }
        }
    }

    /// The tables of a list of tables (`[[key]]`); none when the key is absent.
    pub fn tables(&mut self, key: &'static str, findings: &mut Findings) -> Vec<Self> {
        let Some(node) = self.node(key) else { return Vec::new() };
        let NodeKind::Array(items) = &node.kind else {
            self.wrong_type(node, key, "[{ ... }], or a [[header]] for each", findings);
            return Vec::new();
        };
        let mut readers = Vec::with_capacity(items.len());
        for item in items {
            match &item.kind {
                NodeKind::Table(table) => {
                    readers.push(TableReader::new(self.sources, table, item.span.clone()));
                }
                _ => self.wrong_type(item, key, "{ ... }", findings),
            }
        }
        readers
    }

    /// A table whose keys are the operator's own names: each name, where it stands, its reader.
    pub fn named_tables(
        &mut self,
        key: &'static str,
        findings: &mut Findings,
    ) -> Vec<(Spanned<&'a str>, Self)> {
        let Some(outer) = self.table(key, findings) else { return Vec::new() };
        let mut read = Vec::with_capacity(outer.table.entries.len());
        for entry in &outer.table.entries {
            let name =
                Spanned { value: entry.key.as_str(), place: self.place(entry.key_span.clone()) };
            match &entry.value.kind {
                NodeKind::Table(table) => {
                    read.push((
                        name,
                        TableReader::new(self.sources, table, entry.key_span.clone()),
                    ));
                }
                _ => self.wrong_type(&entry.value, &entry.key, "{ ... }", findings),
            }
        }
        read
    }

    /// Reports every key that nobody asked for.
    pub fn finish(self, findings: &mut Findings) {
        for entry in &self.table.entries {
            if self.known.contains(entry.key.as_str()) {
                continue;
            }
            let help = match nearest(&entry.key, self.known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!(
                    "known keys here: {}",
                    self.known.iter().copied().collect::<Vec<_>>().join(", ")
                ),
            };
            let place = self.place(entry.key_span.clone());
            findings.error("unknown_key", place, format!("unknown key `{}`", entry.key), help);
        }
    }
}

/// Reads `900ms`, `3s`, `5m`, `72h` or `30d`.
///
/// # Errors
/// A sentence that names the accepted forms.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let refused = || "a duration is a whole number and a unit: 900ms, 3s, 5m, 72h, 30d".to_owned();
    let split = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(refused)?;
    let (digits, unit) = text.split_at(split);
    let number: u64 = digits.parse().map_err(|_not_a_number| refused())?;
    let millis = match unit {
        "ms" => Some(number),
        "s" => number.checked_mul(1_000),
        "m" => number.checked_mul(60_000),
        "h" => number.checked_mul(3_600_000),
        "d" => number.checked_mul(86_400_000),
        _ => None,
    };
    millis.filter(|ms| *ms <= 3_650 * 86_400_000).map(Duration::from_millis).ok_or_else(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> (Option<Document>, Findings) {
        let mut findings = Findings::new();
        let file = Arc::new(SourceFile { path: "a.toml".into(), text: text.into() });
        (Document::parse(file, &mut findings), findings)
    }

    fn messages(findings: &Findings) -> Vec<String> {
        findings
            .sorted()
            .iter()
            .map(|f| {
                let (line, column) = f.place.as_ref().unwrap().line_column();
                format!("{line}:{column} {} {} | {}", f.code, f.message, f.help)
            })
            .collect()
    }

    #[test]
    fn every_mistake_is_reported_with_its_place_and_remedy() {
        let (doc, mut findings) = parse("price = 14.0\ntimeout = \"9 hours\"\ntitel = \"x\"\n");
        let doc = doc.unwrap();
        let mut reader = doc.reader();
        assert!(reader.money("price", Currency::USD, &mut findings).is_none());
        assert!(reader.duration("timeout", &mut findings).is_none());
        assert!(reader.string("title", "\"...\"", &mut findings).is_none());
        reader.finish(&mut findings);
        assert_eq!(
            messages(&findings),
            [
                "1:9 bare_money `price` is money and must be quoted: a bare number loses its digits | write `price = \"14.0\"`",
                "2:11 bad_value `timeout`: a duration is a whole number and a unit: 900ms, 3s, 5m, 72h, 30d | write `timeout = \"900ms\"`",
                "3:1 unknown_key unknown key `titel` | did you mean `title`?",
            ]
        );
    }

    #[test]
    fn a_zip_without_quotes_is_a_syntax_error_with_a_hint() {
        let (doc, findings) = parse("zip = 02134\n");
        assert!(doc.is_none());
        assert_eq!(findings.len(), 1);
        assert_eq!(findings.sorted().first().unwrap().code, "toml_syntax");
    }

    #[test]
    fn a_table_of_another_file_keeps_its_places() {
        let (doc, mut findings) = parse("a = 1\n");
        let mut doc = doc.unwrap();
        let text = "# base\nprice = 2.5\nkay = 1\n";
        let other = Arc::new(SourceFile { path: "b.toml".into(), text: text.into() });
        let more = doc.parse_further(&other, &mut findings).unwrap();
        doc.root.entries.extend(more.entries);
        let mut reader = doc.reader();
        assert!(reader.integer("a", 5..=9, &mut findings).is_none());
        assert!(reader.money("price", Currency::USD, &mut findings).is_none());
        reader.finish(&mut findings);
        let found: Vec<String> = findings
            .sorted()
            .iter()
            .map(|f| format!("{} {}", f.place.as_ref().unwrap().file_line(), f.help))
            .collect();
        assert_eq!(
            found,
            [
                "a.toml:1 write a whole number from 5 to 9",
                "b.toml:2 write `price = \"2.5\"`",
                "b.toml:3 known keys here: a, price",
            ]
        );
    }

    #[test]
    fn durations() {
        assert_eq!(parse_duration("900ms"), Ok(Duration::from_millis(900)));
        assert_eq!(parse_duration("30d"), Ok(Duration::from_secs(2_592_000)));
        for bad in ["", "5", "5 s", "-5s", "1.5s", "s", "99999999d"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }
}
