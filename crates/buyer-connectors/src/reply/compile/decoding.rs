//! How bytes become a document.

use encoding_rs::Encoding;
use exchange_model::document::NodeKind;
use exchange_model::{Findings, TableReader};

use super::super::decode::{Decoding, Shape, UNESCAPE_MAX, UNWRAP_MAX};
use super::super::document::Pieces;
use super::super::locator::Locator;
use super::locators::Dialect;

const SHAPES: &[(&str, Shape)] = &[
    ("auto", Shape::Auto),
    ("json", Shape::Json),
    ("xml", Shape::Xml),
    ("html", Shape::Html),
    ("form", Shape::Form),
    ("delimited", Shape::Delimited),
    ("json_lines", Shape::JsonLines),
    ("csv", Shape::Csv),
    ("text", Shape::Text),
];

impl Dialect<'_> {
    /// The keys of a reply that are about decoding.
    pub(super) fn decoding(
        &self,
        table: &mut TableReader<'_>,
        findings: &mut Findings,
    ) -> Decoding {
        let charset = table.parsed("charset", "\"windows-1252\"", charset, findings);
        let unescape = table.integer("unescape", 0..=i64::from(UNESCAPE_MAX), findings);
        let shape = table.one_of("as", SHAPES, findings).map(|shape| shape.value);
        let separator = table.string("separator", "\"|\"", findings);
        let label = table.string("labels", "\"=\"", findings);
        let delimited = shape == Some(Shape::Delimited);
        if delimited && separator.as_ref().is_none_or(|separator| separator.value.is_empty()) {
            table.missing("separator", "\"|\"", findings);
        }
        let csv = shape == Some(Shape::Csv);
        if let Some(wide) = separator.as_ref().filter(|s| csv && s.value.chars().count() != 1) {
            let message = "the columns of a table are separated by one character".to_owned();
            let help = "write `separator = \";\"`".to_owned();
            findings.error("bad_value", wide.place.clone(), message, help);
        }
        let beside = separator.as_ref().filter(|_| !csv).or(label.as_ref());
        if let Some(beside) = beside.filter(|_| !delimited) {
            let message = "`separator` and `labels` are of a delimited text".to_owned();
            let help = "add `as = \"delimited\"`, or remove them".to_owned();
            findings.error("bad_value", beside.place.clone(), message, help);
        }
        let owned = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Decoding {
            charset: charset.map(|charset| charset.value),
            unescape: unescape.and_then(|times| u8::try_from(times.value).ok()).unwrap_or(0),
            unwrap: self.unwrap(table, findings),
            shape: shape.unwrap_or_default(),
            pieces: Pieces {
                separator: separator.and_then(|separator| owned(separator.value)),
                label: label.and_then(|label| owned(label.value)),
            },
        }
    }

    /// One place, or a list from the outermost.
    fn unwrap(&self, table: &mut TableReader<'_>, findings: &mut Findings) -> Vec<Locator> {
        let tables = match table.node("unwrap").map(|node| &node.kind) {
            None => Vec::new(),
            Some(NodeKind::Array(_)) => table.tables("unwrap", findings),
            Some(_) => table.table("unwrap", findings).into_iter().collect(),
        };
        if tables.len() > UNWRAP_MAX {
            let message = format!("{} documents inside each other", tables.len());
            let help = format!("up to {UNWRAP_MAX} can be unwrapped");
            findings.error("too_many", table.own_place(), message, help);
        }
        let read = |mut inner: TableReader<'_>| {
            let locator = self.locator(&mut inner, findings);
            inner.finish(findings);
            locator
        };
        tables.into_iter().filter_map(read).collect()
    }
}

fn charset(text: &str) -> Result<&'static Encoding, &'static str> {
    Encoding::for_label(text.as_bytes()).ok_or("this is no charset of the web")
}
