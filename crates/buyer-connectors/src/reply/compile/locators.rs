//! `at`, `key`, `column`, `header`, `regex`, and which of several values is meant.

use exchange_model::document::NodeKind;
use exchange_model::{Findings, Place, TableReader};
use http::HeaderName;
use regex::{Regex, RegexBuilder};
use serde_json_path::JsonPath;

use super::super::locator::{Locator, Origin, Path, Pick, Take};
use super::super::xpath::{Namespaces, XPath};
use crate::template::Filter;

/// Largest compiled regular expression, in bytes.
const REGEX_SIZE_MAX: usize = 1024 * 1024;
/// Most paths in one list.
const PATHS_MAX: usize = 16;
/// Most `..` in one path: each may visit every value once per level above it.
const DESCENTS_MAX: usize = 2;
/// Furthest column.
const COLUMN_MAX: i64 = 1_000;

/// Compiles filters as they are written behind a placeholder's source.
pub(crate) type FilterReader<'a> = &'a dyn Fn(&str, &Place, &mut Findings) -> Option<Vec<Filter>>;

/// What the locators of one reply must know.
#[derive(Clone)]
pub(super) struct Dialect<'a> {
    filters: FilterReader<'a>,
    namespaces: Namespaces,
    /// Whether the text is cut into pieces.
    delimited: bool,
    /// Whether locators start at an item.
    in_item: bool,
    /// Whether `key` means something else here than a name to look for.
    key_is_taken: bool,
}

const EXAMPLE: &str = "\"$.status\"";
const TAKES: &[(&str, Take)] =
    &[("values", Take::Values), ("keys", Take::Keys), ("pairs", Take::Pairs)];
const PICKS: &[(&str, Pick)] = &[
    ("only", Pick::Only),
    ("first", Pick::First),
    ("last", Pick::Last),
    ("highest", Pick::Highest),
    ("lowest", Pick::Lowest),
    ("sum", Pick::Sum),
    ("joined", Pick::Joined),
];

impl<'a> Dialect<'a> {
    /// What the table says about all its locators.
    pub(super) fn read(
        table: &mut TableReader<'_>,
        filters: FilterReader<'a>,
        findings: &mut Findings,
    ) -> Self {
        let delimited = matches!(
            table.node("as").map(|node| &node.kind),
            Some(NodeKind::String(word)) if word == "delimited"
        );
        let mut declared = Vec::new();
        if let Some(namespaces) = table.table("namespaces", findings) {
            for entry in &namespaces.raw().entries {
                match &entry.value.kind {
                    NodeKind::String(uri) => declared.push((entry.key.clone(), uri.clone())),
                    _ => {
                        namespaces.wrong_type(&entry.value, &entry.key, "\"http://...\"", findings);
                    }
                }
            }
        }
        let namespaces = Namespaces(declared);
        Self { filters, namespaces, delimited, in_item: false, key_is_taken: false }
    }

    /// The same for the locators inside an item.
    pub(super) fn of_items(&self) -> Self {
        Self { in_item: true, ..self.clone() }
    }

    /// The same where `key` is no locator.
    pub(super) fn without_key(&self) -> Self {
        Self { key_is_taken: true, ..self.clone() }
    }

    /// `key = { at = "..." }`.
    pub(super) fn place(
        &self,
        table: &mut TableReader<'_>,
        key: &'static str,
        findings: &mut Findings,
    ) -> Option<Locator> {
        let mut inner = table.table(key, findings)?;
        let locator = self.locator(&mut inner, findings);
        inner.finish(findings);
        locator
    }

    /// The locator that stands in a table, beside keys of others.
    pub(super) fn locator(
        &self,
        table: &mut TableReader<'_>,
        findings: &mut Findings,
    ) -> Option<Locator> {
        let locator = self.locator_or_text(table, findings)?;
        if !locator.is_place() && table.raw().get("regex").is_none() {
            table.missing("at", EXAMPLE, findings);
            return None;
        }
        Some(locator)
    }

    /// The same, where nothing at all means the whole text.
    pub(super) fn locator_or_text(
        &self,
        table: &mut TableReader<'_>,
        findings: &mut Findings,
    ) -> Option<Locator> {
        let origin = self.origin(table, findings);
        let within = table.parsed("regex", "\"^OK (.*)$\"", regex, findings);
        let take = table.one_of("take", TAKES, findings);
        let pick = table.one_of("pick", PICKS, findings).map(|pick| pick.value);
        let filter = table.string("filter", "\"div(100)\"", findings);
        let filters = match &filter {
            None => Vec::new(),
            Some(text) => (self.filters)(text.value, &text.place, findings)?,
        };
        let (origin, said) = origin?;
        let said = match &within {
            None => said,
            Some(regex) => format!("`{}` in {said}", regex.value.as_str()),
        };
        let said = match &filter {
            None => said,
            Some(text) => format!("{said} | {}", text.value),
        };
        let take = take.map_or(Take::Values, |take| take.value);
        let within = within.map(|regex| regex.value);
        Some(Locator { origin, within, filters, take, pick, said })
    }

    /// Where to look first, and the same in words.
    fn origin(
        &self,
        table: &mut TableReader<'_>,
        findings: &mut Findings,
    ) -> Option<(Origin, String)> {
        let named = ["at", "key", "column", "header"].into_iter();
        let ours = named.filter(|key| !(self.key_is_taken && *key == "key"));
        let given: Vec<&str> = ours.filter(|key| table.node(key).is_some()).collect();
        match given.as_slice() {
            [] => Some((Origin::Text, "the reply".to_owned())),
            ["at"] => self.paths(table, findings),
            [other] if self.in_item => {
                let message =
                    format!("`{other}` looks at the whole reply, but this is inside an item");
                let help =
                    "name the place in the item: `at = \"$.id\"` or `at = \"./id\"`".to_owned();
                findings.error("bad_value", table.own_place(), message, help);
                None
            }
            ["key"] => {
                let key = table.string("key", "\"status\"", findings)?.value;
                Some((Origin::Key(key.to_owned()), format!("`{key}`")))
            }
            ["column"] => self.column(table, findings),
            ["header"] => {
                let header = table.parsed("header", "\"Location\"", header, findings)?.value;
                let said = format!("header `{header}`");
                Some((Origin::Header(header), said))
            }
            [first, second, ..] => {
                let message = format!("`{first}` and `{second}` exclude each other");
                let help = "keep one; a list in `at` tries several places".to_owned();
                findings.error("bad_value", table.own_place(), message, help);
                None
            }
            [_] => None,
        }
    }

    fn paths(
        &self,
        table: &mut TableReader<'_>,
        findings: &mut Findings,
    ) -> Option<(Origin, String)> {
        let written = table.strings("at", findings)?;
        if written.is_empty() || written.len() > PATHS_MAX {
            let message = format!("`at` names {} places", written.len());
            let help = format!("write one path, or a list of up to {PATHS_MAX}");
            findings.error("bad_value", table.own_place(), message, help);
            return None;
        }
        let said: Vec<String> = written.iter().map(|path| format!("`{}`", path.value)).collect();
        let mut paths = Vec::with_capacity(written.len());
        for path in written {
            match self.path(path.value) {
                Ok(path) => paths.push(path),
                Err((why, help)) => {
                    findings.error("bad_value", path.place, format!("`at`: {why}"), help);
                    return None;
                }
            }
        }
        Some((Origin::Paths(paths), said.join(" or ")))
    }

    /// A path; or what is wrong and what to write instead.
    fn path(&self, text: &str) -> Result<Path, (String, String)> {
        let examples = || "paths are $.bid.price, /reply/price, //price or /reply/@id".to_owned();
        if text.starts_with('$') {
            return json_path(text).map(|path| Path::Json(Box::new(path)));
        }
        if !text.starts_with(['/', '.']) {
            return Err((format!("`{text}` is no path"), examples()));
        }
        let path = XPath::parse(text, &self.namespaces).map_err(|why| (why, examples()))?;
        match (path.is_relative(), self.in_item) {
            (true, false) => Err((
                "there is no item here to start at".to_owned(),
                format!("write `/{text}` without the `.`").replace("/.", ""),
            )),
            (false, true) => Err((
                "a path inside an item starts at the item".to_owned(),
                format!("write `.{text}`"),
            )),
            _ => Ok(Path::Tree(path)),
        }
    }

    fn column(
        &self,
        table: &mut TableReader<'_>,
        findings: &mut Findings,
    ) -> Option<(Origin, String)> {
        if !self.delimited {
            let message = "`column` needs a text that is cut into pieces".to_owned();
            let help = "add `as = \"delimited\"` and `separator = \"|\"` to this reply".to_owned();
            findings.error("bad_value", table.own_place(), message, help);
            return None;
        }
        let rest = match table.node("column").map(|node| &node.kind) {
            Some(NodeKind::String(text)) => {
                Some(text.strip_suffix("..").and_then(|n| n.parse().ok()))
            }
            _ => None,
        };
        let (column, rest) = match rest {
            Some(Some(column)) if (1..=COLUMN_MAX).contains(&column) => (column, true),
            Some(_) => {
                let node = table.node("column")?;
                table.wrong_type(node, "column", "2, or \"3..\" for all from the third", findings);
                return None;
            }
            None => (table.integer("column", 1..=COLUMN_MAX, findings)?.value, false),
        };
        let said = format!("column {column}{}", if rest { " and all that follow" } else { "" });
        Some((Origin::Column(usize::try_from(column).ok()?, rest), said))
    }
}

fn json_path(text: &str) -> Result<JsonPath, (String, String)> {
    let path = JsonPath::parse(text).map_err(|error| {
        (error.to_string().to_lowercase(), "a path of JSON is like $.bids[0].price".to_owned())
    })?;
    let bare = without_quoted(text);
    if bare.matches("..").count() > DESCENTS_MAX {
        let help = format!("name the steps; `..` may stand {DESCENTS_MAX} times");
        return Err(("too many `..`".to_owned(), help));
    }
    // It would be looked up once for each item that is filtered.
    if bare.matches('$').count() > 1 {
        let help = "a filter looks at its item: `[?@.ok == true]`".to_owned();
        return Err(("a path has one `$`".to_owned(), help));
    }
    if bare.contains("match(") || bare.contains("search(") {
        let help = "take the values, and test them with `matches` or `regex`".to_owned();
        return Err(("a path cannot hold a regular expression".to_owned(), help));
    }
    Ok(path)
}

/// A path without its quoted names and texts.
fn without_quoted(text: &str) -> String {
    let mut bare = String::with_capacity(text.len());
    let (mut quote, mut escaped) = (None, false);
    for character in text.chars() {
        match quote {
            None if matches!(character, '\'' | '"') => quote = Some(character),
            None => bare.push(character),
            Some(open) if character == open && !escaped => quote = None,
            Some(_) => {}
        }
        escaped = quote.is_some() && character == '\\' && !escaped;
    }
    bare
}

fn header(text: &str) -> Result<HeaderName, &'static str> {
    HeaderName::try_from(text).map_err(|_refused| "this is no name of a header")
}

fn regex(text: &str) -> Result<Regex, String> {
    built(text, false)
}

/// A regular expression within the limits.
pub(super) fn built(text: &str, any_case: bool) -> Result<Regex, String> {
    let mut builder = RegexBuilder::new(text);
    let built = builder.size_limit(REGEX_SIZE_MAX).case_insensitive(any_case).build();
    built.map_err(|_error| "this is no regular expression, or too large a one".to_owned())
}
