//! Filters as they are written, and what they mean, word by word.

use std::fmt::Write as _;

use super::draw::Draw;
use crate::exchange::Files;

/// A field, in terms of whole numbers that sort like its values.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Zip,
    State,
    Violations,
    Age,
    Income,
    Licensed,
    Credit,
    Homeowner,
    Carrier,
}

pub(super) const KINDS: &[Kind] = &[
    Kind::Zip,
    Kind::State,
    Kind::Violations,
    Kind::Age,
    Kind::Income,
    Kind::Licensed,
    Kind::Credit,
    Kind::Homeowner,
    Kind::Carrier,
];

const STATES: &[&str] = &["AZ", "CA", "CO", "FL", "LA", "NM", "NY", "OK", "TX", "UT"];

impl Kind {
    /// The field that filters name.
    fn field(self) -> &'static str {
        match self {
            Self::Zip => "zip",
            Self::State => "state",
            Self::Violations => "violations",
            Self::Age => "age",
            Self::Income => "income",
            Self::Licensed => "licensed_since",
            Self::Credit => "credit",
            Self::Homeowner => "homeowner",
            Self::Carrier => "carrier",
        }
    }

    /// The field that sellers send.
    pub(super) fn sent(self) -> &'static str {
        if self == Self::Age { "birth_date" } else { self.field() }
    }

    /// How many values there are.
    fn values(self) -> i64 {
        match self {
            Self::Zip => 60,
            Self::State => 10,
            Self::Violations => 21,
            Self::Age => 90,
            Self::Income | Self::Licensed | Self::Carrier => 28,
            Self::Credit => 4,
            Self::Homeowner => 2,
        }
    }

    fn has_order(self) -> bool {
        matches!(self, Self::Violations | Self::Age | Self::Income | Self::Licensed)
    }

    fn has_prefixes(self) -> bool {
        matches!(self, Self::Zip | Self::Carrier)
    }

    /// Whether every lead has it.
    fn is_always_there(self) -> bool {
        matches!(self, Self::Zip | Self::State | Self::Violations | Self::Age)
    }

    /// The value as a filter's list writes it.
    pub(super) fn text(self, value: i64) -> String {
        let word = |words: &[&str]| words[usize::try_from(value).unwrap()].to_owned();
        match self {
            Self::Zip if value < 30 => format!("{:05}", 10_001 + value * 7),
            Self::Zip => format!("{:05}", 78_700 + value * 3),
            Self::State => word(STATES),
            Self::Violations | Self::Age => value.to_string(),
            Self::Income => format!("{}.{:02}", value / 4, value % 4 * 25),
            Self::Licensed => format!("2020-02-{:02}", value + 1),
            Self::Credit => word(&["excellent", "good", "fair", "poor"]),
            Self::Homeowner => (value == 1).to_string(),
            Self::Carrier => format!("Carrier {value:02}"),
        }
    }

    fn toml(self, value: i64) -> String {
        match self {
            Self::Violations | Self::Age | Self::Homeowner => self.text(value),
            Self::Income | Self::Licensed if value % 2 == 0 => self.text(value),
            _ => format!("\"{}\"", self.text(value)),
        }
    }
}

/// A lead: a number for each kind, or nothing.
#[derive(Clone, Debug)]
pub(super) struct Given(Vec<Option<i64>>);

impl Given {
    pub(super) fn drawn(draw: &mut Draw) -> Self {
        let value = |kind: &Kind| {
            let value = draw.below(kind.values());
            (kind.is_always_there() || !draw.one_in(5)).then_some(value)
        };
        Self(KINDS.iter().map(value).collect())
    }

    fn of(&self, kind: Kind) -> Option<i64> {
        self.0[KINDS.iter().position(|known| *known == kind).unwrap()]
    }

    /// What the seller sends; nothing: left out.
    pub(super) fn text_of(&self, kind: Kind) -> String {
        match (kind, self.of(kind)) {
            (_, None) => String::new(),
            (Kind::Age, Some(years)) => format!("{}-11-23", 2026 - years),
            (_, Some(value)) => kind.text(value),
        }
    }
}

/// A line of a list file.
#[derive(Debug)]
enum Entry {
    Value(i64),
    Prefix(String),
}

/// Three list files for each kind.
#[derive(Debug)]
pub(super) struct Lists(Vec<(Kind, Vec<Entry>)>);

const LISTS: usize = 3;

impl Lists {
    pub(super) fn drawn(draw: &mut Draw) -> Self {
        let list = |kind: &Kind| {
            let values = draw.several(1, kind.values(), kind.values());
            let entry = |value| match kind.has_prefixes() && draw.one_in(6) {
                true => {
                    let mut text = kind.text(value);
                    text.truncate(text.len() - 1);
                    Entry::Prefix(text)
                }
                false => Entry::Value(value),
            };
            (*kind, values.into_iter().map(entry).collect())
        };
        Self(KINDS.iter().flat_map(|kind| std::iter::repeat_n(kind, LISTS)).map(list).collect())
    }

    pub(super) fn files(&self, files: Files) -> Files {
        self.0.iter().enumerate().fold(files, |files, (at, (kind, entries))| {
            let mut text = String::from("# a list\n\n");
            for entry in entries {
                match entry {
                    Entry::Value(value) => writeln!(text, "{}", kind.text(*value)),
                    Entry::Prefix(prefix) => writeln!(text, "{prefix}*"),
                }
                .unwrap();
            }
            files.with(&format!("lists/l{at}.txt"), &text)
        })
    }

    /// A list of this kind.
    fn pick(&self, draw: &mut Draw, kind: Kind) -> usize {
        let first = self.0.iter().position(|(known, _)| *known == kind).unwrap();
        first + usize::try_from(draw.below(3)).unwrap()
    }

    fn has(&self, list: usize, value: i64) -> bool {
        let (kind, entries) = &self.0[list];
        entries.iter().any(|entry| match entry {
            Entry::Value(known) => *known == value,
            Entry::Prefix(prefix) => kind.text(value).starts_with(prefix),
        })
    }
}

/// What is asked of one field.
#[derive(Debug)]
enum Asked {
    Value(i64),
    List(Vec<i64>),
    /// Keys in a table, all of which must hold.
    Keys(Vec<Key>),
}

#[derive(Debug)]
enum Key {
    Min(i64),
    Max(i64),
    Not(Vec<i64>),
    InFile(usize),
    NotInFile(usize),
    Present(bool),
}

#[derive(Debug)]
enum Line {
    Field(Kind, Asked),
    All(Vec<Table>),
    Any(Vec<Table>),
    Not(Table),
}

/// Lines that must all hold.
#[derive(Debug, Default)]
pub(super) struct Table(Vec<Line>);

impl Table {
    pub(super) fn drawn(draw: &mut Draw, lists: &Lists, most: usize, depth: usize) -> Self {
        let most = i64::try_from(most).unwrap();
        let mut kinds = draw.several(1, most, i64::try_from(KINDS.len()).unwrap());
        kinds.sort_unstable();
        kinds.dedup();
        let mut lines: Vec<Line> = kinds
            .into_iter()
            .map(|at| KINDS[usize::try_from(at).unwrap()])
            .map(|kind| Line::Field(kind, asked(draw, lists, kind)))
            .collect();
        if depth > 0 && draw.one_in(4) {
            let tables = |draw: &mut Draw| -> Vec<Self> {
                (0..=draw.below(3)).map(|_| Self::drawn(draw, lists, 2, depth - 1)).collect()
            };
            lines.push(match draw.below(3) {
                0 => Line::All(tables(draw)),
                1 => Line::Any(tables(draw)),
                _ => Line::Not(Self::drawn(draw, lists, 2, depth - 1)),
            });
        }
        Self(lines)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn holds(&self, given: &Given, lists: &Lists) -> bool {
        for line in &self.0 {
            let holds = match line {
                Line::Field(kind, asked) => accepted(asked, given.of(*kind), lists),
                Line::All(tables) => !tables.iter().any(|table| !table.holds(given, lists)),
                Line::Any(tables) => tables.iter().any(|table| table.holds(given, lists)),
                Line::Not(table) => !table.holds(given, lists),
            };
            if !holds {
                return false;
            }
        }
        true
    }

    pub(super) fn toml(&self) -> String {
        let tables = |tables: &[Self]| {
            tables.iter().map(|table| table.toml()).collect::<Vec<_>>().join(", ")
        };
        let lines = self.0.iter().map(|line| match line {
            Line::Field(kind, asked) => format!("{} = {}", kind.field(), asked_toml(*kind, asked)),
            Line::All(all) => format!("all = [{}]", tables(all)),
            Line::Any(any) => format!("any = [{}]", tables(any)),
            Line::Not(table) => format!("not = {}", table.toml()),
        });
        format!("{{ {} }}", lines.collect::<Vec<_>>().join(", "))
    }
}

fn asked(draw: &mut Draw, lists: &Lists, kind: Kind) -> Asked {
    let end = kind.values();
    match draw.below(8) {
        0 => Asked::Value(draw.below(end)),
        1 | 2 => Asked::List(draw.several(1, 8, end)),
        3 => Asked::Keys(vec![Key::Present(draw.one_in(2))]),
        _ => Asked::Keys(keys(draw, lists, kind)),
    }
}

fn keys(draw: &mut Draw, lists: &Lists, kind: Kind) -> Vec<Key> {
    let mut keys = Vec::new();
    if kind.has_order() && !draw.one_in(3) {
        let (a, b) = (draw.below(kind.values()), draw.below(kind.values()));
        match draw.below(3) {
            0 => keys.push(Key::Min(a)),
            1 => keys.push(Key::Max(a)),
            _ => keys.extend([Key::Min(a.min(b)), Key::Max(a.max(b))]),
        }
    }
    if draw.one_in(3) {
        keys.push(Key::Not(draw.several(1, 8, kind.values())));
    }
    if draw.one_in(3) {
        keys.push(Key::InFile(lists.pick(draw, kind)));
    }
    if draw.one_in(3) || keys.is_empty() {
        keys.push(Key::NotInFile(lists.pick(draw, kind)));
    }
    if draw.one_in(6) {
        keys.push(Key::Present(true));
    }
    keys
}

fn accepted(asked: &Asked, value: Option<i64>, lists: &Lists) -> bool {
    match (asked, value) {
        (Asked::Keys(keys), Some(value)) => !keys.iter().any(|key| !passes(key, value, lists)),
        (Asked::Keys(keys), None) => matches!(keys.as_slice(), [Key::Present(false)]),
        (Asked::Value(wanted), Some(value)) => *wanted == value,
        (Asked::List(wanted), Some(value)) => wanted.contains(&value),
        (Asked::Value(_) | Asked::List(_), None) => false,
    }
}

fn passes(key: &Key, value: i64, lists: &Lists) -> bool {
    match key {
        Key::Min(min) => value >= *min,
        Key::Max(max) => value <= *max,
        Key::Not(unwanted) => !unwanted.contains(&value),
        Key::InFile(list) => lists.has(*list, value),
        Key::NotInFile(list) => !lists.has(*list, value),
        Key::Present(wanted) => *wanted,
    }
}

fn asked_toml(kind: Kind, asked: &Asked) -> String {
    let list = |values: &[i64]| {
        let texts: Vec<String> = values.iter().map(|value| kind.toml(*value)).collect();
        format!("[{}]", texts.join(", "))
    };
    match asked {
        Asked::Value(value) => kind.toml(*value),
        Asked::List(values) => list(values),
        Asked::Keys(keys) => {
            let keys = keys.iter().map(|key| match key {
                Key::Min(min) => format!("min = {}", kind.toml(*min)),
                Key::Max(max) => format!("max = {}", kind.toml(*max)),
                Key::Not(values) => format!("not = {}", list(values)),
                Key::InFile(at) => format!("in_file = \"lists/l{at}.txt\""),
                Key::NotInFile(at) => format!("not_in_file = \"lists/l{at}.txt\""),
                Key::Present(present) => format!("present = {present}"),
            });
            format!("{{ {} }}", keys.collect::<Vec<_>>().join(", "))
        }
    }
}
