//! `[map.*]` and `[range.*]`: the operator's words for a buyer's codes.

use std::collections::BTreeMap;
use std::sync::Arc;

use exchange_model::document::NodeKind;
use exchange_model::money::parse_amount;
use exchange_model::{Document, Findings, Place, TableReader};
use rust_decimal::Decimal;

use super::stage::Files;
use crate::template::{Ranges, Words};

/// The key that stands for every word without one of its own.
const OTHERS: &str = "*";
/// Most words of one map.
const WORDS_MAX: usize = 100_000;

/// The maps and ranges of one buyer's file.
#[derive(Debug, Default)]
pub(super) struct Dictionaries {
    pub(super) maps: BTreeMap<String, Arc<Words>>,
    pub(super) ranges: BTreeMap<String, Arc<Ranges>>,
}

impl Dictionaries {
    /// Reads all of them.
    pub(super) fn read(document: &Document, files: Files<'_>, findings: &mut Findings) -> Self {
        let mut read = Self::default();
        for (name, table) in document.reader().named_tables("map", findings) {
            read.maps.insert(name.value.to_owned(), Arc::new(words(table, files, findings)));
        }
        for (name, table) in document.reader().named_tables("range", findings) {
            read.ranges.insert(name.value.to_owned(), Arc::new(ranges(&table, findings)));
        }
        read
    }
}

/// Names and texts, numbers and yes/no as text, in the order of the file.
pub(super) fn texts(table: &TableReader<'_>, findings: &mut Findings) -> Vec<(String, String)> {
    let mut read = Vec::with_capacity(table.raw().entries.len());
    for entry in &table.raw().entries {
        let text = match &entry.value.kind {
            NodeKind::String(text) | NodeKind::Float(text) => text.clone(),
            NodeKind::Integer(number) => number.to_string(),
            NodeKind::Boolean(yes) => yes.to_string(),
            NodeKind::Datetime(_) | NodeKind::Array(_) | NodeKind::Table(_) => {
                table.wrong_type(&entry.value, &entry.key, "\"...\"", findings);
                continue;
            }
        };
        read.push((entry.key.clone(), text));
    }
    read
}

/// A map's own words come before those of its `file`.
fn words(mut table: TableReader<'_>, files: Files<'_>, findings: &mut Findings) -> Words {
    let mut words = Words::default();
    let named = table.node("file").map(|node| table.place(node.span.clone()));
    for (key, text) in texts(&table, findings) {
        match key.as_str() {
            OTHERS => words.others = Some(text.into()),
            "file" => {}
            _ => {
                words.known.insert(key.into(), text.into());
            }
        }
    }
    if let (Some(place), Some(file)) = (named, table.string("file", "\"zips.csv\"", findings)) {
        columns(file.value, &place, files, &mut words, findings);
    }
    words
}

/// Reads two columns of a file beside this one.
fn columns(
    name: &str,
    place: &Place,
    files: Files<'_>,
    words: &mut Words,
    findings: &mut Findings,
) {
    let Some(file) = files(name) else {
        let message = format!("there is no file `{name}` beside this one");
        let help = "a map's file stands in the same folder as its buyer's file".to_owned();
        findings.error("no_map_file", place.clone(), message, help);
        return;
    };
    let mut start = 0_usize;
    for line in file.text.split_inclusive('\n') {
        let span = start..start.saturating_add(line.trim_end().len());
        start = start.saturating_add(line.len());
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match two_columns(line) {
            Some((key, text)) if words.known.len() < WORDS_MAX => {
                words.known.entry(key.into()).or_insert_with(|| text.into());
            }
            wrong => {
                let place = Place { file: Arc::clone(&file), span };
                bad_line(wrong.is_some(), place, findings);
                return;
            }
        }
    }
}

fn bad_line(too_many: bool, place: Place, findings: &mut Findings) {
    let message = if too_many {
        format!("a map has at most {WORDS_MAX} words")
    } else {
        "this line has not two columns".to_owned()
    };
    let help = "write `78701,Austin` on each line; quotes are allowed around a column".to_owned();
    findings.error("bad_map_file", place, message, help);
}

/// `a,b`, `"a","b"` with `""` for a quote inside, or two columns with a tab between.
fn two_columns(line: &str) -> Option<(String, String)> {
    let (first, rest) = column(line)?;
    let rest = rest.trim_start_matches(' ').strip_prefix([',', ';', '\t'])?;
    let (second, rest) = column(rest)?;
    rest.trim().is_empty().then_some((first, second))
}

/// One column and what follows it.
fn column(text: &str) -> Option<(String, &str)> {
    let text = text.trim_start_matches([' ', '\u{feff}']);
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ';', '\t']).unwrap_or(text.len());
        let (column, rest) = text.split_at_checked(end)?;
        return Some((column.trim().to_owned(), rest));
    };
    let mut column = String::new();
    let mut rest = quoted;
    loop {
        let (part, after) = rest.split_once('"')?;
        column.push_str(part);
        match after.strip_prefix('"') {
            Some(more) => {
                column.push('"');
                rest = more;
            }
            None => return Some((column, after)),
        }
    }
}

/// Bounds, lowest first.
fn ranges(table: &TableReader<'_>, findings: &mut Findings) -> Ranges {
    let mut bounds: Vec<(Decimal, Box<str>)> = Vec::new();
    let mut others = None;
    for (key, text) in texts(table, findings) {
        if key == OTHERS {
            others = Some(text.into());
            continue;
        }
        match bound(&key) {
            Some(bound) => bounds.push((bound, text.into())),
            None => {
                let message = format!("`{key}` is no bound");
                let help = "a bound is digits with an optional point, or \"*\" for all above";
                let place = table.raw().get(&key).map(|entry| table.place(entry.key_span.clone()));
                let place = place.unwrap_or_else(|| table.own_place());
                findings.error("bad_range", place, message, help.to_owned());
            }
        }
    }
    bounds.sort_by_key(|(bound, _)| *bound);
    Ranges { bounds, others }
}

fn bound(text: &str) -> Option<Decimal> {
    match text.strip_prefix('-') {
        Some(rest) => parse_amount(rest).ok().map(|amount| -amount),
        None => parse_amount(text).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_columns_are_read_with_and_without_quotes() {
        let read = |line| two_columns(line).unwrap();
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(read("78701, Austin "), pair("78701", "Austin"));
        assert_eq!(read("\"a,b\";\"say \"\"x\"\"\""), pair("a,b", "say \"x\""));
        assert_eq!(read("a\tb"), pair("a", "b"));
        for bad in ["a", "a,b,c", "\"a,b", "\"a\"b,c"] {
            assert_eq!(two_columns(bad), None, "{bad}");
        }
    }
}
